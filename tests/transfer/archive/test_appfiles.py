"""What the files of a release say: its questions and the images they name, however made."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from scripts.sample_archives import chart
from tests.transfer.archive.forge import Forge
from transfer.archive import AirgapArchive, appfiles
from transfer.archive.appfiles import AppFiles, read_app_files
from transfer.errors import CorruptArchive

POD = "kind: Pod\nspec: {containers: [{name: c, image: %s}]}\n"
CONFIG = "apiVersion: kots.io/v1beta1\nkind: Config\nspec: {groups: [{items: [{name: %s}]}]}\n"


@pytest.fixture
def release(application: Path) -> Forge:
    """An application's archive, to be changed."""
    return Forge.open(application)


def read(release: Forge, folder: Path, **files: str | bytes) -> AppFiles:
    """What files say that take the place of the release's; `_` stands for `.`."""
    members = {
        name.replace("_", "."): content.encode() if isinstance(content, str) else content
        for name, content in files.items()
    }
    release.members["app.tar.gz"] = gzip.compress(Forge(members).tar(), 1)
    with AirgapArchive.read(release.write(folder / "a.airgap")) as archive:
        return read_app_files(archive)


def items(found: AppFiles) -> list[str]:
    return [item.name for item in found.config.items] if found.config else []


def test_the_sample_asks_for_its_host_name_and_names_no_image(application: Path) -> None:
    with AirgapArchive.read(application) as archive:
        found = read_app_files(archive)
    assert items(found) == ["hostname"]
    assert (found.images, found.templated) == ((), 0)


def test_an_archive_without_files_says_nothing(samples: dict[str, object], module: Path) -> None:
    with AirgapArchive.read(module) as archive:
        assert read_app_files(archive) == AppFiles()


def test_questions_are_those_of_the_config_of_kots(release: Forge, tmp_path: Path) -> None:
    other = CONFIG.replace("kots.io", "other.io") + "# of kots.io/\n"
    found = read(release, tmp_path, a_yaml=CONFIG % "a", b_yml=other % "b")
    assert items(found) == ["a"]
    last = read(release, tmp_path, a_yaml=CONFIG % "a" + "---\n" + CONFIG % "b")
    assert items(last) == ["b"]
    assert read(release, tmp_path, a_yaml="kind: Config\n{{repl x\n").config is None


def test_images_are_found_in_every_document_and_chart(release: Forge, tmp_path: Path) -> None:
    found = read(
        release,
        tmp_path,
        a_yaml=POD % "a:1" + "---\n" + POD % "b:1",
        c_txt=POD % "no:1",
        d_yaml="{{repl if x }}\n  image: d:1\n  image: repl{{ y }}\n{{repl end }}\n",
        e_tgz=chart(
            {
                "templates/a.yaml": "{{ if x }}\n  image: e:1\n{{ end }}\n",
                "templates/deep/_helpers.tpl": '  image: "{{ .Values.x }}"\n',
                "templates/tests/a.yaml": "  image: no:2\n",
                "values.yaml": "image: no:3\n",
            }
        ),
        f_tar_gz=chart({"charts/sub/templates/a.yaml": "image: f:1\n"}),
    )
    assert found.images == ("a:1", "b:1", "d:1", "e:1", "f:1")
    assert found.templated == 2


@pytest.mark.parametrize(
    "damage",
    [b"no gzip", gzip.compress(b"no tar" * 200)[:-9], b""],
    ids=["no gzip", "cut", "empty"],
)
def test_a_chart_that_is_damaged_is_passed_over(
    release: Forge, tmp_path: Path, damage: bytes
) -> None:
    found = read(release, tmp_path, a_tgz=damage, b_yaml=POD % "b:1")
    assert found.images == ("b:1",)


def test_what_is_too_much_to_parse_is_read_by_line(
    release: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appfiles, "MAX_DOCUMENT", 1000)
    padding = "# " + "x" * 1000 + "\n"
    large = "spec:\n  containers:\n    - image: a:1\n" + padding
    flow = POD % "flow:1" + padding
    assert read(release, tmp_path, a_yaml=large, b_yaml=flow).images == ("a:1",)
    monkeypatch.setattr(appfiles, "MAX_DOCUMENT", 10_000)
    assert read(release, tmp_path, a_yaml=large, b_yaml=flow).images == ("a:1", "flow:1")


def test_parsing_has_an_end(
    release: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = POD % "a:1"
    parsed = appfiles._Looking(parsed=len(one) + 5)  # noqa: SLF001 - what is left of a limit
    parsed.take_document(one)
    parsed.take_document(POD % "b:1")
    assert parsed.images.names == ("a:1",)


def test_charts_that_inflate_without_end(
    release: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All charts together have one limit; what is behind it is not looked at."""
    info = tarfile.TarInfo("mongo/large")
    info.size = 3 << 20
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        tar.addfile(info, io.BytesIO(bytes(info.size)))
        late = tarfile.TarInfo("mongo/templates/a.yaml")
        late.size = 11
        tar.addfile(late, io.BytesIO(b"image: a:1\n"))
    bomb = gzip.compress(inner.getvalue(), 1)
    files = {"a.tgz": bomb, "b.tgz": bomb, "c.yaml": (POD % "c:1").encode()}
    release.members["app.tar.gz"] = gzip.compress(Forge(files).tar(), 1)
    with AirgapArchive.read(release.write(tmp_path / "a.airgap")) as archive:
        assert read_app_files(archive).images == ("a:1", "c:1")
        app = archive.app_archive()
        assert app is not None
        looking = appfiles._Looking(charts=4 << 20)  # noqa: SLF001 - what is left of a limit
        with app as content:
            looking.take_all(content)
        assert looking.images.names == ("a:1", "c:1")
        assert looking.charts == 0


def test_files_that_inflate_without_end(
    release: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"large": bytes(3 << 20)}
    release.members["app.tar.gz"] = gzip.compress(Forge(files).tar(), 1)
    with AirgapArchive.read(release.write(tmp_path / "a.airgap")) as archive:
        monkeypatch.setattr(appfiles, "MAX_CONTENT", 1 << 20)
        with pytest.raises(CorruptArchive, match=r"app\.tar\.gz is damaged: more than 1048576"):
            read_app_files(archive)
