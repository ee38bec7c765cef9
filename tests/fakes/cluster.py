"""The imaginary cluster behind the fake kubectl: a JSON file that each call reads and writes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.goflags import Call, Refused

State = dict[str, Any]


@contextmanager
def cluster() -> Iterator[State]:
    """The state, written back at the end, also when the command fails."""
    path = Path(os.environ["FAKE_CLUSTER"])
    state: State = json.loads(path.read_text(encoding="utf-8"))
    try:
        yield state
    finally:
        path.write_text(json.dumps(state, indent=2), encoding="utf-8")


def log(program: str, arguments: Sequence[str]) -> None:
    """Note a call; values of KOTS_ variables as digests, so that no secret reaches a disk."""
    seen = {name: digest(value) for name, value in os.environ.items() if name.startswith("KOTS_")}
    plain = {name: os.environ[name] for name in sorted(os.environ) if name == "TMPDIR"}
    entry = {"argv": [program, *arguments], "environment": seen, "plain": plain}
    with Path(os.environ["FAKE_LOG"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def digest(value: str) -> str:
    """What stands for a value in the log and in the state."""
    return hashlib.sha256(value.encode()).hexdigest()


def namespace_of(state: State, name: str) -> State:
    """A namespace; made where it is missing."""
    found: State = state["namespaces"].setdefault(name, {"console": None, "apps": {}})
    return found


def pull_secret(registry: str, user: str, password: str) -> State:
    """What the state has of a pull secret: the host, and the login as Kubernetes holds it."""
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"host": registry.partition("/")[0], "auth": auth}


def ensure_pull_secret(namespace: State, call: Call, registry: str) -> None:
    """Make the console's pull secret where it is missing; what is there stays as it is."""
    user, password = call.get("registry-username"), call.get("registry-password")
    if user:
        made = pull_secret(registry, user, password)
        namespace.setdefault("secrets", {}).setdefault("kotsadm-private-registry", made)


def trap(state: State, command: str) -> str:
    """The trap set for a command; it springs once."""
    return str(state.get("traps", {}).pop(command, ""))


def read_archive(path: str, *needed: str) -> dict[str, str]:
    """The fields of `airgap.yaml`, which is in `path` with all that is `needed`."""
    if not Path(path).is_file():
        raise Refused(f"failed to open archive: open {path}: no such file or directory")
    found = {}
    try:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                if member.isfile() and member.name in ("airgap.yaml", "app.tar.gz"):
                    stream = tar.extractfile(member) or io.BytesIO()
                    found[member.name] = stream.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Refused(f"failed to get new gzip reader: {error}") from error
    for name in ("airgap.yaml", *needed):
        if name not in found:
            raise Refused(
                f"failed to find airgap meta: failed to extract {name} file: "
                "file not found in archive"
            )
    text = found["airgap.yaml"].decode()
    pairs = re.findall(r"^  (\w+): *(.+?) *$", text, re.MULTILINE)
    return {key: value.strip("\"'") for key, value in pairs}


def read_licence(path: str) -> dict[str, Any]:
    """Application, channel ID and channels of a licence."""
    if not Path(path).is_file():
        raise Refused("failed to get license: failed to read license file: no such file")
    text = Path(path).read_text(encoding="utf-8")
    if "kind: License" not in text:
        raise Refused("failed to get license: failed to parse license file")
    slugs = re.findall(r"channelSlug: *(\S+)", text)
    slug = re.search(r"appSlug: *(\S+)", text)
    return {"slug": slug[1] if slug else "", "channels": slugs}


def registry_path(registry: str, namespace: str) -> str:
    """The registry as KOTS joins it: split at the first slash only without a namespace."""
    if "://" in registry or registry.endswith("/"):
        raise Refused(f"failed to parse image reference: invalid reference format: {registry}")
    return f"{registry}/{namespace}" if namespace else registry


def check_access(state: State, registry: str, user: str, password: str) -> None:
    """The registry check: user and password against the state's `users`, if it has any."""
    users = state.get("users")
    if users is not None and users.get(user) != digest(password):
        host = registry.partition("/")[0]
        raise Refused(f'Failed to test access to "{host}" with user "{user}": unauthorized')
