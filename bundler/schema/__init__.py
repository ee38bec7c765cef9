"""The JSON Schemas of everything that is written at the connected end."""

from collections.abc import Callable, Mapping

from bundler.schema.spec import spec_schema
from transfer.schema import lock_schema, site_schema
from transfer.schema.words import Schema

SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "spec": spec_schema,
    "lock": lock_schema,
    "site": site_schema,
}
"""By the names that people know them under."""

__all__ = ["SCHEMAS", "spec_schema"]
