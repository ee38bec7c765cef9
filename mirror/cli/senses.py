"""What a preflight learns from the world: from programs, the registry, the disk, the clock."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from mirror.cli.destination import warn_of
from mirror.cli.hands import asking
from mirror.cli.known import puller_for
from mirror.cli.sites import access_to, login_secrets
from mirror.credentials import Keyring
from mirror.preflight.gather import Senses
from mirror.secret import SecretSource
from mirror.site import Application, Login, Site
from mirror.site.file import check_files
from mirror.target import RegistryAccess
from transfer.console import say_for
from transfer.disk import storage_errors
from transfer.errors import InvalidInput, NotFound, TransferError, raise_together
from transfer.registry import Credentials


def senses_for(site: Site, *, quiet: bool) -> Senses:
    """Whom a preflight of a site asks; `quiet` keeps what it asks to itself."""
    keyring = Keyring(dict(os.environ))

    @cache  # who is warned once has heard it
    def pusher() -> RegistryAccess:
        access = access_to(site, keyring)
        warn_of(access)
        return access

    def puller() -> RegistryAccess:
        user = site.registry.pull_credentials
        if user is None:
            return access_to(site, keyring)
        keyring.check(_secrets_of(user))
        credentials = Credentials(keyring.username(user), keyring.read(user.password).reveal())
        return replace(access_to(site, keyring, login=False), credentials=credentials)

    return Senses(
        ask=asking(site),
        pusher=pusher,
        puller=puller,
        pull_user=puller_for(site),
        check_files=lambda applications: _check_files(site, applications, keyring),
        resolve=_resolve,
        is_busy=_is_busy,
        free_bytes=_free_bytes,
        say=say_for(quiet=quiet),
    )


def _secrets_of(login: Login) -> list[SecretSource]:
    return [value for value in (login.username, login.password) if not isinstance(value, str)]


def _check_files(site: Site, applications: Iterable[Application], keyring: Keyring) -> int:
    """How many files and secrets there are; each can be read.

    Raises:
        InvalidInput: with all that cannot.
    """
    concerned = tuple(applications)
    pull = site.registry.pull_credentials
    secrets = [*login_secrets(site), *(_secrets_of(pull) if pull else ())]
    secrets += [one.shared_password for one in concerned if one.shared_password]
    secrets = list(dict.fromkeys(secrets))
    faults: list[TransferError] = []
    checks: list[Callable[[], None]] = [
        lambda: check_files(site, concerned),
        lambda: keyring.check(secrets),
    ]
    for check in checks:
        try:
            check()
        except TransferError as error:
            faults += error.faults or [error]
    raise_together(
        InvalidInput,
        "what the site file names is not at hand",
        faults,
        hint="put the files there, and set the variables",
    )
    files = [one.license_file for one in concerned]
    files += [one.config_values for one in concerned if one.config_values]
    files += [site.cluster.kubeconfig] if site.cluster.kubeconfig else []
    return len(files) + len(secrets)


def _resolve(host: str) -> tuple[str, ...]:
    """The addresses of a host.

    Raises:
        NotFound: it has none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a name"
        raise NotFound(
            f"does not resolve: {reason}", hint=f"set up DNS for it; try: host {host}"
        ) from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _is_busy(port: int) -> bool:
    """Whether something listens on a port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _free_bytes(folder: str) -> int:
    """Free bytes of a folder, or of the one that it would be made in."""
    path = Path(folder)
    with storage_errors(f"--work-dir {folder}"):
        there = next(one for one in (path, *path.parents) if one.exists())
        return shutil.disk_usage(there).free
