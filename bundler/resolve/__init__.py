"""A bundle spec resolved: everything in it read, proven, and written down as a lock."""

from bundler.resolve.inputs import Inputs
from bundler.resolve.locks import check_spec, read_lock
from bundler.resolve.walk import Taker, resolve

__all__ = ["Inputs", "Taker", "check_spec", "read_lock", "resolve"]
