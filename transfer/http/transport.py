"""Requests sent through the library of that name; whatever fails comes out as one of our errors.

Connections are kept per thread and reused. Redirects are followed for GET and HEAD alone, and
never with credentials to another host or from HTTPS to HTTP. Nothing is read from `.netrc`, and
cookies are not kept: some registries take a client that sends them for a browser.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from transfer import __version__
from transfer.errors import InvalidInput
from transfer.http.answers import printable
from transfer.http.failures import translate
from transfer.http.messages import Reply, Request
from transfer.http.pools import POOLS
from transfer.http.trust import Trust

BLOCK = 256 * 1024
"""Bytes sent in one go. With the default of 16 KiB a client spends its time on system calls."""

CONNECT_TIMEOUT = 20.0
"""Seconds until a connection is there."""

_MAX_REDIRECTS = 5


class Transport:
    """Sends requests, and goes to where answers point, from any thread."""

    def __init__(self, trust: Trust, environ: Mapping[str, str]) -> None:
        self._trust = trust
        self._environ = environ
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def send(self, request: Request) -> Reply:
        """Send a request to an absolute address; whatever its status, there is a reply.

        `Authorization` and the request's credentials are left out after a redirect to another
        host.

        Raises:
            Unavailable: no answer.
            AccessDenied: TLS failed.
            InvalidInput: the other side does not speak HTTPS, or sends us round in circles.
            TransferError: as reading the body raised it.
        """
        for _ in range(_MAX_REDIRECTS):
            reply = self._send_once(request)
            moved = reply.redirect if request.method in ("GET", "HEAD") else None
            if moved is None:
                return reply
            reply.whole()
            check_downgrade(request.url, moved, request.what)
            if origin(moved) != origin(request.url):
                request = replace(request.with_header("Authorization", None), credentials={})
            request = replace(request, url=moved)
        raise InvalidInput(
            f"{request.what}: redirected {_MAX_REDIRECTS} times, last to {printable(request.url)}",
            hint="give the address where it itself is",
        )

    def _send_once(self, request: Request) -> Reply:
        try:
            response = self._session().request(
                request.method,
                request.url,
                headers={**request.headers, **request.credentials},
                data=request.body,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_TIMEOUT, request.read_timeout),
                proxies=proxies_for(request.url, self._environ),
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Their texts hold addresses with their queries: they are not passed on.
            raise translate(error, request.url, request.what) from None
        return Reply(response, request.what)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session(self._trust)
            with self._lock:
                self._sessions.append(session)
        return session


class _Session(requests.Session):
    """Leaves redirects to us: requests would read such an answer to its end, however long."""

    def __init__(self, trust: Trust) -> None:
        super().__init__()
        self._trust = trust
        del self.adapters["https://"]
        self.mount("http://", _Adapter(trust))

    def get_adapter(self, url: str) -> BaseAdapter:
        """The adapter for an address; those for HTTPS are made when they are asked for."""
        address, known_to = url.lower(), self._trust.known_to
        if known_to and address.startswith(known_to):
            if known_to not in self.adapters:
                self.mount(known_to, _Adapter(self._trust, lambda: self._trust.identified))
        elif address.startswith("https://") and "https://" not in self.adapters:
            self.mount("https://", _Adapter(self._trust, lambda: self._trust.context))
        return super().get_adapter(url)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: it leads nowhere."""


def _new_session(trust: Trust) -> requests.Session:
    session = _Session(trust)
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = f"harness-airgap/{__version__}"
    session.headers["Accept-Encoding"] = "identity"
    return session


class _Adapter(HTTPAdapter):
    """Pools with large blocks, and our one TLS context where there is TLS."""

    def __init__(self, trust: Trust, context: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._trust = trust
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        """Make the pools."""
        tls = {"ssl_context": self._context()} if self._context else {}
        super().init_poolmanager(*args, **(kwargs | {"blocksize": BLOCK} | tls))
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        """Make the pools for a proxy, which may itself be spoken to by TLS."""
        context = (self._context or (lambda: self._trust.context))()
        settings = {"blocksize": BLOCK, "ssl_context": context}
        if context is not self._trust.context:  # the proxy is not whom we show our certificate
            settings["proxy_ssl_context"] = self._trust.context
        manager = super().proxy_manager_for(proxy, **kwargs, **settings)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Leave certificates to the context, where requests would add its own bundle."""
        host, _ = super().build_connection_pool_key_attributes(*args, **kwargs)
        return host, {}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - not used
        """The same."""


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what credentials are bound to."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def check_downgrade(asked: str, pointed_to: str, what: str) -> None:
    """Refuse to be led from HTTPS to HTTP.

    Raises:
        InvalidInput: that is where the server points.
    """
    if asked.startswith("https:") and not pointed_to.startswith("https:"):
        raise InvalidInput(
            f"{what}: the server points from HTTPS to {printable(pointed_to)}",
            hint="the proxy before the server has to set X-Forwarded-Proto: https",
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def proxies_for(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables that hold for `url`, in the form that requests takes."""
    parts = urlsplit(url)
    names = (f"{parts.scheme}_proxy", "all_proxy")
    values = (environ.get(spelt) for name in names for spelt in (name, name.upper()))
    proxy = next(filter(None, values), None)
    if proxy is None or is_loopback(parts.hostname or ""):
        return {}
    except_for = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if requests.utils.should_bypass_proxies(url, no_proxy=except_for):
        return {}
    return {parts.scheme: proxy}
