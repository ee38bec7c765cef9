"""Vendors' archives: read in place as a source of blobs, written without images or whole again."""

from transfer.archive.airgap import AirgapArchive
from transfer.archive.compress import COMPRESSOR
from transfer.archive.full import write_full

__all__ = ["COMPRESSOR", "AirgapArchive", "write_full"]
