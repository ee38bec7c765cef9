"""The secrets with which a cluster pulls from the site's registry, and whether they still fit.

KOTS makes one for its console when it is installed, and never changes it (KOTS:
pkg/kotsadm/resources/registry.go); each application has one of its own, from the registry settings
that the console keeps for it (KOTS: pkg/midstream/write.go). What they hold is compared here and
never shown: no message repeats anything of an answer.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mirror.command import Command
from mirror.kots.outcome import Finished, check
from mirror.kube.kubectl import kubectl
from mirror.secret import Secret
from mirror.site import Site
from transfer.errors import ToolError

OF_CONSOLE = "kotsadm-private-registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Puller:
    """Who pulls."""

    host: str
    """Of the registry, with its port."""
    username: str
    password: Secret


def of_application(slug: str) -> str:
    """The name of an application's pull secret."""
    return f"{slug}-registry"


def get_pull_secrets(site: Site, namespace: str, slugs: Iterable[str]) -> Command:
    """Ask for the pull secrets of the console and of applications, as far as they are there."""
    names = (OF_CONSOLE, *map(of_application, slugs))
    options = ("--ignore-not-found", "--output=json")
    return kubectl(site, "get", "secrets", *names, *options, namespace=namespace)


def outdated(finished: Finished, command: Command, puller: Puller) -> frozenset[str]:
    """The names of pull secrets with another user or password; that of the console if missing.

    Raises:
        ToolError: the answer cannot be read.
    """
    check(Finished(exit_code=finished.exit_code, stdout=(), stderr=finished.stderr), command)
    try:
        found = dict(_logins("\n".join(finished.stdout), puller.host))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ToolError(f"{command}\ngave an answer that cannot be read") from None
    wanted = f"{puller.username}:{puller.password.reveal()}"
    found.setdefault(OF_CONSOLE, "")
    return frozenset(name for name, login in found.items() if login != wanted)


def _logins(text: str, host: str) -> Iterator[tuple[str, str]]:
    """Each secret's name, and what it has for the host: user, colon, password."""
    if not text:
        return
    value = json.loads(text)
    for secret in value["items"] if value["kind"] == "List" else [value]:
        data = secret.get("data") or {}  # of another kind, it has nothing for the host
        config = json.loads(_decoded(data.get(".dockerconfigjson", "")) or "{}")
        auths: dict[str, Any] = config.get("auths") or {}
        yield secret["metadata"]["name"], _decoded(auths.get(host, {}).get("auth", ""))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError from error
