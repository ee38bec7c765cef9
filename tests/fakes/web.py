"""A web server with one file, ranges included, that misbehaves as it is told.

nginx is the real one; this is for what nginx never does: failing once, cutting a body short,
answering a range with another one. `tests.fakes.faulty` has the faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from tests.fakes.faulty import Action, Exchange, FaultyServer


class _File(Exchange):
    def serve(self) -> None:
        """The file, or the range of it that is asked for."""
        assert isinstance(self.server.owner, WebServer)
        content = self.server.owner.content
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not found:
            return self.answer(200, {"ETag": '"one"'}, content)
        start, total = int(found[1]), len(content)
        if start >= total:
            return self.answer(416, {"Content-Range": f"bytes */{total}"})
        headers = {"ETag": '"one"', "Content-Range": f"bytes {start}-{total - 1}/{total}"}
        return self.answer(206, headers, content[start:])


@dataclass(slots=True)
class WebServer(FaultyServer):
    """Serves `content` at `url`."""

    handler: ClassVar[type[Exchange]] = _File

    content: bytes = b""

    @property
    def url(self) -> str:
        """The address of the file."""
        return f"http://{self.host}/release/harness.airgap"

    def ranges(self) -> list[str | None]:
        """The range that each request asked for."""
        return [request.headers.get("range") for request in self.requests]


def web(content: bytes, script: Iterable[Action] = ()) -> WebServer:
    """Serve `content`; the first requests meet the faults of `script`, one each."""
    server = WebServer(content=content)
    for fault in script:
        server.fail("GET", "", 1, fault)
    return server
