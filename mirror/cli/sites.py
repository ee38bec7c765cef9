"""How the site file says that its registry is reached, and as whom."""

from __future__ import annotations

import os
from pathlib import Path

from mirror.credentials import Keyring
from mirror.secret import SecretSource
from mirror.site import Login, Site, SiteRegistry
from mirror.site.file import load_site
from mirror.target import RegistryAccess
from transfer.console import home
from transfer.registry import Credentials, Identity


def read_access(path: Path, *, login: bool) -> tuple[str, RegistryAccess]:
    """The registry that the site file at `path` names, and the way to it; see `access_to`.

    Raises:
        TransferError: the site file or its secrets cannot be read.
    """
    site = load_site(path, home())
    return str(site.registry.endpoint), access_to(site, Keyring(dict(os.environ)), login=login)


def access_to(site: Site, keyring: Keyring, *, login: bool = True) -> RegistryAccess:
    """How the site file says that its registry is reached; with `login`, also as whom.

    Raises:
        InvalidInput: the user name, the password or both cannot be read.
    """
    registry, credentials = site.registry, None
    if login and isinstance(registry.credentials, Login):
        keyring.check(login_secrets(site))
        user = registry.credentials
        credentials = Credentials(keyring.username(user), keyring.read(user.password).reveal())
    return RegistryAccess(
        ca_file=Path(registry.ca_file) if registry.ca_file else None,
        plain_http=registry.plain_http,
        verify=not registry.insecure_skip_tls_verify,
        identity=_identity(registry),
        credentials=credentials,
        environ=keyring.environment,
        habits=registry.habits,
        create_missing=registry.create_missing,
    )


def _identity(registry: SiteRegistry) -> Identity | None:
    if registry.client_cert is None:
        return None
    key = Path(registry.client_key) if registry.client_key else None
    return Identity(certificate=Path(registry.client_cert), key=key)


def login_secrets(site: Site) -> list[SecretSource]:
    """Where the user name and the password of whoever pushes are read."""
    login = site.registry.credentials
    values = (login.username, login.password) if isinstance(login, Login) else ()
    return [value for value in values if not isinstance(value, str)]
