"""Ctrl-C that is always heard.

A SIGINT that arrives in the moment before the main thread begins to wait for another thread is
noted by the interpreter, but does not wake the wait: the command would go on as if nobody had
pressed anything. Here a second thread sees to it that the main thread hears of it.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_OTHERS = (signal.SIGTERM, signal.SIGHUP)
"""The end of a session, or of the machine, is no other end than Ctrl-C: programs that were started
are told, and nothing stays half done."""

_PATIENCE = 0.2
"""Seconds that the main thread has to hear of a signal before it is sent to it again."""


@contextmanager
def ctrl_c_heard() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt in the body, however the body waits; SIGTERM, SIGHUP too.

    Nothing is changed where SIGINT is ignored or handled by somebody else, or outside the main
    thread.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    heard = list[int]()
    others = [one for one in _OTHERS if signal.getsignal(one) is signal.SIG_DFL]

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)  # takes no lock: a second signal may come in the midst of this
        signal.default_int_handler(number, frame)

    for one in others:
        signal.signal(one, interrupt)
    noted, note = os.pipe()
    os.set_blocking(note, False)
    signal.signal(signal.SIGINT, interrupt)
    before = signal.set_wakeup_fd(note, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(noted, heard, interrupt), daemon=True)
    _start_deaf(watcher)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for one in others:
            signal.signal(one, signal.SIG_DFL)
        os.close(note)
        watcher.join()
        os.close(noted)


def _start_deaf(thread: threading.Thread) -> None:
    """Start a thread that takes no signals, so that whoever waits for one gets it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch(noted: int, heard: list[int], handler: object) -> None:
    """Once such a signal is noted, send SIGINT again and again until the main thread heard it."""
    main, waits = threading.main_thread().ident, False
    while True:
        if select.select([noted], [], [], _PATIENCE if waits else None)[0]:
            numbers = os.read(noted, 64)
            if not numbers:  # the other end is closed
                return
            waits = waits or bool({signal.SIGINT, *_OTHERS} & set(numbers))
        # Somebody else may have taken over the signal meanwhile, to forward it to a program.
        elif main and not heard and signal.getsignal(signal.SIGINT) is handler:
            signal.pthread_kill(main, signal.SIGINT)
        waits = waits and not heard
