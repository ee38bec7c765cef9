"""Scripts in every shell: what they give to programs, what they believe, where they stop."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mirror.operation.model import (
    Ask,
    Await,
    Edit,
    Judge,
    Person,
    RemoveFile,
    RemoveItem,
    Run,
    Save,
)
from mirror.operation.wanted import IsReady
from mirror.secret import FromEnvironment, FromFile
from tests.mirror.shells import SHELLS, Shell, kubectl, plan_of, step
from tests.mirror.test_shell_lines import HOSTILE
from tests.processes import interrupted
from tests.terminals import on_terminal
from tests.tools import need

VERY_HOSTILE = [*HOSTILE, "two\nlines", "a 'quoted' \"word\"", "tab\there", "\x1b[31mred", "-", ""]
GO = Run(command=kubectl("go"))


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path / "at", SHELLS[request.param])


@pytest.fixture
def dash(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "at", SHELLS["dash"])


def test_whatever_words_hold_they_arrive_and_nothing_else_runs(shell: Shell) -> None:
    shell.program("sleep", "")
    words = [word.replace("touch pwned", f": > {shell.folder}/pwned") for word in VERY_HOSTILE]
    for word in words:
        environment = (("KOTS_X", word),)
        plan = plan_of(
            step(Person(instructions=word), name=word or "none", why=word, undo=word),
            step(Run(command=kubectl(word, f"--x={word}", environment=environment))),
            title=f"try {word}",
        )
        done = shell.run(plan, CONFIRMED=word or "none")
        assert done.returncode == 0, done.stderr
    assert shell.arguments() == [given for word in words for given in (word, f"--x={word}")]
    assert not (shell.folder / "pwned").exists()


def test_a_comment_cannot_be_ended_by_what_is_in_it(dash: Shell) -> None:
    plan = plan_of(step(GO), title=f"x\n: > {dash.folder}/pwned\r\x1b[2Jy")
    assert dash.run(plan).returncode == 0
    assert not (dash.folder / "pwned").exists()
    comments = [line for line in dash.script(plan).read_bytes().split(b"\n") if line[:1] == b"#"]
    assert not [line for line in comments if {*line} & {0x0D, 0x1B}], "nor can a terminal be fooled"


SECRET = 'pa"ss\\word $(x) `y` *'
SECRETS = (
    ("KOTS_A", FromEnvironment("REGISTRY_PASSWORD")),
    ("KOTS_B", FromEnvironment("secret_1")),
    ("KOTS_C", "open"),
)


def test_a_secret_is_given_by_environment_to_its_own_step_alone(shell: Shell) -> None:
    file = shell.folder / "a password"
    file.write_text(f"{SECRET}\r\n")
    given = (*SECRETS, ("KOTS_D", FromFile(str(file))))
    check = f'[ "$KOTS_A$KOTS_B$KOTS_C$KOTS_D" = "{SECRET}2open{SECRET}" ] || exit 3\n'.replace(
        SECRET, 'pa\\"ss\\\\word \\$(x) \\`y\\` *'
    )
    shell.program("kubectl", check)
    shell.environment = {"REGISTRY_PASSWORD": SECRET, "secret_1": "2", "KOTS_E": "forgotten"}
    done = shell.run(plan_of(step(Run(command=kubectl("x", environment=given)))))
    assert done.returncode == 0, done.stderr
    assert "KOTS_E" not in shell.given()
    assert "REGISTRY_PASSWORD" not in shell.given()
    assert (
        shell.run(
            plan_of(
                step(Run(command=kubectl("x", environment=given)), name="a"), step(GO, name="b")
            )
        ).returncode
        == 10
    )
    assert "KOTS_" not in shell.given()


def test_a_secret_is_not_shown_by_a_shell_that_tells_what_it_does(shell: Shell) -> None:
    shell.environment = {"REGISTRY_PASSWORD": SECRET, "secret_1": "s3cret"}
    shell.argv = [*shell.argv, "-x"]
    done = shell.run(plan_of(step(Run(command=kubectl("x", environment=SECRETS)))))
    assert done.returncode == 0
    assert "set +x" in done.stderr
    assert "s3cret" not in done.stderr
    assert SECRET[:6] not in done.stderr


def test_secrets_that_are_not_at_hand_are_all_named_before_the_first_step(shell: Shell) -> None:
    two, none = shell.folder / "two", shell.folder / "none"
    two.write_text(f"{SECRET}\n{SECRET}\n")
    given = (
        ("KOTS_A", FromEnvironment("UNSET")),
        ("KOTS_B", FromFile(str(two))),
        ("KOTS_C", FromFile(str(none))),
        ("KOTS_D", FromEnvironment("TWO")),
    )
    shell.environment = {"TWO": "1\n2"}
    done = shell.run(plan_of(step(GO), step(Run(command=kubectl("x", environment=given)))))
    assert done.returncode == 3
    assert "environment variable UNSET: nothing is there" in done.stderr
    assert f"file {two}: more than one line" in done.stderr
    assert f"file {none}: nothing is there" in done.stderr
    assert "environment variable TWO: more than one line" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert shell.calls() == 0


def test_what_a_program_says_of_a_secret_is_hidden(shell: Shell) -> None:
    shell.environment = {"REGISTRY_PASSWORD": SECRET, "secret_1": "s3cret"}
    spelled = json.dumps({"password": SECRET, "success": False})
    shell.answers(f"\x1b[?25l  \x1b[31muser:{SECRET}@host s3cret {SECRET}\x1b[0m\n{spelled}\n")
    command = kubectl("x", environment=SECRETS)
    done = shell.run(plan_of(step(Run(command=command, judge=Judge.ANSWER))))
    assert done.returncode == 10
    assert "user:***@host *** ***\n" in done.stdout
    said = done.stdout + done.stderr
    for hidden in (SECRET, json.dumps(SECRET)[1:-1], "s3cret", "\x1b"):
        assert hidden not in said
    assert 'failed: {"password": "***"' in done.stderr


def test_kots_asks_its_own_registry_without_a_proxy(shell: Shell) -> None:
    shell.environment = {"https_proxy": "http://proxy.example", "no_proxy": "example.org"}
    assert shell.run(plan_of(step(GO))).returncode == 0
    given = shell.given().replace('"', "'")
    assert "no_proxy='example.org,localhost,127.0.0.1'" in given
    assert "NO_PROXY='localhost,127.0.0.1'" in given


def test_a_failure_says_how_to_go_on_and_the_way_back(shell: Shell) -> None:
    shell.program("kubectl", '[ "$1" != no ] || exit 7')
    plan = plan_of(
        step(Run(command=kubectl("one")), name="first", undo="undo one"),
        step(Run(command=kubectl("two")), name="second"),
        step(Run(command=kubectl("no")), name="it's third", undo="undo three"),
        step(Run(command=kubectl("four")), name="last", undo="undo four"),
    )
    done = shell.run(plan)
    assert done.returncode == 10
    assert done.stderr.splitlines() == [
        "error: it's third: ended with exit code 7",
        "hint: its own words are above; run the same command again once the cause is gone",
        f"To go on with this step: START='it'\\''s third' sh {shell.folder}/operation.sh",
        (
            "Once it is done all the same, with the next one: "
            f"START='last' sh {shell.folder}/operation.sh"
        ),
        "To go back from here, the last step first:",
        "  it's third: undo three",
        "  first: undo one",
    ]
    again = shell.run(plan, START="it's third")
    assert again.stderr == done.stderr, "what was done before has its way back too"
    shell.program("kubectl", "")
    done = shell.run(plan, START="it's third")
    assert done.returncode == 0
    assert shell.arguments() == ["one", "two", "no", "no", "no", "four"]
    assert [line for line in done.stdout.splitlines() if line.startswith("[")] == [
        "[3/4] it's third: Try it.",
        "[4/4] last: Try it.",
    ]


def test_a_step_that_is_not_there_cannot_be_begun_with(shell: Shell) -> None:
    done = shell.run(plan_of(step(GO)), START="tri")
    assert done.returncode == 2
    assert shell.calls() == 0


def test_programs_are_looked_for_before_the_first_step(shell: Shell) -> None:
    (shell.bin / "sleep").unlink()
    if shell.argv[0] != "busybox":  # which has one of its own
        done = shell.run(plan_of(step(GO)))
        assert done.returncode == 10
        assert "sleep: not found on PATH" in done.stderr
        assert shell.calls() == 0
    (shell.bin / "kubectl").unlink()
    assert "not found on PATH" in shell.run(plan_of(step(GO))).stderr


def test_a_question_that_fails_ends_it(shell: Shell) -> None:
    shell.answers("[]", 1)
    for action in (
        Ask(command=kubectl("x")),
        Await(command=kubectl("x"), goal=IsReady(slug="h"), seconds=6),
        Await(command=kubectl("x"), goal=IsReady(slug="h"), seconds=0),
        Save(command=kubectl("x"), path=str(shell.folder / "kept")),
    ):
        done = shell.run(plan_of(step(action)))
        assert done.returncode == 10
        assert "ended with exit code 1" in done.stderr
    assert not (shell.folder / "kept").exists()


def test_an_answer_that_is_not_compared_is_not_shown(shell: Shell) -> None:
    shell.answers('{"data": {"password": "s3cret"}}')
    done = shell.run(plan_of(step(Ask(command=kubectl("get", "secret")))))
    assert done.returncode == 0
    assert "s3cret" not in done.stdout + done.stderr


def test_output_is_kept_for_its_owner(shell: Shell) -> None:
    shell.answers("one\n  two\\n\n")
    kept = shell.folder / "in here/kept"
    plan = plan_of(step(Save(command=kubectl("x"), path=str(kept))))
    done = shell.run(plan)
    assert done.returncode == 9
    assert "its folder is not there" in done.stderr
    kept.parent.mkdir()
    assert shell.run(plan).returncode == 0
    assert kept.read_text() == "one\n  two\\n\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_an_archive_that_is_not_there_is_not_handed_over(shell: Shell) -> None:
    archive = shell.folder / "harness.airgap"
    plan = plan_of(step(Run(command=kubectl("x"), handed=str(archive))))
    assert shell.run(plan).returncode == 5
    assert shell.calls() == 0
    archive.touch()
    assert shell.run(plan).returncode == 0


def test_a_file_that_a_person_has_to_delete_is_looked_for(shell: Shell) -> None:
    file = shell.folder / "old.yaml"
    file.touch()
    plan = plan_of(step(Edit(path=str(file), change=RemoveFile()), name="old"))
    assert shell.run(plan).returncode == 11
    done = shell.run(plan, CONFIRMED="old")
    assert done.returncode == 11
    assert "is still there" in done.stderr
    file.unlink()
    assert shell.run(plan).returncode == 0, "and nobody is asked for what is done"


def test_an_item_that_a_person_has_to_take_out_is_looked_for(shell: Shell) -> None:
    file = shell.folder / "kustomization.yaml"
    change = RemoveItem(key="patches", item="a b.yaml")
    plan = plan_of(step(Edit(path=str(file), change=change), name="edit"))
    assert shell.run(plan).returncode == 5
    file.write_text("patches:\n- a b.yaml")
    done = shell.run(plan)
    assert done.returncode == 11
    assert f"In {file}, take a b.yaml out of the list patches." in done.stderr
    assert shell.run(plan, CONFIRMED="edit").returncode == 0
    file.write_text("patches:\n- a.yaml\n")
    assert shell.run(plan).returncode == 0, "and nobody is asked for what is done"


BACKUP = plan_of(
    step(Person(instructions="Back it up:\n\n  kubectl kots backup"), name="backup"), step(GO)
)


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("YES", 0), ("n", 11), ("", 11)])
def test_a_person_is_asked_on_the_terminal(shell: Shell, typed: str, code: int) -> None:
    argv = [str(need(shell.argv[0])), *shell.argv[1:], str(shell.script(BACKUP))]
    with on_terminal(argv, shell.folder, {"PATH": str(shell.bin)}) as terminal:
        ended, _ = terminal.type(("Done? [y/N]: ", typed)).end()
    assert ended == code, terminal.shown
    assert "\n  kubectl kots backup\n" in terminal.shown
    assert shell.calls() == (0 if code else 1)


def test_without_a_terminal_it_says_how_to_confirm(shell: Shell) -> None:
    done = shell.run(BACKUP)
    assert done.returncode == 11
    assert "backup: not confirmed" in done.stderr
    assert "CONFIRMED='backup'" in done.stderr
    assert shell.run(BACKUP, CONFIRMED="x backup y").returncode == 0


def test_ctrl_c_says_where_it_was(shell: Shell) -> None:
    here = shell.folder / "here"
    shell.program("kubectl", f": > {here}\nexec {need('sleep')} 60")
    plan = plan_of(step(GO, undo="undo it"), step(GO, name="next"))
    argv = [str(need(shell.argv[0])), *shell.argv[1:], str(shell.script(plan))]
    log = shell.folder / "log"
    assert interrupted(argv, {"PATH": str(shell.bin)}, when=here, log=log) == 130
    said = log.read_text()
    assert "error: try: interrupted" in said
    assert "To go on with this step: START='try'" in said
    assert "  try: undo it" in said
    assert shell.calls() == 1
