"""A read-only registry over what is on a disk, for sites and hands that have no other.

`open_library` says what is served (`library`), `serving` serves it (`serving`, `server`,
`connection`); what is answered is decided in `answers`, from values to values. `settings` writes
what an operator needs to have it run and used.
"""

from mirror.serve.library import Library, open_library
from mirror.serve.listen import parse_listen, signals_held, tls_context
from mirror.serve.passwords import Passwords
from mirror.serve.server import Service
from mirror.serve.serving import serving

__all__ = [
    "Library",
    "Passwords",
    "Service",
    "open_library",
    "parse_listen",
    "serving",
    "signals_held",
    "tls_context",
]
