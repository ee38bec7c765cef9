"""Archives of docker-save tars: compressed once on the way, and not at all where they are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.sample_archives import write_docker_archive_application, write_module
from tests.fakes.faulty import FOREVER, status
from tests.fakes.registry import FakeRegistry, Stored, digest_of
from tests.mirror.supply import Ran, half_named, mirror
from tests.transfer.archive.forge import Forge
from transfer.archive import AirgapArchive

pytest_plugins = ["tests.server_fixtures"]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several images in one docker-save tar, all named by tags."""
    path = tmp_path_factory.mktemp("module") / "platform_images.tgz"
    return write_module(path, size=200_000).path


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar for each image, some of which are named by digest."""
    path = tmp_path_factory.mktemp("application") / "harness.airgap"
    return write_docker_archive_application(path, size=200_000).path


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def push(path: Path, registry: FakeRegistry, *options: str, command: str = "push") -> Ran:
    to = ("--to", f"{registry.host}/harness", "--plain-http", "--output", "json")
    return mirror(command, path, *to, *options)


def roots(path: Path) -> set[str]:
    """The manifests that are made when nobody knows where they go."""
    with AirgapArchive.read(path) as archive:
        return {str(image.root.digest) for image in archive.record.images}


def layers(registry: FakeRegistry) -> set[str]:
    manifests = [json.loads(stored.raw) for stored in registry.manifests.values()]
    return {layer["digest"] for manifest in manifests for layer in manifest["layers"]}


def below(stored: Stored) -> set[str]:
    manifest = json.loads(stored.raw)
    return {blob["digest"] for blob in (manifest["config"], *manifest["layers"])}


def writes(registry: FakeRegistry) -> list[str]:
    return [seen.method for seen in registry.requests if seen.method not in ("GET", "HEAD")]


@pytest.mark.parametrize("kind", ["module", "application"])
def test_each_layer_is_sent_while_it_is_compressed(
    request: pytest.FixtureRequest, fake: FakeRegistry, kind: str
) -> None:
    path: Path = request.getfixturevalue(kind)
    pushed = push(path, fake)
    assert pushed.code == 0, pushed.err
    assert {digest for _, digest in fake.manifests} == roots(path), "the same bytes as ever"
    assert half_named(fake) == []
    assert fake.count("PATCH") == len(layers(fake))
    distinct = {digest: len(raw) for (_, digest), raw in fake.blobs.items()}
    assert pushed.json()["bytesSent"] == sum(distinct.values())
    assert fake.open_uploads == set()


def test_an_image_that_is_there_is_not_made_again(module: Path, fake: FakeRegistry) -> None:
    assert push(module, fake).code == 0
    fake.requests.clear()
    again = push(module, fake)
    assert again.code == 0, again.err
    assert writes(fake) == []
    assert {image["outcome"] for image in again.json()["images"]} == {"present"}
    assert "compressing layers: " not in again.err, "there are none to compress"


def test_a_plan_writes_nothing_and_sees_what_is_there(module: Path, fake: FakeRegistry) -> None:
    planned = push(module, fake, command="plan").json()
    assert {image["state"] for image in planned["images"]} == {"new"}
    assert writes(fake) == []
    push(module, fake)
    fake.requests.clear()
    planned = push(module, fake, command="plan").json()
    assert {image["state"] for image in planned["images"]} == {"present"}
    assert writes(fake) == []


def test_an_interrupted_push_goes_on_with_what_is_missing(module: Path, fake: FakeRegistry) -> None:
    assert push(module, fake).code == 0
    fake.tags.clear()
    fake.manifests.clear()
    lost = max(fake.blobs, key=lambda key: len(fake.blobs[key]))
    for key in [key for key in fake.blobs if key[1] == lost[1]]:
        del fake.blobs[key]
    fake.requests.clear()
    pushed = push(module, fake)
    assert pushed.code == 0, pushed.err
    assert fake.count("PATCH") == 0
    assert fake.count("PUT", "/uploads/") == 1
    assert half_named(fake) == []
    assert {digest for _, digest in fake.manifests} == roots(module)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_registry_that_takes_no_stream_gets_the_layers_afterwards(
    module: Path, fake: FakeRegistry, method: str
) -> None:
    pattern = "/uploads/" if method == "PATCH" else "_state=later"
    fake.fail(method, pattern, FOREVER, status(405))
    pushed = push(module, fake)
    assert pushed.code == 0, pushed.err
    assert fake.count("PATCH") == 1, "once is enough to know"
    assert "layers are sent once they are compressed" in pushed.err
    assert half_named(fake) == []
    assert {digest for _, digest in fake.manifests} == roots(module)


def other_content(fake: FakeRegistry) -> None:
    """One name stands for something else."""
    raw = b'{"schemaVersion":2,"config":{},"layers":[]}'
    (repository, tag), _ = next(iter(fake.tags.items()))
    fake.manifests[repository, digest_of(raw)] = Stored("application/json", raw)
    fake.tags[repository, tag] = digest_of(raw)


def the_same_in_another_form(fake: FakeRegistry) -> None:
    """One image was pushed by somebody else, whose compressor may be another."""
    (repository, tag), digest = next(iter(fake.tags.items()))
    stored = fake.manifests[repository, digest]
    raw = json.dumps(json.loads(stored.raw), indent=3).encode()
    fake.manifests[repository, digest_of(raw)] = Stored(stored.media_type, raw)
    fake.tags[repository, tag] = digest_of(raw)


@pytest.mark.parametrize("change", [other_content, the_same_in_another_form])
def test_nothing_is_sent_where_a_name_holds_other_content(
    module: Path, fake: FakeRegistry, change: object
) -> None:
    assert callable(change)
    assert push(module, fake).code == 0
    change(fake)
    first = next(iter(fake.tags))
    fake.tags = {first: fake.tags[first]}
    fake.blobs.clear()
    fake.requests.clear()
    refused = push(module, fake)
    assert refused.code == 8, refused.err
    assert writes(fake) == []
    assert push(module, fake, "--overwrite").code == 0
    assert half_named(fake) == []


def test_a_damaged_layer_is_not_sent(module: Path, fake: FakeRegistry, tmp_path: Path) -> None:
    forge = Forge.open(module)
    name = forge.find(".tar")
    content = bytearray(forge.members[name])
    content[len(content) // 2] ^= 1
    forge.members[name] = bytes(content)
    refused = push(forge.write(tmp_path / "m.tgz"), fake)
    assert refused.code == 4
    assert (fake.tags, fake.manifests) == ({}, {})
    sent = {digest for _, digest in fake.blobs}
    assert push(module, fake).code == 0
    assert sent <= {digest for stored in fake.manifests.values() for digest in below(stored)}


def test_repair_looks_below_what_is_there(module: Path, fake: FakeRegistry) -> None:
    assert push(module, fake).code == 0
    lost = max(fake.blobs, key=lambda key: len(fake.blobs[key]))
    del fake.blobs[lost]
    assert push(module, fake).code == 0
    assert lost not in fake.blobs
    assert push(module, fake, "--repair").code == 0
    assert lost in fake.blobs


@pytest.mark.parametrize("habits", ["{bodyLimit: 1048576}", "{chunks: refused}"])
def test_what_is_known_of_a_registry_costs_no_try(
    tmp_path: Path, module: Path, fake: FakeRegistry, habits: str
) -> None:
    """A stream has no length: whoever limits bodies, or takes no pieces, refuses it midway."""
    fake.fail("PATCH", "/uploads/", FOREVER, status(413))
    site = tmp_path / "site.yaml"
    site.write_text(
        "apiVersion: airgap/v1\nkind: Site\nname: s\nnamespace: harness\n"
        f"registry: {{endpoint: '{fake.host}/harness', plainHttp: true, habits: {habits}}}\n"
        "applications: {harness: {licenseFile: license.yaml}}\n"
    )
    pushed = mirror("push", module, "--site", site)
    assert pushed.code == 0, pushed.err
    assert fake.count("PATCH") == 0
    assert {digest for _, digest in fake.manifests} == roots(module)
