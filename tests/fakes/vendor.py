"""Everything that a bundle's files are downloaded from, on this machine and at the wire.

Three servers, as in the world: GitHub's API together with its release pages, the vendor's portal,
and the storage to which both lead, whose addresses are signed and expire. Each is a server of
`tests.fakes.faulty`, so that any answer can be changed: `vendor.portal.fail("GET", "/releases",
1, status(429, {"Retry-After": "1"}))`. Content is bytes, or the path of a file of any size.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.fakes.faulty import Exchange, FaultyServer

Content = bytes | Path

LICENSE_ID = "licence-2Vj7qKq"
PASSWORD = "portal-password-41"
CHANNEL = "channel-harness"
KOTS = "replicatedhq/kots"


def sha256(content: Content) -> str:
    """The SHA-256 of some content, in hexadecimal digits."""
    return hashlib.sha256(read(content)).hexdigest()


def read(content: Content) -> bytes:
    """The bytes of some content."""
    return content if isinstance(content, bytes) else content.read_bytes()


class _Object(Exchange):
    server: Any

    def serve(self) -> None:
        """The object, or the range that is asked for; 403 in XML with an old signature."""
        owner: Storage = self.server.owner
        path, query = self.path.partition("?")[::2]
        content = owner.objects.get(unquote(path))
        if parse_qs(query).get("Signature") != [owner.signature]:
            return self.answer(403, {"Content-Type": "application/xml"}, _EXPIRED)
        if content is None:
            return self.answer(404, {"Content-Type": "application/xml"}, b"<Error/>")
        body, etag = read(content), f'"{sha256(content)[:16]}"'
        headers = {"ETag": etag, "Content-Type": "application/octet-stream"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None or self.headers.get("If-Range", etag) != etag:
            return self.answer(200, headers, body)
        first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
        if first >= len(body):
            return self.answer(416, {"Content-Range": f"bytes */{len(body)}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        return self.answer(206, headers, body[first : last + 1])


_EXPIRED = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code></Error>"


@dataclass(slots=True)
class Storage(FaultyServer):
    """Objects behind signed addresses."""

    handler: ClassVar[type[Exchange]] = _Object

    objects: dict[str, Content] = field(default_factory=dict)
    """By path."""
    signed: int = 1

    @property
    def signature(self) -> str:
        """The only one that is good now."""
        return f"secret-signature-{self.signed}"

    def expire(self) -> None:
        """Every address signed so far is good no more."""
        self.signed += 1

    def put(self, path: str, content: Content) -> str:
        """Keep an object; its address, signed."""
        self.objects[path] = content
        return self.sign(path)

    def sign(self, path: str) -> str:
        """The address of an object, good until `expire`."""
        return f"http://{self.host}{quote(path)}?Signature={self.signature}"


class _GitHubPage(Exchange):
    server: Any

    def serve(self) -> None:
        """The API below /repos, and the release pages, which lead to the storage."""
        owner: GitHub = self.server.owner
        path = unquote(urlsplit(self.path).path)
        api = f"/repos/{KOTS}"
        if path.startswith(f"{api}/releases/tags/"):
            tag = path.removeprefix(f"{api}/releases/tags/")
            return self._json(owner.releases.get(tag))
        if path.startswith(f"{api}/git/matching-refs/"):
            prefix = path.removeprefix(f"{api}/git/matching-refs/tags/")
            tags = [tag for tag in owner.releases if tag.startswith(prefix)]
            return self._json([{"ref": f"refs/tags/{tag}"} for tag in tags])
        if path in owner.storage.objects:
            return self.answer(302, {"Location": owner.storage.sign(path)})
        return self._json(None)

    def _json(self, value: object) -> None:
        found = {"message": "Not Found", "status": "404"} if value is None else value
        body = json.dumps(found).encode()
        self.answer(404 if value is None else 200, {"Content-Type": "application/json"}, body)


@dataclass(slots=True)
class GitHub(FaultyServer):
    """Releases of KOTS."""

    handler: ClassVar[type[Exchange]] = _GitHubPage

    storage: Storage = field(default_factory=Storage)
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the API answers, by tag."""

    @property
    def repository(self) -> str:
        """For `kots.releases:` in a spec."""
        return f"http://{self.host}/repos/{KOTS}"

    def release(self, tag: str, files: Mapping[str, Content]) -> dict[str, Any]:
        """Publish a release, with a file of checksums for the plugins among its files.

        Returns:
            What the API answers; may be changed.
        """
        plugins = [name for name in files if name.startswith("kots_")]
        lines = "".join(f"{sha256(files[name])}  {name}\n" for name in plugins)
        checksums = f"kots_{tag.removeprefix('v')}_checksums.txt"
        given = {checksums: lines.encode(), **files} if plugins else dict(files)
        self.releases[tag] = {
            "tag_name": tag,
            "draft": False,
            "prerelease": False,
            "body": "Release notes, which nobody reads here.",
            "assets": [self._asset(tag, name, content) for name, content in given.items()],
        }
        return self.releases[tag]

    def asset(self, tag: str, name: str) -> dict[str, Any]:
        """What the API answers of one file; may be changed."""
        assets: list[dict[str, Any]] = self.releases[tag]["assets"]
        return next(asset for asset in assets if asset["name"] == name)

    def _asset(self, tag: str, name: str, content: Content) -> dict[str, Any]:
        path = f"/{KOTS}/releases/download/{tag}/{name}"
        self.storage.put(path, content)
        return {
            "id": len(self.storage.objects),
            "name": name,
            "state": "uploaded",
            "content_type": "application/gzip",
            "size": len(read(content)),
            "digest": f"sha256:{sha256(content)}",
            "updated_at": "2026-11-01T08:00:00Z",
            "browser_download_url": f"http://{self.host}{path}",
        }


