"""Ctrl-C reaches a main thread that has begun to wait just when it was pressed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.terminals import on_terminal
from transfer.interrupt import ctrl_c_heard

ROOT = Path(__file__).parents[2]


def test_a_signal_that_another_thread_took_ends_the_wait() -> None:
    never, over, rescued = threading.Lock(), threading.Event(), threading.Event()

    def press() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        if not over.wait(20):
            rescued.set()
            never.release()

    def wait() -> None:
        with ctrl_c_heard():
            thread.start()
            never.acquire()

    never.acquire()
    thread = threading.Thread(target=press)
    with pytest.raises(KeyboardInterrupt):
        wait()
    over.set()
    thread.join()
    assert not rescued.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_a_session_is_heard_as_well(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may ignore it
    try:
        with pytest.raises(KeyboardInterrupt), ctrl_c_heard():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_whoever_is_not_to_hear_of_a_session_does_not() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with ctrl_c_heard():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


_ASKING = """
import click
from transfer import interrupt

interrupt._PATIENCE = 0.0  # sent again before the first one is heard, as on a machine under load
for number in range({rounds}):
    try:
        with interrupt.ctrl_c_heard():
            click.confirm(f"{{number}}: done?", err=True)
    except (KeyboardInterrupt, click.Abort):
        continue
"""


def test_a_signal_that_comes_again_while_it_is_heard_does_no_harm(tmp_path: Path) -> None:
    rounds = 300
    argv = [sys.executable, "-c", _ASKING.format(rounds=rounds)]
    with on_terminal(argv, tmp_path, {**os.environ, "PYTHONPATH": str(ROOT)}) as terminal:
        for number in range(rounds):
            terminal.interrupt(f"{number}: done?")
        assert terminal.end()[0] == 0, terminal.shown


def test_everything_is_as_before_afterwards() -> None:
    handles = len(list(Path("/proc/self/fd").iterdir()))
    with ctrl_c_heard():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.set_wakeup_fd(-1) == -1
    assert len(list(Path("/proc/self/fd").iterdir())) == handles


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ctrl_c_heard():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
