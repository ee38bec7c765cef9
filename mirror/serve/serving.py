"""A registry that runs for as long as a `with` block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mirror.serve.connection import Connection
from mirror.serve.server import Server, Service
from transfer.errors import InvalidInput


@contextmanager
def serving(service: Service, host: str, port: int) -> Iterator[str]:
    """Serve until the body ends; gives the address, `host:port`.

    Raises:
        InvalidInput: nothing can listen there.
    """
    try:
        server = Server(service, (host, port), Connection)
    except OSError as fault:
        raise InvalidInput(
            f"--listen {host}:{port}: {fault.strerror or fault}",
            hint="choose another port, or 0 for any that is free",
        ) from fault
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield server.address
    finally:
        server.shutdown()
        thread.join()
        server.finish()
        server.server_close()
