"""Downloads from a real nginx: killed, expired, limited, changed meanwhile; bytes are counted."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bundler.downloads import Download, Downloads, Pace
from bundler.sources.protocol import Location
from tests.bundler.downloads.support import AT_ONCE, EAGER, files, wait_until, wanted
from tests.processes import PATIENCE
from tests.servers import Certificate, Nginx, nginx
from transfer.digest import Digest
from transfer.errors import AccessDenied, DigestMismatch, NotFound

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

MIB = 1 << 20
CONTENT = os.urandom(6 * MIB)
DIGEST = Digest.of(CONTENT)
CLOSE = MIB + MIB // 2
"""Bytes that may come twice when a process is killed: what the journal had not noted, and what
was on its way."""

FETCH = """
import os, sys
from pathlib import Path
from bundler.downloads import Download, Downloads, Pace, confirming
from bundler.sources.protocol import Location
from transfer.digest import Digest
cache, url, digest, extra = sys.argv[1:]
confirming.CONFIRM_EVERY = float(os.environ.get("CONFIRM_EVERY", confirming.CONFIRM_EVERY))
wanted = Download(
    what="the file", identity="the file", file_name="file", size=None,
    digest=Digest.parse(digest) if digest else None, locate=lambda: Location(url=url),
)
pace = Pace(window=0.1, smallest=65536, extra=int(extra))
with Downloads.connect(Path(cache), pace=pace) as downloads:
    found = downloads.fetch(wanted)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
# Not ru_maxrss: that counts what ran in this process before, a whole test run.
print(found.digest, status["VmHWM"].split()[0])
"""


@dataclass(frozen=True, slots=True)
class Site:
    """nginx and what it serves."""

    root: Path
    server: Nginx
    url: str

    def sent(self) -> list[tuple[int, int]]:
        """Status and bytes of the body for every request of ours."""
        text = self.server.access.read_text()
        found = re.findall(r'"GET (?!\S*\?probe)\S+ HTTP/1.1" (\d+) (\d+) ', text)
        return [(int(code), int(size)) for code, size in found]

    def content(self) -> int:
        """Bytes of the file that were sent, in all answers."""
        return sum(size for code, size in self.sent() if code in (200, 206))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def later() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def site(
    later: ExitStack, folder: Path, snippet: str = "", content: bytes = CONTENT, name: str = "nginx"
) -> Site:
    """nginx with one file, until the end of the test."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    (root / "file").write_bytes(content)
    server = later.enter_context(nginx(folder / name, root, snippet))
    return Site(root, server, f"http://{server.host}/file")


def argv(cache: Path, url: str, digest: Digest | None = DIGEST, extra: int = 0) -> list[str]:
    """A process that fetches the file, by one connection or some more."""
    return [sys.executable, "-c", FETCH, str(cache), url, str(digest or ""), str(extra)]


def kill_at(
    cache: Path, url: str, count: int, digest: Digest | None = DIGEST, extra: int = 0
) -> None:
    """Fetch in a process of its own, and kill it when so many bytes are noted."""
    with subprocess.Popen(argv(cache, url, digest, extra)) as process:
        try:
            wait_until(lambda: noted(cache) >= count or process.poll() is not None)
            assert process.poll() is None, "it was over before its moment came"
        finally:
            process.kill()


def noted(cache: Path) -> int:
    """Bytes of the part that its journal has."""
    lines = [path.read_bytes() for path in (cache / "partial").glob("*.journal")]
    last = lines[0].splitlines()[-1] if lines and lines[0].endswith(b"\n") else b""
    pairs = re.findall(rb"\[(\d+),(\d+)\]", last)
    return sum(int(end) - int(start) for start, end in pairs)


def finish(cache: Path, url: str, digest: Digest | None = DIGEST) -> str:
    """Fetch to the end; the digest of what came."""
    done = subprocess.run(
        argv(cache, url, digest), check=True, capture_output=True, text=True, timeout=PATIENCE * 2
    )
    return done.stdout.split()[0]


