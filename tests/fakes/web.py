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
        """The file, the range of it that is asked for, or that it is still the same."""
        assert isinstance(self.server.owner, WebServer)
        content, etag = self.server.owner.content, self.server.owner.etag
        headers = {"ETag": etag} if etag else {}
        if etag and self.headers.get("If-None-Match") == etag:
            return self.answer(304, headers)
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not found or self.headers.get("If-Range", etag) != etag:
            return self.answer(200, headers, content)
        start, total = int(found[1]), len(content)
        if start >= total:
            return self.answer(416, {"Content-Range": f"bytes */{total}"})
        end = min(int(found[2] or total) + bool(found[2]), total)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
        return self.answer(206, headers, content[start:end])


@dataclass(slots=True)
class WebServer(FaultyServer):
    """Serves `content` at `url`."""

    handler: ClassVar[type[Exchange]] = _File

    content: bytes = b""
    etag: str | None = '"one"'

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
