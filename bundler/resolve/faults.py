"""What is wrong with the entries of a spec: gathered while the work goes on, raised at its end."""

from __future__ import annotations

from types import TracebackType

from transfer.errors import (
    Incomplete,
    IntegrityError,
    InvalidInput,
    TransferError,
    raise_together,
)
from transfer.text import counted


def of_entry(entry: str, error: TransferError) -> TransferError:
    """The same error, told of an entry of the spec."""
    return type(error)(f"{entry}: {error.message}", hint=error.hint, faults=error.faults)


class Faults:
    """The errors of all entries."""

    def __init__(self) -> None:
        self._found: list[TransferError] = []

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)

    def of(self, entry: str) -> _Guard:
        """A context whose errors are kept, as those of an entry; what follows it goes on."""
        return _Guard(entry, self._found)

    def raise_all(self) -> None:
        """Raise every fault, if there is one: of its own class when all are alike."""
        kind = _kind({type(fault) for fault in self._found})
        entries = counted(len(self._found), "entry", "entries")
        raise_together(kind, f"{entries} of the spec cannot be used", self._found)


def _kind(kinds: set[type[TransferError]]) -> type[TransferError]:
    """What stands for all of them: what nobody may go on with comes before what may pass."""
    if len(kinds) == 1:
        return kinds.pop()
    for worst in (IntegrityError, InvalidInput):
        if any(issubclass(kind, worst) for kind in kinds):
            return worst
    return Incomplete


class _Guard:
    def __init__(self, entry: str, found: list[TransferError]) -> None:
        self._entry = entry
        self._found = found

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Keep an error of ours; let others out."""
        if not isinstance(error, TransferError):
            return False
        self._found.append(of_entry(self._entry, error))
        return True
