"""An OCI layout as both ends of a copy: whole content or none, whoever writes at the same time."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.disks import make_read_only, small_disk
from tests.processes import run
from tests.transfer.images import Tree, describe, every_kind, from_blobs, image, index, layer
from tests.transfer.memory import MemoryStore
from transfer.console import describe as describe_error
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.descriptor import OCI_LAYER_GZIP, Descriptor, Manifest
from transfer.digest import Readable
from transfer.errors import (
    DigestMismatch,
    IntegrityError,
    MissingContent,
    NotFound,
    SizeMismatch,
    StorageError,
    TransferError,
    UnsafePath,
    UnsupportedVersion,
)
from transfer.layout import OciLayout
from transfer.store import OpenContent

IMAGE = image(layer("base"), layer("extra"))


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[OciLayout]:
    with OciLayout.create(tmp_path / "layout") as made:
        yield made


def fill(layout: OciLayout, images: dict[str, Tree], *, overwrite: bool = False) -> None:
    source = MemoryStore(*images.values())
    wanted = [
        ImageCopy(root=tree.root, source=source, target=layout, name=name)
        for name, tree in images.items()
    ]
    copy(wanted, jobs=4, overwrite=overwrite).raise_for_failures()


def content(raw: bytes) -> OpenContent:
    @contextmanager
    def opened() -> Iterator[Readable]:
        yield io.BytesIO(raw)

    return opened


def blob_of(tree: Tree) -> tuple[Descriptor, bytes]:
    """A layer of an image."""
    manifest = Manifest.parse(tree.manifests[tree.root.digest])
    return manifest.blobs[-1], tree.blobs[manifest.blobs[-1].digest]


def files(layout: OciLayout) -> set[str]:
    found = (path for path in layout.path.rglob("*") if path.is_file())
    return {path.relative_to(layout.path).as_posix() for path in found} - {
        "ingest/.writers",
        "ingest/.index",
    }


def test_every_kind_of_image_comes_back_byte_for_byte(layout: OciLayout) -> None:
    trees = {f"registry.example/{kind}:1": tree for kind, tree in every_kind().items()}
    fill(layout, trees)

    read = OciLayout.read(layout.path)
    for name, tree in trees.items():
        assert read.resolve(name) == tree.root
        assert read.resolve(str(tree.root.digest)) == tree.root
        for digest, raw in {**tree.manifests, **tree.blobs}.items():
            with read.open(describe(OCI_LAYER_GZIP, raw)) as stream:
                assert stream.read() == raw
            assert read.path_of(digest).stat().st_mode & 0o777 == 0o644
    assert read.verify() == []


def test_files_are_those_of_the_image_spec(layout: OciLayout) -> None:
    fill(layout, {"v1": IMAGE})
    assert files(layout) == {
        "oci-layout",
        "index.json",
        *(f"blobs/sha256/{digest.encoded}" for digest in IMAGE.digests),
    }
    assert json.loads((layout.path / "index.json").read_text()) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                **IMAGE.root.to_json(),
                "annotations": {"org.opencontainers.image.ref.name": "v1"},
            }
        ],
    }


@pytest.mark.real
def test_skopeo_reads_what_we_write_and_we_read_what_skopeo_writes(
    layout: OciLayout, tmp_path: Path, need: Callable[[str], Path]
) -> None:
    fill(layout, {"v1": IMAGE})
    skopeo: list[str | Path] = [need("skopeo"), "--insecure-policy", "copy"]
    run([*skopeo, f"oci:{layout.path}:v1", f"oci:{tmp_path / 'theirs'}:v2"])

    theirs = OciLayout.read(tmp_path / "theirs")
    assert theirs.resolve("v2") == IMAGE.root
    assert theirs.verify() == []
    with OciLayout.create(tmp_path / "theirs") as shared:
        fill(shared, {"v3": index(IMAGE)})
        assert set(shared.images()) == {"v2", "v3"}


def test_index_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    trees = {f"name:{i}": image(layer(str(i))) for i in range(5)}
    written = []
    for number, names in enumerate((sorted(trees), sorted(trees, reverse=True))):
        with OciLayout.create(tmp_path / str(number)) as layout:
            for name in names:
                fill(layout, {name: trees[name]})
            written.append((layout.path / "index.json").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("name", [["v1"], {"v1": "v1"}, 1, "", None])
def test_an_entry_whose_name_is_none_is_left_out(layout: OciLayout, name: object) -> None:
    fill(layout, {"v1": IMAGE})
    path = layout.path / "index.json"
    value = json.loads(path.read_text())
    annotations = {"org.opencontainers.image.ref.name": name}
    value["manifests"].append({**IMAGE.root.to_json(), "annotations": annotations})
    path.write_text(json.dumps(value))
    assert layout.images().keys() == {"v1"}


def test_name_moves_and_goes(layout: OciLayout) -> None:
    other = image(layer("other"))
    fill(layout, {"v1": IMAGE, "v2": IMAGE})
    fill(layout, {"v1": other}, overwrite=True)
    assert layout.resolve("v1") == other.root
    assert layout.resolve("v2") == IMAGE.root
    layout.retain(["v2"])
    assert layout.images().keys() == {"v2"}
    assert layout.resolve("v1") is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda raw: raw[:-1], SizeMismatch),
        (lambda raw: raw + b"x", SizeMismatch),
        (lambda raw: bytes([raw[0] ^ 1]) + raw[1:], DigestMismatch),
        (lambda raw: b"", SizeMismatch),
    ],
    ids=["short", "trailing", "changed", "empty"],
)
def test_wrong_content_is_not_kept(
    layout: OciLayout, change: Callable[[bytes], bytes], error: type[TransferError]
) -> None:
    blob, raw = blob_of(IMAGE)
    with pytest.raises(error):
        layout.push_blob(blob, content(change(raw)))
    assert files(layout) == {"oci-layout", "index.json"}
    assert not layout.has_blob(blob)


def test_what_has_the_wrong_size_is_not_there_and_is_mended(layout: OciLayout) -> None:
    fill(layout, {"v1": IMAGE})
    blob, raw = blob_of(IMAGE)
    layout.path_of(blob.digest).write_bytes(raw[:-1])
    assert not layout.has_blob(blob)
    assert layout.resolve("v1") is None
    assert [type(fault) for fault in layout.verify()] == [SizeMismatch]
    fill(layout, {"v1": IMAGE})
    assert layout.verify() == []


def test_damaged_manifest_is_not_there_and_is_mended(layout: OciLayout) -> None:
    fill(layout, {"v1": IMAGE})
    path = layout.path_of(IMAGE.root.digest)
    path.write_bytes(path.read_bytes().replace(b"schemaVersion", b"schemaversion"))
    assert layout.resolve("v1") is None
    assert layout.resolve(str(IMAGE.root.digest)) is None
    fill(layout, {"v1": IMAGE})
    assert layout.resolve("v1") == IMAGE.root


def test_all_faults_are_found_at_once(layout: OciLayout) -> None:
    one, two, three = image(layer("1")), image(layer("2")), image(layer("3"))
    fill(layout, {"one": one, "two": two, "three": index(three), "whole": IMAGE})
    blob, raw = blob_of(one)
    layout.path_of(blob.digest).write_bytes(b"x" + raw[1:])
    layout.path_of(blob_of(two)[0].digest).unlink()
    layout.path_of(three.root.digest).write_bytes(b"{}")
    faults = layout.verify()
    assert {type(fault) for fault in faults} == {DigestMismatch, MissingContent, SizeMismatch}
    assert all(fault.exit_code == IntegrityError.exit_code for fault in faults)
    assert any(str(blob.digest) in fault.message for fault in faults)


def test_blob_is_not_taken_for_a_manifest(layout: OciLayout) -> None:
    fill(layout, {"v1": IMAGE})
    assert layout.resolve(str(blob_of(IMAGE)[0].digest)) is None
    assert layout.resolve("sha256:" + "0" * 64) is None
    assert layout.resolve("not-there") is None


def test_missing_blob_is_not_found(layout: OciLayout) -> None:
    with pytest.raises(NotFound, match=r"OCI layout .*: blob sha256:"), layout.open(IMAGE.root):
        pass


def test_link_in_place_of_a_blob_is_refused(layout: OciLayout, tmp_path: Path) -> None:
    fill(layout, {"v1": IMAGE})
    blob, raw = blob_of(IMAGE)
    outside = tmp_path / "outside"
    outside.write_bytes(raw)
    layout.path_of(blob.digest).unlink()
    layout.path_of(blob.digest).symlink_to(outside)
    for ask in (
        lambda: layout.has_blob(blob),
        lambda: layout.resolve("v1"),
        lambda: layout.open(blob).__enter__(),
    ):
        with pytest.raises(UnsafePath, match=str(blob.digest)):
            ask()
    assert [type(fault) for fault in layout.verify()] == [UnsafePath]


def test_pipe_in_place_of_a_blob_does_not_hold_us_up(layout: OciLayout) -> None:
    blob, _ = blob_of(IMAGE)
    os.mkfifo(layout.path_of(blob.digest))
    with pytest.raises(UnsafePath), layout.open(blob):
        pass


@pytest.mark.parametrize("folder", ["blobs", "blobs/sha256"])
def test_linked_folder_is_refused(layout: OciLayout, tmp_path: Path, folder: str) -> None:
    fill(layout, {"v1": IMAGE})
    moved = (layout.path / folder).rename(tmp_path / "elsewhere")
    (layout.path / folder).symlink_to(moved)
    with pytest.raises(UnsafePath, match=folder):
        OciLayout.read(layout.path)
    with pytest.raises(UnsafePath, match=folder):
        OciLayout.create(layout.path)


def test_other_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}')
    with pytest.raises(UnsupportedVersion, match=r"version '2.0.0', expected '1.0.0'"):
        OciLayout.create(tmp_path)
    assert not (tmp_path / "index.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_damaged_version_file_is_refused(layout: OciLayout, text: str) -> None:
    (layout.path / "oci-layout").write_text(text)
    with pytest.raises(IntegrityError, match="no imageLayoutVersion"):
        OciLayout.read(layout.path)


@pytest.mark.parametrize("damaged", [b"", b"[]", IMAGE.manifests[IMAGE.root.digest]])
def test_damaged_index_is_refused_and_not_overwritten(layout: OciLayout, damaged: bytes) -> None:
    fill(layout, {"v1": IMAGE})
    (layout.path / "index.json").write_bytes(damaged)
    for ask in (layout.images, layout.verify, lambda: fill(layout, {"v2": IMAGE})):
        with pytest.raises(IntegrityError) as caught:
            ask()
        assert "index.json: not" in describe_error(caught.value)
    assert (layout.path / "index.json").read_bytes() == damaged


def test_no_layout_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="oci-layout"):
        OciLayout.read(tmp_path)


def test_many_threads_name_at_once(layout: OciLayout) -> None:
    trees = {f"name:{i}": image(layer(str(i))) for i in range(20)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: fill(layout, dict([item])), trees.items()))
    assert {name: root.digest for name, root in layout.images().items()} == {
        name: tree.root.digest for name, tree in trees.items()
    }
    assert layout.verify() == []


WRITER = """
import sys
from pathlib import Path
from tests.transfer.images import image, layer
from tests.transfer.test_layout import fill
from transfer.layout import OciLayout
with OciLayout.create(Path(sys.argv[1])) as layout:
    for i in range(15):
        fill(layout, {f"{sys.argv[2]}:{i}": image(layer("shared"), layer(f"{sys.argv[2]} {i}"))})
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "layout"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, name]) for name in ("one", "two")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    layout = OciLayout.read(path)
    assert len(layout.images()) == 30
    assert layout.verify() == []