class _PortalPage(Exchange):
    server: Any

    def serve(self) -> None:
        """The list of releases, or a signed address."""
        owner: Portal = self.server.owner
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        password = base64.b64encode(owner.password.encode()).decode()
        if self.headers.get("Authorization") != f"Basic {password}":
            return self._json(401, {"error": "unauthorized"})
        if query.get("license_id") != [owner.license_id]:
            return self._json(404, {"error": f"no license {query.get('license_id')}"})
        if self.headers.get("X-ReplicatedChannelID", owner.channel) != owner.channel:
            return self._json(403, {"error": "channel not in license"})
        if parts.path == "/market/v1/airgap/releases":
            everything = query.get("show") == ["all"]
            return self._json(200, {"releases": owner.releases if everything else []})
        path = owner.paths.get("".join(query.get("sequence", [])))
        if parts.path != "/market/v1/airgap/images/url" or path is None:
            return self._json(404, {"error": "not found"})
        return self._json(200, {"url": owner.storage.sign(path)})

    def _json(self, code: int, value: object) -> None:
        self.answer(code, {"Content-Type": "application/json"}, json.dumps(value).encode())


@dataclass(slots=True)
class Portal(FaultyServer):
    """The vendor's download portal, for one licence."""

    handler: ClassVar[type[Exchange]] = _PortalPage

    storage: Storage = field(default_factory=Storage)
    license_id: str = LICENSE_ID
    password: str = PASSWORD
    channel: str = CHANNEL
    releases: list[dict[str, Any]] = field(default_factory=list)
    """The newest first; each may be changed."""
    paths: dict[str, str] = field(default_factory=dict)
    """Where the archive of a sequence is in the storage."""

    @property
    def api(self) -> str:
        """For `portal.api:` in a spec."""
        return f"http://{self.host}"

    @property
    def environment(self) -> dict[str, str]:
        """The credentials, under the names that a spec has unless it says others."""
        return {"HARNESS_LICENSE_ID": self.license_id, "HARNESS_PORTAL_PASSWORD": self.password}

    def release(self, sequence: int, label: str, content: Content) -> dict[str, Any]:
        """Publish a release.

        Returns:
            What the list says of it; may be changed.
        """
        path = f"/airgap/{sequence}/app.airgap"
        self.storage.put(path, content)
        self.paths[str(sequence)] = path
        told: dict[str, Any] = {
            "release_sequence": sequence,
            "patch_release_sequence": 0,
            "release_date": "2026-10-30T10:00:00Z",
            "required": False,
            "label": label,
            "release_notes": "Many\nlines\nof notes.",
            "download_link": "",
            "build_status": "built",
            "last_update_time": "2026-10-30T11:00:00Z",
            "checksum": sha256(content),
            "imageless_checksum": "",
        }
        self.releases.insert(0, told)
        return told


@dataclass(slots=True)
class Vendor:
    """All of them, used with `with`."""

    storage: Storage = field(default_factory=Storage)
    github: GitHub = field(init=False)
    portal: Portal = field(init=False)
    _running: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        """Let both lead to the storage."""
        self.github = GitHub(storage=self.storage)
        self.portal = Portal(storage=self.storage)

    def manifest(self, archives: Mapping[str, Content], **more: object) -> str:
        """The text of a manifest of modules, with addresses that are good now.

        A module named `ci/plugins` is listed as `ci-plugins`, which belongs to `ci`.
        """
        modules = {}
        for path, content in archives.items():
            name, parent = path.replace("/", "-"), path.rpartition("/")[0]
            url = self.storage.put(f"/bundles/harness-0.41.2/{path}/{name}_images.tgz", content)
            modules[name] = {"bucket_path": path, "downloadUrl": url}
            if parent:
                modules[name]["parent"] = parent
        return json.dumps({"version": "1.0", **more, "modules": modules}, indent=1)

    def __enter__(self) -> Self:
        """Listen."""
        for server in (self.storage, self.github, self.portal):
            self._running.enter_context(server)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop listening."""
        self._running.close()
