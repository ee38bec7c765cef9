"""The same question about many things, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(work: Callable[[_Item], _Result], items: Iterable[_Item], *, jobs: int) -> list[_Result]:
    """The results of `work`, in the order of the items.

    The first error is raised as soon as it is met in that order; nothing new is started after
    it, and nobody waits for what is under way, so that Ctrl-C ends at once.
    """
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="ask")
    try:
        results = list(pool.map(work, items))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return results
