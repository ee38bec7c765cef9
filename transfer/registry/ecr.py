"""Amazon ECR's own API, as far as a push needs it: creating a repository.

Its keys are those of the environment, by the names that AWS's own tools use; nothing else of AWS
is asked. `AWS_ENDPOINT_URL_ECR` names the API where it has an address of its own, as a VPC's
endpoint has.
Sources: Amazon ECR API Reference, CreateRepository; AWS Signature Version 4.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from transfer.errors import AccessDenied, InvalidInput
from transfer.http.messages import Request
from transfer.http.transport import is_loopback

SERVICE = "ecr.amazonaws.com"
"""How an ECR calls itself when it asks for credentials, whatever its address is."""

_HOST = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.([a-z0-9.-]+)")
_CREATE = "AmazonEC2ContainerRegistry_V20150921.CreateRepository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Whoever asks, and where."""

    endpoint: str
    region: str
    key_id: str
    secret: str = field(repr=False)
    session: str = field(repr=False, default="")

    @classmethod
    def find(cls, host: str, environ: Mapping[str, str]) -> Self:
        """The keys of the environment, for the registry at `host`.

        Raises:
            AccessDenied: there are none.
            InvalidInput: nothing says where the API is.
        """
        named = _HOST.fullmatch(host)
        region = named[2] if named else environ.get("AWS_REGION", "")
        region = region or environ.get("AWS_DEFAULT_REGION", "")
        endpoint = environ.get("AWS_ENDPOINT_URL_ECR", "")
        if named and not endpoint:
            endpoint = f"https://api.ecr.{named[2]}.{named[3]}"
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            endpoint = ""  # a session's token does not go over plain HTTP
        if not region or not endpoint:
            raise InvalidInput(
                f"{host}: nothing says where the API of this ECR is",
                hint="set AWS_ENDPOINT_URL_ECR, an https:// address, and AWS_REGION",
            )
        key_id, secret = (environ.get(name, "") for name in _KEYS)
        if not key_id or not secret:
            raise AccessDenied(
                f"{host}: nothing to show the API of ECR, which creates repositories",
                hint=f"set {' and '.join(_KEYS)}, or create them with aws ecr create-repository",
            )
        session = environ.get("AWS_SESSION_TOKEN", "")
        return cls(endpoint=endpoint, region=region, key_id=key_id, secret=secret, session=session)


_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def create_repository(keys: Keys, host: str, path: str, now: datetime) -> Request:
    """The request that creates a repository, signed at `now`."""
    body = json.dumps({"repositoryName": path}).encode()
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": urlsplit(keys.endpoint).netloc,
        "x-amz-date": stamp,
        **({"x-amz-security-token": keys.session} if keys.session else {}),
        "x-amz-target": _CREATE,
    }
    signed = ";".join(headers)
    lines = (f"{name}:{value}" for name, value in headers.items())
    canonical = "\n".join(("POST", "/", "", *lines, "", signed, hashlib.sha256(body).hexdigest()))
    scope = f"{stamp[:8]}/{keys.region}/ecr/aws4_request"
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={keys.key_id}/{scope}, SignedHeaders={signed}, "
        f"Signature={sign(keys.secret, stamp, scope, canonical)}"
    )
    return Request(
        method="POST",
        url=f"{keys.endpoint.rstrip('/')}/",
        what=f"{host}: creation of repository {path}",
        credentials={**headers, "authorization": authorization},
        body=body,
    )


def sign(secret: str, stamp: str, scope: str, canonical: str) -> str:
    """The signature of a canonical request."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    told = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    return hmac.digest(key, told.encode(), "sha256").hex()
