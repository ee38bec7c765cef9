"""Every form in which the vendors hand out images, read in place."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.sample_archives import Sample
from tests.transfer.archive.forge import Forge, link, prove
from transfer.archive import AirgapArchive, shelf
from transfer.archive.compress import COMPRESSOR
from transfer.contents import ArchiveFormat, ArchiveKind, RequiredRelease
from transfer.descriptor import DOCKER_MANIFEST, Descriptor
from transfer.digest import Digest
from transfer.errors import NotFound
from transfer.graph import successors

FORMS = [
    ("kotsadm.tar.gz", ArchiveKind.ADMIN_CONSOLE, ArchiveFormat.DOCKER),
    ("harness.airgap", ArchiveKind.APPLICATION, ArchiveFormat.DOCKER),
    ("harness-ng.airgap", ArchiveKind.APPLICATION, ArchiveFormat.DOCKER),
    ("harness-docker-archive.airgap", ArchiveKind.APPLICATION, ArchiveFormat.DOCKER_ARCHIVE),
    ("kotsadm-1.106.tar.gz", ArchiveKind.ADMIN_CONSOLE, ArchiveFormat.DOCKER_ARCHIVE),
    ("platform_images.tgz", ArchiveKind.IMAGES, ArchiveFormat.DOCKER_ARCHIVE),
]


@pytest.mark.parametrize(("name", "kind", "form"), FORMS)
def test_every_form_is_read_whole(
    samples: Mapping[str, Sample], name: str, kind: ArchiveKind, form: ArchiveFormat
) -> None:
    sample = samples[name]
    with AirgapArchive.read(sample.path) as archive:
        record = archive.record
        assert (record.kind, record.format) == (kind, form)
        assert record.file_name == name
        assert record.size == sample.path.stat().st_size
        assert record.digest == Digest.of(sample.path.read_bytes())
        assert len(record.images) == len(sample.images)
        proven = prove(archive)
    if form is ArchiveFormat.DOCKER:
        assert {str(digest) for digest in proven} == set(sample.blobs)


@pytest.mark.parametrize("name", ["kotsadm.tar.gz", "harness.airgap", "harness-ng.airgap"])
def test_images_of_a_registry_tree_keep_names_and_digests(
    samples: Mapping[str, Sample], name: str
) -> None:
    with AirgapArchive.read(samples[name].path) as archive:
        found = {image.name: str(image.root.digest) for image in archive.record.images}
        assert found == samples[name].images
        assert archive.record.compressor is None


def test_a_release_is_told_from_its_airgap_yaml_and_application(application: Path) -> None:
    with AirgapArchive.read(application) as archive:
        release = archive.record.release
        assert release.app_slug == "harness"
        assert release.version_label == "79915"
        assert release.channel_id == "channel-harness"
        assert release.channel_name == "Stable"
        assert release.update_cursor == "412"
        assert release.required_releases == (
            RequiredRelease(version_label="79400", update_cursor="398"),
        )
        assert release.min_kots_version == "1.88.0"
        assert release.target_kots_version == "1.131.4"
        assert archive.record.slim == "kots/harness/79915.airgap"


def test_the_console_has_the_version_of_its_image(samples: Mapping[str, Sample]) -> None:
    with AirgapArchive.read(samples["kotsadm.tar.gz"].path) as archive:
        assert archive.record.release.version_label == "v1.131.4"
        assert archive.record.slim == "kots/kotsadm/v1.131.4.airgap"
        assert archive.app_archive() is None


def test_the_old_console_has_its_images_under_their_full_names(
    samples: Mapping[str, Sample],
) -> None:
    sample = samples["kotsadm-1.106.tar.gz"]
    with AirgapArchive.read(sample.path) as archive:
        assert {image.name for image in archive.record.images} == set(sample.images)
        assert archive.record.release.version_label == "v1.106.0"
        assert archive.record.slim is None
        assert archive.airgap_yaml is None


def test_a_module_has_one_image_for_each_tag(module: Path) -> None:
    with AirgapArchive.read(module) as archive:
        roots = {image.name: image.root.digest for image in archive.record.images}
        assert set(roots) == {
            "harness/gateway:1.20.0",
            "harness/platform-service:1.20.0",
            "harness/platform-service:latest",
        }
        latest = roots["harness/platform-service:latest"]
        assert latest == roots["harness/platform-service:1.20.0"]
        assert archive.record.slim is None


def test_docker_save_images_keep_config_and_layers(
    samples: Mapping[str, Sample], docker_archive: Path
) -> None:
    sample = samples[docker_archive.name]
    configs = {name.partition("@")[0]: digest for name, digest in sample.images.items()}
    with AirgapArchive.read(docker_archive) as archive:
        assert archive.record.compressor == COMPRESSOR
        for image in archive.record.images:
            assert image.root.media_type == DOCKER_MANIFEST
            [manifest] = successors(archive, image.root)
            config, *layers = manifest.blobs
            assert str(config.digest) == configs[image.name.partition("@")[0]]
            with archive.open(config) as stream:
                diff_ids = json.loads(stream.read(-1))["rootfs"]["diff_ids"]
            assert [diff_id_of(archive, layer) for layer in layers] == diff_ids


def diff_id_of(archive: AirgapArchive, layer: Descriptor) -> str:
    with archive.open(layer) as stream:
        content = gzip.decompress(stream.read(-1))
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_docker_save_image_named_by_digest_is_named_by_the_one_it_has(
    docker_archive: Path,
) -> None:
    with AirgapArchive.read(docker_archive) as archive:
        named = [image for image in archive.record.images if "@" in image.name]
        assert named
        for image in named:
            assert image.name.endswith(f"@{image.root.digest}")


def test_a_layer_that_is_compressed_already_passes_unchanged(module: Path, tmp_path: Path) -> None:
    forge = Forge.open(module)
    name = forge.find(".tar")
    packed = gzip.compress(forge.members[name], 9, mtime=1)
    forge.members[name] = packed
    with AirgapArchive.read(forge.write(tmp_path / "m.tgz")) as archive:
        assert Digest.of(packed) in prove(archive)


def test_a_layer_may_be_named_by_a_link_to_it(module: Path, tmp_path: Path) -> None:
    forge = Forge.open(module)
    name = forge.find(".tar")
    forge.edit("manifest.json", name, "old/layer.tar")
    forge.odd.append(link("old/layer.tar", f"../{name}"))
    with (
        AirgapArchive.read(module) as plain,
        AirgapArchive.read(forge.write(tmp_path / "m.tgz")) as linked,
    ):
        assert linked.record.images == plain.record.images


def test_manifest_json_may_come_last(module: Path, tmp_path: Path) -> None:
    forge = Forge.open(module)
    forge.members["manifest.json"] = forge.members.pop("manifest.json")
    with (
        AirgapArchive.read(module) as first,
        AirgapArchive.read(forge.write(tmp_path / "m.tgz")) as last,
    ):
        assert first.record.images == last.record.images


def test_members_may_have_a_dot_before_them(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.members = {f"./{name}": content for name, content in forge.members.items()}
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert len(archive.record.images) == 5


def test_manifests_are_read_from_the_file_where_memory_is_short(
    application: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "HELD_AT_ONCE", 1000)
    with AirgapArchive.read(application) as archive:
        prove(archive)
        assert len(archive.record.images) == 5


def test_airgap_yaml_may_come_last(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    for name in ("airgap.yaml", "app.tar.gz"):
        forge.members[name] = forge.members.pop(name)
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert archive.record.release.min_kots_version == "1.88.0"
        assert len(archive.record.images) == 5


def test_an_image_listed_twice_is_one_image(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    name = "docker.io/harness/harness-manager-signed:79915"
    forge.edit("airgap.yaml", f'"{name}"', f'"{name}", "{name}"')
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert len(archive.record.images) == 5


def test_an_image_that_is_not_listed_is_left_out(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.edit("airgap.yaml", '"docker.io/harness/harness-manager-signed:79915", ', "")
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert len(archive.record.images) == 4


def test_an_archive_of_a_format_not_named_is_docker_archive(
    docker_archive: Path, tmp_path: Path
) -> None:
    forge = Forge.open(docker_archive)
    forge.edit("airgap.yaml", '  format: "docker-archive"\n', "")
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert archive.record.format is ArchiveFormat.DOCKER_ARCHIVE
        assert len(archive.record.images) == 5


def test_labels_are_texts_as_written_and_paths_are_plain(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.edit("airgap.yaml", '"79915"', "1.10/rc 1")
    forge.edit("airgap.yaml", '"harness"', '"../harness"')
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert archive.record.release.version_label == "1.10/rc 1"
        assert archive.record.slim == "kots/.._harness/1.10_rc_1.airgap"


@pytest.mark.parametrize("name", ["kotsadm.tar.gz", "platform_images.tgz"])
def test_what_an_archive_does_not_hold_is_not_found(
    samples: Mapping[str, Sample], name: str
) -> None:
    nothing = Descriptor(media_type="a/b", digest=Digest.of(b"nothing"), size=7)
    with AirgapArchive.read(samples[name].path) as archive, pytest.raises(NotFound):
        archive.open(nothing)