STUCK = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
from transfer.descriptor import OCI_LAYER_GZIP, Descriptor
from transfer.digest import Digest
from transfer.layout import OciLayout

class Endless:
    def read(self, size=-1):
        print("reading", flush=True)
        sys.stdin.read(1)
        return b"x"

@contextmanager
def content():
    yield Endless()

blob = Descriptor(media_type=OCI_LAYER_GZIP, digest=Digest("sha256", "0" * 64), size=1000)
OciLayout.create(Path(sys.argv[1])).push_blob(blob, content)
"""


def test_leftovers_of_a_killed_writer_go_but_not_those_of_a_living_one(layout: OciLayout) -> None:
    def begun() -> list[Path]:
        return [path for path in layout.scratch.iterdir() if not path.name.startswith(".")]

    with subprocess.Popen(
        [sys.executable, "-c", STUCK, layout.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"reading\n"
        layout.close()
        OciLayout.create(layout.path).close()
        assert len(begun()) == 1
        writer.send_signal(signal.SIGKILL)
    assert len(begun()) == 1
    OciLayout.create(layout.path).close()
    assert begun() == []
    assert files(layout) == {"oci-layout", "index.json"}


@pytest.mark.real
def test_full_disk_keeps_nothing_by_halves(tmp_path: Path) -> None:
    noise = os.urandom(900_000)
    small, large = from_blobs(b"{}", b"small"), from_blobs(b"{}", noise, noise[::-1])
    with small_disk(tmp_path / "disk", "1m") as disk, OciLayout.create(disk / "l") as layout:
        fill(layout, {"small": small})
        with pytest.raises(StorageError) as caught:
            fill(layout, {"large": large})
        (fault,) = caught.value.faults
        assert re.fullmatch(r"OCI layout .*: blob sha256:.*: No space left on device", str(fault))
        assert "free some space" in str(fault.hint)
        assert layout.images().keys() == {"small"}
        assert layout.verify() == []
        assert not any(path.name.startswith(("a", "b")) for path in layout.scratch.iterdir())
        named = {path.name for path in (layout.path / "blobs/sha256").iterdir()}
        assert named - {digest.encoded for digest in small.digests} <= {
            digest.encoded for digest in large.digests
        }


@pytest.mark.real
def test_read_only_disk_is_read_and_not_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        with OciLayout.create(disk) as layout:
            fill(layout, {"v1": IMAGE})
        make_read_only(disk)
        assert OciLayout.read(disk).resolve("v1") == IMAGE.root
        with pytest.raises(StorageError, match="Read-only file system") as caught:
            OciLayout.create(disk)
        assert "mount it writable" in str(caught.value.hint)


def test_mounts_only_what_it_has_itself(layout: OciLayout, tmp_path: Path) -> None:
    blob, _ = blob_of(IMAGE)
    with OciLayout.create(tmp_path / "other") as other:
        fill(other, {"v1": IMAGE})
        assert not layout.mount_blob(blob, other)
        assert other.mount_blob(blob, other)
