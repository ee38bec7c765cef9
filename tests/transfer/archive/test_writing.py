"""Archives written by us: without their images, and put together again whole."""

from __future__ import annotations

import gzip
import io
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.sample_archives import Sample
from tests.tools import need
from tests.transfer.archive.forge import Forge, prove, read_tar
from transfer.archive import AirgapArchive, write_full
from transfer.archive.tarwrite import TarWriter
from transfer.contents import ArchiveFormat, ImageRecord
from transfer.digest import Digest
from transfer.errors import Conflict, IntegrityError, NotFound

WITH_AIRGAP_YAML = [
    "kotsadm.tar.gz",
    "harness.airgap",
    "harness-ng.airgap",
    "harness-docker-archive.airgap",
]


def slim(path: Path, folder: Path) -> Path:
    target = folder / f"slim-{path.name}"
    with AirgapArchive.read(path) as archive, target.open("wb") as stream:
        archive.write_slim(stream)
    return target


def full(path: Path, folder: Path) -> Path:
    """The archive at `path`, without its images and put together again."""
    target = folder / f"full-{path.name}"
    with (
        AirgapArchive.read(path) as source,
        AirgapArchive.read(slim(path, folder)) as release,
        target.open("wb") as stream,
    ):
        write_full(stream, release, source.record.images, source)
    return target


@pytest.mark.parametrize("name", WITH_AIRGAP_YAML)
def test_a_slim_archive_holds_the_two_files_as_they_were(
    samples: Mapping[str, Sample], tmp_path: Path, name: str
) -> None:
    original = Forge.open(samples[name].path).members
    found = dict(read_tar(slim(samples[name].path, tmp_path).read_bytes()))
    kept = ("airgap.yaml", "app.tar.gz")
    assert found == {name: original[name] for name in kept if name in original}
    assert next(iter(found)) == "airgap.yaml"


@pytest.mark.parametrize("name", WITH_AIRGAP_YAML)
def test_a_slim_archive_is_read_and_has_the_same_release(
    samples: Mapping[str, Sample], tmp_path: Path, name: str
) -> None:
    path = samples[name].path
    with AirgapArchive.read(path) as whole, AirgapArchive.read(slim(path, tmp_path)) as small:
        assert small.record.images == ()
        assert small.record.compressor is None
        assert small.record.release == whole.record.release
        assert (small.record.kind, small.record.slim) == (whole.record.kind, whole.record.slim)


@pytest.mark.parametrize("name", ["kotsadm-1.106.tar.gz", "platform_images.tgz"])
def test_what_kots_needs_no_slim_form_of_has_none(
    samples: Mapping[str, Sample], tmp_path: Path, name: str
) -> None:
    with (
        AirgapArchive.read(samples[name].path) as archive,
        (tmp_path / "slim").open("wb") as stream,
        pytest.raises(NotFound, match=r"has no airgap\.yaml"),
    ):
        archive.write_slim(stream)


def test_tar_reads_a_slim_archive(application: Path, tmp_path: Path) -> None:
    found = subprocess.run(
        [need("tar"), "tvzf", slim(application, tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = found.stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["airgap.yaml", "app.tar.gz"]
    assert all(line.startswith("-rw-r--r-- 0/0 ") for line in lines)


def test_the_bytes_are_the_same_on_every_machine() -> None:
    """The digest of a slim archive is in the bundle that the lock promises."""
    with io.BytesIO() as stream:
        with TarWriter(stream) as tar:
            tar.add("airgap.yaml", b"kind: Airgap\n")
            tar.add_stream("app.tar.gz", io.BytesIO(bytes(100_000)), 100_000)
        digest = Digest.of(stream.getvalue())
    assert str(digest) == "sha256:c8fad642d6adaa1c388052404c72914afdc55fe03972ea74a08b970cc7902769"


@given(contents=st.lists(st.binary(max_size=200_000), max_size=4))
def test_any_content_comes_back(contents: list[bytes]) -> None:
    with io.BytesIO() as stream:
        with TarWriter(stream) as tar:
            for number, content in enumerate(contents):
                tar.add(f"{number}", content)
        raw = stream.getvalue()
    assert len(gzip.decompress(raw)) % 10240 == 0
    assert [content for _, content in read_tar(raw)] == contents


def test_a_tar_that_failed_is_not_ended() -> None:
    with io.BytesIO() as stream:
        with pytest.raises(ValueError, match="a: 1 bytes instead of 2"), TarWriter(stream) as tar:
            tar.add_stream("a", io.BytesIO(b"x"), 2)
        with pytest.raises(EOFError):
            gzip.decompress(stream.getvalue())


@pytest.mark.parametrize("name", ["kotsadm.tar.gz", "harness.airgap", "harness-ng.airgap"])
def test_a_full_archive_is_what_it_was(
    samples: Mapping[str, Sample], tmp_path: Path, name: str
) -> None:
    path = samples[name].path
    rebuilt = full(path, tmp_path)
    assert Forge.open(rebuilt).members == Forge.open(path).members
    assert next(iter(Forge.open(rebuilt).members)) == "airgap.yaml"
    with AirgapArchive.read(path) as before, AirgapArchive.read(rebuilt) as after:
        assert after.record.images == before.record.images
        assert prove(after) == prove(before)


def test_a_docker_archive_comes_back_as_a_registry_tree(
    docker_archive: Path, tmp_path: Path
) -> None:
    rebuilt = full(docker_archive, tmp_path)
    with AirgapArchive.read(docker_archive) as before, AirgapArchive.read(rebuilt) as after:
        assert after.record.format is ArchiveFormat.DOCKER
        assert after.record.images == before.record.images
        assert after.record.release == before.record.release
        assert prove(after) == prove(before)
        value = yaml.safe_load(after.airgap_yaml or b"")
    assert value["spec"]["format"] == "docker"
    assert value["spec"]["versionLabel"] == "78000"
    assert value["kind"] == "Airgap"


def test_two_images_with_one_last_component_cannot_be_in_one_archive(
    application: Path, tmp_path: Path
) -> None:
    with AirgapArchive.read(application) as archive, (tmp_path / "full").open("wb") as stream:
        first, second = archive.record.images[:2]
        other = ImageRecord(name=f"quay.io/{first.name.partition('/')[2]}", root=second.root)
        with pytest.raises(Conflict, match="images share a name") as caught:
            write_full(stream, archive, [first, other], archive)
    assert other.name in str(caught.value.faults[0])


def test_a_full_archive_is_proven_while_it_is_written(
    samples: Mapping[str, Sample], application: Path, tmp_path: Path
) -> None:
    """A file that changed after it was read must not pass as what it was."""
    path = tmp_path / "a.airgap"
    path.write_bytes(gzip.compress(Forge.open(application).tar(), 0))
    with AirgapArchive.read(path) as archive, (tmp_path / "full").open("wb") as stream:
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 3] ^= 1
        path.write_bytes(raw)
        with pytest.raises(IntegrityError):
            write_full(stream, archive, archive.record.images, archive)
