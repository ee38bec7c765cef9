"""Names of images as docker reads them, and the one string that names a site's registry."""

from __future__ import annotations

import pytest

from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.reference import Reference, Repository, parse_endpoint

DIGEST = Digest.of(b"")


@pytest.mark.parametrize(
    ("text", "registry", "path", "tag", "digest"),
    [
        ("alpine", "docker.io", "library/alpine", "latest", None),
        ("alpine:3.20", "docker.io", "library/alpine", "3.20", None),
        ("library/alpine", "docker.io", "library/alpine", "latest", None),
        ("harness/delegate:25.10", "docker.io", "harness/delegate", "25.10", None),
        ("docker.io/alpine", "docker.io", "library/alpine", "latest", None),
        ("index.docker.io/alpine", "docker.io", "library/alpine", "latest", None),
        ("index.docker.io/harness/ng:1", "docker.io", "harness/ng", "1", None),
        ("registry.example/a", "registry.example", "a", "latest", None),
        ("registry.example:5000/a/b_c/d-e:v1", "registry.example:5000", "a/b_c/d-e", "v1", None),
        ("localhost/a", "localhost", "a", "latest", None),
        ("localhost:5000/a:1", "localhost:5000", "a", "1", None),
        ("host:5000", "docker.io", "library/host", "5000", None),
        ("HOST/a", "HOST", "a", "latest", None),
        ("[::1]:5000/a:1", "[::1]:5000", "a", "1", None),
        ("[fe80::1]/a", "[fe80::1]", "a", "latest", None),
        ("127.0.0.1/a", "127.0.0.1", "a", "latest", None),
        (f"alpine@{DIGEST}", "docker.io", "library/alpine", None, DIGEST),
        (f"r.example:5000/a:1@{DIGEST}", "r.example:5000", "a", "1", DIGEST),
        ("a/b:" + "t" * 128, "docker.io", "a/b", "t" * 128, None),
        ("a/b:_.-A", "docker.io", "a/b", "_.-A", None),
        ("a.b_c__d---e/f", "a.b_c__d---e", "", "", None),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(
    text: str, registry: str, path: str, tag: str | None, digest: Digest | None
) -> None:
    if not path:  # a dot in the first part makes it a host, which may hold no underscore
        with pytest.raises(InvalidInput, match="is not a host"):
            Reference.parse(text)
        return
    found = Reference.parse(text)
    assert found == Reference(Repository(registry, path), tag, digest)
    assert Reference.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "'' is not a repository name"),
        ("a:", "the tag '' is not valid"),
        ("a@", "nothing follows the @"),
        ("a:1@", "nothing follows the @"),
        ("a@sha256:12", "not a digest"),
        (f"a@{DIGEST}@{DIGEST}", "not a digest"),
        ("a:" + "t" * 129, "is not valid"),
        ("a:-x", "is not valid"),
        ("a:b:c", "'a:b' is not a repository name"),
        ("a b", "'a b' is not a repository name"),
        ("a\n", "is not a repository name"),
        ("Alpine", "'Alpine' is not a repository name"),
        ("registry.example/A", "'A' is not a repository name"),
        ("registry.example/", "'' is not a repository name"),
        ("registry.example//a", "'' is not a repository name"),
        ("/a", "'' is not a repository name"),
        ("a/../b", "'..' is not a repository name"),
        ("a/.b", "'.b' is not a repository name"),
        ("a/b-", "'b-' is not a repository name"),
        ("a/b___c", "'b___c' is not a repository name"),
        ("https://registry.example/a", "'https:' is not a host"),
        ("-bad.example/a", "'-bad.example' is not a host"),
        ("registry.example:port/a", "is not a host"),
        ("registry.example:123456/a", "is not a host"),
    ],
)
def test_anything_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Reference.parse(text)
    assert why in str(caught.value)
    assert caught.value.hint


def test_a_registry_is_asked_for_the_digest_where_there_is_one() -> None:
    tagged = Reference.parse("a.example/b:1")
    assert tagged.name == "1"
    pinned = tagged.pin(DIGEST)
    assert (pinned.name, pinned.tag) == (str(DIGEST), None)
    assert str(pinned) == f"a.example/b@{DIGEST}"
    assert Reference.parse(f"a.example/b:1@{DIGEST}").name == str(DIGEST)


def test_kots_keeps_the_last_part_of_a_name() -> None:
    assert Repository("a.example", "b/c/redis").name == "redis"
    assert Repository("a.example", "redis").name == "redis"


@pytest.mark.parametrize(
    ("text", "registry", "path"),
    [
        ("registry.example", "registry.example", ""),
        ("registry.example:5000/harness", "registry.example:5000", "harness"),
        ("registry:5000/harness", "registry:5000", "harness"),
        ("localhost/a/b", "localhost", "a/b"),
        ("[::1]:5000", "[::1]:5000", ""),
        ("REGISTRY/harness", "REGISTRY", "harness"),
    ],
)
def test_an_endpoint_is_read(text: str, registry: str, path: str) -> None:
    found = parse_endpoint(text)
    assert found == Repository(registry, path)
    assert str(found) == text
    inside = Repository(found.registry, f"{found.path}/redis" if found.path else "redis")
    assert Reference.parse(f"{inside}:7").repository == inside, "docker reads it the same way"


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("https://registry.example", "starts with a scheme", "--plain-http"),
        ("registry.example/", "ends with a slash", "leave the last slash out"),
        ("registry.example/a/", "ends with a slash", "leave the last slash out"),
        ("registry.example//a", "'' is not a repository name", "lower-case"),
        ("registry.example/A", "'A' is not a repository name", "lower-case"),
        ("registry.example/a:1", "'a:1' is not a repository name", "lower-case"),
        ("", "'' is not a host", "host:port/namespace"),
        ("a_b/harness", "'a_b' is not a host", "host:port/namespace"),
        ("registry.example@/a", "holds an @", "credentials are given apart"),
        ("registry/harness", "would look for registry/… at docker.io", "registry:443"),
        ("harness", "has neither a dot nor a port", "full name"),
    ],
)
def test_an_endpoint_is_refused(text: str, why: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_endpoint(text)
    assert why in str(caught.value)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("scheme", ["", "https://"])
def test_a_password_in_an_endpoint_is_refused_and_not_repeated(scheme: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_endpoint(f"{scheme}admin:hunter2@registry.example/a")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
