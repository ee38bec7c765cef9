"""A token server: what stands behind `WWW-Authenticate: Bearer` in Docker Hub, Harbor or GitLab.

Source: the distribution project's token specification (docs/spec/auth/token.md, oauth.md,
jwt.md). It signs with openssl, so that a real docker-registry accepts its tokens.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.tools import need


@dataclass(slots=True)
class TokenServer:
    """A running token server; its fields may be changed between requests."""

    realm: str
    certificate: Path
    key: Path
    users: Mapping[str, str]
    """Passwords by user name; a user gets every action asked for."""
    identities: frozenset[str] = frozenset()
    """Identity tokens that are good for the same, by the POST of oauth.md."""
    anonymous: frozenset[str] = frozenset()
    """Actions that a caller without credentials gets."""
    lifetime: int = 300
    """Seconds until a token expires."""
    status: int = 200
    """Anything else is answered instead of a token."""
    body: bytes | None = None
    """Sent with 200 instead of a token."""
    service: str = "test registry"
    issuer: str = "test issuer"
    issued: list[tuple[str, ...]] = field(default_factory=list)
    """The scopes of every token handed out, in order."""
    asked: int = 0
    """Requests, also the refused ones."""
    forms: list[Mapping[str, str]] = field(default_factory=list)
    """What was posted, without the identity tokens."""

    def token(self, scopes: tuple[str, ...], user: str) -> str:
        """A signed token for what `user` ("" for nobody) may do of `scopes`."""
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            granted = [a for a in actions.split(",") if user or a in self.anonymous]
            access.append({"type": kind, "name": name, "actions": granted})
        now = int(time.time())
        certificate = self.certificate.read_text().split("-----")[2]
        header = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(certificate.split())]}
        claims = {
            "iss": self.issuer,
            "sub": user,
            "aud": self.service,
            "iat": now,
            "nbf": now - 60,
            "exp": now + self.lifetime,
            "jti": str(len(self.issued)),
            "access": access,
        }
        signed = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        return (signed + b"." + _base64(self._sign(signed))).decode()

    def _sign(self, content: bytes) -> bytes:
        argv = [str(need("openssl")), "dgst", "-sha256", "-sign", str(self.key)]
        return subprocess.run(argv, input=content, capture_output=True, check=True).stdout


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@contextmanager
def token_server(
    folder: Path,
    *,
    users: Mapping[str, str] | None = None,
    anonymous: frozenset[str] = frozenset(),
) -> Iterator[TokenServer]:
    """A token server with its key in `folder`, where it is made unless it is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "token.key", folder / "token.pem"
    if not key.exists():
        _make_key(key, certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        tokens = TokenServer(
            realm=f"http://127.0.0.1:{server.server_port}/token",
            certificate=certificate,
            key=key,
            users=users or {},
            anonymous=anonymous,
        )
        server.RequestHandlerClass = _handler(tokens)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield tokens
        finally:
            server.shutdown()
            thread.join()


def _make_key(key: Path, certificate: Path) -> None:
    new_key = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tokens"]
    files = ["-days", "30", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([str(need("openssl")), *new_key, *files], check=True, capture_output=True)


def _handler(served: TokenServer) -> type[_Handler]:
    class Handler(_Handler):
        tokens = served

    return Handler


class _Handler(BaseHTTPRequestHandler):
    tokens: TokenServer

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self._hand_out(self._user(), " ".join(query.get("scope", [])), "token")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        form = dict(parse_qsl(self.rfile.read(length).decode()))
        known = form.pop("refresh_token", None) in self.tokens.identities
        self.tokens.forms.append(form)
        granted = known and form.get("grant_type") == "refresh_token"
        self._hand_out("identity" if granted else None, form.get("scope", ""), "access_token")

    def _hand_out(self, user: str | None, scope: str, name: str) -> None:
        self.tokens.asked += 1
        if self.tokens.status != 200:
            self._answer(self.tokens.status, b'{"details": "scripted"}')
        elif user is None:
            self._answer(401, b'{"details": "incorrect username or password"}')
        elif self.tokens.body is not None:
            self._answer(200, self.tokens.body)
        else:
            scopes = tuple(scope.split())
            token = self.tokens.token(scopes, user)
            self.tokens.issued.append(scopes)
            answer = {name: token, "expires_in": self.tokens.lifetime}
            self._answer(200, json.dumps(answer).encode())

    def _user(self) -> str | None:
        """The user's name, "" for nobody, None when the password is wrong."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return ""
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        return user if self.tokens.users.get(user) == password else None

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Stay silent."""
