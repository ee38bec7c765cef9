"""Vendors' archives: read in place as a source of blobs, written without images or whole again.

Read `airgap` first: `scan` passes once over a file (`gzipstream`, `tarscan`, `hashing`), taking
images in the two forms they have (`distribution`, `dockersave`) and putting blobs on the `shelf`;
`describe` says what it all is (`release`, `application`, `signature`). Layers of docker-save
images are compressed by `packing` (`compress`, `flate`). `full` and `tarwrite` write archives.
"""

from transfer.archive.airgap import AirgapArchive
from transfer.archive.full import write_full

__all__ = ["AirgapArchive", "write_full"]
