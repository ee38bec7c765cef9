"""Files that a plan writes: whole or not at all, by a run and by a script; no more is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirror.operation import Plan
from mirror.operation.edits import edit
from mirror.operation.model import Edit
from mirror.operation.writing import Exchange, Rewrite, WriteFile
from scripts import sample_archives as sample
from tests.mirror.shells import SHELLS, Shell, plan_of, step
from tests.mirror.supply import Ran, make_bundle, mirror
from tests.mirror.test_config_commands import ASKED
from tests.mirror.test_rewrite_images import DATA, SITE, TREES
from tests.tools import need
from transfer.digest import Digest
from transfer.errors import Conflict, NotFound

FORMS = ("text", "json", "script", "runbook")
HOSTILE = "a: 'x'\n# $(touch pwned) `y` \\ \"\n\n  END_OF_FILE\nEND_OF_FILE\n\t$HOME\n\xe4\n"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return with_mv(Shell(tmp_path / "at", SHELLS[request.param]))


@pytest.fixture
def dash(tmp_path: Path) -> Shell:
    return with_mv(Shell(tmp_path / "at", SHELLS["dash"]))


def with_mv(shell: Shell) -> Shell:
    (shell.bin / "mv").symlink_to(need("mv"))
    return shell


def writing(path: Path, content: str = HOSTILE, *, replaces: bool = False) -> Plan:
    change = WriteFile(content=content, replaces=replaces)
    return plan_of(step(Edit(path=str(path), change=change)))


def rewriting(path: Path, before: str, after: str) -> Edit:
    exchange = Exchange(file=str(path), line=1, old="a/b:1", new="r.example/b:1")
    change = Rewrite(
        files=(str(path),),
        exchanges=(exchange,),
        before=str(Digest.of(before.encode())),
        mode=0o600,
        text=after,
    )
    return Edit(path=str(path), change=change)


def test_every_byte_arrives(shell: Shell) -> None:
    path = shell.folder / "it's new"
    done = shell.run(writing(path))
    assert done.returncode == 0, done.stderr
    assert path.read_text() == HOSTILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (shell.folder / "pwned").exists()
    assert not list(shell.folder.glob("*.part"))


def test_another_file_stays_unless_it_is_to_be_replaced(shell: Shell) -> None:
    path = shell.folder / "values.yaml"
    path.write_text("mine")
    done = shell.run(writing(path))
    assert (done.returncode, path.read_text()) == (8, "mine")
    assert "is there already" in done.stderr
    with pytest.raises(Conflict, match="is there already"):
        edit(Edit(path=str(path), change=WriteFile(content=HOSTILE)))
    assert path.read_text() == "mine"
    assert shell.run(writing(path, replaces=True)).returncode == 0
    assert path.read_text() == HOSTILE


def test_what_is_there_stays_where_nothing_can_be_written(dash: Shell) -> None:
    path = dash.folder / "values.yaml"
    path.write_text("mine")
    (dash.folder / "values.yaml.part").mkdir()  # what is written beside it cannot be
    done = dash.run(writing(path, replaces=True))
    assert (done.returncode, path.read_text()) == (9, "mine")
    done = dash.run(writing(dash.folder / "none/values.yaml"))
    assert done.returncode == 9
    assert "cannot be written" in done.stderr
    (dash.bin / "mv").unlink()
    assert "mv: not found on PATH" in dash.run(writing(path, replaces=True)).stderr


def test_a_disk_that_is_full_leaves_what_was_there(dash: Shell) -> None:
    path = dash.folder / "values.yaml"
    path.write_text("mine")
    (dash.folder / "values.yaml.part").symlink_to("/dev/full")
    done = dash.run(writing(path, content=HOSTILE * 5000, replaces=True))
    assert (done.returncode, path.read_text()) == (9, "mine")


def test_a_file_that_is_written_twice_is_as_once(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    for _ in range(2):
        edit(Edit(path=str(path), change=WriteFile(content=HOSTILE)))
        assert path.read_text() == HOSTILE
        assert path.stat().st_mode & 0o777 == 0o600
    before = "image: a/b:1\n"
    path.write_text(before)
    for _ in range(2):
        edit(rewriting(path, before, "image: r.example/b:1\n"))
        assert path.read_text() == "image: r.example/b:1\n"
    assert [file.name for file in tmp_path.iterdir()] == ["values.yaml"]


def test_a_file_that_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "delegate.yaml"
    path.write_text("image: somebody/else:2\n")
    with pytest.raises(Conflict, match="has changed since it was read; nothing was written"):
        edit(rewriting(path, "image: a/b:1\n", "image: r.example/b:1\n"))
    assert path.read_text() == "image: somebody/else:2\n"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="none"):
        edit(Edit(path=str(tmp_path / "none/x"), change=WriteFile(content="x\n")))


def test_a_script_sees_whether_the_new_names_are_there(shell: Shell) -> None:
    path = shell.folder / "delegate.yaml"
    plan = plan_of(step(rewriting(path, "", "x: r.example/b:1\ny: r.example/b:1\n"), name="edit"))
    for text, code in (
        (None, 11),
        ("a/b:1\n", 11),
        ("r.example/b:1\n", 11),
        ("r.example/b:1\nz r.example/b:1", 0),
    ):
        if text is not None:
            path.write_text(text)
        done = shell.run(plan, CONFIRMED="edit")
        assert done.returncode == code, done.stderr
    done = shell.run(plan)
    assert (done.returncode, done.stderr) == (0, ""), "nobody is asked for what is done"
    path.write_text("a/b:1\n")
    done = shell.run(plan)
    assert "line 1: r.example/b:1 instead of a/b:1" in done.stderr


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle", TREES, {}).path


def rewritten(bundle: Path, *words: str | Path) -> Ran:
    return mirror("rewrite-images", *words, "--source", bundle, "--to", SITE)


@pytest.mark.parametrize("output", FORMS)
def test_a_dry_run_of_a_rewriting_shows_the_names_and_no_token(
    output: str, bundle: Path, tmp_path: Path
) -> None:
    file = tmp_path / "delegate.yaml"
    text = (DATA / "vendor.yaml").read_text()
    file.write_text(f"# s3cret-token\n{text}")
    before = sorted(tmp_path.iterdir())
    done = rewritten(bundle, file, "--in-place", "--dry-run", "--output", output)
    assert done.code == 0, done.err
    assert f"{SITE}/delegate:23.11.81820" in done.out
    assert "s3cret" not in done.out + done.err
    assert file.read_text().startswith("# s3cret-token\n")
    assert sorted(tmp_path.iterdir()) == before


def test_a_dry_run_of_what_is_printed_is_none(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "delegate.yaml"
    file.write_bytes((DATA / "vendor.yaml").read_bytes())
    done = rewritten(bundle, file, "--dry-run")
    assert (done.code, "--dry-run goes with -o or --in-place" in done.err) == (2, True)


def test_a_rewriting_is_noted_where_it_is_asked_for(bundle: Path, tmp_path: Path) -> None:
    one, two, journal = (tmp_path / name for name in ("one.yaml", "two.yaml", "journal"))
    for file in (one, two):
        file.write_bytes((DATA / "vendor.yaml").read_bytes())
    done = rewritten(bundle, one, two, "--in-place", "--journal", journal)
    assert done.code == 0, done.err
    assert one.read_bytes() == two.read_bytes() == (DATA / "site.yaml").read_bytes()
    assert noted(journal) == [
        ("opened", ""),
        *((event, name) for name in ("rewrite", "rewrite-2") for event in ("began", "done")),
        ("ended", ""),
    ]
    steps = json.loads(rewritten(bundle, one, "-o", two, "--dry-run", "--output", "json").out)[
        "steps"
    ]
    assert [(each["path"], each["exchanges"]) for each in steps] == [(str(two), [])]


def noted(journal: Path) -> list[tuple[str, str]]:
    lines = map(json.loads, journal.read_text().splitlines())
    return [(line["event"], line.get("step", "")) for line in lines]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("downloads") / "harness.airgap"
    release = sample.Release("79915", 412, files={"config.yaml": ASKED})
    sample.write_application(path, "harness", size=20_000, release=release)
    return path


def test_a_script_writes_the_values_that_init_would(
    archive: Path, tmp_path: Path, dash: Shell
) -> None:
    out, twin = tmp_path / "values.yaml", tmp_path / "twin.yaml"
    words = ("config", "init", archive, "--quiet", "-o")
    for output in FORMS:
        done = mirror(*words, out, "--dry-run", "--output", output)
        assert done.code == 0, done.err
        assert not out.exists()
    assert "    app_url:\n" in mirror(*words, out, "--dry-run", "--output", "runbook").out
    (dash.folder / "init.sh").write_text(mirror(*words, out, "--dry-run", "--output", "script").out)
    done_there = dash.text(f". {dash.folder}/init.sh")
    assert done_there.returncode == 0, done_there.stderr
    assert mirror(*words, twin, "--journal", tmp_path / "journal").code == 0
    assert out.read_bytes() == twin.read_bytes()
    assert noted(tmp_path / "journal")[1:] == [
        ("began", "write-values"),
        ("done", "write-values"),
        ("ended", ""),
    ]
    again = mirror(*words, out)
    assert (again.code, again.err) == (0, ""), "what is there as it was written is fine"
    out.write_text(out.read_text() + "#\n")
    assert mirror(*words, out).code == 8
