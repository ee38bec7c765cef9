"""A bundle spec resolved: everything in it read, proven, and written down as a lock.

`walk` goes from entry to entry; `inputs` opens what an entry names, `fit` and `locks` say whether
it is what the spec and an older lock want.
"""

from bundler.resolve.inputs import Inputs
from bundler.resolve.locks import check_spec, read_lock
from bundler.resolve.walk import resolve

__all__ = ["Inputs", "check_spec", "read_lock", "resolve"]
