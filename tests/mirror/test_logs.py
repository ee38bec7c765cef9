"""`airgap-mirror logs`: every container of every pod, whatever becomes of the others."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mirror.command import Command
from mirror.kots.outcome import Finished
from mirror.kube.kubectl_daily import LogOf
from mirror.upkeep.gather import gather
from mirror.upkeep.logs import Logs, path_of, plan_logs
from tests.disks import small_disk
from tests.fakes.kube_changes import pod
from tests.mirror.caretaker import PASSWORD, Caretaker
from tests.mirror.kots_world import FAKES, licence_text, read_site
from tests.processes import wait_for
from tests.real.product import command
from transfer.errors import StorageError

CRASHED = {"lastState": {"terminated": {"exitCode": 1}}, "restartCount": 3}
PULLING = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
LICENCE_ID = "licence-id-0815"
PODS = [
    pod("harness-manager-5d9", {"name": "manager"}, {"name": "sidecar", **CRASHED}),
    pod("mongodb-0", {"name": "mongodb", "state": {"terminated": {"exitCode": 0}}}),
    pod("ui-77c", {"name": "ui", **PULLING}),
    pod("kotsadm-0", {"name": "kotsadm"}),
    pod("elsewhere-0", {"name": "x"}, namespace="other"),
]


@pytest.fixture
def site(tmp_path: Path) -> Caretaker:
    one = Caretaker(tmp_path / "site", objects=PODS)
    text = licence_text("harness") + f"  licenseID: {LICENCE_ID}\n"
    (one.folder / "license.yaml").write_text(text)
    return one


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_container_has_its_file(site: Caretaker) -> None:
    out = site.folder / "logs"
    done = site.run("logs", "-o", out)
    assert done.stdout == f"5 logs in {out}\n"
    assert files(out) == {
        f"harness/{name}.log": f"2026-11-22T10:00:00Z log of {of}\n"
        for name, of in (
            ("harness-manager-5d9/manager", "harness-manager-5d9/manager"),
            ("harness-manager-5d9/sidecar", "harness-manager-5d9/sidecar"),
            ("harness-manager-5d9/sidecar.previous", "harness-manager-5d9/sidecar/previous"),
            ("kotsadm-0/kotsadm", "kotsadm-0/kotsadm"),
            ("mongodb-0/mongodb", "mongodb-0/mongodb"),
        )
    }
    assert "note: ui-77c/ui: waits (ImagePullBackOff); it has no log." in done.stderr
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*.log")} == {0o600}


def test_one_that_fails_does_not_stop_the_others(site: Caretaker) -> None:
    out = site.folder / "logs"
    site.run("logs", "-o", out)
    said = 'Error from server: Get "https://192.0.2.7:10250": dial tcp: i/o timeout'
    logs = {"mongodb-0/mongodb": [said], "kotsadm-0/kotsadm": "2026-11-23 new\n"}
    site.cluster.change(logs=logs)
    done = site.run("logs", "-o", out, code=11)
    assert "1 log of 5 could not be had; the others are written" in done.stderr
    assert said in done.stderr
    found = files(out)
    assert found["harness/kotsadm-0/kotsadm.log"] == "2026-11-23 new\n"
    assert found["harness/mongodb-0/mongodb.log"].endswith("log of mongodb-0/mongodb\n")
    site.cluster.change(logs={})
    site.run("logs", "-o", out)


def test_secrets_and_licence_ids_are_hidden(site: Caretaker) -> None:
    text = f"a {PASSWORD} b\nlicense {LICENCE_ID} and {json.dumps(PASSWORD)}\n"
    site.cluster.change(logs={"mongodb-0/mongodb": text})
    out = site.folder / "logs"
    site.run("logs", "-o", out)
    found = files(out)["harness/mongodb-0/mongodb.log"]
    assert found == 'a *** b\nlicense *** and "***"\n'


def test_since_and_namespaces_of_applications(site: Caretaker) -> None:
    site.write_site(site.text.replace("license-ng.yaml}", "license-ng.yaml, namespace: other}"))
    out = site.folder / "logs"
    site.run("logs", "-o", out, "--app", "harness-ng", "--since", "24h")
    assert list(files(out)) == ["other/elsewhere-0/x.log"]
    (asked,) = [call["argv"] for call in site.cluster.calls() if "logs" in call["argv"]]
    assert "--since=24h" in asked
    assert "--request-timeout=0" in asked  # a long log takes its time
    site.run("logs", "-o", out, "--output", "json")
    assert len(files(out)) == 6


@pytest.mark.parametrize("since", ["yesterday", "0s", "24"])
def test_a_duration_is_read_strictly(site: Caretaker, since: str) -> None:
    done = site.run("logs", "-o", site.folder / "logs", "--since", since, code=2)
    assert "expected a duration such as 24h" in done.stderr


def test_who_may_not_see_pods_is_told(site: Caretaker) -> None:
    said = "Error from server (Forbidden): pods is forbidden"
    site.cluster.change(refusals={"get pods": said})
    assert said in site.run("logs", "-o", site.folder / "logs", code=10).stderr
    assert not (site.folder / "logs").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"kube": {"server": None}},
        {"refusals": {"get pods": "error: You must be logged in to the server (Unauthorized)"}},
    ],
)
def test_a_cluster_that_does_not_let_us_in_is_told(
    site: Caretaker, changes: dict[str, Any]
) -> None:
    site.cluster.change(**changes)
    done = site.run("logs", "-o", site.folder / "logs", code=10)
    assert "hint: try kubectl get nodes" in done.stderr
    assert not (site.folder / "logs").exists()


@pytest.mark.parametrize("said", ['{"kind": "Status", "status": "Failure"}', "{}", "no JSON", ""])
def test_an_error_in_place_of_pods_is_no_answer(site: Caretaker, tmp_path: Path, said: str) -> None:
    program = tmp_path / "bin/kubectl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{said}'\n")
    program.chmod(0o755)
    site.environment["PATH"] = f"{program.parent}:{site.environment['PATH']}"
    done = site.run("logs", "-o", site.folder / "logs", code=10)
    assert "gave an answer that cannot be read" in done.stderr


def test_a_dry_run_asks_nothing(site: Caretaker) -> None:
    done = site.run("logs", "-o", site.folder / "logs", "--dry-run")
    assert "kubectl get pods" in done.stdout
    told = " ".join(done.stdout.replace("\\\n", "").split())
    assert "kubectl logs pod/POD --container=CONTAINER --timestamps" in told
    assert site.cluster.calls() == []


@pytest.mark.parametrize(
    ("log", "path"),
    [
        (LogOf(namespace="a", pod="b-0", container="c"), "a/b-0/c.log"),
        (LogOf(namespace="a", pod="b-0", container="c", previous=True), "a/b-0/c.previous.log"),
        (LogOf(namespace="a", pod="../b", container="c/d"), "a/_./b-/c_d-.log"),
        (LogOf(namespace="a", pod="b" * 253, container="c"), f"a/{'b' * 200}-/c.log"),
    ],
)
def test_names_of_files_are_harmless(log: LogOf, path: str) -> None:
    found = re.sub(r"-[0-9a-f]{8}(?=/|\.)", "-", path_of(log))
    assert found == path.replace("_./b-", "_._b-")


def test_a_disk_that_is_full_stops_it(tmp_path: Path) -> None:
    log = LogOf(namespace="harness", pod="p", container="c")
    logs = Logs(namespace="harness", found=(log, log))
    asked = []

    def listen(asked_for: Command, hear: Callable[[str], None]) -> Finished:
        asked.append(asked_for)
        for _ in range(2 << 10):
            hear("x" * 1024)
        return Finished(exit_code=0, stdout=(), stderr=())

    with small_disk(tmp_path / "disk", "1m") as disk:
        plan = plan_logs(read_site(), [logs], str(disk), None)
        with pytest.raises(StorageError, match="No space left on device"):
            gather(plan, listen, lambda _line: None)
        assert files(disk) == {}
    assert len(asked) == 1


def test_a_line_that_found_no_room_is_not_left_out_in_silence(tmp_path: Path) -> None:
    log = LogOf(namespace="harness", pod="p", container="c")
    logs = Logs(namespace="harness", found=(log,))

    with small_disk(tmp_path / "disk", "2m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(1 << 20))

        def listen(_asked: Command, hear: Callable[[str], None]) -> Finished:
            for _ in range(1500):
                hear("x" * 1023)
            ballast.unlink()  # there is room again, but lines are missing
            return Finished(exit_code=0, stdout=(), stderr=())

        plan = plan_logs(read_site(), [logs], str(disk), None)
        with pytest.raises(StorageError, match="No space left on device"):
            gather(plan, listen, lambda _line: None)
        assert files(disk) == {}


def test_memory_does_not_grow_with_a_log(site: Caretaker, tmp_path: Path) -> None:
    peaks = [_peak(site, tmp_path / str(size), size) for size in (1 << 20, 64 << 20)]
    assert peaks[1] - peaks[0] < 16 << 10  # KiB


def _peak(site: Caretaker, folder: Path, size: int) -> int:
    programs = folder / "bin"
    programs.mkdir(parents=True)
    line = "2026-11-22T10:00:00Z " + "x" * 200
    program = programs / "kubectl"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in logs) yes "{line}" | head -c {size}; exit 0;; esac\n'
        f'exec {FAKES}/kubectl "$@"\n'
    )
    program.chmod(0o755)
    path = f"{programs}:{site.environment['PATH']}"
    words = ("logs", "--site", site.site_file, "-o", folder / "out", "--quiet")
    process = subprocess.Popen(
        command("mirror", *words),
        env={**site.environment, "PATH": path},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    whole = [path.stat().st_size for path in (folder / "out").rglob("*.log")]
    assert len(whole) == 5
    assert min(whole) > size - 300
    return int(usage.ru_maxrss)


def test_ctrl_c_leaves_no_half_log(site: Caretaker, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    started = tmp_path / "started"
    program = programs / "kubectl"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in logs) echo half; : >{started}; exec sleep 60;; esac\n'
        f'exec {FAKES}/kubectl "$@"\n'
    )
    program.chmod(0o755)
    out, log = tmp_path / "out", tmp_path / "log"
    argv = command("mirror", "logs", "--site", site.site_file, "-o", out)
    environment = {**site.environment, "PATH": f"{programs}:{site.environment['PATH']}"}
    with log.open("wb") as stream:
        process = subprocess.Popen(argv, env=environment, stdout=stream, stderr=stream)
        try:
            wait_for(lambda: started.exists() or None, process, log)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
            process.wait()
    assert [path for path in out.rglob("*") if path.is_file()] == []
