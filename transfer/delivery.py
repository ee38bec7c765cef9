"""What a copy was asked to move, and how each image of it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from transfer.descriptor import Descriptor
from transfer.errors import CreateFirst, Incomplete, TransferError, raise_together
from transfer.store import Source, Target


class NotTried(Incomplete):
    """Nothing was wrong with this item; too much else was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCopy:
    """One image to move: its root, where it is, where it goes and under which name."""

    root: Descriptor
    source: Source
    target: Target
    name: str
    """The tag in the target, or the root's own digest where no tag is wanted."""

    def below(self, child: Descriptor) -> Self:
        """A manifest below this image, which goes to the same place without a tag."""
        return replace(self, root=child, name=str(child.digest))

    def __str__(self) -> str:
        """How messages name the destination."""
        joint = "@" if self.name == str(self.root.digest) else ":"
        return f"{self.target.description}{joint}{self.name}"


class Outcome(StrEnum):
    """How one image ended."""

    COPIED = "copied"
    """Moved, named and read back."""
    PRESENT = "present"
    """The target named this very digest before we came."""
    FAILED = "failed"
    """Not there, or not proven to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One image after the copy."""

    image: ImageCopy
    outcome: Outcome
    error: TransferError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The result: one delivery for each image asked for, in that order, and what it took."""

    deliveries: tuple[Delivery, ...]
    blobs_sent: int
    bytes_sent: int
    blobs_mounted: int
    blobs_present: int

    def raise_for_failures(self) -> None:
        """Raise if any image failed.

        Raises:
            TransferError: of the failures' own class when all failed alike and nothing was
                delivered; otherwise Incomplete.
        """
        errors = [d.error for d in self.deliveries if d.error is not None]
        if not errors:
            return
        kinds = {type(error) for error in errors if not isinstance(error, NotTried)}
        alike = len(kinds) == 1 and all(d.error is not None for d in self.deliveries)
        kind = kinds.pop() if alike else Incomplete
        # One error may have failed many images (a shared blob): it is told once. What was not
        # tried is no cause, and comes last.
        causes_first = sorted(errors, key=lambda error: isinstance(error, NotTried))
        distinct = {str(error): error for error in causes_first}
        raise_together(
            kind,
            f"{len(errors)} of {len(self.deliveries)} images were not delivered",
            distinct.values(),
            hint=_CREATE if any(isinstance(error, CreateFirst) for error in errors) else _MEND,
        )


_MEND = "mend what is named here, then run the same command: it continues"
_CREATE = (
    "create what does not exist at the registry, or let --create-missing do it in a Harbor or an "
    "ECR; then run the same command: it continues"
)
