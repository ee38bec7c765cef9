"""What went wrong below HTTP, as one of our errors: names, connections, time-outs, TLS.

A certificate that is not trusted is AccessDenied: waiting does not help, and the way in is
another CA file. Everything that may pass is Unavailable.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import IncompleteRead, RemoteDisconnected
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from transfer.errors import AccessDenied, InvalidInput, TransferError, Unavailable
from transfer.plain import one_line

_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "UNKNOWN_PROTOCOL",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
    }
)
"""How OpenSSL, by version, calls an answer that is plain text."""

_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
)


def translate(error: BaseException, url: str, what: str) -> TransferError:
    """The error of ours for one that requests or urllib3 raised."""
    causes = list(_causes(error))
    host = one_line(urlsplit(url).netloc.rpartition("@")[2])
    if host not in what:
        what = f"{what}: {host}"
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(cause, what)
        if isinstance(cause, ssl.SSLError) and (found := _tls(cause, what)):
            return found
    if isinstance(error, _UNUSABLE):
        return InvalidInput(
            f"{what}: the address, or that of a proxy for it, cannot be used",
            hint="check the address and the proxy variables of the environment",
        )
    reason = next(filter(None, map(_reason, causes)), "the connection failed")
    return Unavailable(f"{what}: {reason}", hint=_hint(causes))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything wrapped in it, from the outside in."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        pending += [found for found in inner if isinstance(found, BaseException)]


def _untrusted(cause: ssl.SSLCertVerificationError, what: str) -> AccessDenied:
    return AccessDenied(
        f"{what}: the certificate is not trusted: {cause.verify_message}",
        hint="name the authority that signed it by --ca-file (caFile:), and the server as "
        "its certificate does",
    )


def _tls(cause: ssl.SSLError, what: str) -> TransferError | None:
    reason: str = getattr(cause, "reason", None) or ""
    if reason in _NOT_TLS:
        return InvalidInput(
            f"{what}: does not speak HTTPS",
            hint="check the port; without TLS a registry needs --plain-http (plainHttp: true), "
            "any other address http://",
        )
    if "ALERT" in reason:
        return AccessDenied(
            f"{what}: refused the TLS connection: {reason}",
            hint="it wants a client certificate (for a registry --client-cert, clientCertFile:), "
            "another one, or another version of TLS",
        )
    return None


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (NameResolutionError, "the name is not known (DNS)"),
    (ConnectTimeoutError, "does not take the connection (time-out)"),
    (ReadTimeoutError, "does not answer (time-out)"),
    (TimeoutError, "does not answer (time-out)"),
    (IncompleteRead, "closed the connection in the middle of its answer"),
    (RemoteDisconnected, "closed the connection without an answer"),
    (ConnectionResetError, "closed the connection"),
    (BrokenPipeError, "closed the connection"),
    (ssl.SSLError, "the TLS connection broke"),
)
"""The first that fits, from the outermost cause to the innermost."""


def _reason(cause: BaseException) -> str | None:
    if type(cause) is NewConnectionError:  # wraps what the system says
        return None
    for kind, reason in _REASONS:
        if isinstance(cause, kind):
            return reason
    return cause.strerror if isinstance(cause, OSError) and cause.errno else None


def _hint(causes: list[BaseException]) -> str:
    if any(isinstance(cause, ProxyError) for cause in causes):
        return "the proxy of the environment (https_proxy, no_proxy) stands in between"
    return "check that it runs, and that this machine reaches it"
