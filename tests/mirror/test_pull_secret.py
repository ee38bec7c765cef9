"""A cluster's pull secrets, once the password of the registry has changed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mirror.command import Command
from mirror.kots.outcome import Finished
from mirror.kube.pullsecret import Puller, outdated
from mirror.operation import Plan, as_json, as_text
from mirror.secret import Secret
from tests.fakes.cluster import pull_secret
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    MONTHLY,
    OLD_KOTS,
    PUSHER,
    install_order,
    namespace,
    running,
    upgrade_order,
)
from transfer.contents import ArchiveRecord
from transfer.errors import Incomplete, PolicyError, ToolError

HOST = "registry.dc-north.example:5000"
OLD = ("pusher", "the password of last year")
CONSOLE = "kotsadm-private-registry"
COMMAND = Command(argv=("kubectl", "get", "secrets"))
PULLER = Puller(host=HOST, username=PUSHER[0], password=Secret(PUSHER[1]))


def changed(folder: Path, *records: ArchiveRecord, version: str = KOTS) -> KotsSite:
    """A site whose cluster still has the password of last year."""
    site = KotsSite(folder, records or MONTHLY)
    found = namespace(version, login=OLD, harness=running("80307", 418))
    site.cluster.change(namespaces={"harness": found})
    return site


def secrets(site: KotsSite) -> dict[str, Any]:
    return dict(site.cluster.load()["namespaces"]["harness"]["secrets"])


def changes(plan: Plan) -> list[str]:
    return [step.name for step in plan.work]


def test_kots_itself_never_changes_the_pull_secret(tmp_path: Path) -> None:
    site = changed(tmp_path, version=OLD_KOTS)
    planned, _ = site.carry_out(upgrade_order(console_only=True))
    command = next(step.command for step in planned.work if step.name == "upgrade-console")
    assert command is not None
    state = site.cluster.load()
    state["namespaces"]["harness"]["secrets"][CONSOLE] = pull_secret(HOST, *OLD)
    site.cluster.save(state)
    site.runner()(command)
    assert secrets(site)[CONSOLE] == pull_secret(HOST, *OLD)


@pytest.mark.parametrize("version", [OLD_KOTS, KOTS])
def test_a_pull_secret_that_fits_no_more_is_made_anew(version: str, tmp_path: Path) -> None:
    site = changed(tmp_path, version=version)
    planned, _ = site.carry_out(upgrade_order(only="harness"))
    assert changes(planned)[-3:] == ["delete-pull-secret", "upgrade-console", "console-is-up"]
    assert secrets(site) == {CONSOLE: pull_secret(HOST, *PUSHER)}
    again, achieved = site.carry_out(upgrade_order(only="harness"))
    assert changes(again) == []
    assert achieved == ()


def test_an_interruption_between_the_two_is_made_good(tmp_path: Path) -> None:
    site = changed(tmp_path)
    state = site.cluster.load()
    state["namespaces"]["harness"]["secrets"] = {}
    site.cluster.save(state)
    site.carry_out(upgrade_order(only="harness"))
    assert secrets(site) == {CONSOLE: pull_secret(HOST, *PUSHER)}


def test_the_settings_of_an_application_only_a_person_can_change(tmp_path: Path) -> None:
    site = changed(tmp_path)
    state = site.cluster.load()
    state["namespaces"]["harness"]["secrets"]["harness-registry"] = pull_secret(HOST, *OLD)
    site.cluster.save(state)
    with pytest.raises(Incomplete, match="registry-settings: not confirmed"):
        site.carry_out(upgrade_order(only="harness"))
    assert secrets(site)[CONSOLE] == pull_secret(HOST, *OLD)
    site.confirmed.add("registry-settings")
    planned, _ = site.carry_out(upgrade_order(only="harness"))
    assert "Disable Pushing Images" in as_text(planned)
    assert secrets(site)[CONSOLE] == pull_secret(HOST, *PUSHER)


def test_nothing_is_added_to_a_console_that_cannot_pull(tmp_path: Path) -> None:
    site = changed(tmp_path, FIRST[0], FIRST[2])
    with pytest.raises(PolicyError, match="has another user or password than the site file") as e:
        site.carry_out(install_order(only="harness-ng"))
    assert "upgrade … --console-only" in str(e.value.hint)


def test_a_console_that_is_left_alone_is_told_of(tmp_path: Path) -> None:
    site = changed(tmp_path)
    planned, _ = site.carry_out(upgrade_order(only="harness", skip_console=True))
    assert changes(planned) == []
    assert any("leave --skip-console out" in note for note in planned.notes)


def test_neither_password_is_seen_anywhere(tmp_path: Path) -> None:
    site = changed(tmp_path)
    planned, _ = site.carry_out(upgrade_order(only="harness"))
    shown = as_text(planned) + json.dumps(as_json(planned)) + "\n".join(site.said)
    calls = json.dumps([call["argv"] for call in site.cluster.calls()])
    for password in (OLD[1], PUSHER[1]):
        for user in ("", "pusher:"):
            text = user + password
            for spelling in (text, base64.b64encode(text.encode()).decode()):
                assert spelling not in shown + calls + str(site.journal.lines)
    assert PUSHER[1] not in repr(PULLER)


def answer(value: object) -> Finished:
    return Finished(exit_code=0, stdout=(json.dumps(value),), stderr=())


def secret(name: str, config: object) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(config).encode()).decode()
    return {"kind": "Secret", "metadata": {"name": name}, "data": {".dockerconfigjson": data}}


def auth(text: str, host: str = HOST) -> dict[str, Any]:
    return {"auths": {host: {"auth": base64.b64encode(text.encode()).decode()}}}


def test_one_secret_and_several_are_read() -> None:
    fits, old = auth(":".join(PUSHER)), auth("pusher:old")
    assert outdated(answer(secret(CONSOLE, fits)), COMMAND, PULLER) == frozenset()
    both = {"kind": "List", "items": [secret(CONSOLE, fits), secret("harness-registry", old)]}
    assert outdated(answer(both), COMMAND, PULLER) == {"harness-registry"}
    assert outdated(answer(secret("harness-registry", fits)), COMMAND, PULLER) == {CONSOLE}
    elsewhere = secret(CONSOLE, auth(":".join(PUSHER), "registry.other"))
    assert outdated(answer(elsewhere), COMMAND, PULLER) == {CONSOLE}


@pytest.mark.parametrize("data", [None, {}, {"tls.crt": "YQ=="}])
def test_a_secret_of_another_kind_has_nothing_for_the_registry(data: object) -> None:
    other = {"kind": "Secret", "metadata": {"name": CONSOLE}, "data": data}
    assert outdated(answer(other), COMMAND, PULLER) == {CONSOLE}


@pytest.mark.parametrize(
    "lines",
    [
        ("pusher:s3cret",),
        (json.dumps({"kind": "List", "items": ["s3cret"]}),),
        (json.dumps(secret(CONSOLE, ["s3cret"])),),
        (json.dumps(secret(CONSOLE, {"auths": {HOST: {"auth": "s3cret*"}}})),),
    ],
)
def test_an_answer_that_cannot_be_read_is_not_repeated(lines: tuple[str, ...]) -> None:
    with pytest.raises(ToolError, match="cannot be read") as caught:
        outdated(Finished(exit_code=0, stdout=lines, stderr=()), COMMAND, PULLER)
    assert "s3cret" not in str(caught.value)
    failed = Finished(exit_code=1, stdout=lines, stderr=("Forbidden",))
    with pytest.raises(ToolError, match="Forbidden") as caught:
        outdated(failed, COMMAND, PULLER)
    assert "s3cret" not in str(caught.value)
