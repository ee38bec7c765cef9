"""Archives that are small, and would take hours, or all memory, of whoever believes them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transfer.archive.forge import Forge, messages, refused
from tests.transfer.images import from_blobs, index
from transfer.archive import AirgapArchive, application, dockersave, packing, scan, tarscan
from transfer.archive.full import list_images
from transfer.errors import CorruptArchive, InvalidInput

TREE = "images/docker/registry/v2"
LAUGHS = b"a0: &a0 [x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 30)
)
"""Each line is ten times the one before it: 10^29 texts."""


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def write(path: Path, blocks: Iterator[bytes] | list[bytes]) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.writelines(blocks)
    return path


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (header("folder/", tarfile.DIRTYPE), "more than 2000 members"),
        (header("/etc/passwd"), "100 members with faults; the rest was not looked at"),
        (header("x"), "100 members with faults; the rest was not looked at"),
    ],
)
def test_members_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: bytes, message: str
) -> None:
    monkeypatch.setattr(tarscan, "MAX_MEMBERS", 2000)
    path = write(tmp_path / "a.airgap", [member * 5000, bytes(1024)])
    found = messages(refused(path, CorruptArchive))
    assert message in found[-1]
    assert len(found) <= tarscan.MAX_REFUSED + 1


def test_names_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarscan, "MAX_HEADERS", 200_000)
    name = b"a" * 40_000
    long = header("././@LongLink", tarfile.GNUTYPE_LONGNAME, len(name))
    blocks = [long + (b"%d" % i + name[1:]).ljust(40_448, b"\0") + header("x") for i in range(9)]
    found = messages(refused(write(tmp_path / "a.airgap", [*blocks, bytes(1024)]), CorruptArchive))
    assert "more than 200000 bytes of headers" in found[-1]


def sparse_map() -> Iterator[bytes]:
    """A sparse file whose map of holes goes on for ever, as GNU tar wrote it."""
    first = bytearray(header("sparse", tarfile.GNUTYPE_SPARSE))
    first[482] = 1
    first[148:156] = b" " * 8
    first[148:156] = b"%06o\0 " % sum(first)
    more = bytearray(b"00000000001\0" * 42).ljust(512, b"\0")
    more[504] = 1
    yield bytes(first)
    yield bytes(more) * 5000


def test_a_sparse_file_with_holes_without_end(tmp_path: Path) -> None:
    error = refused(write(tmp_path / "a.airgap", sparse_map()), CorruptArchive)
    assert "bytes of headers" in messages(error)[0]


def test_faults_without_end(
    docker_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_FAULTS", 20)
    forge = Forge.open(docker_archive)
    forge.members |= {f"images/docker-archive/x/{i}/1": b"no tar" for i in range(100)}
    found = messages(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert "more than 20 faults; the rest was not looked at" in found[-1]
    assert len(found) == 22


@pytest.fixture
def release(application: Path) -> Forge:
    """An application's archive, to be changed."""
    return Forge.open(application)


def inside(forge: Forge, *blocks: bytes) -> None:
    """Make these blocks the content of app.tar.gz."""
    forge.members["app.tar.gz"] = gzip.compress(b"".join(blocks), 1)


def test_an_app_archive_that_inflates_without_end(
    release: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MAX_CONTENT", 1 << 20)
    inside(release, header("large", size=4 << 20), bytes(4 << 20), bytes(1024))
    (found,) = messages(refused(release.write(tmp_path / "a.airgap"), CorruptArchive))
    assert found.endswith("app.tar.gz is damaged: more than 1048576 bytes when inflated")


def test_a_name_in_an_app_archive_that_is_said_to_have_100_gb(
    release: Forge, tmp_path: Path
) -> None:
    inside(release, header("././@LongLink", tarfile.GNUTYPE_LONGNAME, 100 << 30), bytes(1024))
    (found,) = messages(refused(release.write(tmp_path / "a.airgap"), CorruptArchive))
    assert "app.tar.gz is damaged: " in found
    assert "bytes of headers" in found


def test_kinds_without_end(release: Forge, tmp_path: Path) -> None:
    """Only the first few are parsed: YAML takes its time."""
    kind = b"apiVersion: kots.io/v1beta1\nkind: Application\nspec: {minKotsVersion: 1.%d}\n"
    large = kind % 999 + b"a: 1\n" * 20_000
    parts = b"---\n".join([large, *(kind % i for i in range(30))])
    inside(release, Forge({"a.yaml": parts, "b.yaml": parts}).tar())
    with AirgapArchive.read(release.write(tmp_path / "a.airgap")) as archive:
        last = application.MAX_DOCUMENTS - 1
        assert archive.record.release.min_kots_version == f"1.{last}"


def test_a_version_that_is_a_list_of_lists_of_lists(release: Forge, tmp_path: Path) -> None:
    kind = b"apiVersion: kots.io/v1beta1\nkind: Application\n"
    bomb = kind + LAUGHS + b"spec: {minKotsVersion: *a29, targetKotsVersion: 1.2}\n"
    inside(release, Forge({"a.yaml": bomb}).tar())
    with AirgapArchive.read(release.write(tmp_path / "a.airgap")) as archive:
        assert archive.record.release.min_kots_version == ""
        assert archive.record.release.target_kots_version == "1.2"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (LAUGHS + b"spec: {savedImages: *a29}\n", "spec.savedImages: expected a list of texts"),
        (b"a: " + b"[" * 100_000, "not valid YAML"),
        (b'a: "\\UFFFFFFFF"\n', "not valid YAML"),
        (b"%YAML " + b"9" * 5000 + b".1\n---\na: 1\n", "not valid YAML"),
        (b'spec: {versionLabel: "\\ud800"}\n', "spec.versionLabel: too long, or holds"),
        (b'spec: {versionLabel: "\\e[31m1"}\n', "spec.versionLabel: too long, or holds"),
        (b'spec: {channelName: "a\\nerror: b"}\n', "spec.channelName: too long, or holds"),
        (b'spec: {appSlug: "\\u202e"}\n', "spec.appSlug: too long, or holds"),
        (b"spec: {updateCursor: '" + b"9" * 5000 + b"'}\n", "spec.updateCursor: too long"),
    ],
)
def test_an_airgap_yaml_made_to_harm(
    release: Forge, tmp_path: Path, lines: bytes, message: str
) -> None:
    head = b"apiVersion: kots.io/v1beta1\nkind: Airgap\n"
    release.members["airgap.yaml"] = lines if lines.startswith(b"%") else head + lines
    error = refused(release.write(tmp_path / "a.airgap"), InvalidInput)
    assert message in messages(error)[0]


