"""JSON Schemas of the files that both ends read, so that editors complete and check them.

A schema says of a file's structure what the parser says, and of values what a pattern can; what
goes beyond, such as a name that stands twice, the parser alone finds. The tests hold the two
against each other. The schema of the bundle spec is in `bundler.schema`.
"""

from transfer.schema.lock import lock_schema
from transfer.schema.site import site_schema
from transfer.schema.table import key_table

__all__ = ["key_table", "lock_schema", "site_schema"]
