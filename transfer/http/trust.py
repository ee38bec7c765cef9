"""Whose certificates are believed, and which one is shown.

By default the certificate authorities of the system (`SSL_CERT_FILE` moves them, as OpenSSL has
it) and those that come with requests; with a CA file, that file alone. A certificate of our own
is shown to the one server that it was given for.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from transfer.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate that says who we are."""

    certificate: Path
    """PEM, with the authorities between it and one that the server knows."""
    key: Path | None
    """PEM, not encrypted; None where it is in the certificate's file."""


class Trust:
    """Certificates, in a context that is made when the first connection by TLS needs it.

    The authorities of a system are many: loading them takes longer than a plain question to a
    registry and its answer.
    """

    def __init__(
        self,
        load: Callable[[], ssl.SSLContext],
        *,
        identified: ssl.SSLContext | None = None,
        known_to: str = "",
    ) -> None:
        """`load` is called once, or never; `identified` is for addresses below `known_to`."""
        self._load = load
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._identified = identified
        self.known_to = known_to.lower()

    @property
    def context(self) -> ssl.SSLContext:
        """The context, the same for every connection but those of `identified`."""
        with self._lock:
            if self._context is None:
                self._context = self._load()
            return self._context

    @property
    def identified(self) -> ssl.SSLContext:
        """The context that shows our certificate, where we have one."""
        return self._identified or self.context


def load_trust(
    ca_file: Path | None = None,
    *,
    verify: bool = True,
    identity: Identity | None = None,
    known_to: str = "",
) -> Trust:
    """Read the certificates; those of the system not before they are needed.

    Args:
        ca_file: PEM; replaces the default authorities. May hold an intermediate CA, or the
            server's own certificate.
        verify: False accepts any certificate of anybody; whoever says so warns the user.
        identity: Our own certificate.
        known_to: The address of whom it is shown to, up to the slash after the port.

    Raises:
        InvalidInput: a file can't be read, or holds no certificate, or no key for it.
    """
    identified = None
    if identity is not None:
        identified = _load(ca_file, verify=verify)
        _show(identity, identified)
    trust = Trust(
        partial(_load, ca_file, verify=verify),
        identified=identified,
        known_to=known_to if identified else "",
    )
    if ca_file is not None:
        _ = trust.context  # a file that is wrong is told at once
    return trust


def _load(ca_file: Path | None, *, verify: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise InvalidInput(
            f"CA file {ca_file}: holds no certificate in PEM form ({error.reason})",
            hint="it has to contain -----BEGIN CERTIFICATE-----",
        ) from error
    except OSError as error:
        raise InvalidInput(
            f"CA file {ca_file}: {error.strerror}",
            hint="--ca-file (caFile:) names the authority that signed the server's certificate",
        ) from error
    if ca_file is None:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    # Python 3.13 would refuse what curl, docker and Python 3.11 accept, such as private CAs
    # without key identifiers: one behaviour everywhere.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return context


def _show(identity: Identity, context: ssl.SSLContext) -> None:
    """Let a context show our certificate; nobody is asked for the key's password."""
    files = f"client certificate {identity.certificate}"
    if identity.key:
        files += f" with key {identity.key}"
    try:
        context.load_cert_chain(identity.certificate, identity.key, password="")
    except ssl.SSLError as error:
        why = {"KEY_VALUES_MISMATCH": "the key belongs to another certificate"}.get(
            error.reason or "", "no certificate and key in PEM form, or the key is encrypted"
        )
        raise InvalidInput(
            f"{files}: {why}",
            hint="--client-cert and --client-key (clientCertFile:, clientKeyFile:) name the two",
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"{files}: {error.strerror}",
            hint="--client-cert and --client-key (clientCertFile:, clientKeyFile:) name the two",
        ) from error
