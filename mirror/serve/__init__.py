"""A read-only registry over what is on a disk, for sites and hands that have no other.

`open_library` says what is served, `serving` serves it.
"""

from mirror.serve.library import Library, open_library
from mirror.serve.server import serving

__all__ = ["Library", "open_library", "serving"]
