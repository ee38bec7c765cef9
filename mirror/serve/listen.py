"""What a server needs before it listens: an address, a certificate, and a way to be stopped."""

from __future__ import annotations

import re
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from transfer.disk import storage_errors
from transfer.errors import InvalidInput

_LAST_PORT = 65535


def parse_listen(text: str) -> tuple[str, int]:
    """Parse `HOST:PORT`; an IPv6 address stands in brackets.

    Raises:
        InvalidInput: it is something else.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > _LAST_PORT:
        raise InvalidInput(
            f"--listen {text!r}: not an address", hint="write HOST:PORT, such as 127.0.0.1:5000"
        )
    return host, int(port)


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What a server needs for TLS; None where neither file is given.

    Raises:
        InvalidInput: only one is given, or they are not a certificate and its key.
        NotFound: a file does not exist.
        StorageError: a file cannot be read.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise InvalidInput("--tls-cert and --tls-key go together")
    what = f"certificate {certificate}, key {key}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with storage_errors(what):
        try:
            context.load_cert_chain(certificate, key, password=lambda: "")  # asks nobody
        except ssl.SSLError as fault:
            raise InvalidInput(
                f"{what}: {fault.reason}", hint="give a certificate and its key, not encrypted"
            ) from fault
    return context


@contextmanager
def signals_held() -> Iterator[Callable[[], object]]:
    """Hold back SIGINT and SIGTERM; gives a function that waits for one of them.

    Threads that are started in the body do not get them either.
    """
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield lambda: signal.sigwait(ending)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending)
