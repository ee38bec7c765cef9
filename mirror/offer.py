"""What a source offers to an installation: archives, and the files there are of each."""

from __future__ import annotations

from dataclasses import dataclass

from transfer.contents import ArchiveKind, ArchiveRecord, ReleaseRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One vendor's archive among the sources, and the files there are of it."""

    record: ArchiveRecord
    slim: str | None
    """What KOTS gets when the images were pushed: absolute path, None where there is none."""
    full: str | None
    """The archive with its images: absolute path, None where it has to be put together again."""
    majors: tuple[str, ...] = ()
    """The vendor's major releases of its application, oldest first, as far as a bundle says."""
    allowed: tuple[str, ...] = ()
    """The rules that whoever built its bundle let pass."""

    @property
    def release(self) -> ReleaseRecord:
        """What the archive says of itself."""
        return self.record.release

    @property
    def is_console(self) -> bool:
        """Whether it is the admin console."""
        return self.record.kind is ArchiveKind.ADMIN_CONSOLE
