"""Programs that are not ours, and what they say: skopeo, sha256sum, diff, GNU time, strace."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.processes import Argv
from tests.real.produce import skopeo
from tests.servers import Certificate, Registry
from tests.tools import need


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever pulls from a registry, with skopeo."""

    registry: Registry
    tls: Certificate | None = None
    login: tuple[str, str] | None = None

    def raw(self, name: str) -> bytes:
        """The bytes of the manifest that the registry hands out for a tag or digest."""
        return skopeo("inspect", "--raw", *self._options(""), self._address(name)).encode()

    def digest(self, name: str) -> str:
        """The digest of those bytes."""
        return f"sha256:{sha256(self.raw(name)).hexdigest()}"

    def pull(self, name: str) -> None:
        """Pull an image completely, every platform of it; skopeo checks each digest."""
        folder = tempfile.mkdtemp(prefix="pulled-", dir=self.registry.storage.parent)
        skopeo("copy", "--all", *self._options("src-"), self._address(name), f"dir:{folder}")
        shutil.rmtree(folder)

    def tags(self) -> list[str]:
        """Every `repository:tag` there is."""
        found = repositories(self.registry).glob("**/_manifests/tags/*/current/link")
        return sorted(
            f"{link.parents[4].relative_to(repositories(self.registry))}:{link.parents[1].name}"
            for link in found
        )

    def _address(self, name: str) -> str:
        return f"docker://{self.registry.host}/{name}"

    def _options(self, side: str) -> list[str]:
        if self.tls is None:
            return [f"--{side}tls-verify=false"]
        folder = self.registry.storage.parent / "client"
        folder.mkdir(exist_ok=True)
        shutil.copy(self.tls.ca, folder / "ca.crt")
        login = [f"--{side}creds={':'.join(self.login)}"] if self.login else []
        return [f"--{side}cert-dir={folder}", *login]


def repositories(registry: Registry) -> Path:
    """Where the registry keeps its tags and links."""
    return registry.storage / "docker/registry/v2/repositories"


def sends(registry: Registry) -> list[str]:
    """The requests that brought or announced content: blobs and manifests."""
    return [
        f"{request.method} {request.path}"
        for request in registry.requests()
        if request.method in {"POST", "PUT", "PATCH"}
    ]


def same_tree(one: Path, other: Path) -> None:
    """Both folders hold the same files with the same bytes."""
    _agrees(["diff", "--recursive", one, other])


def same_registry(one: Registry, other: Registry) -> None:
    """Both registries hold the same tags, manifests and blobs; broken-off uploads don't count."""
    _agrees(["diff", "--recursive", "--exclude=_uploads", one.storage, other.storage])


def sums_hold(bundle: Path) -> None:
    """`sha256sum -c` accepts the bundle."""
    _agrees(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=bundle)


def _agrees(argv: Argv, cwd: Path | None = None) -> None:
    words = list(map(str, argv))
    done = subprocess.run(words, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def peak(report: Path) -> int:
    """Bytes of the largest resident set, from a report of `/usr/bin/time -v`."""
    found = re.search(r"Maximum resident set size \(kbytes\): (\d+)", report.read_text())
    assert found, report.read_text()
    return int(found[1]) * 1024


def timed(report: Path) -> list[str | Path]:
    """Goes before a command: GNU time writes its report."""
    return [need("time"), "-v", "-o", report]


def traced(report: Path) -> list[str | Path]:
    """Goes before a command: strace notes each call that could make, move or change a file."""
    calls = (
        "open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,link,"
        "linkat,symlink,symlinkat,truncate,memfd_create"
    )
    return [need("strace"), "-f", "--seccomp-bpf", "-qq", "-e", f"trace={calls}", "-o", report]


_HARMLESS = re.compile(r'"/dev/(null|tty|u?random)"|"/proc/')
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|O_TRUNC")


def writes(report: Path) -> Sequence[str]:
    """The calls in a report of strace that made, moved or changed a file, and succeeded."""
    found = []
    for line in report.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if not call or _HARMLESS.search(line) or " = -1 " in line:
            continue
        if not call[1].startswith("open") or _WRITES.search(line):
            found.append(line)
    return found
