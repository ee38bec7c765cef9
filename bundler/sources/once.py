"""Things that are found out once in a run, whoever needs them and however often."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from transfer.errors import TransferError

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Once(Generic[_Key, _Value]):
    """Remembers what was found, also that it could not be; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[_Key, _Value | TransferError] = {}

    def get(self, key: _Key, find: Callable[[], _Value]) -> _Value:
        """What `find` returned the first time; one thread finds while the others wait.

        Raises:
            TransferError: as `find` raised it the first time.
        """
        with self._lock:
            if key not in self._known:
                try:
                    self._known[key] = find()
                except TransferError as error:
                    self._known[key] = error
            found = self._known[key]
        if isinstance(found, TransferError):
            # A new one each time: several threads would write their traceback into the same.
            raise type(found)(found.message, hint=found.hint, faults=found.faults) from found
        return found
