"""A bundle is written whole or not at all, and nothing that was done to it goes unseen."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest

from mirror.cli import main as airgap_mirror
from tests.disks import make_read_only, small_disk
from tests.processes import run
from tests.transfer.bundles import (
    IMAGES,
    SINGLE,
    VALUES,
    content,
    contents,
    fill,
    make_bundle,
    record,
)
from tests.transfer.images import image, layer
from tests.transfer.memory import Watch
from transfer.bundle import Bundle, BundleWriter
from transfer.bundle.names import index_names
from transfer.console import describe
from transfer.contents import Contents, ImageRecord
from transfer.descriptor import Manifest
from transfer.errors import (
    Conflict,
    CorruptBundle,
    DigestMismatch,
    MissingContent,
    NotFound,
    StorageError,
    TransferError,
    UnsafePath,
    UnsupportedVersion,
)

SLIM_PATH = "kots/harness/79915.airgap"
VALUES_PATH = "files/values/configvalues.yaml"
MANAGER = IMAGES["docker.io/harness/manager:79915"]
LAYER = Manifest.parse(MANAGER.manifests[MANAGER.root.digest]).blobs[-1].digest
MANIFEST = f"blobs/sha256/{MANAGER.root.digest.encoded}"
LAYER_PATH = f"blobs/sha256/{LAYER.encoded}"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("pristine") / "bundle").path


@pytest.fixture
def bundle(pristine: Path, tmp_path: Path) -> Path:
    """A copy to do harm to."""
    return Path(shutil.copytree(pristine, tmp_path / "bundle"))


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_bundle_reads_back_what_was_written(pristine: Path) -> None:
    bundle = Bundle.read(pristine)
    assert bundle.contents == contents()
    assert bundle.description == f"bundle {pristine}"
    assert [image.name for image in bundle.images] == [*IMAGES, *SINGLE]
    assert bundle.path_of(bundle.contents.files[0]).read_bytes() == VALUES
    for tree in (*IMAGES.values(), *SINGLE.values()):
        with bundle.open(tree.root) as stream:
            assert stream.read() == tree.manifests[tree.root.digest]

    watch = Watch()
    verified = bundle.verify(watch, jobs=3)
    assert verified.bundle is bundle
    assert verified.files == len(files(pristine)) - 1
    assert verified.size == bundle.size == watch.total == watch.done
    assert watch.ended


def test_bundle_holds_nothing_but_what_the_format_says(pristine: Path) -> None:
    blobs = {d for tree in (*IMAGES.values(), *SINGLE.values()) for d in tree.digests}
    assert files(pristine) == {
        "README.txt",
        "SHA256SUMS",
        "bundle.json",
        "index.json",
        "oci-layout",
        SLIM_PATH,
        "files/kubectl-kots/linux/amd64/kots_linux_amd64.tar.gz",
        VALUES_PATH,
        *(f"blobs/sha256/{digest.encoded}" for digest in blobs),
    }
    for path in (pristine, *pristine.rglob("*")):
        assert path.stat().st_mtime == 315532800
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
    assert [path.name for path in pristine.parent.iterdir()] == ["bundle"]


def test_modes_do_not_depend_on_the_user(pristine: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        bundle = make_bundle(tmp_path / "bundle").path
    finally:
        os.umask(before)
    for path in (bundle, *bundle.rglob("*")):
        assert path.stat().st_mode == (pristine / path.relative_to(bundle)).stat().st_mode


def test_plain_tools_check_it(pristine: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=pristine,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(files(pristine)) - 1
    lines = (pristine / "SHA256SUMS").read_bytes().splitlines()
    paths = [line[66:] for line in lines]
    assert paths == sorted(paths)


def test_readme_tells_how_to_check_and_use_it(pristine: Path) -> None:
    text = (pristine / "README.txt").read_text()
    assert text.startswith("harness 2026.11\n===============\n")
    assert "    sha256sum --quiet -c SHA256SUMS\n" in text
    commands = re.findall(r"^ +airgap-mirror (\w+) (.*)$", text, re.MULTILINE)
    assert {name for name, _ in commands} == {"verify", "plan", "push", "install", "serve"}
    for name, arguments in commands:
        command = airgap_mirror.get_command(click.Context(airgap_mirror), name)
        assert command
        known = {option for param in command.params for option in param.opts}
        assert set(re.findall(r"--[\w-]+", arguments)) <= known


def test_same_contents_give_the_same_bytes(pristine: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with BundleWriter.create(other) as writer:
        writer.add_file(contents().files[0], content(VALUES))
        fill(writer, SINGLE)
        fill(writer, dict(reversed(IMAGES.items())))
        writer.add_file(contents().plugins[0].file, content(b"kubectl-kots"))
        writer.write_file(SLIM_PATH, lambda out: out.write(b"airgap.yaml and app.tar.gz"))
        writer.finish(contents())
    run(["diff", "--recursive", pristine, other])
    assert Bundle.read(other).fingerprint == Bundle.read(pristine).fingerprint


def test_time_of_the_files_can_be_given(tmp_path: Path) -> None:
    with BundleWriter.create(tmp_path / "b") as writer:
        complete(writer)
        bundle = writer.finish(contents(), epoch=1_700_000_000)
    assert {path.stat().st_mtime for path in bundle.path.rglob("*")} == {1_700_000_000}


def complete(writer: BundleWriter) -> None:
    fill(writer, {**IMAGES, **SINGLE})
    writer.write_file(SLIM_PATH, lambda out: out.write(b"slim"))
    writer.add_file(contents().plugins[0].file, content(b"kubectl-kots"))
    writer.add_file(contents().files[0], content(VALUES))


# What can be done to a bundle, whether opening it shows that, and what is said.


def flip(path: str, at: int = -1) -> Callable[[Path], None]:
    def tamper(bundle: Path) -> None:
        raw = bytearray((bundle / path).read_bytes())
        raw[at] ^= 1
        (bundle / path).write_bytes(raw)

    return tamper


def change_sum(bundle: Path, path: str) -> None:
    """Another last digit in the line of `path`."""
    text = (bundle / "SHA256SUMS").read_text()
    at = text.index(f"  {path}\n") - 1
    other = "0" if text[at] != "0" else "1"
    (bundle / "SHA256SUMS").write_text(text[:at] + other + text[at + 1 :])


def remove(path: str) -> Callable[[Path], object]:
    return lambda bundle: (bundle / path).unlink()


def write(path: str, text: str) -> Callable[[Path], object]:
    return lambda bundle: (bundle / path).write_text(text)


def truncate(path: str, size: int) -> Callable[[Path], None]:
    return lambda bundle: os.truncate(bundle / path, size)


def link_out(path: str) -> Callable[[Path], None]:
    def tamper(bundle: Path) -> None:
        outside = (bundle / path).rename(bundle.parent / "outside")
        (bundle / path).symlink_to(outside)

    return tamper


def link_folder(bundle: Path) -> None:
    outside = (bundle / "blobs/sha256").rename(bundle.parent / "outside")
    (bundle / "blobs/sha256").symlink_to(outside)


def pipe(bundle: Path) -> None:
    os.mkfifo(bundle / "files/pipe")


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    """Change a text file, and SHA256SUMS with it, as somebody would who wants to fool us."""

    def tamper(bundle: Path) -> None:
        file, sums = bundle / path, bundle / "SHA256SUMS"
        before = hashlib.sha256(file.read_bytes()).hexdigest()
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
        after = hashlib.sha256(file.read_bytes()).hexdigest()
        sums.write_text(sums.read_text().replace(f"{before}  {path}", f"{after}  {path}"))

    return tamper


def replace_in_sums(old: str, new: str) -> Callable[[Path], object]:
    def tamper(bundle: Path) -> None:
        sums = bundle / "SHA256SUMS"
        sums.write_bytes(sums.read_bytes().replace(old.encode(), new.encode()))

    return tamper


def both(*tampers: Callable[[Path], object]) -> Callable[[Path], None]:
    def tamper(bundle: Path) -> None:
        for one in tampers:
            one(bundle)

    return tamper


DEEP = [
    ("byte-in-a-layer", flip(LAYER_PATH), [f"{LAYER_PATH}: expected {LAYER}, found sha256:"]),
    ("byte-in-a-plain-file", flip(VALUES_PATH), [f"{VALUES_PATH}: expected sha256:"]),
    (
        "bytes-in-several-files",
        both(flip(LAYER_PATH, 20), flip(VALUES_PATH, 0)),
        ["2 faults", f"{LAYER_PATH}: expected", f"{VALUES_PATH}: expected"],
    ),
]
SHALLOW = [
    ("byte-in-a-manifest", flip(MANIFEST), [f"manifest {MANAGER.root.digest}: expected"]),
    ("byte-in-bundle-json", flip("bundle.json"), ["bundle.json: expected sha256:", "1 fault;"]),
    ("byte-in-index-json", flip("index.json"), ["index.json: expected sha256:"]),
    ("byte-in-readme", flip("README.txt"), ["README.txt: expected sha256:"]),
    ("byte-in-oci-layout", flip("oci-layout"), ["oci-layout: expected sha256:"]),
    ("byte-in-a-slim-archive", flip(SLIM_PATH), [f"{SLIM_PATH}: expected sha256:"]),
    (
        "byte-in-sums-digest-of-a-small-file",
        lambda b: change_sum(b, "README.txt"),
        ["1 fault", "README.txt: expected sha256:"],
    ),
    (
        "byte-in-sums-digest-of-a-blob",
        lambda b: change_sum(b, LAYER_PATH),
        [f"SHA256SUMS: lists {LAYER_PATH} with digest sha256:", ", not its own"],
    ),
    (
        "byte-in-sums-digest-of-a-plain-file",
        lambda b: change_sum(b, VALUES_PATH),
        ["1 fault", f"{VALUES_PATH}: bundle.json has sha256:"],
    ),
    ("byte-in-sums-path", flip("SHA256SUMS", 70), ["listed in SHA256SUMS, but not there"]),
    ("byte-in-sums-end", flip("SHA256SUMS"), ["does not end with a newline"]),
    ("sums-cut-short", lambda b: os.truncate(b / "SHA256SUMS", 300), ["SHA256SUMS: does not end"]),
    (
        "sums-empty",
        write("SHA256SUMS", ""),
        ["1 fault;", "SHA256SUMS: does not list bundle.json, index.json", "copy the bundle again"],
    ),
    (
        "sums-with-other-line-ends",
        replace_in_sums("\n", "\r\n"),
        ["line 1: not a path inside: 'README.txt\\r'", "SHA256SUMS: does not list bundle.json"],
    ),
    ("sums-gone", remove("SHA256SUMS"), ["not complete: SHA256SUMS", "written last"]),
    ("blob-gone", remove(LAYER_PATH), [f"{LAYER_PATH}: listed in SHA256SUMS, but not there"]),
    (
        "manifest-gone",
        remove(MANIFEST),
        ["1 fault;", f"{MANIFEST}: listed in SHA256SUMS, but not there"],
    ),
    ("manifest-linked", link_out(MANIFEST), ["1 fault;", f"{MANIFEST}: a link, not a plain file"]),
    ("bundle-json-gone", remove("bundle.json"), ["bundle.json: listed in SHA256SUMS"]),
    ("slim-gone", remove(SLIM_PATH), [f"{SLIM_PATH}: listed in SHA256SUMS, but not there"]),
    ("plain-file-gone", remove(VALUES_PATH), [f"{VALUES_PATH}: listed in"]),
    (
        "extra-file",
        write("files/extra", "x"),
        ["files/extra: not listed", "move what is not listed out"],
    ),
    ("extra-blob", write("blobs/sha256/" + "0" * 64, "x"), ["000: not listed in SHA256SUMS"]),
    ("link-out", link_out(LAYER_PATH), [f"{LAYER_PATH}: a link, not a plain file"]),
    ("linked-folder", link_folder, ["blobs/sha256: a link, not a plain file or folder"]),
    ("pipe", pipe, ["files/pipe: a device or pipe, not a plain file"]),
    ("blob-cut-short", truncate(LAYER_PATH, 10), [f"{LAYER_PATH}: expected", "bytes, found 10"]),
    ("blob-too-long", truncate(LAYER_PATH, 999), [f"{LAYER_PATH}: expected", "bytes, found 999"]),
    ("blob-empty", truncate(LAYER_PATH, 0), ["bytes, found 0"]),
    ("file-cut-short", truncate(VALUES_PATH, 3), [f"{VALUES_PATH}: expected 26 bytes, found 3"]),
    (
        "unsafe-path-in-sums",
        lambda b: (b / "SHA256SUMS").write_text(f"{'0' * 64}  ../../etc/passwd\n"),
        ["line 1: not a path inside: '../../etc/passwd'"],
    ),
    (
        "sums-not-sorted",
        lambda b: (b / "SHA256SUMS").write_bytes(
            b"".join(reversed((b / "SHA256SUMS").read_bytes().splitlines(keepends=True)))
        ),
        ["not sorted by path"],
    ),
    (
        "bundle-json-without-name",
        replace("bundle.json", '"name": "harness"', '"nam": "harness"'),
        ["bundle.json", "nam: unknown key", "name: is missing"],
    ),
    (
        "bundle-json-is-not-json",
        replace("bundle.json", "{", "["),
        ["bundle.json", "not valid JSON"],
    ),
    (
        "file-missing-from-sums-and-disk",
        replace("bundle.json", VALUES_PATH, "files/values/other.yaml"),
        ["files/values/other.yaml: named in bundle.json, but not listed"],
    ),
    (
        "slim-missing-from-sums-and-disk",
        replace("bundle.json", SLIM_PATH, "kots/harness/other.airgap"),
        ["kots/harness/other.airgap: named in bundle.json, but not listed"],
    ),
    (
        "index-names-another-image",
        replace("index.json", "harness/manager:79915", "harness/manager:79916"),
        [f"harness/manager:79915: expected {MANAGER.root.digest}, found nothing"],
    ),
    (
        "several-at-once",
        both(
            remove(LAYER_PATH),
            flip(MANIFEST, 5),
            flip("README.txt"),
            write("files/extra", "x"),
            truncate(VALUES_PATH, 3),
            lambda b: (b / "kots/link").symlink_to("/etc/passwd"),
        ),
        [
            "6 faults",
            f"{LAYER_PATH}: listed in SHA256SUMS, but not there",
            f"manifest {MANAGER.root.digest}: expected",
            "README.txt: expected",
            "files/extra: not listed",
            f"{VALUES_PATH}: expected 26 bytes, found 3",
            "kots/link: a link",
        ],
    ),
]


def names(table: Sequence[tuple[str, Callable[[Path], object], list[str]]]) -> list[str]:
    return [row[0] for row in table]


@pytest.mark.parametrize(("_name", "tamper", "said"), SHALLOW, ids=names(SHALLOW))
def test_opening_refuses(
    bundle: Path, _name: str, tamper: Callable[[Path], object], said: list[str]
) -> None:
    tamper(bundle)
    with pytest.raises(CorruptBundle) as caught:
        Bundle.read(bundle)
    refused(caught.value, said)


@pytest.mark.parametrize(("_name", "tamper", "said"), DEEP, ids=names(DEEP))
def test_verifying_refuses(
    bundle: Path, _name: str, tamper: Callable[[Path], object], said: list[str]
) -> None:
    tamper(bundle)
    opened = Bundle.read(bundle)
    with pytest.raises(CorruptBundle) as caught:
        opened.verify()
    refused(caught.value, said)


def refused(error: TransferError, said: list[str]) -> None:
    assert error.exit_code == 4
    text = describe(error)
    for part in said:
        assert part in text
    assert "hint: " in text


def test_newer_bundle_asks_for_a_newer_toolkit(bundle: Path) -> None:
    replace("bundle.json", "airgap/v1", "airgap/v2")(bundle)
    with pytest.raises(UnsupportedVersion, match=r"bundle\.json: apiVersion 'airgap/v2'") as caught:
        Bundle.read(bundle)
    assert caught.value.exit_code == 3


def test_damaged_version_is_damage_not_a_newer_version(bundle: Path) -> None:
    text = (bundle / "bundle.json").read_text()
    (bundle / "bundle.json").write_text(text.replace("airgap/v1", "airgap/v3"))
    with pytest.raises(CorruptBundle, match="1 fault"):
        Bundle.read(bundle)


def test_signature_is_the_one_file_that_cannot_be_listed(bundle: Path) -> None:
    (bundle / "SHA256SUMS.sig").write_text("signature")
    Bundle.read(bundle).verify()


def test_empty_folder_does_no_harm(bundle: Path) -> None:
    (bundle / "lost+found").mkdir()
    Bundle.read(bundle).verify()


@pytest.mark.parametrize("made", [True, False], ids=["other-folder", "no-folder"])
def test_what_is_no_bundle_is_not_found(tmp_path: Path, *, made: bool) -> None:
    if made:
        (tmp_path / "x").mkdir()
    with pytest.raises(NotFound, match="not a bundle") as caught:
        Bundle.read(tmp_path / "x")
    assert caught.value.exit_code == 5


def test_blob_damaged_after_opening_is_seen_as_it_is_read(bundle: Path) -> None:
    opened = Bundle.read(bundle)
    remove(LAYER_PATH)(bundle)
    with pytest.raises(CorruptBundle, match="1 fault"):
        opened.verify()


# Writing.


def test_nothing_has_the_final_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with BundleWriter.create(path) as writer:
        complete(writer)
        assert not path.exists()
    assert not path.exists()
    partial = tmp_path / "bundle.partial"
    with pytest.raises(CorruptBundle, match="not complete"):
        Bundle.read(partial)


def test_build_continues_with_what_it_finds(pristine: Path, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with BundleWriter.create(path) as writer:
        fill(writer, IMAGES)
        writer.add_file(contents().files[0], content(VALUES))
    before = {p: p.stat().st_ino for p in (tmp_path / "bundle.partial/blobs/sha256").iterdir()}
    with BundleWriter.create(path) as writer:
        writer.add_file(contents().files[0], content(b"not even opened"))
        fill(writer, {**IMAGES, **SINGLE})
        assert {p: p.stat().st_ino for p in before} == before
        writer.write_file(SLIM_PATH, lambda out: out.write(b"airgap.yaml and app.tar.gz"))
        writer.add_file(contents().plugins[0].file, content(b"kubectl-kots"))
        writer.finish(contents())
    run(["diff", "--recursive", pristine, path])


def test_what_an_older_lock_left_behind_goes(pristine: Path, tmp_path: Path) -> None:
    path, partial = tmp_path / "bundle", tmp_path / "bundle.partial"
    with BundleWriter.create(path) as writer:
        complete(writer)
        fill(writer, {"old:1": IMAGES["docker.io/harness/ui:79915"]})
    for name in ("SHA256SUMS", "files/values", "blobs/sha256/" + "0" * 64, "kots/old/1.airgap"):
        old = partial / name
        if old.is_dir():
            shutil.rmtree(old)
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_text("old")
    (partial / "link").symlink_to("/etc")
    with BundleWriter.create(path) as writer:
        assert not (partial / "SHA256SUMS").exists()
        fill(writer, {**IMAGES, **SINGLE})
        writer.write_file(SLIM_PATH, lambda out: out.write(b"airgap.yaml and app.tar.gz"))
        writer.add_file(contents().plugins[0].file, content(b"kubectl-kots"))
        writer.add_file(contents().files[0], content(VALUES))
        writer.finish(contents())
    run(["diff", "--recursive", pristine, path])
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_what_was_not_written_is_named(tmp_path: Path) -> None:
    with BundleWriter.create(tmp_path / "bundle") as writer:
        fill(writer, {**IMAGES, **SINGLE})
        with pytest.raises(MissingContent) as caught:
            writer.finish(contents())
    assert SLIM_PATH in describe(caught.value)
    assert VALUES_PATH in describe(caught.value)
    assert not (tmp_path / "bundle").exists()


def test_wrong_file_is_not_kept(tmp_path: Path) -> None:
    with BundleWriter.create(tmp_path / "bundle") as writer:
        with pytest.raises(DigestMismatch, match=VALUES_PATH):
            writer.add_file(record(VALUES_PATH, VALUES), content(VALUES[::-1]))
        assert not (tmp_path / "bundle.partial" / VALUES_PATH).exists()


@pytest.mark.parametrize("path", ["../outside", "/outside", "files/../../outside", "files/.."])
def test_nothing_is_written_or_removed_outside(tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with BundleWriter.create(tmp_path / "bundle") as writer:
        with pytest.raises(UnsafePath, match="not a path inside the bundle"):
            writer.add_file(record(path, VALUES), content(VALUES))
        with pytest.raises(UnsafePath, match="not a path inside the bundle"):
            writer.write_file(path, lambda out: out.write(VALUES))
        assert outside.is_dir()


def test_what_exists_is_not_built_over(bundle: Path) -> None:
    with pytest.raises(Conflict, match="exists already") as caught:
        BundleWriter.create(bundle)
    assert "choose another folder" in str(caught.value.hint)
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


def test_two_builds_at_once_are_refused(tmp_path: Path) -> None:
    with (
        BundleWriter.create(tmp_path / "bundle") as writer,
        pytest.raises(Conflict, match="another build writes there"),
    ):
        BundleWriter.create(tmp_path / "bundle")
    complete_again = BundleWriter.create(tmp_path / "bundle")
    with complete_again:
        complete(complete_again)
        complete_again.finish(contents())
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert writer.path == tmp_path / "bundle"


@pytest.mark.real
def test_full_disk_says_so_and_continues_once_there_is_room(tmp_path: Path) -> None:
    noise = os.urandom(700_000)
    with small_disk(tmp_path / "disk", "1m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(noise)
        big = record("files/big", noise)
        with BundleWriter.create(disk / "bundle") as writer:
            with pytest.raises(StorageError, match=r"files/big: No space left") as caught:
                writer.add_file(big, content(noise))
            assert "free some space" in str(caught.value.hint)
            assert not (disk / "bundle.partial/files/big").exists()
            ballast.unlink()
            complete(writer)
            writer.finish(contents()).verify()


@pytest.mark.real
def test_read_only_medium_is_read_and_verified(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        path = make_bundle(disk / "bundle").path
        make_read_only(disk)
        Bundle.read(path).verify()
        with pytest.raises(StorageError, match="Read-only file system"):
            BundleWriter.create(disk / "other")


def test_bundle_json_is_canonical(pristine: Path) -> None:
    text = (pristine / "bundle.json").read_text()
    value = json.loads(text)
    assert (value["apiVersion"], value["kind"]) == ("airgap/v1", "Bundle")
    assert text == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_one_name_for_two_contents_is_two_names_in_the_index(tmp_path: Path) -> None:
    old, new = image(layer("redis")), image(layer("redis, built anew"))
    wanted = Contents(
        name="harness",
        version="1",
        images=tuple(ImageRecord(name="redis:6.2", root=tree.root) for tree in (old, new, old)),
    )
    later = f"redis:6.2@{new.root.digest}"
    assert index_names(wanted) == {"redis:6.2": old.root, later: new.root}
    with BundleWriter.create(tmp_path / "bundle") as writer:
        fill(writer, {"redis:6.2": old, later: new, "redis:7": new})
        bundle = writer.finish(wanted)
    assert bundle.layout.images() == index_names(wanted)
    with BundleWriter.create(tmp_path / "other") as writer:
        fill(writer, {"redis:6.2": old, "redis:7": new})
        with pytest.raises(CorruptBundle) as caught:
            writer.finish(wanted)
    assert f"index.json: {later}: expected {new.root.digest}, found nothing" in describe(
        caught.value
    )
