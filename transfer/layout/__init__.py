"""An OCI image layout on disk, as a source to read from and a target to write to."""

from transfer.layout.index import NAME_ANNOTATION
from transfer.layout.store import OciLayout

__all__ = ["NAME_ANNOTATION", "OciLayout"]
