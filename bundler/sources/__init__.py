"""The places that files come from, behind one protocol (`protocol`).

`sources` chooses; `asset`, `release`, `modules`, `address` and `local` are the sources; `github`,
`portal` and `manifest` are what three of them read; `evidence` says who vouches for a digest.
"""

from bundler.sources.asking import Asker
from bundler.sources.evidence import settle
from bundler.sources.protocol import Evidence, FileSource, Location, Promise
from bundler.sources.sources import Sources

__all__ = ["Asker", "Evidence", "FileSource", "Location", "Promise", "Sources", "settle"]
