"""OpenShift: recognised or stated, and what an install does about it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mirror.operation.model import Person
from tests.mirror.golden import OPENSHIFT
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import FAKES, FIRST, KOTS, install_order, namespace, running
from transfer.errors import Incomplete, ToolError

ACCOUNTS = ["harness-serviceaccount", "harness-default", "default"]
GIVEN = [["anyuid", "harness", account] for account in ACCOUNTS]


def changes(site: KotsSite) -> list[str]:
    """What was run that changes something."""
    asking = ("version", "get ", "kots version", "kots get ")
    words = [" ".join(call["argv"]) for call in site.cluster.calls()]
    return [
        " ".join(line.split()[:4])
        for line in words
        if not line.partition(" ")[2].startswith(asking)
    ]


def test_an_openshift_is_recognised_and_gets_the_accounts_before_the_install(
    tmp_path: Path,
) -> None:
    site = KotsSite(tmp_path, FIRST)
    site.cluster.change(openshift=True)
    site.carry_out(install_order())
    assert site.cluster.load()["allowed"] == GIVEN
    assert changes(site) == [
        "kubectl create namespace harness",
        *["oc adm policy add-scc-to-user"] * 3,
        "kubectl-kots install harness/stable --kubeconfig=" + f"{site.etc}/.kube/config",
        "kubectl-kots install harness-ng/stable --kubeconfig=" + f"{site.etc}/.kube/config",
    ]
    assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


def test_another_cluster_is_left_as_it_is(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    site.carry_out(install_order(only="harness"))
    assert "allowed" not in site.cluster.load()
    assert not any(line.startswith(("oc", "kubectl create")) for line in changes(site))


def test_what_is_stated_is_not_asked_and_the_site_names_the_accounts(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST, text=OPENSHIFT)
    site.cluster.change(kube={"namespaces": ["default", "harness"]})
    site.carry_out(install_order(only="harness"))
    assert not any("--raw=/apis" in call["argv"] for call in site.cluster.calls())
    given = [["anyuid", "harness", account] for account in ("default", "harness-default")]
    assert site.cluster.load()["allowed"] == given
    assert "kubectl create namespace harness" not in changes(site)


def test_a_second_application_gets_its_own_accounts(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    before = namespace(KOTS, harness=running("79915", 412))
    site.cluster.change(openshift=True, namespaces={"harness": before})
    site.carry_out(install_order(only="harness-ng"))
    assert site.cluster.load()["allowed"] == GIVEN


def without_oc(site: KotsSite, folder: Path) -> None:
    """Leave kubectl alone on PATH."""
    folder.mkdir()
    (folder / "kubectl").symlink_to(FAKES / "kubectl")
    path = [one for one in os.environ["PATH"].split(":") if not Path(one, "oc").exists()]
    site.path = ":".join([str(folder), *path])


def test_without_oc_a_person_is_told_what_kubectl_can_do(tmp_path: Path) -> None:
    site = KotsSite(tmp_path / "site", FIRST)
    site.cluster.change(openshift=True)
    without_oc(site, tmp_path / "bin")
    with pytest.raises(Incomplete, match="anyuid: not confirmed"):
        site.carry_out(install_order(only="harness"))
    assert changes(site) == ["kubectl create namespace harness"]
    site.confirmed = {"anyuid"}
    planned, _ = site.carry_out(install_order(only="harness"))
    (step,) = [step for step in planned.work if isinstance(step.action, Person)]
    assert isinstance(step.action, Person)
    for account in ACCOUNTS:
        assert f"--serviceaccount=harness:{account}" in step.action.instructions
    assert site.deployed() == {"harness": "79915"}


def test_what_was_allowed_is_not_allowed_again_by_the_run_that_continues(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    site.cluster.change(openshift=True, traps={"install": "timeout"})
    with pytest.raises(ToolError):
        site.carry_out(install_order(only="harness"))
    state = site.cluster.load()
    state["namespaces"]["harness"]["apps"] = {}
    site.cluster.save(state)
    planned, _ = site.carry_out(install_order(only="harness"))
    assert len([line for line in changes(site) if line.startswith("oc")]) == len(ACCOUNTS)
    assert len([step for step in planned.work if step.name.startswith("anyuid")]) == len(ACCOUNTS)
