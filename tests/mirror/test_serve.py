"""What the served registry answers, over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mirror.served import (
    ARM,
    BLOB,
    BLOB_DIGEST,
    DOCKER,
    DOCKER_LIST,
    INDEX,
    OCI,
    Answered,
    Client,
    fill_store,
    served,
)
from tests.transfer.images import Tree
from transfer.descriptor import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from transfer.digest import Digest


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return fill_store(tmp_path / "store")


@pytest.fixture
def ask(store: Path) -> Iterator[Client]:
    with served(store) as client:
        yield client


def test_the_api_is_there(ask: Client) -> None:
    for path in ("/v2/", "/v2"):
        answered = ask(path)
        assert (answered.status, json.loads(answered.body)) == (200, {})
        assert answered.headers["Docker-Distribution-API-Version"] == "registry/2.0"


@pytest.mark.parametrize(
    ("name", "tree", "media_type"),
    [
        ("redis/manifests/7", OCI, OCI_MANIFEST),
        ("redis/manifests/8", DOCKER, DOCKER_MANIFEST),
        ("a/b/both/manifests/1", INDEX, OCI_INDEX),
        ("list/manifests/1", DOCKER_LIST, DOCKER_INDEX),
        (f"a/b/both/manifests/{ARM.root.digest}", ARM, OCI_MANIFEST),
        (f"pinned/manifests/{OCI.root.digest}", OCI, OCI_MANIFEST),
        (f"redis/manifests/{str(OCI.root.digest).replace(':', '%3A')}", OCI, OCI_MANIFEST),
    ],
)
def test_manifests_keep_their_bytes_and_types(
    ask: Client, name: str, tree: Tree, media_type: str
) -> None:
    raw = tree.manifests[tree.root.digest]
    head, answered = ask(f"/v2/{name}", "HEAD"), ask(f"/v2/{name}")
    assert (head.status, head.body) == (200, b"")
    assert (answered.status, answered.body) == (200, raw)
    for headers in (head.headers, answered.headers):
        assert headers["Content-Type"] == media_type
        assert headers["Docker-Content-Digest"] == str(tree.root.digest)
        assert headers["Content-Length"] == str(len(raw))


def test_blobs_come_whole(ask: Client) -> None:
    path = f"/v2/redis/blobs/{BLOB_DIGEST}"
    head, answered = ask(path, "HEAD"), ask(path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(BLOB)))
    assert (answered.status, answered.body) == (200, BLOB)
    assert answered.headers["Docker-Content-Digest"] == str(BLOB_DIGEST)
    assert answered.headers["Accept-Ranges"] == "bytes"


SIZE = len(BLOB)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=5-", (5, SIZE)),
        ("bytes=-7", (SIZE - 7, SIZE)),
        (f"bytes=-{SIZE + 5}", (0, SIZE)),
        (f"bytes=3-{SIZE + 100}", (3, SIZE)),
        (f"bytes={SIZE - 1}-", (SIZE - 1, SIZE)),
    ],
)
def test_ranges(ask: Client, asked: str, expected: tuple[int, int]) -> None:
    start, end = expected
    answered = ask(f"/v2/redis/blobs/{BLOB_DIGEST}", Range=asked)
    assert (answered.status, answered.body) == (206, BLOB[start:end])
    assert answered.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 9}", "bytes=-0"])
def test_ranges_beyond_the_end(ask: Client, asked: str) -> None:
    answered = ask(f"/v2/redis/blobs/{BLOB_DIGEST}", Range=asked)
    assert answered.status == 416
    assert answered.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,4-5"},
        {"Range": "bytes=9-3"},
        {"Range": "bytes=-"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=0-9", "If_Range": '"another"'},
        {"Range": "bytes=0-" + "9" * 40},
    ],
)
def test_a_range_that_means_nothing_gives_the_whole(ask: Client, headers: dict[str, str]) -> None:
    answered = ask(f"/v2/redis/blobs/{BLOB_DIGEST}", body=None, **headers)
    assert (answered.status, answered.body) == (200, BLOB)


def test_if_range_with_the_etag_gives_the_range(ask: Client) -> None:
    path = f"/v2/redis/blobs/{BLOB_DIGEST}"
    etag = ask(path, "HEAD").headers["ETag"]
    assert ask(path, Range="bytes=2-3", If_Range=etag).body == BLOB[2:4]


def tags_of(answered: Answered) -> list[str]:
    return list(json.loads(answered.body)["tags"])


def test_tags_come_in_pages(ask: Client) -> None:
    assert json.loads(ask("/v2/redis/tags/list").body) == {
        "name": "redis",
        "tags": ["7", "8", "latest"],
    }
    first = ask("/v2/redis/tags/list?n=2")
    assert tags_of(first) == ["7", "8"]
    following = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])
    assert following
    second = ask(following[1])
    assert tags_of(second) == ["latest"]
    assert "Link" not in second.headers
    assert tags_of(ask("/v2/redis/tags/list?n=0")) == []
    assert tags_of(ask("/v2/redis/tags/list?last=7")) == ["8", "latest"]
    assert tags_of(ask("/v2/pinned/tags/list")) == []
    assert "Link" not in ask("/v2/redis/tags/list?n=3").headers


UNKNOWN = Digest.of(b"nowhere")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/redis/tags/list?n=many", 400, "PAGINATION_NUMBER_INVALID"),
        ("/v2/redis/tags/list?n=-1", 400, "PAGINATION_NUMBER_INVALID"),
        ("/v2/nowhere/tags/list", 404, "NAME_UNKNOWN"),
        ("/v2/nowhere/manifests/7", 404, "NAME_UNKNOWN"),
        (f"/v2/nowhere/blobs/{BLOB_DIGEST}", 404, "NAME_UNKNOWN"),
        ("/v2/redis/manifests/9", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/redis/manifests/{UNKNOWN}", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/redis/manifests/{BLOB_DIGEST}", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/redis/blobs/{UNKNOWN}", 404, "BLOB_UNKNOWN"),
        ("/v2/redis/blobs/latest", 400, "DIGEST_INVALID"),
        ("/v2/redis/blobs/sha256:short", 400, "DIGEST_INVALID"),
        ("/v2/redis/manifests/sha256:short", 400, "DIGEST_INVALID"),
        ("/v2/redis/manifests/", 404, "NAME_UNKNOWN"),
        ("/v2/redis", 404, "NAME_UNKNOWN"),
        ("/", 404, "NAME_UNKNOWN"),
        ("/v1/redis/manifests/7", 404, "NAME_UNKNOWN"),
    ],
)
def test_errors_have_the_codes_of_the_specification(
    ask: Client, path: str, status: int, code: str
) -> None:
    answered = ask(path)
    assert (answered.status, answered.code) == (status, code)
    assert answered.headers["Content-Type"] == "application/json"
    head = ask(path, "HEAD")
    assert (head.status, head.body) == (status, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/redis/blobs/../../../index.json",
        "/v2/redis/blobs/..%2f..%2f..%2findex.json",
        "/v2/redis/blobs/sha256:..%2f..%2findex.json",
        "/v2/redis/blobs/sha256:../../index.json",
        "/v2/redis/manifests/%2e%2e%2f%2e%2e%2findex.json",
        "/v2/../index.json",
        "/../index.json",
        "/v2//etc/passwd",
        "/v2/..%2f../manifests/7",
        "/v2/redis%00/manifests/7",
        "/v2/redis/manifests/7%00",
        "/v2/redis/manifests/7%0d%0aX-Injected:%201",
        "http://elsewhere/v2/redis/manifests/7",
        "/v2/redis/blobs/sha256:" + "A" * 64,
        "/v2/redis/blobs/md5:" + "a" * 32,
        "/v2/redis/blobs/" + "a" * 60_000,
    ],
)
def test_no_path_leads_out_of_the_blobs(ask: Client, path: str) -> None:
    answered = ask(path)
    assert answered.status in {400, 404}
    assert b"imageLayoutVersion" not in answered.body
    assert b"root:" not in answered.body
    assert "X-Injected" not in answered.headers
    assert ask("/v2/").status == 200
