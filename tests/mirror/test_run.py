"""A run: steps in their order, noted, and advice where one fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirror.operation import Plan, run
from mirror.operation.journal import Event
from mirror.operation.model import Ask, Edit, Person, RemoveFile, Run, Save, Step
from mirror.secret import FromEnvironment, FromFile
from tests.mirror.kots_site import KotsSite, Notes
from tests.mirror.kots_world import KOTS, namespace
from tests.mirror.shells import kubectl, plan_of, step
from transfer.errors import Incomplete, InvalidInput, StorageError, ToolError

GOOD = kubectl("version", "--client", "--output=json")
BAD = kubectl("nonsense")


@pytest.fixture
def site(tmp_path: Path) -> KotsSite:
    found = KotsSite(tmp_path / "site", ())
    found.here = True
    return found


def go(site: KotsSite, *steps: Step) -> tuple[str, ...]:
    return run(site.site, plan_of(*steps), site.hands())


def person(name: str = "backup", *, recorded: bool = True, undo: str = "") -> Step:
    found = step(Person(instructions="Back it up."), name=name, undo=undo)
    return replace(found, recorded=recorded)


def test_steps_are_told_noted_and_taken_in_their_order(site: KotsSite) -> None:
    site.confirmed.add("backup")
    assert go(site, person(), step(Run(command=GOOD), name="look", why="Look.")) == ()
    assert site.said == ["[1/2] Try it.", "[2/2] Look."]
    assert site.journal.lines == [
        ("began", "backup"),
        ("done", "backup"),
        ("began", "look"),
        ("done", "look"),
        ("ended", ""),
    ]


def test_what_was_done_before_something_was_done_anew_counts_no_more(site: KotsSite) -> None:
    change, data = step(Run(command=GOOD), name="install"), person("migrate")
    site.confirmed.add("migrate")
    with pytest.raises(ToolError):
        go(site, change, data, step(Run(command=BAD), name="add"))
    site.confirmed.clear()
    go_on = (data, step(Run(command=GOOD), name="add"))
    with pytest.raises(Incomplete, match="migrate: not confirmed"):
        go(site, change, *go_on)
    go(site, *go_on)  # without the change, the data is there still


def test_questions_were_asked_for_the_plan(site: KotsSite) -> None:
    go(site, step(Ask(command=BAD)), step(Run(command=GOOD), name="b"))
    assert len(site.cluster.calls()) == 1
    assert site.said == ["[1/1] Try it."]


def test_output_is_kept_for_its_owner(site: KotsSite) -> None:
    path = site.folder / "made/here/pods.json"
    site.cluster.change(namespaces={"harness": namespace(KOTS)})
    command = kubectl("get", "deployments", "--namespace=harness", "--output=json")
    go(site, step(Save(command=command, path=str(path))))
    assert '"kind": "List"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_kept_of_a_command_that_fails(site: KotsSite) -> None:
    path = site.folder / "kept"
    with pytest.raises(ToolError, match="ended with exit code 1"):
        go(site, step(Save(command=BAD, path=str(path))))
    assert not path.exists()


def test_what_is_kept_replaces_what_was_kept_whole_or_not_at_all(site: KotsSite) -> None:
    path = site.folder / "kept"
    path.write_text("before")
    with pytest.raises(ToolError):
        go(site, step(Save(command=BAD, path=str(path))))
    assert path.read_text() == "before"
    go(site, step(Save(command=GOOD, path=str(path))))
    assert "clientVersion" in path.read_text()
    assert [found.name for found in path.parent.glob("kept*")] == ["kept"]


def test_a_folder_that_cannot_be_made(site: KotsSite) -> None:
    (site.folder / "file").touch()
    with pytest.raises(StorageError) as caught:
        go(site, step(Save(command=GOOD, path=str(site.folder / "file/kept"))))
    assert caught.value.exit_code == 9


def test_a_person_who_has_not_confirmed_is_told_how_to(site: KotsSite) -> None:
    site.confirmed.clear()
    with pytest.raises(Incomplete, match="backup: not confirmed") as caught:
        go(site, person(), step(Run(command=GOOD), name="next"))
    assert caught.value.exit_code == 11
    assert "--confirmed backup" in str(caught.value.hint)
    assert site.cluster.calls() == []
    assert site.journal.lines == [("began", "backup"), ("failed", "backup")]


def test_what_is_recorded_is_not_done_again_until_the_run_has_ended(site: KotsSite) -> None:
    site.confirmed.add("backup")
    steps = (person(), step(Run(command=BAD), name="next"))
    for _ in range(2):
        with pytest.raises(ToolError):
            go(site, *steps)
    assert site.said.count("  done before") == 1
    assert site.journal.lines.count(("began", "backup")) == 1
    assert len(site.cluster.calls()) == 2, "and what is not recorded is"
    go(site, person())
    go(site, person())
    assert site.journal.lines.count(("began", "backup")) == 2, "an ended run counts no more"


def test_a_person_is_asked_again_where_it_is_not_recorded(site: KotsSite) -> None:
    site.confirmed.add("backup")
    for _ in range(2):
        with pytest.raises(ToolError):
            go(site, person(recorded=False), step(Run(command=BAD), name="next"))
    assert site.journal.lines.count(("began", "backup")) == 2


def test_a_failure_is_followed_by_the_way_back(site: KotsSite) -> None:
    with pytest.raises(ToolError):
        go(
            site,
            step(Run(command=GOOD), name="one", undo="undo one"),
            step(Run(command=GOOD), name="two"),
            step(Run(command=BAD), name="three", undo="undo three"),
            step(Run(command=GOOD), name="four", undo="undo four"),
        )
    assert site.said[-3:] == [
        "To go back from here, the last step first:",
        "  three: undo three",
        "  one: undo one",
    ]
    assert site.journal.lines[-1] == ("failed", "three")


def test_nothing_is_said_of_a_way_back_where_nothing_was_changed(site: KotsSite) -> None:
    with pytest.raises(ToolError):
        go(site, step(Run(command=BAD)))
    assert not [line for line in site.said if "go back" in line]


def test_secrets_are_looked_for_before_the_first_step(site: KotsSite) -> None:
    environment = (
        ("KOTS_A", FromEnvironment("NOT_SET")),
        ("KOTS_B", FromFile(str(site.folder / "none"))),
    )
    late = step(Run(command=kubectl("x", environment=environment)), name="late")
    with pytest.raises(InvalidInput) as caught:
        go(site, step(Run(command=GOOD)), late)
    assert len(caught.value.faults) == 2
    assert site.cluster.calls() == []
    assert site.journal.lines == []


class Full(Notes):
    """A journal on a disk that is full from its second note on."""

    def note(self, event: Event, found: Step) -> None:
        if self.lines:
            raise StorageError("journal: No space left on device")
        super().note(event, found)


def test_a_journal_that_cannot_be_written_does_not_hide_why_a_step_failed(site: KotsSite) -> None:
    plan = plan_of(step(Run(command=BAD), undo="undo it"))
    with pytest.raises(ToolError, match="exit code 1"):
        run(site.site, plan, replace(site.hands(), journal=Full()))
    assert site.said[-1] == "  try: undo it"


def test_a_step_that_cannot_be_noted_stops_the_run(site: KotsSite) -> None:
    plan = plan_of(step(Run(command=GOOD), name="one"), step(Run(command=GOOD), name="two"))
    with pytest.raises(StorageError, match="No space"):
        run(site.site, plan, replace(site.hands(), journal=Full()))
    assert len(site.cluster.calls()) == 1, "nothing is done that is not on record"


def test_an_edit_is_made_once_however_often_it_is_made(site: KotsSite) -> None:
    path = site.folder / "old.yaml"
    path.touch()
    for _ in range(2):
        go(site, step(Edit(path=str(path), change=RemoveFile())))
        assert not path.exists()


def test_a_plan_without_work_does_nothing(site: KotsSite) -> None:
    plan = Plan(title="nothing", steps=())
    assert run(site.site, plan, site.hands()) == ()
    assert site.journal.lines == [("ended", "")]
