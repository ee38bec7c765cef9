"""The habits of registries: of a real one, and of others as the wire shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.fakes.faulty import Action, Exchange, close_after, header, status
from tests.fakes.registry import FakeRegistry, Stored
from tests.mirror.supply import make_bundle, mirror
from tests.servers import docker_registry
from transfer.descriptor import OCI_MANIFEST

NOTHING_KEPT = {"hashstates"}
"""What docker-registry itself leaves of an upload that was cancelled: folders, no content."""


def findings(out: str) -> dict[str, str]:
    return {name: one["value"] for name, one in json.loads(out)["findings"].items()}


def probe(host: str, *more: str, code: int = 0, stdin: str = "") -> dict[str, str]:
    done = mirror(
        "probe", f"{host}/harness", "--plain-http", "--output", "json", *more, stdin=stdin
    )
    assert done.code == code, done.err
    return findings(done.out)


TYPES = {
    f"type {kind}+json": "accepted"
    for kind in (
        "oci.image.index.v1",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.v2",
    )
}
DOCKER_REGISTRY = {
    "login": "none",
    "push": "allowed",
    "location": "absolute",
    "chunks": "accepted",
    "resume": "by-offset",
    "digests": "checked",
    "cancel": "possible",
    "whole": "accepted",
    "body-limit": "none",
    "single-post": "ignored",
    "mount-missing": "upload",
    "mount": "unknown",
    **TYPES,
    "head": "unknown",
    "delete": "possible",
    "referrers": "unlisted",
}


@pytest.mark.real
def test_docker_registry_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        for _ in range(2):
            assert probe(registry.host) == DOCKER_REGISTRY
        content = [path for path in registry.storage.rglob("*") if path.is_file()]
        assert [path for path in content if not NOTHING_KEPT & set(path.parts)] == []
        bundle = make_bundle(tmp_path / "bundle").path
        assert mirror("push", bundle, "--to", f"{registry.host}/harness", "--plain-http").code == 0
        stored = sorted(path for path in registry.storage.rglob("*") if path.is_file())
        found = probe(registry.host)
        assert found == {**DOCKER_REGISTRY, "head": "digest", "mount": "works"}
        now = sorted(path for path in registry.storage.rglob("*") if path.is_file())
        assert [path for path in now if path not in stored and "hashstates" not in path.parts] == []


@pytest.mark.real
def test_a_registry_that_is_read_only(tmp_path: Path) -> None:
    with docker_registry(tmp_path / "registry", readonly=True) as registry:
        found = probe(registry.host, code=6)
    assert (found["push"], found["delete"]) == ("read-only", "refused")


@pytest.mark.real
def test_a_registry_that_asks_for_a_password(tmp_path: Path) -> None:
    with docker_registry(tmp_path / "registry", htpasswd=("joe", "secret")) as registry:
        stranger = probe(registry.host, code=6)
        assert (stranger["login"], stranger["push"]) == ("basic", "denied")
        known = probe(registry.host, "--username", "joe", "--password-stdin", stdin="secret\n")
        assert known == {**DOCKER_REGISTRY, "login": "basic"}


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        fake.fail("POST", r"\?digest=", 1, status(400, error=("DIGEST_INVALID", "no digest")))
        fake.fail("DELETE", "/manifests/", 1, status(404, error=("MANIFEST_UNKNOWN", "none")))
        yield fake
        assert (fake.blobs, fake.open_uploads) == ({}, set())


def test_what_a_good_registry_is_told_to_be(registry: FakeRegistry) -> None:
    expected = {**DOCKER_REGISTRY, "single-post": "accepted"}
    assert {**probe(registry.host), "resume": "by-offset"} == expected


CONFIG = "sha256:" + "1" * 64


def open_instead(exchange: Exchange) -> bool:
    """Open an upload, whatever there is to mount."""
    exchange.path = exchange.path.partition("?")[0]
    return False


BEARER = {"WWW-Authenticate": 'Bearer realm="http://user:secret@token.example/x?y",service="s"'}
DENIED = status(403, error=("DENIED", "no"))


@pytest.mark.parametrize(
    ("method", "pattern", "action", "expected"),
    [
        ("GET", "^/v2/$", status(401, BEARER), {"login": "bearer"}),
        ("GET", "^/v2/$", status(401), {"login": "unknown"}),
        ("POST", r"/uploads/$", header("Location", "/v2/x/y"), {"location": "relative"}),
        ("PATCH", "", status(405), {"chunks": "refused", "whole": "accepted"}),
        ("PATCH", "", close_after(0), {"chunks": "refused", "whole": "accepted"}),
        ("POST", r"/uploads/$", header("OCI-Chunk-Min-Length", "5000"), {"chunk-minimum": "5000"}),
        ("PUT", "none", status(405), {"whole": "refused", "chunks": "accepted"}),
        ("PUT", "none", status(413), {"whole": "refused"}),
        ("POST", r"\?mount=", status(404), {"mount-missing": "refused"}),
        ("POST", r"\?mount=", status(401), {"mount-missing": "refused"}),
        ("POST", r"\?mount=", DENIED, {"mount-missing": "refused"}),
        (
            "PUT",
            "/manifests/",
            status(415),
            {
                "type oci.image.index.v1+json": "refused",
                "type oci.image.manifest.v1+json": "accepted",
            },
        ),
        (
            "PUT",
            "/manifests/",
            status(400, error=("MANIFEST_INVALID", "")),
            {"type oci.image.index.v1+json": "refused"},
        ),
        ("PUT", "/manifests/", status(201), {"type oci.image.index.v1+json": "unchecked"}),
        ("GET", "/referrers/", status(200, body=b"{}"), {"referrers": "listed"}),
        ("DELETE", "uploads", status(405), {"cancel": "refused", "left": "upload"}),
    ],
)
def test_a_habit(
    registry: FakeRegistry, method: str, pattern: str, action: Action, expected: Mapping[str, str]
) -> None:
    registry.fail(method, pattern, 1, action)
    found = probe(registry.host)
    assert expected.items() <= found.items()
    assert found.keys() >= DOCKER_REGISTRY.keys() - {"resume", "digests"}
    registry.open_uploads.clear()  # of faults that kept the registry from hearing of an end


@pytest.mark.parametrize(
    ("action", "value", "code"),
    [
        (status(404, error=("NAME_UNKNOWN", "no project")), "create-first", 5),
        (status(405), "read-only", 6),
        (DENIED, "denied", 6),
        pytest.param(close_after(0), "refused", 7, id="hung-up"),
        (status(500), "refused", 7),
    ],
)
def test_a_push_that_would_fail_ends_as_it_would(
    registry: FakeRegistry, action: Action, value: str, code: int
) -> None:
    registry.fail("POST", "", 1, action)
    found = probe(registry.host, code=code)
    assert found["push"] == value
    assert registry.count("PUT") == registry.count("PATCH") == 0


def test_a_type_is_known_where_only_the_missing_blobs_are_refused(registry: FakeRegistry) -> None:
    """As zot does it: 415 to a type that it does not know, and `invalid` to what is not whole."""
    invalid = status(400, error=("MANIFEST_INVALID", ""))

    def by_type(exchange: Exchange) -> bool:
        known = "oci" in exchange.headers["Content-Type"]
        return (invalid if known else status(415))(exchange)

    registry.fail("PUT", "/manifests/", 10, by_type)
    found = probe(registry.host)
    assert {found[name] for name in TYPES if " oci." in name} == {"accepted"}
    assert {found[name] for name in TYPES if " docker." in name} == {"refused"}


def test_uploads_at_another_host_are_told(registry: FakeRegistry) -> None:
    port = registry.host.partition(":")[2]
    registry.fail("POST", "/uploads/$", 1, header("Location", f"http://localhost:{port}/v2/x/y"))
    assert probe(registry.host)["location"] == "other-host"
    registry.open_uploads.clear()


def test_a_registry_that_stores_what_it_is_not(registry: FakeRegistry) -> None:
    registry.fail("PUT", "=sha256", 1, status(201))
    assert probe(registry.host)["digests"] == "unchecked"
    registry.open_uploads.clear()


@pytest.mark.parametrize(
    ("name", "value"), [("Docker-Content-Digest", "no-digest"), ("X", "digest")]
)
def test_whether_a_tag_tells_its_digest(registry: FakeRegistry, name: str, value: str) -> None:
    registry.manifests["there", "sha256:1"] = Stored(OCI_MANIFEST, b"{}")
    digest = "sha256:" + "1" * 64
    registry.manifests["there", digest] = Stored(OCI_MANIFEST, b"{}")
    registry.tags["there", "1"] = digest
    listed = json.dumps({"repositories": ["there"]}).encode()
    registry.fail("GET", "_catalog", 2, status(200, body=listed))
    registry.fail("HEAD", "/manifests/", 1, header(name, None))
    assert probe(registry.host)["head"] == value


@pytest.mark.parametrize(
    ("action", "value"), [(None, "works"), (status(404), "refused"), (open_instead, "unknown")]
)
def test_whether_a_blob_can_be_mounted_is_tried_where_it_is_already(
    registry: FakeRegistry, action: Action | None, value: str
) -> None:
    config = json.dumps({"config": {"digest": CONFIG}}).encode()
    registry.manifests["harness/there", CONFIG] = Stored(OCI_MANIFEST, config)
    registry.tags["harness/there", "1"] = CONFIG
    registry.blobs["harness/there", CONFIG] = b"{}"
    listed = json.dumps({"repositories": ["other", "harness/there"]}).encode()
    registry.fail("GET", "_catalog", 2, status(200, body=listed))
    if action:
        registry.fail("POST", "from=harness%2Fthere", 1, action)
    assert probe(registry.host)["mount"] == value
    assert set(registry.blobs) == {("harness/there", CONFIG)}
    registry.blobs.clear()


def test_what_is_no_registry(registry: FakeRegistry) -> None:
    registry.fail("GET", "^/v2/$", 1, status(404))
    done = mirror("probe", registry.host, "--plain-http")
    assert done.code == 3
    assert "not a container registry" in done.err


def test_a_registry_that_is_down(registry: FakeRegistry) -> None:
    registry.fail("GET", "^/v2/$", 1, status(503))
    assert mirror("probe", registry.host, "--plain-http").code == 7
    with registry.away():
        assert mirror("probe", registry.host, "--plain-http").code == 7


def test_wrong_usage() -> None:
    assert mirror("probe").code == 2
    assert mirror("probe", "r.example:5000", "--site", "site.yaml").code == 2