def test_indexes_that_name_each_other_a_hundred_times(release: Forge, tmp_path: Path) -> None:
    tree = from_blobs(b"{}")
    for _ in range(7):
        tree = index(*[tree] * 100)
    for raw in (*tree.manifests.values(), *tree.blobs.values()):
        name = hashlib.sha256(raw).hexdigest()
        release.members[f"{TREE}/blobs/sha256/{name[:2]}/{name}/data"] = raw
    link = f"{TREE}/repositories/bomb/_manifests/tags/1/current/link"
    release.members[link] = str(tree.root.digest).encode()
    release.edit("airgap.yaml", "savedImages: [", "savedImages: [x.y/bomb:1, ")
    error = refused(release.write(tmp_path / "a.airgap"), CorruptArchive)
    assert "more than 2000000 references between its images and blobs" in messages(error)[0]


def saved(entries: object, **members: bytes) -> Forge:
    """A docker-save archive."""
    manifest = json.dumps(entries).encode()
    return Forge(
        {"manifest.json": manifest, **{k.replace("_", "."): v for k, v in members.items()}}
    )


CONFIG = json.dumps({"rootfs": {"diff_ids": ["x"]}}).encode()
ENTRY = {"Config": "c.json", "RepoTags": ["a.b/c:1"]}


@pytest.mark.parametrize(
    ("forge", "message"),
    [
        (saved([ENTRY] * 2000, c_json=CONFIG), "lists more than 1000 images"),
        (saved([{**ENTRY, "Layers": ["l"] * 2000}], c_json=CONFIG), "has more than 1000 layers"),
    ],
)
def test_a_docker_save_manifest_without_end(tmp_path: Path, forge: Forge, message: str) -> None:
    error = refused(forge.write(tmp_path / "a.tgz"), CorruptArchive)
    assert message in messages(error)[0]


def test_a_layer_that_inflates_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ALWAYS", 1 << 20)
    monkeypatch.setattr(packing, "MAX_RATIO", 1)
    layer = gzip.compress(bytes(8 << 20))
    forge = saved([{**ENTRY, "Layers": ["l"]}], c_json=CONFIG, l=layer)
    error = refused(forge.write(tmp_path / "a.tgz"), CorruptArchive)
    assert messages(error)[0].endswith(": l: inflates without end")


def test_configurations_without_end(
    docker_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_HELD", 1000)
    error = refused(Forge.open(docker_archive).write(tmp_path / "a.airgap"), CorruptArchive)
    assert "images with more than 1000 bytes of JSON files" in messages(error)[0]
    assert dockersave.MAX_HELD > scan.MAX_HELD  # of one alone it is not the limit


def test_a_saved_image_at_a_path_without_a_name(docker_archive: Path, tmp_path: Path) -> None:
    forge = Forge.open(docker_archive)
    forge.members["images/short"] = forge.members[forge.find("images/docker-archive/")]
    error = refused(forge.write(tmp_path / "a.airgap"), InvalidInput)
    assert "image reference ':'" in messages(error)[0]


def test_what_kots_reads_stays_as_it_was_written() -> None:
    """Nothing is read as a number or a date, and no merge is carried out."""
    text = b"kind: Airgap\nspec:\n  versionLabel: 1.10\n  updateCursor: 0412\n  isRequired: true\n"
    bomb = LAUGHS.replace(b"[", b"{<<: [").replace(b"]", b"]}").replace(b"{<<: [x]}", b"{x: 1}")
    out = list_images(text + bomb, ["a.b/c:1.10"]).decode()
    for line in text.decode().splitlines():
        assert line in out.splitlines()
    assert "  format: docker\n  savedImages:\n  - a.b/c:1.10\n" in out
    assert io.StringIO(out).readline() == "kind: Airgap\n"
