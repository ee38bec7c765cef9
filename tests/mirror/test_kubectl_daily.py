"""What is done to workloads and asked of pods, with the real kubectl."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.command import Command
from mirror.credentials import Keyring
from mirror.kots.outcome import Finished, check
from mirror.kube import kubectl_daily
from mirror.kube.kubectl_daily import LogOf
from mirror.kube.workload import read_workload, read_workloads
from mirror.process import Runner
from mirror.site import Site
from mirror.upkeep.standing import read_counts
from tests.fakes.kube import VERBS
from tests.fakes.kubeapps import FakeApps
from tests.fakes.kubeverbs import GLOBAL
from tests.mirror.kots_world import read_site
from tests.tools import need
from transfer.errors import ToolError

pytestmark = pytest.mark.real

SITE = """\
apiVersion: airgap/v1
kind: Site
name: s
registry: {endpoint: "r.example:5000/harness"}
cluster: {kubeconfig: config, context: there}
namespace: harness
applications: {harness: {licenseFile: l.yaml}}
"""


@pytest.fixture
def cluster() -> Iterator[FakeApps]:
    with FakeApps() as found:
        found.add("deployments", "harness-manager", 2, kots_io__app_slug="harness")
        found.add("deployments", "ng-manager", 2)
        found.workloads["deployments/ng-manager"]["metadata"]["labels"] = {
            "kots.io/app-slug": "harness-ng"
        }
        found.add("deployments", "kotsadm", 1)
        found.workloads["deployments/kotsadm"]["metadata"]["labels"] = {"kots.io/kotsadm": "true"}
        found.add("statefulsets", "mongodb", 3)
        yield found


@pytest.fixture
def site(tmp_path: Path, cluster: FakeApps) -> Site:
    access = {"cluster": {"server": f"http://{cluster.host}"}, "name": "there"}
    context = {"context": {"cluster": "there", "user": "nobody"}, "name": "there"}
    config = {"kind": "Config", "clusters": [access], "contexts": [context]}
    (tmp_path / "config").write_text(json.dumps(config))
    return read_site(SITE, str(tmp_path))


def done(site: Site, command: Command) -> Finished:
    """What the real kubectl says, which the fake one has to know, too."""
    need("kubectl")
    home = str(Path(site.cluster.kubeconfig or "").parent)
    runner = Runner(
        keyring=Keyring({"PATH": os.environ["PATH"], "HOME": home}),
        secrets=(),
        say=lambda _line: None,
    )
    known = {**GLOBAL, **VERBS[command.argv[1]].flags}
    given = [word.partition("=")[0] for word in command.argv if word.startswith("--")]
    assert set(given) <= set(known)
    finished = runner(command)
    check(finished, command)
    return finished


def test_workloads_are_told_without_the_consoles(site: Site) -> None:
    command = kubectl_daily.get_workloads(site, "harness")
    found = {one.name: one for one in read_workloads(done(site, command), command)}
    assert list(found) == [
        "deployment/harness-manager",
        "deployment/ng-manager",
        "statefulset/mongodb",
    ]
    assert (found["statefulset/mongodb"].wanted, found["statefulset/mongodb"].ready) == (3, 3)
    assert found["deployment/ng-manager"].labels[kubectl_daily.APP_LABEL] == "harness-ng"
    one = kubectl_daily.get_workload(site, "harness", "statefulset/mongodb")
    assert read_workload(done(site, one), one).running == 3


def ending(kind: str, owner: str, template: str = "") -> dict[str, object]:
    """A pod that is shutting down."""
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": f"{owner}-0",
            "namespace": "harness",
            "deletionTimestamp": "2026-11-22T10:00:00Z",
            "labels": {"pod-template-hash": template} if template else {},
            "ownerReferences": [{"kind": kind, "name": owner, "uid": "1"}],
        },
        "status": {"phase": "Running"},
    }


def test_pods_that_are_ending_are_counted_as_well(site: Site, cluster: FakeApps) -> None:
    for one in cluster.workloads.values():
        one["status"] = {}  # as Kubernetes tells it the moment that something was scaled
    cluster.pods = [ending("ReplicaSet", "harness-manager-5f7", "5f7"), ending("Job", "a-job")]
    cluster.pods += [ending("StatefulSet", "mongodb")] * 2
    asked = kubectl_daily.get_workloads(site, "harness")
    found = {one.name: one.running for one in read_workloads(done(site, asked), asked)}
    assert found == {
        "deployment/harness-manager": 1,
        "deployment/ng-manager": 0,
        "statefulset/mongodb": 2,
    }


def test_an_answer_that_cannot_be_read_is_not_repeated(site: Site) -> None:
    asked = kubectl_daily.get_workloads(site, "harness")
    for said in ("{ password", '{"kind": "List", "items": [{"password": 1}]}'):
        with pytest.raises(ToolError, match="cannot be read") as caught:
            read_workloads(Finished(exit_code=0, stdout=(said,), stderr=()), asked)
        assert "password" not in str(caught.value)


def test_numbers_of_pods_are_three_words_a_line(site: Site) -> None:
    said = done(site, kubectl_daily.list_counts(site, "harness")).stdout
    assert read_counts("\n".join(said), "note") == {
        "deployment/harness-manager": 2,
        "deployment/ng-manager": 2,
        "statefulset/mongodb": 3,
    }


def test_one_workload_is_scaled(site: Site, cluster: FakeApps) -> None:
    done(site, kubectl_daily.scale(site, "harness", "deployment/harness-manager", 0))
    assert cluster.scaled == [("deployments/harness-manager", 0)]


def test_all_of_a_kind_are_scaled_but_for_the_console_and_others(
    site: Site, cluster: FakeApps
) -> None:
    others = ("harness-ng",)
    done(site, kubectl_daily.scale_all(site, "harness", "deployments", others))
    assert cluster.scaled == [("deployments/harness-manager", 0)]
    done(site, kubectl_daily.scale_all(site, "harness", "statefulsets", ()))
    assert cluster.scaled[1:] == [("statefulsets/mongodb", 0)]
    asked = kubectl_daily.get_all(site, "harness", "deployments", others)
    (left,) = read_workloads(done(site, asked), asked)
    assert left.name == "deployment/harness-manager"


def test_a_log_is_asked_for(site: Site, cluster: FakeApps) -> None:
    log = LogOf(namespace="harness", pod="p-0", container="c", previous=True)
    said = done(site, kubectl_daily.get_log(site, log, since="24h")).stdout
    assert said == ("2026-11-22T10:00:00Z said",)
    assert cluster.asked == [
        {
            "pod": "p-0",
            "container": "c",
            "previous": "true",
            "sinceSeconds": "86400",
            "timestamps": "true",
        }
    ]
