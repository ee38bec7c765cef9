"""The transfer bundle, version 1: the folder that crosses the gap, read, verified and written.

A bundle is an OCI image layout with `bundle.json`, `SHA256SUMS`, `README.txt`, the slim archives
below `kots/` and plain files below `files/` added. `SHA256SUMS` lists every other file, so plain
tools check a bundle without us.

Read `structure` first, which says what has to hold; `reader` and `writer` keep it, with
`checksums`, `names`, `tree`, `seal` and `readme`.
"""

from transfer.bundle.reader import Bundle, VerifiedBundle
from transfer.bundle.writer import EPOCH, BundleWriter, partial_of

__all__ = ["EPOCH", "Bundle", "BundleWriter", "VerifiedBundle", "partial_of"]
