"""A read-only registry over what is on a disk, for sites and hands that have no other.

`open_library` says what is served (`library`), `serving` serves it (`server`); what is answered
is decided in `answers`, from values to values.
"""

from mirror.serve.library import Library, open_library
from mirror.serve.server import parse_listen, serving, signals_held, tls_context

__all__ = [
    "Library",
    "open_library",
    "parse_listen",
    "serving",
    "signals_held",
    "tls_context",
]
