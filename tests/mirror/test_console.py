"""`airgap-mirror console`: the address is told, and Ctrl-C is the way to end it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.mirror.caretaker import PASSWORD, Caretaker
from tests.processes import wait_for
from tests.real.product import command


@pytest.fixture
def site(tmp_path: Path) -> Caretaker:
    return Caretaker(tmp_path / "site")


def test_the_console_is_open_until_ctrl_c(site: Caretaker) -> None:
    argv = command("mirror", "console", "--site", site.site_file, "--port", "8805")
    hangs, log, out = Path(site.environment["FAKE_HANGS"]), site.folder / "log", site.folder / "out"
    with log.open("wb") as stream, out.open("wb") as told:
        process = subprocess.Popen(argv, env=site.environment, stdout=told, stderr=stream)
        try:
            wait_for(lambda: (hangs.exists() and out.read_text()) or None, process, log)
            assert out.read_text() == "http://localhost:8805\n"
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()
    assert log.read_text() == "Ctrl-C closes it.\n  • Cleaning up\nclosed\n"
    (call,) = site.cluster.calls()
    assert call["argv"] == [
        "kubectl-kots",
        *("admin-console", "--port=8805", "--namespace=harness"),
    ]


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        ("timeout", "timed out waiting for kotsadm pod"),
        ("dropped", "lost connection to pod"),
    ],
)
def test_a_way_that_is_not_there_is_told(site: Caretaker, trap: str, said: str) -> None:
    site.cluster.change(traps={"admin-console": trap})
    done = site.run("console", code=10)
    assert said in done.stderr
    assert PASSWORD not in done.stderr


def test_no_console_is_told(site: Caretaker) -> None:
    site.cluster.change(namespaces={})
    assert "unable to find kotsadm pod" in site.run("console", code=10).stderr


def test_an_application_may_have_a_console_of_its_own(site: Caretaker) -> None:
    site.write_site(site.text.replace("license-ng.yaml}", "license-ng.yaml, namespace: other}"))
    shown = site.run("console", "--app", "harness-ng", "--dry-run").stdout
    command = "kubectl kots admin-console --port=8800 --namespace=other"
    assert f"       {command}\n" in f"{shown}\n"
    assert site.cluster.calls() == []
    told = site.run("console", "--app", "harness-ng", "--dry-run", "--output", "script").stdout
    assert f"    exec {command}\n" in told


UNREACHABLE = "Unable to connect to the server: dial tcp 192.0.2.1:6443: i/o timeout"


@pytest.mark.parametrize("said", [UNREACHABLE, "pods is forbidden: User cannot create portforward"])
def test_a_cluster_that_lets_nobody_through_is_told(site: Caretaker, said: str) -> None:
    site.cluster.change(said={"admin-console": [f"Error: {said}\n", 1]})
    done = site.run("console", code=10)
    assert said in done.stderr
    assert "failed to port forward: unable to upgrade connection" in done.stderr
    assert "ended with exit code 1" in done.stderr


def test_the_address_is_data_too(site: Caretaker) -> None:
    site.cluster.change(traps={"admin-console": "dropped"})
    done = site.run("console", "--output", "json", code=10)
    assert json.loads(done.stdout) == {"address": "http://localhost:8800"}
    assert "lost connection to pod" in done.stderr


def test_nothing_is_noted(site: Caretaker) -> None:
    site.cluster.change(traps={"admin-console": "closed"})
    assert "ended by itself" in site.run("console", code=10).stderr
    assert not list(site.folder.glob("*.journal.jsonl"))
    for option in ("--journal", "--confirmed"):
        assert "No such option" in site.run("console", option, "x", code=2).stderr