@pytest.mark.parametrize("digest", [DIGEST, None])
def test_killed_again_and_again(
    later: ExitStack, tmp_path: Path, cache: Path, digest: Digest | None
) -> None:
    """Nothing that was noted comes twice."""
    served = site(later, tmp_path, "limit_rate 3m;")
    kills = (1 * MIB, 3 * MIB)
    for count in kills:
        kill_at(cache, served.url, count, digest)
    assert finish(cache, served.url, digest) == str(DIGEST)
    (found,) = files(cache)
    assert (cache / found).read_bytes() == CONTENT
    again = served.content() - len(CONTENT)
    assert again <= len(kills) * CLOSE
    assert [code for code, _ in served.sent()] == [200, 206, 206]


def test_slow_connection_gets_help(later: ExitStack, tmp_path: Path, cache: Path) -> None:
    served = site(later, tmp_path, "limit_rate 500k;")
    with Downloads.connect(cache, pace=Pace(window=0.3, smallest=65536)) as downloads:
        assert downloads.fetch(wanted(served.url, DIGEST)).path.read_bytes() == CONTENT
    wait_until(lambda: len(served.sent()) > 3)  # a large answer is logged a moment late
    codes = [code for code, _ in served.sent()]
    assert codes.count(200) == 1
    assert codes.count(206) >= 3
    assert served.content() - len(CONTENT) < MIB


def test_killed_among_several_connections(later: ExitStack, tmp_path: Path, cache: Path) -> None:
    """The part has holes, and is as long as the last connection came."""
    served = site(later, tmp_path, "limit_rate 600k;")
    kill_at(cache, served.url, 2 * MIB, None, extra=5)
    (part,) = (path for path in (cache / "partial").iterdir() if not path.suffix)
    assert part.stat().st_size > noted(cache) + 65536
    assert finish(cache, served.url, None) == str(DIGEST)
    assert files(cache) == {f"sha256/{DIGEST.encoded}": len(CONTENT)}


@pytest.mark.parametrize("snippet", ["", "limit_rate 2m; max_ranges 0;"])
def test_no_help_where_it_brings_nothing(
    later: ExitStack, tmp_path: Path, cache: Path, snippet: str
) -> None:
    """Fast enough; and a server that ignores Range."""
    served = site(later, tmp_path, snippet)
    with Downloads.connect(cache, pace=Pace(window=0.3, smallest=65536)) as downloads:
        assert downloads.fetch(wanted(served.url, DIGEST)).path.read_bytes() == CONTENT
    wait_until(lambda: len(served.sent()) >= 1)
    assert served.sent() == [(200, len(CONTENT))]


def test_server_that_ignores_ranges_sends_all_again(
    later: ExitStack, tmp_path: Path, cache: Path
) -> None:
    served = site(later, tmp_path, "limit_rate 3m; max_ranges 0;")
    kill_at(cache, served.url, MIB)
    with Downloads.connect(cache) as downloads:
        assert downloads.fetch(wanted(served.url, DIGEST)).path.read_bytes() == CONTENT
    assert [code for code, _ in served.sent()] == [200, 200]


OTHER = CONTENT[::-1]


@pytest.mark.parametrize("digest", [Digest.of(OTHER), None])
def test_file_that_changed_between_two_tries(
    later: ExitStack, tmp_path: Path, cache: Path, digest: Digest | None
) -> None:
    served = site(later, tmp_path, "limit_rate 3m;")
    kill_at(cache, served.url, MIB, digest)
    (served.root / "file").write_bytes(OTHER)
    os.utime(served.root / "file", (0, 0))
    assert finish(cache, served.url, digest) == str(Digest.of(OTHER))
    assert [code for code, _ in served.sent()] == [200, 200]


def signed(site: Site, expires: int) -> str:
    """An address as nginx's secure_link wants it."""
    key = hashlib.md5(f"{expires}/file secret".encode(), usedforsecurity=False).digest()
    md5 = base64.urlsafe_b64encode(key).decode().rstrip("=")
    return f"{site.url}?md5={md5}&expires={expires}"


SECURE_LINK = """
location /file {
    limit_rate 3m;
    secure_link $arg_md5,$arg_expires;
    secure_link_md5 "$secure_link_expires$uri secret";
    if ($secure_link = "") { return 403; }
    if ($secure_link = "0") { return 403; }
}
"""
LONG_AGO, FAR_AWAY = 1, 4102444800


