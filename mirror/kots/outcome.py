"""What a finished command said: KOTS reports many failures with exit code 0.

`upstream upgrade` puts its error into JSON, after progress lines on the same stream; `install`
ends well although the application still waits for configuration. So results are read, and then
confirmed by asking the console what it runs. Source: KOTS cmd/kots/cli/upstream-upgrade.go,
install.go, get-apps.go, get-versions.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from mirror.command import Command
from mirror.kots.commands import PLUGIN_ON_PATH
from transfer.errors import ToolError

LAST_LINES = 15
"""Lines of a failed command that its error repeats."""

_PREFLIGHTS = ("preflight check", "Preflight Checks", "timeout waiting for preflights")
_NO_CLUSTER = (
    "connection to the server",
    "Unable to connect to the server",
    "the server has asked for the client to provide credentials",
    "You must be logged in to the server",
    "error loading config file",
    "context was not found",
)
"""How kubectl says that it does not get into the cluster."""

_NOT_CONFIGURED = "Additional app configuration is required"
_NO_REGISTRY = "not pushing airgapped app images as no registry was provided"
UNDONE = {
    _NOT_CONFIGURED: "deployed nothing: the application still waits for required configuration "
    "(pending_config)",
    _NO_REGISTRY: "KOTS saw no registry: the cluster would pull from the vendor's",
}
"""What `install` says although it ends well, and what that means."""

LOOK_AT_LOG = (
    "the admin console's log says more: kubectl logs deployment/kotsadm (or statefulset/kotsadm) "
    "in its namespace"
)
ADVICE_OF_CHANGES: Mapping[Sequence[str], str] = {
    (_NOT_CONFIGURED,): "complete configValues in the site file, or open the admin console's "
    "Config page and deploy there",
    (_NO_REGISTRY,): "give KOTS the registry: --kotsadm-registry, or KOTS_KOTSADM_REGISTRY",
    _PREFLIGHTS: "look at the results above; skipPreflights: true for the application in the "
    "site file goes on in spite of all that are not strict",
    ("to increase timeout",): "look at the pods of the namespace; waits in the site file sets how "
    "long to wait",
    ("insufficient privileges",): "use a cluster user with cluster-admin rights, or grant KOTS's "
    "roles beforehand",
}
"""What to do where a command that changes something says one of some things."""
ADVICE_ANYWHERE: Mapping[Sequence[str], str] = {
    ('unknown command "kots"',): PLUGIN_ON_PATH,
    _NO_CLUSTER: "try kubectl get nodes; cluster.kubeconfig and cluster.context in the site file "
    "say which cluster is meant",
}
"""The same of any command."""
ADVICE: Mapping[Sequence[str], str] = {**ADVICE_OF_CHANGES, **ADVICE_ANYWHERE}
"""All of it; the first that fits."""
AGAIN = "run the same command again once the cause is gone"
OTHERWISE = f"its own words are above; {AGAIN}"
"""What to do where it says none of them."""

_J = TypeVar("_J")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ran to its end; its lines hold no secret."""

    exit_code: int
    stdout: tuple[str, ...]
    stderr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The admin console in a namespace."""

    version: str
    """The tag of its image, such as v1.131.4."""
    minio: bool
    """Without Minio it runs as a StatefulSet (KOTS: pkg/kotsadm/main.go)."""
    registry: str | None
    """The registry it was installed with, None where KOTS noted none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an application that the console knows."""

    label: str
    status: str
    """KOTS: pkg/store/types, such as deployed, pending_config or pending_preflight."""
    cursor: int
    channel_id: str


def check(finished: Finished, command: Command) -> None:
    """Accept a command that ended with exit code 0.

    Raises:
        ToolError: with the exit code and the last lines.
    """
    if finished.exit_code:
        raise ToolError(
            f"{command}\nended with exit code {finished.exit_code}; its last words:\n"
            + _last_words(finished),
            hint=_advice(finished),
        )


def check_install(finished: Finished, command: Command) -> None:
    """Accept an install only if nothing was left undone.

    Raises:
        ToolError: it failed, or says that something is left to do.
    """
    check(finished, command)
    for line in (*finished.stdout, *finished.stderr):
        for said, meaning in UNDONE.items():
            if said in line:
                raise ToolError(f"{command}\nended well, but {meaning}", hint=_advice(finished))


def check_upgrade(finished: Finished, command: Command) -> None:
    """Accept an application's upgrade only if its JSON says success and no error.

    Raises:
        ToolError: it failed, whatever its exit code.
    """
    check(finished, command)
    answer = next((a for a in _objects_from_the_end(finished.stdout) if "success" in a), None)
    if answer is None:
        raise ToolError(
            f"{command}\nended with exit code 0 but without a result; its last words:\n"
            + _last_words(finished)
        )
    if answer.get("error") or answer.get("success") is not True:
        raise ToolError(
            f"{command}\nended with exit code 0 but failed: {answer.get('error') or answer}",
            hint=LOOK_AT_LOG,
        )


def read_plugin_version(finished: Finished, command: Command) -> str:
    """The plugin's version, with the leading `v` that its release has.

    Raises:
        ToolError: there is no answer.
    """
    check(finished, command)
    with reading(finished, command):
        return with_v(str(whole(finished, command, dict)["version"]))


def with_v(version: str) -> str:
    """The version as KOTS writes it in the tag of its images."""
    return version if version.startswith("v") else f"v{version}"


def read_console(finished: Finished, command: Command) -> Console | None:
    """The admin console found by `kots.get_console`, None where there is none.

    Raises:
        ToolError: the answer cannot be read.
    """
    check(finished, command)
    if not finished.stdout:
        return None
    with reading(finished, command):
        items = {item["kind"]: item for item in whole(finished, command, dict)["items"]}
        workload = items.get("StatefulSet") or items.get("Deployment")
        if workload is None:
            return None
        containers = workload["spec"]["template"]["spec"]["containers"]
        (image,) = (str(c["image"]) for c in containers if c["name"] == "kotsadm")
        data = items.get("ConfigMap", {}).get("data") or {}
        return Console(
            version=image.rpartition(":")[2],
            minio=workload["kind"] == "Deployment",
            registry=data.get("kotsadm-registry"),
        )


def read_apps(finished: Finished, command: Command) -> dict[str, str]:
    """The deployed version label of each application, "" where none is deployed yet.

    Raises:
        ToolError: the answer cannot be read.
    """
    check(finished, command)
    with reading(finished, command):
        apps = whole(finished, command, list)
        # KOTS spells this one key in lower case (pkg/print/app.go).
        return {str(app["slug"]): str(app["versionlabel"]) for app in apps}


def read_app_states(finished: Finished, command: Command) -> dict[str, str]:
    """What the console says of each application: `ready`, `updating`, `unavailable` and so on.

    Raises:
        ToolError: the answer cannot be read.
    """
    check(finished, command)
    with reading(finished, command):
        return {str(app["slug"]): str(app["state"]) for app in whole(finished, command, list)}


def read_versions(finished: Finished, command: Command) -> tuple[Version, ...]:
    """What `kots.get_versions` told, newest first.

    Raises:
        ToolError: the answer cannot be read.
    """
    check(finished, command)
    with reading(finished, command):
        return tuple(
            Version(
                label=str(version["versionLabel"]),
                status=str(version["status"]),
                cursor=int(version["channelSequence"]),
                channel_id=str(version["channelId"]),
            )
            for version in whole(finished, command, list)
        )


def whole(finished: Finished, command: Command, kind: type[_J]) -> _J:
    """The one JSON value that a command prints, whatever it says before it."""
    lines = finished.stdout
    opening = "[" if kind is list else "{"
    for i, line in enumerate(lines):
        if line.lstrip().startswith(opening):
            value = _parse("\n".join(lines[i:]))
            if isinstance(value, kind):
                return value
    raise _unreadable(finished, command)


@contextmanager
def reading(finished: Finished, command: Command) -> Iterator[None]:
    """An answer of another shape is the command's failure, not ours."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(finished, command) from error


def _unreadable(finished: Finished, command: Command) -> ToolError:
    return ToolError(
        f"{command}\ngave an answer that cannot be read; its last words:\n{_last_words(finished)}"
    )


def _objects_from_the_end(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in reversed(lines):
        value = _parse(line)
        if isinstance(value, dict):
            yield value


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _last_words(finished: Finished) -> str:
    lines = (*finished.stdout[-LAST_LINES:], *finished.stderr[-LAST_LINES:])
    return "\n".join(f"  {line}" for line in lines if line) or "  (nothing)"


def _advice(finished: Finished) -> str:
    said = "\n".join((*finished.stdout, *finished.stderr))
    fitting = (hint for texts, hint in ADVICE.items() if any(text in said for text in texts))
    return next(fitting, OTHERWISE)
