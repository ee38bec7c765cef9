"""Files from http(s) addresses: resumed, retried, proven by their digest, kept in a cache.

`client` decides what to ask for; `part` is what is on the disk already.
"""

from bundler.downloads.client import Downloads
from bundler.downloads.values import Download, Fetched

__all__ = ["Download", "Downloads", "Fetched"]
