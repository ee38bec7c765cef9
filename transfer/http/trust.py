"""Whose certificates are believed.

By default the certificate authorities of the system (`SSL_CERT_FILE` moves them, as OpenSSL has
it) and those that come with requests; with a CA file, that file alone.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from transfer.errors import InvalidInput


class Trust:
    """Certificates, in a context that is made when the first connection by TLS needs it.

    The authorities of a system are many: loading them takes longer than a plain question to a
    registry and its answer.
    """

    def __init__(self, load: Callable[[], ssl.SSLContext]) -> None:
        """`load` is called once, or never."""
        self._load = load
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """The context, the same for every connection."""
        with self._lock:
            if self._context is None:
                self._context = self._load()
            return self._context


def load_trust(ca_file: Path | None = None, *, verify: bool = True) -> Trust:
    """Read the certificates; those of the system not before they are needed.

    Args:
        ca_file: PEM; replaces the default authorities. May hold an intermediate CA, or the
            server's own certificate.
        verify: False accepts any certificate of anybody; whoever says so warns the user.

    Raises:
        InvalidInput: the file can't be read, or holds no certificate.
    """
    trust = Trust(partial(_load, ca_file, verify=verify))
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
