"""Scripts of operations that only look, in every shell: they do what a run does, and tell it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mirror.operation import as_runbook
from tests.disks import small_disk
from tests.fakes.kube_changes import pod
from tests.mirror.kots_site import FILE_SECRETS, SECRETS
from tests.mirror.operations_daily import LICENCE_ID
from tests.mirror.operations_reading import FILES, READINGS, Console, Logs, Status, logs_in
from tests.mirror.script_runner import Somebody, calls
from tests.mirror.shells import SHELLS
from tests.mirror.stops import Stop, Stopped
from tests.mirror.test_operations import go, with_licences
from tests.mirror.test_script_traps import killing
from tests.processes import interrupted
from tests.tools import need

UNREACHABLE = "Unable to connect to the server: dial tcp 192.0.2.1:6443: i/o timeout"
FORBIDDEN = 'Error from server (Forbidden): pods is forbidden: User "ops" cannot list it'
ERROR = '{"error": "failed to list apps: unauthorized"}\n'


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return tuple(SHELLS[request.param])


@pytest.mark.parametrize("name", READINGS)
def test_each_shell_does_what_a_run_does(name: str, shell: tuple[str, ...], tmp_path: Path) -> None:
    operation = READINGS[name]
    ran = operation.stage(tmp_path / "run")
    go(operation, ran)
    somebody = staged(operation, tmp_path / "script", shell)
    done = somebody.go_on()
    assert done.returncode == 0, done.stderr
    operation.check(somebody.site)
    assert calls(somebody.site) == calls(ran)
    assert not [
        path for path in somebody.site.folder.rglob("*.jsonl") if path.name != "calls.jsonl"
    ]


def staged(operation: Any, folder: Path, shell: tuple[str, ...] = ("sh",)) -> Somebody:  # noqa: ANN401 - some operation
    site = operation.stage(folder)
    return Somebody(site, operation.dry(site), shell=shell)


def test_a_status_is_told_as_a_run_tells_it(shell: tuple[str, ...], tmp_path: Path) -> None:
    somebody = staged(Status(), tmp_path / "script", shell)
    done = somebody.run()
    site = Status().stage(tmp_path / "run")
    go(Status(), site)
    assert len(site.said) == 4
    assert done.stdout.splitlines()[1:-1] == site.said


STATUS_TRAPS: Mapping[str, Mapping[str, Any]] = {
    "the cluster does not answer": {"kube": {"server": None}},
    "no rights": {"refusals": {"get deployment/kotsadm": FORBIDDEN}},
    "a port-forward that is blocked": {"said": {"get apps": ["", 1]}},
    "an error with exit code 0": {"said": {"get apps": [ERROR, 0]}},
    "an error of one application with exit code 0": {"said": {"get versions": [ERROR, 0]}},
    "half an answer": {"said": {"get versions": ['[{"versionLabel": "7', 0]}},
}


@pytest.mark.parametrize("trap", STATUS_TRAPS)
def test_a_status_that_nobody_tells_is_none(trap: str, tmp_path: Path) -> None:
    somebody = staged(Status(), tmp_path / "script")
    somebody.site.cluster.change(**STATUS_TRAPS[trap])
    done = somebody.run()
    assert done.returncode == 10
    assert "error: status-harness: " in done.stderr
    assert "Done" not in done.stdout


def test_progress_before_an_answer_is_no_answer(shell: tuple[str, ...], tmp_path: Path) -> None:
    somebody = staged(Status(), tmp_path / "script", shell)
    text = '  • Waiting for Admin Console to be ready {1}\n[{"slug": "x", "state": "ready"}]\n'
    somebody.site.cluster.change(said={"get apps": [text, 0], "get versions": ["  • Go\n[]\n", 0]})
    done = somebody.run()
    assert done.returncode == 0, done.stderr
    assert "  x: nothing deployed, ready\n" in done.stdout


def test_a_namespace_without_a_console_is_told_of(tmp_path: Path) -> None:
    somebody = staged(Status(), tmp_path / "script")
    somebody.site.cluster.change(namespaces={})
    done = somebody.run()
    assert done.returncode == 0
    assert "namespace harness: no admin console\n" in done.stdout
    assert len(somebody.site.cluster.calls()) == 1


def test_the_console_is_the_script_itself_until_ctrl_c(
    shell: tuple[str, ...], tmp_path: Path
) -> None:
    somebody = staged(Console(), tmp_path / "script", shell)
    somebody.site.cluster.change(traps={})
    log, hangs = tmp_path / "log", Path(somebody.site.environment["FAKE_HANGS"])
    interrupted(
        [need(shell[0]), *shell[1:], somebody.script],
        {**somebody.site.environment, "PATH": str(somebody.folder)},
        when=hangs,
        log=log,
    )
    assert "Go to http://localhost:8800 to access" in log.read_text()
    assert "Cleaning up" in log.read_text()


@pytest.mark.parametrize(("trap", "code"), [("timeout", 1), ("dropped", 255)])
def test_a_way_that_is_not_there_ends_the_script_as_it_ends(
    trap: str, code: int, tmp_path: Path
) -> None:
    somebody = staged(Console(), tmp_path / "script")
    somebody.site.cluster.change(traps={"admin-console": trap})
    assert somebody.run().returncode == code


def test_what_is_secret_is_hidden_in_logs(shell: tuple[str, ...], tmp_path: Path) -> None:
    site = with_licences(Logs().stage(tmp_path / "script"))
    password, shared = SECRETS["REGISTRY_PASSWORD"], FILE_SECRETS["console password"]
    spelled = password.replace('"', '\\"')
    text = f"a {password} b {shared}\nc {spelled} d {LICENCE_ID}\n{LICENCE_ID}{password}*\n"
    site.cluster.change(logs={"mongodb-0/mongodb": text})
    somebody = Somebody(site, Logs().dry(site), shell=shell)
    done = somebody.go_on()
    assert done.returncode == 0, done.stderr
    found = logs_in(site.folder / "logs")["harness_mongodb-0_mongodb.log"]
    assert found == "a *** b ***\nc *** d ***\n*******\n"
    assert "What is secret is hidden only as it is and as JSON has it" in done.stdout
    assert "Not at hand" not in done.stdout


def test_what_cannot_be_hidden_is_said(tmp_path: Path) -> None:
    somebody = staged(Logs(), tmp_path / "script")
    somebody.site.etc.joinpath("license.yaml").unlink()
    somebody.site.etc.joinpath("console password").unlink()
    done = somebody.go_on()
    assert done.returncode == 0, done.stderr
    said = done.stdout.partition("Not at hand, and so not hidden:\n")[2]
    etc = somebody.site.etc
    assert f"  file {etc}/console password\n" in said
    assert f"  ID and signature in {etc}/license.yaml\n" in said
    assert "REGISTRY_PASSWORD" not in said
    runbook = as_runbook(somebody.plan)
    assert "Nothing is hidden in what kubectl prints: look for passwords" in runbook


def test_one_log_that_fails_does_not_stop_the_others(
    shell: tuple[str, ...], tmp_path: Path
) -> None:
    somebody = staged(Logs(), tmp_path / "script", shell)
    folder = somebody.site.folder / "logs"
    somebody.go_on()
    said = 'Error from server: Get "https://192.0.2.7:10250": dial tcp: i/o timeout'
    changed = {"harness-manager-5d9/manager": [said], "mongodb-0/mongodb": "new\n"}
    somebody.site.cluster.change(logs=changed)
    done = somebody.run()
    assert done.returncode == 11
    assert "1 of 6 logs could not be had; the others are written" in done.stderr
    assert said in done.stderr
    kept = FILES["harness_harness-manager-5d9_manager.log"]
    assert logs_in(folder) == {
        **FILES,
        "harness_harness-manager-5d9_manager.log": kept,
        "harness_mongodb-0_mongodb.log": "new\n",
    }
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


LOGS_TRAPS: Mapping[str, Mapping[str, Any]] = {
    "the cluster does not answer": {"kube": {"server": None}},
    "no rights": {"refusals": {"get pods": FORBIDDEN}},
}


@pytest.mark.parametrize("trap", LOGS_TRAPS)
def test_who_may_not_see_pods_gets_no_log(trap: str, tmp_path: Path) -> None:
    somebody = staged(Logs(), tmp_path / "script")
    somebody.site.cluster.change(**LOGS_TRAPS[trap])
    done = somebody.go_on()
    assert done.returncode == 10
    assert (UNREACHABLE if "kube" in LOGS_TRAPS[trap] else FORBIDDEN) in done.stderr
    assert logs_in(somebody.site.folder / "logs") == {}


def test_an_error_in_place_of_pods_is_no_answer(tmp_path: Path) -> None:
    somebody = staged(Logs(), tmp_path / "script")
    for text in ('{"kind": "Status", "status": "Failure"}', "{}", "", "no JSON"):
        somebody.programs(before=f"printf '%s\\n' '{text}'; exit 0")
        done = somebody.go_on()
        assert done.returncode == 10
        assert "gave an answer that cannot be read" in done.stderr


def test_containers_are_found_whatever_is_beside_them(
    shell: tuple[str, ...], tmp_path: Path
) -> None:
    site = Logs().stage(tmp_path / "script")
    one = pod("a.b-0", {"name": "main"}, {"name": "last"})
    one["spec"]["initContainers"] = [{"name": "first", "env": [{"name": "not-me", "value": "x"}]}]
    one["spec"]["ephemeralContainers"] = [{"name": "debug"}, {"name": "unknown"}]
    over = {"terminated": {"exitCode": 0}}
    one["status"]["initContainerStatuses"] = [{"name": "first", "state": over}]
    one["status"]["ephemeralContainerStatuses"] = [{"state": {"terminated": {}}, "name": "debug"}]
    one["status"]["ephemeralContainerStatuses"][0]["state"] = over
    one["spec"]["volumes"] = [{"name": "not-me-either"}]
    one["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "nor-me"}]
    site.cluster.change(objects=[one], logs={})
    somebody = Somebody(site, Logs().dry(site), shell=shell)
    done = somebody.go_on()
    assert done.returncode == 0, done.stderr
    asked = [call["argv"][2:4] for call in site.cluster.calls()[1:]]
    names = ("first", "main", "last", "debug")
    assert asked == [["pod/a.b-0", f"--container={name}"] for name in names]
    assert "  note: a.b-0/unknown: waits (not started); it has no log.\n" in done.stdout
    assert "not-me" not in done.stdout
    assert "nor-me" not in done.stdout


def test_a_log_of_an_odd_name_is_not_written(tmp_path: Path) -> None:
    site = Logs().stage(tmp_path / "script")
    site.cluster.change(objects=[pod("../up", {"name": "x"}), pod(".hid", {"name": "x"})], logs={})
    somebody = Somebody(site, Logs().dry(site))
    done = somebody.go_on()
    assert done.returncode == 11
    assert "2 of 2 logs could not be had" in done.stderr
    assert logs_in(site.folder / "logs") == {}
    assert not list(site.folder.glob("*.log"))


def test_a_full_disk_leaves_no_half_log(shell: tuple[str, ...], tmp_path: Path) -> None:
    site = Logs().stage(tmp_path / "script")
    site.cluster.change(logs={"mongodb-0/mongodb": f"{'x' * 99}\n" * 20_000})
    with small_disk(site.folder / "logs", "1m") as disk:
        done = Somebody(site, Logs().dry(site), shell=shell).run()
        assert done.returncode == 9
        assert "harness_mongodb-0_mongodb.log: cannot be written" in done.stderr
        assert (disk / "harness_mongodb-0_mongodb.log").stat().st_size == 0


@pytest.mark.parametrize("at", range(1, len(FILES) + 2))
def test_a_script_for_logs_that_is_killed_is_ended_by_the_same_command(
    at: int, tmp_path: Path
) -> None:
    somebody = staged(Logs(), tmp_path / "script")
    (somebody.site.folder / "logs").mkdir()
    somebody.programs(before=killing(somebody.site.folder / "calls", at))
    assert somebody.run().returncode == -signal.SIGKILL
    found = logs_in(somebody.site.folder / "logs")
    assert len(found) == max(at - 2, 0)
    assert found.items() <= FILES.items(), "what is there is whole"
    somebody.programs()
    assert somebody.run().returncode == 0
    Logs().check(somebody.site)


def test_ctrl_c_in_the_middle_of_a_log_leaves_nothing_of_it(
    shell: tuple[str, ...], tmp_path: Path
) -> None:
    somebody = staged(Logs(), tmp_path / "script", shell)
    (somebody.site.folder / "logs").mkdir()
    here, log = tmp_path / "here", tmp_path / "log"
    half = f"case $* in *=mongodb\\ *) echo half; : >{here}; exec {need('sleep')} 60;; esac"
    somebody.programs(before=half)
    assert (
        interrupted(
            [need(shell[0]), *shell[1:], somebody.script],
            {**somebody.site.environment, "PATH": str(somebody.folder)},
            when=here,
            log=log,
        )
        == 130
    )
    assert "START='logs-harness'" in log.read_text()
    found = logs_in(somebody.site.folder / "logs")
    assert len(found) == 3
    assert "harness_mongodb-0_mongodb.log" not in found
    somebody.programs()
    assert somebody.run().returncode == 0
    Logs().check(somebody.site)


def test_a_run_for_logs_that_is_stopped_leaves_whole_ones(tmp_path: Path) -> None:
    for at in range(1, len(FILES) + 2):
        site = Logs().stage(tmp_path / str(at))
        site.here = True
        with pytest.raises(Stopped):
            go(Logs(), site, Stop(at=at))
        found = logs_in(site.folder / "logs")
        assert len(found) == max(at - 2, 0)
        assert found.items() <= FILES.items()
