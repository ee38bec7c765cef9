"""Changes that give a file the content that was made for it while the plan was."""

from __future__ import annotations

from dataclasses import dataclass, field

from transfer.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Write a file, whole or not at all, for its owner only; nothing in it is secret."""

    content: str
    """Lines, each with its end."""
    replaces: bool = False
    """A file that is there goes; otherwise another one than this is an error."""

    @property
    def digest(self) -> str:
        """`sha256:…` of the content."""
        return str(Digest.of(self.content.encode()))

    @property
    def lines(self) -> int:
        """How many."""
        return self.content.count("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One image reference, and what stands in its place."""

    file: str
    """Where it was read."""
    line: int
    """Counted from 1."""
    old: str
    new: str

    def __str__(self) -> str:
        """`delegate.yaml:33: old -> new`."""
        return f"{self.file}:{self.line}: {self.old} -> {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Write a file that is like others but for some image references, whole or not at all."""

    files: tuple[str, ...]
    """What was read: absolute paths; `-` is what was given on stdin."""
    exchanges: tuple[Exchange, ...]
    before: str | None
    """`sha256:…` of the file that is replaced, as it was read; None where it is another one."""
    mode: int
    text: str = field(repr=False)
    """Never shown: the YAML of a delegate has its token in it."""

    @property
    def digest(self) -> str:
        """`sha256:…` of what it will be."""
        return str(Digest.of(self.text.encode()))
