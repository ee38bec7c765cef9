"""What a bundle holds: written and read back the same, and every fault named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.transfer.memory import faults_of
from transfer.contents import (
    CONTENTS_KEYS,
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    Contents,
    FileRecord,
    ImageRecord,
    MajorReleases,
    PluginRecord,
    ReleaseRecord,
    RequiredRelease,
    contents_to_json,
    read_contents,
)
from transfer.descriptor import DOCKER_INDEX, OCI_MANIFEST, Descriptor
from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.fields import dump_json, read_json


def image(name: str, media_type: str = OCI_MANIFEST) -> ImageRecord:
    root = Descriptor(media_type=media_type, digest=Digest.of(name.encode()), size=len(name))
    return ImageRecord(name=name, root=root)


def file(path: str) -> FileRecord:
    return FileRecord(path=path, size=3, digest=Digest.of(path.encode()))


FULL = Contents(
    name="harness",
    version="2026.11",
    archives=(
        ArchiveRecord(
            kind=ArchiveKind.APPLICATION,
            file_name="harness.airgap",
            size=10,
            digest=Digest.of(b"airgap"),
            format=ArchiveFormat.DOCKER,
            release=ReleaseRecord(
                app_slug="harness",
                version_label="0.79915",
                channel_id="1id",
                channel_name="Stable",
                update_cursor="412",
                is_required=True,
                required_releases=(
                    RequiredRelease(version_label="0.79000", update_cursor="400"),
                    RequiredRelease(version_label="", update_cursor="401"),
                ),
                min_kots_version="1.100.0",
                target_kots_version="1.131.4",
            ),
            slim="kots/harness/0.79915.airgap",
            compressor=None,
            images=(image("docker.io/harness/ng:1"), image("docker.io/redis:7", DOCKER_INDEX)),
        ),
        ArchiveRecord(
            kind=ArchiveKind.IMAGES,
            file_name="images.tgz",
            size=11,
            digest=Digest.of(b"tgz"),
            format=ArchiveFormat.DOCKER_ARCHIVE,
            release=ReleaseRecord(),
            slim=None,
            compressor="zlib 1.3",
            images=(),
        ),
    ),
    images=(image("docker.io/harness/delegate:1"),),
    plugins=(PluginRecord(platform="linux/amd64", file=file("files/kots_linux_amd64.tar.gz")),),
    files=(file("files/values/configvalues.yaml"),),
    major_releases=(MajorReleases(slug="harness", labels=("0.78000", "0.79000")),),
    allowed=("kots-too-new: harness 0.79915 can be installed with KOTS up to 1.131.4",),
)


def read(value: dict[str, Any]) -> Contents:
    fields = read_json(dump_json(value), "bundle.json", *CONTENTS_KEYS)
    contents = read_contents(fields)
    fields.faults.raise_all()
    return contents


def test_what_is_written_is_read_back() -> None:
    assert read(contents_to_json(FULL)) == FULL
    empty = Contents(name="a", version="b")
    assert read(contents_to_json(empty)) == empty


def test_what_is_not_said_is_not_written() -> None:
    first, second = contents_to_json(FULL)["archives"]
    assert second["release"] == {}
    assert "slim" not in second
    assert "compressor" not in first
    assert first["release"]["requiredReleases"][1] == {"updateCursor": "401"}
    assert (
        not {"majorReleases", "allowed"} & contents_to_json(Contents(name="a", version="b")).keys()
    )


def test_major_releases_are_those_of_one_application() -> None:
    assert FULL.majors_of("harness") == ("0.78000", "0.79000")
    assert FULL.majors_of("harness-ng") == ()


def test_the_form_is_the_documented_one() -> None:
    value = contents_to_json(FULL)
    assert tuple(value) == CONTENTS_KEYS
    assert value["images"] == [
        {
            "name": "docker.io/harness/delegate:1",
            "mediaType": OCI_MANIFEST,
            "digest": str(Digest.of(b"docker.io/harness/delegate:1")),
            "size": 28,
        }
    ]
    assert value["plugins"][0]["platform"] == "linux/amd64"
    assert sorted(value["plugins"][0]) == ["digest", "path", "platform", "size"]
    assert value["archives"][0]["release"]["channelID"] == "1id"
    json.dumps(value)


def test_all_images_are_those_of_the_archives_and_the_single_ones() -> None:
    names = [record.name for record in FULL.all_images()]
    assert names == ["docker.io/harness/ng:1", "docker.io/redis:7", "docker.io/harness/delegate:1"]


def test_all_files_are_the_plugins_and_the_plain_ones() -> None:
    paths = [record.path for record in FULL.all_files()]
    assert paths == ["files/kots_linux_amd64.tar.gz", "files/values/configvalues.yaml"]


def test_an_archive_may_come_without_a_release() -> None:
    value = contents_to_json(FULL)
    del value["archives"][1]["release"]
    assert read(value) == FULL


FAULTS: list[tuple[str, object, str]] = [
    ("name", None, "name: is missing"),
    ("version", 7, "version: expected text, found a number"),
    ("archives[0].kind", None, "archives[0].kind: is missing"),
    (
        "archives[0].kind",
        "chart",
        "archives[0].kind: expected one of admin-console, application, images, found 'chart'",
    ),
    (
        "archives[1].format",
        "oci",
        "archives[1].format: expected one of docker, docker-archive, found 'oci'",
    ),
    ("archives[0].size", -1, "archives[0].size: expected a whole number, found -1"),
    ("archives[0].digest", None, "archives[0].digest: is missing"),
    ("archives[0].digest", "md5:1", "archives[0].digest: not a SHA-256: 'md5:1'"),
    ("archives[0].fileName", "", "archives[0].fileName: is empty"),
    ("archives[0].fileName", "../x", "archives[0].fileName: not the name of a file: '../x'"),
    ("archives[0].fileName", "..", "archives[0].fileName: not the name of a file: '..'"),
    ("archives[0].slim", "../x", "archives[0].slim: not a path inside the bundle: '../x'"),
    ("archives[0].slim", "", "archives[0].slim: is empty"),
    ("archives[0].compressor", "", "archives[0].compressor: is empty"),
    ("archives[0].news", 1, "archives[0].news: unknown key"),
    ("archives[0].release", [], "archives[0].release: expected a mapping, found a list"),
    ("archives[0].release.news", 1, "archives[0].release.news: unknown key"),
    ("archives[0].release.appSlug", "", "archives[0].release.appSlug: is empty"),
    ("archives[0].release.isRequired", 1, "archives[0].release.isRequired: expected true or"),
    (
        "archives[0].release.requiredReleases[0].cursor",
        "1",
        "archives[0].release.requiredReleases[0].cursor: unknown key",
    ),
    ("archives[0].images[1].name", None, "archives[0].images[1].name: is missing"),
    ("images[0].mediaType", "text/plain", "images[0].mediaType: not the type of a manifest"),
    ("images[0].mediaType", None, "images[0].mediaType: is missing"),
    ("images[0].digest", None, "images[0].digest: is missing"),
    ("images[0].size", "1", "images[0].size: expected a whole number, found text"),
    ("plugins[0].platform", None, "plugins[0].platform: is missing"),
    ("plugins[0].path", "/etc/passwd", "plugins[0].path: not a path inside the bundle"),
    ("files[0].path", None, "files[0].path: is missing"),
    ("files[0].digest", None, "files[0].digest: is missing"),
    ("files[0].news", 1, "files[0].news: unknown key"),
    ("majorReleases[0].slug", None, "majorReleases[0].slug: is missing"),
    ("majorReleases[0].labels", 1, "majorReleases[0].labels: expected a list, found a number"),
    ("allowed", [""], "allowed[0]: is empty"),
]


def change(value: dict[str, Any], where: str, new: object) -> None:
    *path, last = where.replace("[", ".").replace("]", "").split(".")
    below: Any = value
    for part in path:
        below = below[int(part)] if part.isdigit() else below[part]
    below[last] = new


@pytest.mark.parametrize(("where", "new", "fault"), FAULTS, ids=[fault for *_, fault in FAULTS])
def test_a_fault_is_named_with_its_path(where: str, new: object, fault: str) -> None:
    value = contents_to_json(FULL)
    change(value, where, new)
    with pytest.raises(InvalidInput) as caught:
        read(value)
    (found,) = faults_of(caught.value)
    assert found.startswith(fault)


def test_faults_all_come_at_once() -> None:
    value = contents_to_json(FULL)
    places = {where: (new, fault) for where, new, fault in FAULTS if "release" not in where}
    for where, (new, _) in places.items():
        change(value, where, new)
    with pytest.raises(InvalidInput) as caught:
        read(value)
    assert len(caught.value.faults) == len(places)


@pytest.mark.parametrize(
    "path",
    ["/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\\b", "a\u00a0b"],
)
def test_a_path_stays_inside_the_bundle(path: str) -> None:
    value = contents_to_json(FULL)
    value["files"][0]["path"] = path
    with pytest.raises(InvalidInput) as caught:
        read(value)
    assert faults_of(caught.value) == [f"files[0].path: not a path inside the bundle: {path!r}"]


@pytest.mark.parametrize("path", ["a", "a/b.c", "..a/b..", "a b/ü", "-a", "..."])
def test_any_other_name_is_a_path(path: str) -> None:
    value = contents_to_json(FULL)
    value["files"][0]["path"] = path
    assert read(value).files[0].path == path
