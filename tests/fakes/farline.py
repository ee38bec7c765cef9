"""A long line to a server on this machine: every byte takes its time, and only so many fit.

What goes in one direction shares the line's rate. Each connection begins slowly, as TCP does: only
so much may be under way without having been acknowledged, and that grows with what was, up to the
window of a usual system. A connection takes a round trip to be made.

    python -m tests.fakes.farline HOST:PORT [--delay SECONDS] [--rate BYTES_A_SECOND]

prints the address where it begins.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from dataclasses import dataclass, field

FIRST_WINDOW = 14_600
WINDOW = 4 << 20
_PIECE = 1 << 16


@dataclass(slots=True)
class Rate:
    """What one direction of the line carries."""

    bytes_a_second: float
    _free_at: float = 0.0

    def leaves(self, now: float, count: int) -> float:
        """When the last of `count` bytes is on its way."""
        self._free_at = max(now, self._free_at) + count / self.bytes_a_second
        return self._free_at


@dataclass(slots=True)
class Flow:
    """One direction of one connection."""

    reader: StreamReader
    writer: StreamWriter
    rate: Rate
    delay: float
    _window: int = FIRST_WINDOW
    _under_way: int = 0
    _acknowledged: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Carry everything, and then the end."""
        loop = asyncio.get_running_loop()
        arrives = loop.time()
        while True:
            while self._under_way >= self._window:
                self._acknowledged.clear()
                await self._acknowledged.wait()
            piece = await self.reader.read(min(_PIECE, self._window - self._under_way))
            arrives = self.rate.leaves(loop.time(), len(piece)) + self.delay
            if not piece:
                break
            self._under_way += len(piece)
            loop.call_at(arrives, self._deliver, piece)
            loop.call_at(arrives + self.delay, self._acknowledge, len(piece))
        loop.call_at(arrives, self._end)

    def _deliver(self, piece: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(piece)

    def _acknowledge(self, count: int) -> None:
        self._under_way -= count
        self._window = min(WINDOW, self._window + count)
        self._acknowledged.set()

    def _end(self) -> None:
        with suppress(OSError, RuntimeError):
            if self.writer.can_write_eof() and not self.writer.is_closing():
                self.writer.write_eof()


async def serve(behind: str, delay: float, rate: float) -> None:
    """Take connections until somebody ends this process."""
    host, _, port = behind.rpartition(":")
    there, back = Rate(rate), Rate(rate)

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        await asyncio.sleep(2 * delay)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        flows = Flow(reader, far_writer, there, delay), Flow(far_reader, writer, back, delay)
        with suppress(OSError):
            await asyncio.gather(*(flow.run() for flow in flows))
        await asyncio.sleep(2 * delay)
        for side in (far_writer, writer):
            side.close()

    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    server = await asyncio.start_server(connected, sock=listening)
    print(f"127.0.0.1:{listening.getsockname()[1]}", flush=True)  # noqa: T201 - for who started it
    await server.serve_forever()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("behind")
    parser.add_argument("--delay", type=float, default=0.025)
    parser.add_argument("--rate", type=float, default=25e6)
    asked = parser.parse_args()
    asyncio.run(serve(asked.behind, asked.delay, asked.rate))


if __name__ == "__main__":
    main()
