"""Images that no archive holds, from real registries and a real engine, each into a bundle.

The registries are Debian's, one with a token service and one with passwords; the engine is
`podman system service`. What arrives is judged by `sha256sum -c`, and by the digests that the
registry, or the engine, gave.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.bundler.commands import Workplace
from tests.bundler.images.scene import AMD, ARM, S390, multiple, single
from tests.engines import Podman, Saved, podman_service
from tests.fakes.tokens import TokenServer, token_server
from tests.real.judges import sums_hold
from tests.servers import Certificate, Registry, docker_registry
from tests.transfer.images import Tree
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import AT_ONCE
from transfer.bundle import Bundle
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import read_verified
from transfer.graph import successors
from transfer.registry import Credentials, RegistryClient

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

ANN = Credentials("ann", "secret-7")
IDENTITY = "eyJ-identity-7"
TREES = {platform: single(platform, "shared by all") for platform in (AMD, ARM, S390)}
IMAGE = multiple(TREES, attested=True)
PATH = "harness/delegate"


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def put(registry: Registry, tls: Certificate | None, tree: Tree, *, path: str = PATH) -> str:
    """Bring an image into a registry, under the tag v1; the name by which it is pulled."""
    with RegistryClient.connect(
        registry.host,
        plain_http=tls is None,
        ca_file=tls.ca if tls else None,
        credentials=ANN,
        retry=AT_ONCE,
    ) as client:
        target = client.repository(path)
        image = ImageCopy(root=tree.root, source=MemoryStore(tree), target=target, name="v1")
        copy([image], jobs=2, overwrite=True).raise_for_failures()
    return f"{registry.host}/{path}:v1"


def remembered(folder: Path, host: str, entry: Mapping[str, str]) -> dict[str, str]:
    """An environment in which docker's file has this entry, and nothing else is known."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))
    nowhere = str(folder / "nowhere")
    names = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "REGISTRY_AUTH_FILE")
    return {**dict.fromkeys(names, nowhere), "DOCKER_CONFIG": str(folder)}


def login(user: Credentials = ANN) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user.username}:{user.password}".encode()).decode()}


def images_of(bundle: Path) -> dict[str, Descriptor]:
    """The images of a bundle by name, once every blob below them was read and every sum agrees."""
    sums_hold(bundle)
    found = Bundle.read(bundle)
    for image in found.contents.images:
        for manifest in successors(found, image.root):
            for blob in manifest.blobs:
                with found.open(blob) as stream:
                    read_verified(stream, blob.digest, blob.size, image.name)
    return {image.name: image.root for image in found.contents.images}


def listed(bundle: Path, root: Descriptor) -> list[str]:
    """The digests that an index of a bundle lists."""
    found = Bundle.read(bundle)
    with found.open(root) as stream:
        index = Manifest.parse(stream.read())
    return [str(child.digest) for child in index.manifests]


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    with token_server(tmp_path / "tokens", users={ANN.username: ANN.password}) as server:
        server.identities = frozenset({IDENTITY})
        yield server


def test_a_registry_with_a_token_service(
    place: Workplace, tls: Certificate, tokens: TokenServer
) -> None:
    with docker_registry(place.folder / "r", tls=tls, token=tokens) as registry:
        name = put(registry, tls, IMAGE)
        tokens.issued.clear()
        environ = remembered(place.folder / "docker", registry.host, login())
        spec = place.spec(f"images: [{name}]\n")
        done = place.run("build", spec, "-o", place.bundle, "--ca-file", tls.ca, env=environ)
        assert done.code == 0, done.err
    assert images_of(place.bundle) == {name: IMAGE.root}
    assert ("repository:harness/delegate:pull",) in tokens.issued


def test_an_identity_token_and_chosen_platforms(
    place: Workplace, tls: Certificate, tokens: TokenServer
) -> None:
    with docker_registry(place.folder / "r", tls=tls, token=tokens) as registry:
        name = put(registry, tls, IMAGE)
        environ = remembered(
            place.folder / "docker", registry.host, {**login(), "identitytoken": IDENTITY}
        )
        spec = place.spec(f"images: [{{image: {name}, platforms: [{AMD}, {S390}]}}]\n")
        done = place.run("build", spec, "-o", place.bundle, "--ca-file", tls.ca, env=environ)
        assert done.code == 0, done.err
    assert tokens.forms
    assert "3 manifests without a platform (attestations)" in done.err
    root = images_of(place.bundle)[name]
    assert listed(place.bundle, root) == [str(TREES[p].root.digest) for p in (AMD, S390)]
    assert IDENTITY not in done.err + place.lock.read_text()


