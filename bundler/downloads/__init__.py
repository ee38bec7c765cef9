"""Files from http(s) addresses: resumed, retried, proven by their digest, kept in a cache."""

from bundler.downloads.client import Downloads

__all__ = ["Downloads"]
