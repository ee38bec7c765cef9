"""A bundle spec resolved: everything in it read, proven, and written down as a lock.

`gather` brings the files here, `walk` goes from entry to entry; `inputs` opens what an entry
names, `fit` and `locks` say whether it is what the spec and an older lock want.
"""

from bundler.resolve.inputs import Inputs
from bundler.resolve.locks import check_spec, entries_of, read_lock
from bundler.resolve.walk import resolve

__all__ = ["Inputs", "check_spec", "entries_of", "read_lock", "resolve"]
