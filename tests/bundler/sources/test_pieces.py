"""What the sources are made of: files, secrets, expiry, evidence, and finding out once."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.sources.evidence import agrees, settle, with_spec
from bundler.sources.manifest import Manifest
from bundler.sources.once import Once
from bundler.sources.protocol import Evidence, Promise
from bundler.sources.secrets import Secrets
from bundler.sources.signed import epoch, expires_at, moment
from bundler.sources.told import Told
from bundler.spec.origin import LocalFile
from bundler.spec.values import Secret
from tests.bundler.sources.world import World, refused
from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    NotFound,
)
from transfer.plain import is_plain

KEYS = {
    *("releases", "release_sequence", "label", "url"),
    *("modules", "images", "name", "variants", "bundle_type", "bucket_path", "downloadUrl"),
    *("platform", "requires", "parent", "single"),
}
RIGHT, WRONG = Digest.of(b"right"), Digest.of(b"wrong")


def promise(**more: object) -> Promise:
    return Promise(file_name="f", identity="i", **more)  # type: ignore[arg-type]


class TestLocalFile:
    def test_is_known_by_its_size_and_time(self, world: World) -> None:
        path = world.folder / "a b.airgap"
        path.write_bytes(b"one")
        source = world.source(LocalFile(path="./a b.airgap"))
        first = source.promise()
        assert (first.size, first.file_name, first.digest) == (3, "a b.airgap", None)
        assert source.locate().url == path.as_uri()
        os.utime(path, (1, 1))
        assert source.promise().identity != first.identity

    def test_has_the_digest_of_the_spec(self, world: World) -> None:
        (world.folder / "file").write_bytes(b"right")
        found = world.source(LocalFile(path="file"), RIGHT).promise()
        assert (found.digest, found.evidence) == (RIGHT, Evidence.SPEC)

    def test_has_to_be_there_and_a_file(self, world: World) -> None:
        assert "file gone: does not exist" in str(
            refused(NotFound, world.source(LocalFile(path="gone")).promise)
        )
        (world.folder / "folder").mkdir()
        assert "file folder: not a plain file" in str(
            refused(InvalidInput, world.source(LocalFile(path="folder")).promise)
        )


class TestSecrets:
    KEY = "portal.password"

    def read(self, secret: Secret, folder: Path, **environ: str) -> str:
        return Secrets(environ, folder).read(secret, "password", self.KEY)

    def test_come_from_the_environment_and_from_files(self, tmp_path: Path) -> None:
        assert self.read(Secret(variable="PW"), tmp_path, PW="hidden") == "hidden"
        for end in ("", "\n", "\r\n"):
            (tmp_path / "pw").write_bytes(f"hidden{end}".encode())
            assert self.read(Secret(path="pw"), tmp_path) == "hidden"
        assert self.read(Secret(path=str(tmp_path / "pw")), tmp_path / "else") == "hidden"

    @pytest.mark.parametrize("environ", [{}, {"PW": ""}], ids=["missing", "empty"])
    def test_a_variable_without_one(self, tmp_path: Path, environ: dict[str, str]) -> None:
        error = refused(InvalidInput, lambda: self.read(Secret(variable="PW"), tmp_path, **environ))
        assert error.message.startswith("password: environment variable PW is ")
        assert error.hint == (
            "export PW (the spec names it by portal.passwordEnv:), or name a file that holds it "
            "by portal.passwordFile:"
        )

    def test_a_file_without_one(self, tmp_path: Path) -> None:
        secret = Secret(path="pw")
        error = refused(InvalidInput, lambda: self.read(secret, tmp_path))
        assert error.message == "password: file pw does not exist"
        (tmp_path / "pw").write_text("\n")
        error = refused(InvalidInput, lambda: self.read(secret, tmp_path))
        assert error.message == "password: file pw is empty"

    @pytest.mark.parametrize("text", ["secret-signature\nmore", "secret-signature\x00"])
    def test_more_than_a_line(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "pw").write_text(text)
        error = refused(InvalidInput, lambda: self.read(Secret(path="pw"), tmp_path))
        assert "file pw: expected one line of text" in error.message


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("", None),
        ("Expires=1795000000&Signature=x", 1795000000),
        ("Expires=soon", None),
        ("Expires=99999999999999999999", None),
        ("X-Amz-Date=20261118T100000Z&X-Amz-Expires=3600", 1794999600),
        ("X-Goog-Date=20261118T100000Z&X-Goog-Expires=3600", 1794999600),
        ("X-Goog-Date=yesterday&X-Goog-Expires=3600", None),
        ("X-Goog-Expires=3600", None),
        ("X-Amz-Date=20261118T100000Z&X-Amz-Expires=" + "9" * 30, None),
        ("se=2026-11-18T11%3A00%3A00Z&sig=x", 1794999600),
        ("se=later", None),
    ],
)
def test_a_signed_address_tells_its_end(query: str, ends: int | None) -> None:
    assert expires_at(f"https://host/path?{query}") == ends


def test_an_address_that_is_none_has_no_end() -> None:
    assert expires_at("https://[") is None


@pytest.mark.parametrize("text", ["", "-1", "0", "1e9", "1_000", "٣", "9" * 13])
def test_what_is_no_time(text: str) -> None:
    assert epoch(text) is None


def test_a_time_as_people_read_it() -> None:
    assert moment(1794999600) == "2026-11-18 11:00 UTC"
    assert moment(float("inf")) == "9999-12-31 23:59 UTC"


class TestEvidence:
    def test_the_spec_and_the_source_have_to_agree(self) -> None:
        said = promise(digest=RIGHT, evidence=Evidence.RELEASE_API)
        assert with_spec(said, None, "f") == said
        assert with_spec(said, RIGHT, "f") == said
        error = refused(IntegrityError, lambda: with_spec(said, WRONG, "f"))
        assert error.message == f"f: the spec says {WRONG}, the release API {RIGHT}"

    def test_the_spec_alone_is_enough(self) -> None:
        found = with_spec(promise(), RIGHT, "f")
        assert (found.digest, found.evidence) == (RIGHT, Evidence.SPEC)

    @pytest.mark.parametrize(
        ("checksum", "verdict"),
        [
            (RIGHT.encoded, True),
            (RIGHT.encoded.upper(), True),
            (f"sha256:{RIGHT.encoded}", True),
            (WRONG.encoded, False),
            ("", None),
            ("d41d8cd98f00b204e9800998ecf8427e", None),
            ("no checksum", None),
        ],
    )
    def test_checksums_of_unknown_kind(self, checksum: str, verdict: object) -> None:
        assert agrees(checksum, RIGHT) is verdict

    def test_a_digest_of_another_kind_cannot_be_compared(self) -> None:
        assert agrees(RIGHT.encoded, Digest.of(b"right", "sha512")) is None

    def test_a_vendors_checksum_that_fits_is_the_evidence(self) -> None:
        found = settle(promise(checksum=RIGHT.encoded), RIGHT, "f")
        assert (found.digest, found.evidence) == (RIGHT, Evidence.VENDOR)

    def test_a_vendors_checksum_that_does_not_fit_is_refused(self) -> None:
        said = promise(checksum=WRONG.encoded)
        error = refused(DigestMismatch, lambda: settle(said, RIGHT, "f"))
        assert error.message == f"f: the vendor's checksum is {WRONG.encoded}, found {RIGHT}"

    def test_the_spec_beats_a_vendors_checksum(self) -> None:
        said = promise(checksum=WRONG.encoded, digest=RIGHT, evidence=Evidence.SPEC, notes=("n",))
        found = settle(said, RIGHT, "f")
        assert found.evidence is Evidence.SPEC
        assert found.notes == ("n", "the vendor's checksum is not the file's SHA-256")

    @pytest.mark.parametrize("checksum", ["", "md5-or-so"])
    def test_nothing_changes_where_nothing_can_be_compared(self, checksum: str) -> None:
        said = promise(checksum=checksum)
        assert settle(said, RIGHT, "f") == said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(KEYS)), inner),
    max_leaves=20,
)


@given(JSON)
def test_an_answer_of_any_shape_is_taken_or_refused(value: object) -> None:
    with suppress(InvalidInput):
        told = Told.parse(json.dumps(value).encode(), "answer")
        for each in (told, *told.objects("releases")):
            assert is_plain(each.said("label"))
            assert each.number("release_sequence") >= 0
            assert is_plain(each.text("url"))


@given(JSON)
def test_a_manifest_of_any_shape_is_taken_or_refused(value: object) -> None:
    with suppress(InvalidInput):
        for each in Manifest.parse(json.dumps(value), "manifest.yaml").modules:
            assert is_plain(each.name + each.path + each.object_path)


@given(st.text())
def test_a_manifest_of_any_text_is_taken_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        Manifest.parse(f"modules:{text}", "manifest.yaml")


class TestOnce:
    def test_one_thread_finds_out_for_all(self) -> None:
        calls: list[int] = []
        once: Once[str, int] = Once()
        barrier = Barrier(4)

        def ask(number: int) -> int:
            barrier.wait(30)
            return once.get("key", lambda: find(number))

        def find(number: int) -> int:
            calls.append(number)
            return number

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(ask, range(4)))
        assert len(calls) == 1
        assert found == calls * 4

    def test_what_could_not_be_found_stays_so(self) -> None:
        once: Once[str, int] = Once()
        calls: list[str] = []

        def find() -> int:
            calls.append("asked")
            raise AccessDenied("no", hint="ask")

        errors = [refused(AccessDenied, lambda: once.get("key", find)) for _ in range(2)]
        assert len(calls) == 1
        assert [error.hint for error in errors] == ["ask", "ask"]
        assert errors[0] is not errors[1]
        assert once.get("other", lambda: 5) == 5
