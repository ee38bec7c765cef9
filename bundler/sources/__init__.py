"""The places that files come from, a module each, behind one protocol."""

from bundler.sources.protocol import Evidence, FileSource, Location, Promise

__all__ = ["Evidence", "FileSource", "Location", "Promise"]
