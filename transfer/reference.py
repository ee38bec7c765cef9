"""Names of images: registry, repository, tag, digest.

Grammar: OCI distribution-spec (`<name>`, `<reference>`) and the docker reference format it grew
out of, whose short forms (`alpine`, `library/alpine`) KOTS archives still contain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from transfer.digest import Digest
from transfer.errors import InvalidInput

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?"
)
DEFAULT_REGISTRY = "docker.io"


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """A registry's host (with its port) and the path of a repository in it."""

    registry: str
    path: str

    @property
    def name(self) -> str:
        """The last component of the path, all that KOTS keeps of it."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        """`registry/path`, each part where there is one: a site store has no host."""
        return "/".join(filter(None, (self.registry, self.path)))


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository with a tag, a digest, or both."""

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse as docker does: `docker.io`, `library/` and `:latest` are implied where absent.

        Raises:
            InvalidInput: not a reference; upper-case repository names are not.
        """
        rest, _, digest_text = text.partition("@")
        digest = Digest.parse(digest_text) if digest_text else None
        if "@" in text and not digest_text:
            raise _not_a_reference(text, "nothing follows the @")
        head, colon, tag = rest.rpartition(":")
        if not colon or "/" in tag:
            head, tag = rest, ""
        elif not _TAG.fullmatch(tag):
            raise _not_a_reference(text, f"the tag {tag!r} is not valid")
        repository = _parse_repository(head, text)
        if not tag and digest is None:
            tag = "latest"
        return cls(repository, tag or None, digest)

    @property
    def name(self) -> str:
        """What a registry is asked for: the digest where there is one, otherwise the tag."""
        return str(self.digest) if self.digest else str(self.tag)

    def pin(self, digest: Digest) -> Self:
        """The same repository, by digest alone."""
        return replace(self, tag=None, digest=digest)

    def __str__(self) -> str:
        """`registry/path:tag@digest`, each part where there is one."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def parse_endpoint(text: str) -> Repository:
    """Parse `host[:port][/namespace…]`, the one string that names a site's registry.

    A scheme and trailing slashes are refused rather than carried on: KOTS joins this string to
    image names by plain concatenation (kots/pitfalls 4).

    Raises:
        InvalidInput: not an endpoint.
    """
    if "@" in text:
        raise InvalidInput(
            "registry endpoint: holds an @, and with it perhaps a password",
            hint="write host:port/namespace; credentials are given apart from it",
        )
    if "://" in text:
        raise InvalidInput(
            f"registry endpoint {text!r}: starts with a scheme",
            hint="write host:port/namespace; plain HTTP is chosen by name: --plain-http",
        )
    if text.endswith("/"):
        raise InvalidInput(
            f"registry endpoint {text!r}: ends with a slash", hint="leave the last slash out"
        )
    host, _, path = text.partition("/")
    if not _HOST.fullmatch(host):
        raise InvalidInput(
            f"registry endpoint {text!r}: {host!r} is not a host",
            hint="write host:port/namespace, for example registry.example:5000/harness",
        )
    if not _is_host(host):
        raise InvalidInput(
            f"registry endpoint {text!r}: {host!r} has neither a dot nor a port, so that a "
            f"cluster would look for {host}/… at {DEFAULT_REGISTRY}",
            hint="write the registry's full name, or its port: registry:443/harness",
        )
    _check_path(path, f"registry endpoint {text!r}", allow_empty=True)
    return Repository(host, path)


def _parse_repository(head: str, text: str) -> Repository:
    first, slash, rest = head.partition("/")
    if slash and _is_host(first):
        registry, path = first, rest
    else:
        registry, path = DEFAULT_REGISTRY, head
    if registry == "index.docker.io":
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = f"library/{path}"
    if not _HOST.fullmatch(registry):
        raise _not_a_reference(text, f"{registry!r} is not a host")
    _check_path(path, f"image reference {text!r}", allow_empty=False)
    return Repository(registry, path)


def _is_host(component: str) -> bool:
    return (
        "." in component
        or ":" in component
        or component == "localhost"
        or component != component.lower()
    )


def _check_path(path: str, what: str, *, allow_empty: bool) -> None:
    if not path and allow_empty:
        return
    for component in path.split("/"):
        if not _COMPONENT.fullmatch(component):
            raise InvalidInput(
                f"{what}: {component!r} is not a repository name",
                hint="repository names are lower-case letters and digits, joined by . _ __ or -",
            )


def _not_a_reference(text: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"image reference {text!r}: {why}",
        hint="write registry/path:tag or registry/path@sha256:…",
    )