def test_signed_address_that_expired_in_between(
    later: ExitStack, tmp_path: Path, cache: Path
) -> None:
    served = site(later, tmp_path, SECURE_LINK)
    kill_at(cache, signed(served, FAR_AWAY), 2 * MIB, None)
    addresses = [signed(served, LONG_AGO), signed(served, FAR_AWAY)]
    order = Download(
        what="the file",
        identity="the file",
        file_name="file",
        digest=None,
        size=len(CONTENT),
        locate=lambda: Location(url=addresses.pop(0)),
    )
    with Downloads.connect(cache, pace=Pace(extra=0)) as downloads:
        assert downloads.missing([order]) <= len(CONTENT) - 2 * MIB
        assert downloads.fetch(order).digest == DIGEST
    assert not addresses
    wait_until(lambda: served.sent()[-1][0] == 206)
    assert 403 in [code for code, _ in served.sent()]
    assert served.sent()[-1][1] <= len(CONTENT) - 2 * MIB


def test_two_processes_share_a_cache(later: ExitStack, tmp_path: Path, cache: Path) -> None:
    served = site(later, tmp_path, "limit_rate 4m; max_ranges 0;")
    commands: Sequence[list[str]] = [argv(cache, served.url)] * 2
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    outs = [process.communicate(timeout=PATIENCE * 2)[0] for process in running]
    assert [out.split()[0].decode() for out in outs] == [str(DIGEST)] * 2
    assert served.sent() == [(200, len(CONTENT))]


def test_second_lock_fetches_nothing(later: ExitStack, tmp_path: Path, cache: Path) -> None:
    served = site(later, tmp_path)
    for _ in range(2):
        assert finish(cache, served.url, None) == str(DIGEST)
    assert [code for code, _ in served.sent()] == [200, 304]
    os.utime(served.root / "file", (0, 0))  # another ETag, and the same bytes
    assert finish(cache, served.url, None) == str(DIGEST)
    assert [code for code, _ in served.sent()[2:]] == [206, 200]


def test_redirects_and_refusals(later: ExitStack, tmp_path: Path, cache: Path) -> None:
    served = site(later, tmp_path, "location /moved { return 302 /file; }")
    with Downloads.connect(cache, retry=AT_ONCE, pace=EAGER) as downloads:
        with pytest.raises(DigestMismatch):
            downloads.fetch(wanted(served.url, Digest.of(b"other")))
        assert files(cache) == {}
        moved = served.url.replace("/file", "/moved")
        assert downloads.fetch(wanted(moved, DIGEST)).path.read_bytes() == CONTENT
        with pytest.raises(NotFound):
            downloads.fetch(wanted(f"{served.url}/gone", Digest.of(b"")))


def test_only_trusted_servers(
    tmp_path: Path, cache: Path, tls: Certificate, other_tls: Certificate
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(CONTENT)
    with nginx(tmp_path / "nginx", root, tls=tls) as server:
        order = wanted(f"https://{server.host}/file", DIGEST)
        for ca_file in (None, other_tls.ca):
            with (
                Downloads.connect(cache, ca_file=ca_file, retry=AT_ONCE) as downloads,
                pytest.raises(AccessDenied, match="certificate is not trusted"),
            ):
                downloads.fetch(order)
        with Downloads.connect(cache, ca_file=tls.ca) as downloads:
            assert downloads.fetch(order).path.read_bytes() == CONTENT


def test_memory_does_not_grow_with_the_file(later: ExitStack, tmp_path: Path, cache: Path) -> None:
    served = site(later, tmp_path, content=b"small")
    peaks = []
    for size in (5, 400 * MIB):
        with (served.root / "file").open("wb") as file:
            file.truncate(size)
        done = subprocess.run(
            argv(cache, served.url, None), check=True, capture_output=True, text=True
        )
        peaks.append(int(done.stdout.split()[1]) / 1024)
    assert peaks[1] - peaks[0] < 40
    assert peaks[1] < 200
