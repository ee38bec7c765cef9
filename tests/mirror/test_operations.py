"""What holds for every operation: each of `operations.OPERATIONS` goes through all of it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from mirror.operation import Plan, Step, as_json, as_script, run
from mirror.operation.model import Assemble, Edit, Person, Run, Save
from tests.mirror.golden import FOLDER, shown
from tests.mirror.kots_site import FILE_SECRETS, KotsSite, Notes, secret_values
from tests.mirror.operations import DONE_AGAIN, OPERATIONS, Operation, Reading
from tests.mirror.operations_daily import LICENCE_ID
from tests.mirror.script_runner import Somebody, calls, saved_lines
from tests.mirror.shells import SHELLS
from tests.mirror.stops import Stop, Stopped, journal_at
from tests.tools import need
from transfer.fields import dump_json

SHELL_OF = dict(zip(OPERATIONS, cycle(SHELLS.values()), strict=False))
"""A shell for each operation, so that all of them get their share."""


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("ending", ["txt", "sh", "md"])
def test_a_plan_reads_as_it_was_reviewed(name: str, ending: str) -> None:
    expected = (FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
    found = shown(OPERATIONS[name].shown())[ending]
    assert found == expected, "python -m tests.mirror.operations writes it anew"


def test_no_golden_file_is_left_over() -> None:
    found = {path.name for path in FOLDER.iterdir() if path.suffix != ".txt"}
    assert found == {f"{name}.{ending}" for name in OPERATIONS for ending in ("sh", "md")}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_can_read_the_script(operation: Operation, shell: str) -> None:
    program, *options = SHELLS[shell]
    script = as_script(operation.shown())
    subprocess.run([need(program), *options, "-n"], input=script, text=True, check=True)


def everything(site: KotsSite) -> str:
    """The cluster, the same whatever folder the site is in."""
    return json.dumps(site.cluster.load(), sort_keys=True).replace(str(site.folder), "")


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_script_does_what_a_run_does_and_neither_shows_a_secret(
    name: str, tmp_path: Path
) -> None:
    operation = OPERATIONS[name]
    ran = with_licences(operation.stage(tmp_path / "run"))
    _, asked = go(operation, ran)
    operation.check(ran)
    assert_unseen(ran, ran.said)
    site = with_licences(operation.stage(tmp_path / "script"))
    plan = operation.dry(site)
    somebody = Somebody(site, plan, shell=SHELL_OF[name])
    done = somebody.go_on()
    assert done.returncode == 0, done.stderr
    operation.check(site)
    assert_unseen(site, [*somebody.said, *shown(plan).values(), dump_json(as_json(plan))])
    assert calls(site, without=plan) == calls(ran, asked)
    assert everything(site) == everything(ran)
    for step in plan.steps:
        if isinstance(step.action, Save):
            path = Path(step.action.path)
            twin = ran.folder / path.relative_to(site.folder)
            assert path.exists() is twin.exists()
            if path.exists():
                assert saved_lines(str(path), site.folder) == saved_lines(str(twin), ran.folder)


DECRYPTED = "ENCRYPTED"
"""What the fake console keeps in base64: its way to encrypt."""


def with_licences(site: KotsSite) -> KotsSite:
    """The same site, with something in its licences that nobody may see."""
    for path in site.etc.glob("license*.yaml"):
        path.write_text(f"{path.read_text()}  licenseID: {LICENCE_ID}\n")
    return site


def assert_unseen(site: KotsSite, said: Sequence[str]) -> None:
    """No secret is in arguments, in output, or in a file that was not there before."""
    told = [*said, *(str(call["argv"]) for call in site.cluster.calls())]
    given = {"license.yaml", "license-ng.yaml", "renewed.yaml", *FILE_SECRETS}
    written = (path for path in site.folder.rglob("*") if path.is_file())
    others = (path for path in written if path.name not in given and path != site.cluster.file)
    told += [path.read_bytes().decode(errors="replace") for path in others]
    assert not [text for text in told if DECRYPTED in text]
    for secret in (LICENCE_ID, *secret_values()):
        encoded = base64.b64encode(secret.encode()).decode()
        for spelled in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), encoded):
            assert not [text for text in told if spelled in text]


class Went(NamedTuple):
    """A run."""

    plan: Plan
    asked: int
    """How many calls the plan took."""


def go(operation: Operation, site: KotsSite, stop: Stop | None = None) -> Went:
    """Plan and run with the real journal, until it is stopped."""
    stop = stop or Stop(at=0)
    if isinstance(operation, Reading):
        operation.read(site, stop.hands(site.hands(), Notes()))
        return Went(operation.dry(site), 0)
    planned = operation.planned(site, site.hands().ask)
    asked = len(site.cluster.calls())
    site.confirmed |= {step.name for step in planned.steps}
    with journal_at(site.folder / "journal.jsonl", planned.title) as journal:
        run(site.site, planned, stop.hands(site.hands(), journal))
    return Went(planned, asked)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_run_stopped_anywhere_is_ended_by_the_same_command(name: str, tmp_path: Path) -> None:
    operation = OPERATIONS[name]
    whole = staged(operation, tmp_path / "whole")
    never = Stop(at=0)
    recorded = {step.name for step in go(operation, whole, never).plan.steps if step.recorded}
    for at in range(1, never.moments + 1):
        site = staged(operation, tmp_path / str(at))
        with pytest.raises(Stopped):
            go(operation, site, Stop(at=at))
        go(operation, site)
        operation.check(site)
        journal = site.folder / "journal.jsonl"
        assert journal.exists() is not isinstance(operation, Reading)
        assert not journal.exists() or not taken_again(journal, recorded), at
        if name in DONE_AGAIN:
            before = everything(site)
            go(operation, site)
            assert everything(site) == before
            operation.check(site)
        else:
            again = operation.planned(site, site.hands().ask)
            assert not [step.name for step in again.work if is_change(step)], "nothing is left"
        shutil.rmtree(site.folder)


def staged(operation: Operation, folder: Path) -> KotsSite:
    """A site whose programs are quick."""
    site = operation.stage(folder)
    site.here = True
    return site


def is_change(step: Step) -> bool:
    """Whether it does more than to look."""
    return isinstance(step.action, Run | Assemble | Edit | Person)


def taken_again(journal: Path, recorded: set[str]) -> list[str]:
    """Those of the recorded steps that were begun once more although they were done."""
    done: set[str] = set()
    again = []
    for line in journal.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["event"] == "began" and entry["digest"] in done and entry["step"] in recorded:
            again.append(entry["step"])
        if entry["event"] == "done":
            done.add(entry["digest"])
        if entry["event"] == "ended":
            done.clear()
    return again
