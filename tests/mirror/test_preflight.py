"""`airgap-mirror preflight` against a real registry and a made-up cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirror.preflight.checks import NAMES
from scripts import sample_archives as sample
from tests.fakes.cluster import pull_secret
from tests.fakes.faulty import FOREVER, status
from tests.fakes.registry import FakeRegistry
from tests.mirror.kots_world import OLD_KOTS, namespace, running
from tests.mirror.preflight_world import (
    PASSWORD,
    USER,
    VALUES,
    Carried,
    Place,
    carried,
    licence,
    values,
)
from tests.mirror.supply import Ran
from tests.servers import Certificate

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

GOLDEN = Path(__file__).parents[1] / "data/golden"
CANCELLED = {"hashstates"}
"""What docker-registry itself leaves of an upload that was cancelled: folders, no content."""


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory, tls: Certificate) -> Iterator[Carried]:
    with carried(tmp_path_factory.mktemp("crossed"), tls) as found:
        yield found


@pytest.fixture
def place(tmp_path: Path, crossed: Carried) -> Place:
    return Place(tmp_path, crossed)


class Nameless(sample.Release):
    """A release that does not say of which application it is."""

    def spec(self, slug: str) -> dict[str, object]:
        return {**super().spec(slug), "appSlug": ""}


def plain(done: Ran, place: Place) -> str:
    """What was written, without what differs from run to run."""
    text = done.out.replace(place.carried.endpoint, "REGISTRY/harness")
    text = text.replace(place.carried.registry.host, "REGISTRY").replace(str(place.folder), "SITE")
    text = text.replace(str(place.carried.tls.ca), "CA").replace(str(place.carried.folder), "USB")
    text = re.sub(r"127\.0\.0\.1:\d{5}", "REGISTRY", text)
    text = text.replace("::1, ", "").replace(", ::1", "")  # of localhost, where there is IPv6
    return re.sub(r"valid on \d{4}-\d\d-\d\d", "valid on TODAY", text)


def assert_golden(name: str, text: str) -> None:
    """To be read before it is changed."""
    assert text == (GOLDEN / f"{name}.txt").read_text()


def told_of(plan: dict[str, Any]) -> str:
    """What a plan has, line by line: as text, it would depend on how long the names of folders are.

    How that looks is in the golden files of all operations.
    """
    lines = [plan["title"], *plan["notes"]]
    for step in plan["steps"]:
        only = f" (only where {step['only']})" if "only" in step else ""
        lines += ["", f"{step['name']}: {step['why']}{only}"]
        lines += [f"    {one}" for one in (*step["requests"], step.get("command")) if one]
        lines += [f"    - {one['words']}" for one in step["needs"]]
    return "\n".join(lines) + "\n"


def asked(place: Place) -> list[list[str]]:
    """The commands that were run, as a dry run shows them."""
    return [
        ["kubectl", "kots", *call["argv"][1:]]
        if call["argv"][0] == "kubectl-kots"
        else call["argv"]
        for call in place.cluster.calls()
    ]


def content(place: Place) -> set[Path]:
    """The files that the registry keeps."""
    return {path for path in place.carried.registry.storage.rglob("*") if path.is_file()}


def test_a_site_that_is_ready(place: Place) -> None:
    before = content(place)
    assert_golden("preflight-ready", plain(place.run("--quiet"), place))
    assert [path for path in content(place) - before if not CANCELLED & set(path.parts)] == []
    uploads = [r for r in place.carried.registry.requests() if "/blobs/uploads/" in r.path]
    assert uploads[-1].method == "DELETE"


def spoil(place: Place, registry: FakeRegistry) -> None:
    """Nothing is as it should be."""
    registry.fail("POST", "/blobs/uploads/", times=FOREVER, action=status(403))
    registry.fail("HEAD", "/harness/mongo/", times=FOREVER, action=status(403))
    changed = {"endpoint": f"{registry.host}/harness", "plainHttp": True}
    place.site["registry"] = {**place.site["registry"], **changed}
    del place.site["registry"]["caFile"], place.site["registry"]["pullCredentials"]
    del place.environment["CONSOLE_PASSWORD"]
    place.write("harness.yaml", licence("harness", entitlements={}, signature="", channelID="x"))
    (place.folder / "harness-ng.yaml").unlink()
    bad = {**VALUES, "node_port": "80", "storage_class": "none", "lb_address": "lb", "app_url": ""}
    place.write("harness-values.yaml", values(bad))
    place.write("harness-ng-values.yaml", values({**VALUES, "lb_address": "127.0.0.9"}))
    small = [{"name": "a", "cpu": "4", "memory": "8Gi"}]
    away = [{"name": "b", "cpu": "64", "memory": "256Gi", "ready": "Unknown"}]
    service = {"name": "web", "namespace": "other", "ports": [32500, 32507, 32510]}
    place.kube(
        client="v1.11.0",
        server="v1.14.10",
        nodes=[*small, *away],
        services=[service],
        rights=[{"verbs": ["get"], "resources": ["pods"]}],
    )
    place.cluster.change(plugin="v1.130.0")


def test_a_site_where_nothing_is_ready(place: Place) -> None:
    with FakeRegistry() as registry:
        spoil(place, registry)
        done = place.run("--quiet", code=12)
    assert_golden("preflight-not-ready", plain(done, place).replace(registry.host, "REGISTRY"))
    assert done.err.startswith("error: not ready at dc-north: files, push, images, pull, kubectl,")
    assert "hint: mend what failed, then run it again; --skip NAME leaves" in done.err


def test_the_same_for_a_program(place: Place) -> None:
    done = place.run("--output", "json", "--skip", "storage").json()
    assert (done["site"], done["skipped"]) == ("dc-north", ["storage"])
    assert (done["pass"], done["warn"], done["fail"]) == (len(done["findings"]), 0, 0)
    assert done["findings"][4] == {
        "check": "push",
        "verdict": "pass",
        "subject": place.carried.endpoint,
        "seen": "14 of 14 repositories take an upload",
        "needed": "all of them",
        "hint": "",
        "details": [],
    }


def test_a_dry_run_asks_nobody_and_tells_what_a_run_asks(place: Place) -> None:
    requests = len(place.carried.registry.requests())
    done = place.run("--dry-run", "--output", "json")
    assert_golden("preflight-questions", told_of(json.loads(plain(done, place))))
    told = done.json()["steps"]
    assert (asked(place), len(place.carried.registry.requests())) == ([], requests)
    place.kube(rights=[{"verbs": ["get"], "resources": ["pods"]}], namespaces=[])
    place.run("--quiet", code=12)
    commands = [one["argv"] for one in told if "argv" in one]
    assert [command for command in asked(place) if command not in commands] == []
    assert len(asked(place)) > 10
    assert len({tuple(command) for command in asked(place)}) == len(asked(place))  # each once


def test_nothing_is_asked_for_checks_that_are_left_out(place: Place) -> None:
    skipped = [word for name in NAMES if name != "applications" for word in ("--skip", name)]
    requests = len(place.carried.registry.requests())
    done = place.run(*skipped)
    assert "left out: files, registry, push, images, pull, kubectl," in done.out
    assert "2 passed, 0 warnings, 0 failed" in done.out
    assert (asked(place), len(place.carried.registry.requests())) == ([], requests)


def test_progress_goes_to_stderr(place: Place) -> None:
    done = place.run()
    assert "nodes: how many nodes are there, and how large are they?" in done.err
    assert "how many nodes" not in done.out


def test_an_unknown_check_is_not_left_out(place: Place) -> None:
    assert "'weather' is not one of 'files'" in place.run("--skip", "weather", code=2).err


def test_a_cluster_that_does_not_answer_is_asked_once(place: Place) -> None:
    place.kube(server=None)
    done = place.run("--output", "json", code=12)
    commands = [" ".join(command[:3]) for command in asked(place)]
    assert commands == ["kubectl kots version", "kubectl version --output=json"]
    findings = done.json()["findings"]
    of_cluster = [one for one in findings if "the cluster told no version" in one["seen"]]
    assert {one["check"] for one in of_cluster} == {
        *("rights", "namespace", "nodes", "cpu", "memory", "storage-class", "node-port", "ports"),
        "plan",
    }
    (cluster,) = (one for one in findings if one["check"] == "cluster")
    assert cluster["seen"].startswith("Unable to connect to the server: dial tcp")
    assert cluster["hint"].startswith("try kubectl get nodes")
    verdicts = {one["check"]: one["verdict"] for one in findings}
    assert (verdicts["kubectl"], verdicts["dns"], verdicts["images"]) == ("pass", "pass", "pass")


def test_without_kubectl_the_rest_is_checked(place: Place) -> None:
    place.environment["PATH"] = str(place.folder)
    found = place.findings(code=12)
    assert found["kubectl"] == ["fail dc-north: kubectl: not found on PATH / "]
    assert found["images"][0].startswith("pass ")


def test_one_question_that_is_refused_is_one_finding(place: Place) -> None:
    said = "Error from server (Forbidden): nodes is forbidden: you cannot list them"
    place.cluster.change(refusals={"get nodes": said})
    done = place.run("--output", "json", code=12)
    failed = {one["check"]: one for one in done.json()["findings"] if one["verdict"] == "fail"}
    assert {*failed} == {"nodes", "cpu", "memory"}
    assert failed["nodes"]["seen"] == said
    assert failed["nodes"]["hint"] == "ask whoever runs the cluster for the right to do that"
    assert failed["nodes"]["details"][0].startswith("kubectl get nodes ")


def test_secrets_and_files_that_are_not_at_hand_are_named_together(place: Place) -> None:
    (place.folder / "pull-password").unlink()
    (place.folder / "harness.yaml").unlink()
    del place.environment["CONSOLE_PASSWORD"]
    done = place.run("--quiet", code=12).out
    files = done.partition("\npass  applications")[0]
    assert "harness.yaml does not exist" in files
    assert "pull-password" in files
    assert "environment variable CONSOLE_PASSWORD is not set" in files
    assert "set the variables" in files


def test_a_site_that_is_installed_already(place: Place) -> None:
    del place.environment["CONSOLE_PASSWORD"]  # it is set once, and not wanted any more
    registry = place.carried.endpoint
    apps = {"harness": running("79800", 400), "harness_ng": running("79915", 412, "harness-ng")}
    there = namespace(OLD_KOTS, registry=registry, login=(USER, PASSWORD), **apps)
    place.cluster.change(namespaces={"harness": there})
    place.kube(services=[{"name": "ingress", "namespace": "harness", "ports": [32500]}])
    found = place.findings()
    assert found["plan"] == [
        "pass upgrade harness: kotsadm v1.131.4, then harness 79915 / ",
        "pass upgrade harness-ng: kotsadm v1.131.4 / ",
    ]
    assert found["node-port"][0].startswith("pass harness: 32500")
    assert found["files"] == ["pass dc-north: 4 files and secrets / "]


def test_an_application_that_the_cluster_spells_otherwise(place: Place) -> None:
    registry = place.carried.endpoint
    apps = {"harness": running("79800", 400), "harnesss_ng": running("79800", 400, "harness-ng")}
    there = namespace(registry=registry, login=(USER, PASSWORD), **apps)
    place.cluster.change(namespaces={"harness": there})
    found = place.findings()
    assert found["plan"] == [
        "pass upgrade harness: harness 79915 / ",
        "pass upgrade harness-ng: harnesss-ng 79915 / ",
    ]
    told = ["kubectl", "kots", "get", "versions", "harnesss-ng"]
    assert told in [argv[:5] for argv in asked(place)]


def test_a_password_that_changed_and_what_is_then_done_by_hand(place: Place) -> None:
    registry, now = place.carried.endpoint, running("79915", 412)
    there = namespace(registry=registry, login=(USER, PASSWORD), harness=now)
    place.cluster.change(namespaces={"harness": there})
    found = place.findings(sources=place.carried.sources[:2])
    assert found["plan"] == ["pass upgrade harness: nothing to do / "]
    old = pull_secret(registry, USER, "old")
    there["secrets"] = dict.fromkeys(("kotsadm-private-registry", "harness-registry"), old)
    place.cluster.change(namespaces={"harness": there})
    done = place.run("--quiet", sources=place.carried.sources[:2]).out
    assert "upgrade harness: kotsadm v1.131.4" in done
    assert "- by hand: Tell the admin console the new user of the registry for harness." in done


def test_an_upgrade_that_leaves_out_a_release(place: Place) -> None:
    old = running("79000", 390)
    login = (USER, PASSWORD)
    there = namespace(OLD_KOTS, registry=place.carried.endpoint, login=login, harness=old)
    place.cluster.change(namespaces={"harness": there})
    release = sample.Release("79915", 412, required=[("79400", 398)])
    path = place.folder / "late.airgap"
    sample.write_application(path, "harness", size=20_000, release=release)
    done = place.run("--quiet", sources=(path,), code=12).out
    assert "fail  plan           upgrade harness: " in done
    assert "harness 79915 can be deployed only after 79400" in done


def test_the_console_alone(place: Place) -> None:
    there = namespace(OLD_KOTS, registry=place.carried.endpoint, login=(USER, PASSWORD))
    place.cluster.change(namespaces={"harness": there})
    found = place.findings(sources=place.carried.sources[:1])
    assert found["plan"] == ["pass upgrade the admin console: kotsadm v1.131.4 / "]


def test_an_application_that_the_site_does_not_list(place: Place) -> None:
    del place.site["applications"]["harness-ng"]
    found = place.findings(code=12)
    assert found["applications"][0] == "fail harness-ng: is carried, and is not in the site file / "
    assert found["plan"] == ["pass install harness: harness 79915 / "]


def test_an_archive_that_names_no_application(place: Place) -> None:
    path = place.folder / "nameless.airgap"
    sample.write_application(path, "harness", size=20_000, release=Nameless("79915", 412))
    found = place.findings(sources=(path,), code=12)["applications"]
    said = "is carried, and is not in the site file"
    assert found == [f"fail an archive without an appSlug: {said} / "]


def test_room_for_archives_that_are_put_together(place: Place) -> None:
    work = place.folder / "work/below"
    found = place.findings("--engine", "kots", "--work-dir", work)
    assert re.fullmatch(rf"pass {work}: .* free / [1-9][0-9.]+ kB", found["space"][0])
    assert not work.parent.exists()  # nothing is made


def test_more_services_than_a_screen_ever_shows(place: Place) -> None:
    first = {"name": "first", "namespace": "other", "ports": [32500]}
    others = [{"name": f"s{i}", "namespace": "other", "ports": [80]} for i in range(1500)]
    place.kube(services=[first, *others])
    found = place.findings(code=12)["node-port"]
    assert found[0].startswith("fail harness: 32500, taken by service first")


def test_hosts_that_do_not_resolve(place: Place) -> None:
    place.write("harness-values.yaml", values({**VALUES, "app_url": "http://harness.invalid"}))
    found = place.findings(code=12)["dns"]
    assert found[0].startswith("fail harness: harness.invalid: does not resolve: ")
    assert found[1].startswith("pass harness-ng: localhost")
