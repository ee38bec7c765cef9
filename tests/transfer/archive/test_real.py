"""Archives as the vendors' own programs make and read them: docker-registry, skopeo, tar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from scripts.sample_archives import Sample
from tests.processes import run
from tests.servers import Registry, docker_registry
from tests.tools import need
from tests.transfer.archive.forge import Forge, prove
from tests.transfer.archive.test_writing import full
from transfer.archive import AirgapArchive
from transfer.digest import Digest
from transfer.graph import successors

pytestmark = pytest.mark.real

NAMES = ("kotsadm/kotsadm:v1.131.4", "kotsadm/dex:2.44.0", "kotsadm/rqlite:10.2.7")
PLAIN = ("kotsadm/rqlite:10.2.7", "kotsadm/kotsadm-migrations:v1.131.4")


@pytest.fixture
def vendor(samples: Mapping[str, Sample], tmp_path: Path) -> Iterator[Registry]:
    """A registry that runs on the storage tree of a sample, as KOTS starts one."""
    unpack_tree(samples["kotsadm.tar.gz"].path, tmp_path / "vendor/storage")
    with docker_registry(tmp_path / "vendor") as registry:
        yield registry


def unpack_tree(archive: Path, storage: Path) -> None:
    storage.mkdir(parents=True)
    run([need("tar"), "xzf", archive, "-C", storage, "--strip=1", "images"])


def copy(source: str, target: str, *options: str) -> None:
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    run([need("skopeo"), "copy", "-q", *plain, *options, source, target])


def inspect(source: str, *options: str) -> Digest:
    """The digest of an image's manifest, or of its config."""
    found = run([need("skopeo"), "inspect", "--raw", "--tls-verify=false", *options, source])
    return Digest.of(found.encode())


def at(registry: Registry, name: str) -> str:
    """Where KOTS looks an image up: under the last component of its name, the digest first."""
    last = name.rpartition("/")[2]
    base, joint, digest = last.partition("@")
    if joint:
        last = f"{base.partition(':')[0]}@{digest}"
    return f"docker://{registry.host}/{last}"


def test_an_archive_of_a_real_registrys_storage(vendor: Registry, tmp_path: Path) -> None:
    """As KOTS's release does it: skopeo copies into a registry, tar packs its folder."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    with docker_registry(tmp_path / "second") as second:
        for name in NAMES:
            copy(at(vendor, name), at(second, name), "--all")
        expected = {name: inspect(at(second, name)) for name in NAMES}
    second.storage.rename(folder / "images")
    (folder / "airgap.yaml").write_text(
        "apiVersion: kots.io/v1beta1\nkind: Airgap\nspec:\n  format: docker\n"
        f"  savedImages: {list(NAMES)}\n"
    )
    path = tmp_path / "kotsadm.tar.gz"
    run([need("tar"), "czf", path, "-C", folder, "airgap.yaml", "images"])
    with AirgapArchive.read(path) as archive:
        assert {image.name: image.root.digest for image in archive.record.images} == expected
        prove(archive)


def test_a_registry_serves_the_tree_of_a_full_archive(
    samples: Mapping[str, Sample], tmp_path: Path
) -> None:
    """What we put together again is pulled completely, as KOTS would pull it to push it."""
    sample = samples["harness.airgap"]
    unpack_tree(full(sample.path, tmp_path), tmp_path / "registry/storage")
    with docker_registry(tmp_path / "registry") as registry:
        for number, (name, root) in enumerate(sample.images.items()):
            assert str(inspect(at(registry, name))) == root
            copy(at(registry, name), f"dir:{tmp_path / str(number)}", "--all")


def test_docker_save_tars_that_skopeo_wrote(
    vendor: Registry, docker_archive: Path, tmp_path: Path
) -> None:
    forge = Forge.open(docker_archive)
    for name in [name for name in forge.members if name.startswith("images/")]:
        del forge.members[name]
    configs = {}
    for number, name in enumerate(PLAIN):
        saved = tmp_path / f"{number}.tar"
        copy(at(vendor, name), f"docker-archive:{saved}:{name}")
        place = f"images/docker-archive/docker.io/{name.replace(':', '/')}"
        forge.members[place] = saved.read_bytes()
        configs[f"docker.io/{name}"] = inspect(at(vendor, name), "--config")
    with AirgapArchive.read(forge.write(tmp_path / "harness.airgap")) as archive:
        found = {image.name: config_of(archive, image.name) for image in archive.record.images}
        prove(archive)
    assert found == configs


def test_a_compressed_docker_save_tar_that_skopeo_wrote(vendor: Registry, tmp_path: Path) -> None:
    [name, _] = PLAIN
    copy(at(vendor, name), f"docker-archive:{tmp_path / 'm.tar'}:{name}")
    run([need("gzip"), tmp_path / "m.tar"])
    with AirgapArchive.read(tmp_path / "m.tar.gz") as archive:
        [image] = archive.record.images
        assert image.name == f"docker.io/{name}"
        assert config_of(archive, image.name) == inspect(at(vendor, name), "--config")
        prove(archive)


def config_of(archive: AirgapArchive, name: str) -> Digest:
    [image] = [image for image in archive.record.images if image.name == name]
    [manifest] = successors(archive, image.root)
    return manifest.blobs[0].digest
