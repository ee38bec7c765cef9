"""Whose certificates are believed.

By default the certificate authorities of the system (`SSL_CERT_FILE` moves them, as OpenSSL has
it) and those that come with requests; with a CA file, that file alone.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from transfer.errors import InvalidInput


def load_trust(ca_file: Path | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """Read the certificates.

    Args:
        ca_file: PEM; replaces the default authorities. May hold an intermediate CA, or the
            server's own certificate.
        verify: False accepts any certificate of anybody; whoever says so warns the user.

    Raises:
        InvalidInput: the file can't be read, or holds no certificate.
    """
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
