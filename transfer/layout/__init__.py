"""An OCI image layout on disk, as a source to read from and a target to write to.

Read `store` first; `index` is its `index.json`, `folders` are the folders and the writers' locks,
`proof` reads everything that the index reaches.
"""

from transfer.layout.store import OciLayout

__all__ = ["OciLayout"]
