"""Files from http(s) addresses: resumed, retried, proven by their digest, kept in a cache.

`client` is the way in; `fetching` brings one file, over connections that `crew` adds where one is
slow and `pieces` shares the work among; `part` is what is on the disk already, as its `journal`
says, and `hasher` follows it; `confirming` and `unconfirmed` see to what a machine that goes down
may lose; `streamed` takes what comes from no address; `cache` is the folder, and `upkeep` shows,
proves and tidies it.
"""

from bundler.downloads.client import Downloads
from bundler.downloads.values import Download, Fetched, Pace

__all__ = ["Download", "Downloads", "Fetched", "Pace"]