def test_a_registry_with_passwords_and_a_helper_that_knows_them(
    place: Workplace, tls: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = place.folder / "bin" / "docker-credential-vault"
    helper.parent.mkdir()
    answer = json.dumps({"Username": ANN.username, "Secret": ANN.password})
    helper.write_text(f"#!/bin/sh\necho '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
    users = (ANN.username, ANN.password)
    with docker_registry(place.folder / "r", tls=tls, htpasswd=users) as registry:
        name = put(registry, tls, IMAGE)
        environ = remembered(place.folder / "docker", registry.host, {})
        (place.folder / "docker/config.json").write_text('{"credsStore": "vault"}')
        spec = place.spec(f"images: [{{image: {name}, platforms: [{ARM}]}}]\n")
        done = place.run("build", spec, "-o", place.bundle, "--ca-file", tls.ca, env=environ)
        assert done.code == 0, done.err
        assert images_of(place.bundle) == {name: TREES[ARM].root}
        other = Workplace(place.folder / "other")
        other.folder.mkdir()
        refused = other.run(
            "lock",
            other.spec(f"images: [{name}]\n"),
            *("--ca-file", tls.ca),
            env=remembered(place.folder / "docker", registry.host, login(Credentials("ann", "no"))),
        )
    assert refused.code == 6, refused.err
    assert "used user 'ann'" in refused.err
    assert ANN.password not in refused.err


def test_a_lock_is_built_after_its_tag_has_moved(place: Workplace) -> None:
    with docker_registry(place.folder / "r") as registry:
        name, options = put(registry, None, IMAGE), ("--plain-http", registry.host)
        spec = place.spec(f"images: [{{image: {name}, platforms: [{AMD}, {ARM}]}}]\n")
        assert place.run("lock", spec, *options).code == 0
        put(registry, None, single(AMD, "another"))
        done = place.run("build", spec, "-o", place.bundle, *options)
        assert done.code == 0, done.err
        root = images_of(place.bundle)[name]
    assert listed(place.bundle, root) == [str(TREES[p].root.digest) for p in (AMD, ARM)]
    assert str(root.digest) in place.lock.read_text()


def test_a_mirror_has_it_when_the_registry_is_gone(place: Workplace) -> None:
    with docker_registry(place.folder / "m") as mirror:
        with docker_registry(place.folder / "r") as registry:
            name = put(registry, None, IMAGE)
            put(mirror, None, IMAGE, path=f"hub/{PATH}")
            plain = ("--plain-http", registry.host, "--plain-http", mirror.host)
            spec = place.spec(f"images: [{name}]\n")
            assert place.run("lock", spec, *plain).code == 0
            locked = place.lock.read_bytes()
        done = place.run(
            "build",
            spec,
            "-o",
            place.bundle,
            *plain,
            "--mirror",
            f"{registry.host}={mirror.host}/hub",
        )
        assert done.code == 0, done.err
    assert images_of(place.bundle) == {name: IMAGE.root}
    assert place.lock.read_bytes() == locked
    assert mirror.host not in locked.decode()


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Podman]:
    with podman_service(tmp_path / "podman") as service:
        yield service


AGENT = Saved.of("built here", "and nowhere else", size=3_000_000)
NAME = "localhost/harness/agent:v1"


def test_an_image_that_only_podman_has(place: Workplace, podman: Podman) -> None:
    podman.load(AGENT, NAME)
    spec = place.spec(f"images: [{{image: '{NAME}', engine: '{podman.address}'}}]\n")
    done = place.run("build", spec, "-o", place.bundle)
    assert done.code == 0, done.err
    root = images_of(place.bundle)[NAME]
    with Bundle.read(place.bundle).open(root) as stream:
        config, *layers = Manifest.parse(stream.read()).blobs
    assert config.digest == AGENT.id
    assert len(layers) == 2
    assert f"image id: {AGENT.id}" in place.lock.read_text()

    # Saved anew it is the same, and once it is saved nobody needs the engine any more.
    fresh, gone = place.folder / "fresh", place.folder / "gone"
    done = place.run("build", spec, "-o", fresh, "--cache-dir", place.folder / "other cache")
    assert done.code == 0, done.err
    podman.run("rmi", "--all", "--force")
    done = place.run("build", spec, "-o", gone)
    assert done.code == 0, done.err
    assert images_of(fresh) == images_of(gone) == {NAME: root}


def test_the_lock_holds_although_podman_has_built_it_anew(place: Workplace, podman: Podman) -> None:
    podman.load(AGENT, NAME)
    spec = place.spec(f"images: [{{image: '{NAME}', engine: default}}]\n")
    environ = {"DOCKER_HOST": podman.address}
    assert place.run("lock", spec, env=environ).code == 0
    locked = place.lock.read_text()
    podman.load(Saved.of("built anew"), NAME)
    empty = ("--cache-dir", place.folder / "empty")
    done = place.run("build", spec, "-o", place.bundle, *empty, env=environ)
    assert done.code == 0, done.err
    assert str(images_of(place.bundle)[NAME].digest) in locked
    podman.run("rmi", "--force", AGENT.id.encoded)
    done = place.run(
        "build", spec, "-o", place.folder / "b", "--cache-dir", place.folder / "c", env=environ
    )
    assert done.code == 5
    assert f"the lock wants image id {AGENT.id}" in done.err


def test_what_podman_does_not_have(place: Workplace, podman: Podman) -> None:
    spec = place.spec(f"images: [{{image: '{NAME}', engine: '{podman.address}'}}]\n")
    done = place.run("lock", spec)
    assert done.code == 5
    assert f"images[0]: engine {podman.address}: image {NAME}: not there" in done.err
