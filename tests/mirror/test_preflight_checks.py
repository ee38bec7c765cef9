"""Each check of a preflight: what passes, what is to be known, what fails, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from mirror.kots import Engine
from mirror.kube.cluster import NodePort, Reserved, Rights, StorageClass
from mirror.preflight.checks import CHECKS, NAMES, judge
from mirror.preflight.finding import Verdict
from mirror.preflight.model import Access, Answer, Held, Seen, Way
from mirror.preflight.rights import MINIMUM
from tests.mirror.kots_world import SITE, release
from tests.mirror.preflight_seen import (
    HOST,
    PULL,
    SILENCE,
    SILENT,
    SLUGS,
    good,
    licence,
    node,
    spoil,
    values,
    with_member,
)
from transfer.errors import AccessDenied, NotFound, PolicyError
from transfer.kots.config import Config

FAIL, WARN, PASS = Verdict.FAIL, Verdict.WARN, Verdict.PASS
ALL = Rights(allowed=(("*.*", frozenset("*")),))
NOTHING = Rights(allowed=())
LEAST = Rights(allowed=tuple((name, frozenset(verbs)) for name, verbs in MINIMUM.items()))


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is not as it should be, and what its check then says."""

    check: str
    seen: Seen
    verdict: Verdict
    said: str
    """What it saw, a part of it."""
    needed: str = ""
    """What it needed, a part of it."""
    hint: str = ""
    """What to do, a part of it."""
    details: str = ""
    """A part of one of them."""


def site(old: str, new: str) -> Seen:
    """A site file that differs."""
    text = SITE.replace("cluster:", PULL)
    assert old in text
    return good(text.replace(old, new))


def installed(seen: Seen, *slugs: str) -> Seen:
    """Some applications are there."""
    return spoil(seen, "console", installed={one: Answer(one in slugs) for one in SLUGS})


def node_ports(*ports: int, namespace: str = "other") -> Seen:
    """Somebody has node ports."""
    taken = (NodePort(port=port, namespace=namespace, service="web") for port in ports)
    return spoil(good(), "cluster", node_ports=tuple(taken))


def answers(**changes: str | None) -> Seen:
    """Other answers of the first application."""
    return with_member(good(), values=values(**changes))


def nodes(*machines: object) -> Seen:
    """Other nodes."""
    return spoil(good(), "cluster", nodes=machines)


def rights(*, allowed: Rights, new: bool, console: bool = False, rbac: str = "cluster") -> Seen:
    """Somebody who may not do everything; the console is to be upgraded, or not."""
    stated = site("context: dc-north}", f"context: dc-north, rbac: {rbac}}}")
    seen = spoil(stated, "cluster", may_do_everything=False, rights={"harness": Answer(allowed)})
    way = Way(stops=("kotsadm v1.131.4", "harness 79915") if console else ("harness 79915",))
    seen = spoil(seen, "console", ways={"upgrade harness": Answer(way)})
    return installed(seen, *(() if new else SLUGS))


DENIED = AccessDenied("upload to harness/mongo: answered 403 Forbidden", hint="log in")
REFUSED = Access(repositories=9, refused={"harness/mongo": DENIED})
NOT_THERE = NotFound("upload to harness/ui: answered 404 Not Found")
BOTH = Access(repositories=9, refused={"harness/mongo": DENIED, "harness/ui": NOT_THERE})
KOTS_PUSHES = replace(good().case, engine=Engine.KOTS, work_dir="/var/x")
CREATES = site("  caFile:", "  createMissing: true\n  caFile:")
DOCKER = "{usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}", "{dockerConfig: true}"
NO_PULL = good(SITE)
CLASSES = (StorageClass(name="gp2", is_default=True), StorageClass(name="slow"))
POD = Reserved(namespace="other", node="node-1", cpu=Fraction(12), memory=Fraction(120 * 10**9))
ASKS_NOTHING = Config(items=())

# fmt: off
ROWS = (
    Row("files", spoil(good(), "machine", files=NotFound("x", faults=[NotFound("a is missing")])),
        FAIL, "x", details="a is missing"),
    Row("applications", replace(good(), case=replace(good().case, strangers=("other",))),
        FAIL, "is carried, and is not in the site file", hint="add applications.other"),
    Row("registry", spoil(good(), "registry", entry=DENIED), FAIL, "answered 403", hint="log in"),
    Row("registry", site("  caFile: dc-north.pem\n", "  insecureSkipTlsVerify: true\n"),
        WARN, "certificate is not checked", "a certificate that holds", "each node"),
    Row("registry", site("  caFile: dc-north.pem\n", "  plainHttp: true\n"),
        WARN, "without TLS", "TLS", "each node"),
    Row("registry", site("  caFile: dc-north.pem\n", ""), PASS, "its certificate is good"),
    Row("push", spoil(good(), "registry", push=REFUSED), FAIL,
        "8 of 9 repositories take an upload", "all of them", "create the project",
        "upload to harness/mongo: answered 403"),
    Row("push", spoil(CREATES, "registry", push=BOTH), WARN, "1 repository not there yet", "",
        "the push creates them", "harness/ui"),
    Row("push", spoil(CREATES, "registry", push=BOTH), FAIL, "7 of 8 repositories take an upload",
        details="harness/mongo"),
    Row("push", spoil(good(), "registry", push=BOTH), FAIL, "7 of 9 repositories"),
    Row("registry", site("  caFile:", "  clientCertFile: our.pem\n  caFile:"), WARN,
        "(clientCertFile)", hint="each node"),
    Row("images", spoil(good(), "registry", held=Held(images=9, missing=("m: gone",))),
        FAIL, "holds 8, 1 missing", "9 images", "push first: airgap-mirror push", "m: gone"),
    Row("images", spoil(good(), "registry", held=Held(images=9, different=("d: other",))),
        FAIL, "holds 8, 1 different", "9 images", "--overwrite", "d: other"),
    Row("images", replace(spoil(good(), "registry", held=Held(images=9, missing=("m: gone",))),
                          case=replace(good().case, engine=Engine.KOTS)),
        WARN, "holds 8, 1 missing", "9 images", "KOTS pushes them"),
    Row("pull", spoil(good(), "registry", pull=REFUSED), FAIL,
        "8 of 9 repositories let the user of pullCredentials read", "all of them",
        "give the right to the user of pullCredentials", "harness/mongo"),
    Row("pull", NO_PULL, PASS, "9 of 9 repositories let who pushes read"),
    Row("pull", NO_PULL, WARN, "who pushes stays in the cluster", "only read", "pullCredentials"),
    Row("pull", good(SITE.replace(*DOCKER)), WARN, "KOTS cannot read docker's files"),
    Row("kubectl", spoil(good(), "cluster", kubectl="v1.11.0"), FAIL, "v1.11.0", "v1.12 or newer"),
    Row("kubectl", spoil(good(), "cluster", kubectl="v1.25.9"), WARN, "v1.25.9", "v1.27.3"),
    Row("kubectl", spoil(good(), "cluster", kubectl="v1.28.0"), PASS, "v1.28.0", "v1.27.3"),
    Row("kubectl", spoil(good(), "cluster", version=SILENCE), PASS, "v1.27.4", "v1.12 or newer"),
    Row("plugin", spoil(good(), "console", plugin="v1.130.0"), FAIL, "v1.130.0", "v1.131.4",
        "under the name kubectl-kots"),
    Row("plugin", replace(good(), case=replace(good().case, offers=())), PASS, "v1.131.4", "any"),
    Row("cluster", spoil(good(), "cluster", version="v1.14.10"), WARN, "v1.14.10",
        "v1.20 to v1.27", "warns below v1.15.0"),
    Row("cluster", spoil(good(), "cluster", version="v1.19.16"), WARN, "v1.19.16",
        "v1.20 to v1.27", "ask the vendor"),
    Row("cluster", spoil(good(), "cluster", version="v1.28.0+k3s1"), WARN, "v1.28.0+k3s1"),
    Row("cluster", spoil(good(), "cluster", version="v1.20.0"), PASS, "v1.20.0"),
    Row("rights", rights(allowed=LEAST, new=True), FAIL, "not everything is allowed",
        "before it installs harness and harness-ng", "cluster-admin"),
    Row("rights", rights(allowed=LEAST, new=False), PASS, "23 of 23", "23 resources"),
    Row("rights", rights(allowed=LEAST, new=False, console=True), FAIL, "not everything is",
        "before it upgrades the admin console", "cluster.rbac in the site file"),
    Row("rights", rights(allowed=LEAST, new=True, rbac="given"), PASS, "23 of 23"),
    Row("rights", rights(allowed=LEAST, new=True, rbac="minimal"), PASS, "23 of 23"),
    Row("rights", rights(allowed=ALL, new=False), PASS, "23 of 23"),
    Row("rights", rights(allowed=NOTHING, new=False), FAIL, "0 of 23", "23 resources",
        "cluster-admin", "deployments.apps: get, list, watch, create, update, patch, delete miss"),
    Row("rights", rights(allowed=replace(NOTHING, is_complete=False), new=False), WARN,
        "0 of 23, and perhaps more"),
    Row("namespace", spoil(good(), "cluster", namespaces={"harness": Answer("Terminating")}),
        FAIL, "is Terminating", hint="wait"),
    Row("namespace", spoil(good(), "cluster", namespaces={"harness": Answer(None)},
                           may_create_namespaces=True), PASS, "may be created"),
    Row("namespace", spoil(good(), "cluster", namespaces={"harness": Answer(None)},
                           may_create_namespaces=False), FAIL, "may not be created", "there",
        "kubectl create namespace harness"),
    Row("nodes", nodes(), FAIL, "pods go to 0 of 0 nodes", "some", "kubectl get nodes"),
    Row("nodes", nodes(node("a", obstacle="not ready"), node("b", obstacle="taint x")), FAIL,
        "pods go to 0 of 2 nodes", "some", details="b: taint x"),
    Row("nodes", nodes(node("a", 4), node("b", 4)), FAIL, "2 of them too small",
        "8 CPU and 12 GB each", "larger machines", "a: 4 CPU and 64 GB"),
    Row("nodes", nodes(node("a"), node("b", gigabytes=11.5)), WARN, "1 of them too small",
        details="b: 16 CPU and 11.5 GB"),
    Row("nodes", nodes(node("a", 8, 12)), PASS, "pods go to 1 of 1 node, all large enough"),
    Row("cpu", nodes(node("a", 54.5, 999)), FAIL, "54.5 CPU free on 1 node",
        "55 CPU (harness production 37.5 CPU, harness-ng production 17.5 CPU)", "add nodes"),
    Row("cpu", nodes(node("a", 55, 999), node("b", obstacle="cordoned")), PASS,
        "55 CPU free on 1 node"),
    Row("cpu", spoil(good(), "cluster", pods=(POD,)), FAIL,
        "52 CPU free on 4 nodes (other pods have reserved 12 CPU)", "55 CPU"),
    Row("cpu", spoil(good(), "cluster", pods=(replace(POD, namespace="harness"),)), PASS,
        "64 CPU free on 4 nodes"),
    Row("cpu", spoil(good(), "cluster", pods=SILENCE), FAIL, "Forbidden", details="kubectl get x"),
    Row("memory", nodes(node("a", 99, 139.9)), FAIL, "139.9 GB free",
        "140 GB (harness production 73.5 GB, harness-ng production 66.5 GB)"),
    Row("memory", nodes(node("a", 99, 140)), PASS, "140 GB free on 1 node"),
    Row("memory", spoil(good(), "cluster", pods=(POD,)), FAIL, "136 GB free"),
    Row("storage-class", answers(storage_class="slow"), FAIL, "fast", "slow", "create it"),
    Row("storage-class", answers(storage_class=None), FAIL, "fast", "the default",
        "annotate one"),
    Row("storage-class", spoil(answers(storage_class=None), "cluster", storage_classes=CLASSES),
        WARN, "gp2 is the cluster's default", "one named default", "name gp2"),
    Row("storage-class", spoil(answers(storage_class=None), "cluster",
                               storage_classes=(StorageClass(name="default"),)), PASS, "default"),
    Row("storage-class", spoil(with_member(good(), config=ASKS_NOTHING), "cluster",
                               storage_classes=CLASSES), PASS, "gp2, the cluster's default"),
    Row("storage-class", with_member(good(), config=SILENCE), FAIL, "Forbidden"),
    Row("storage", good(), WARN, "cannot be seen", "1000 GB (harness production 1000 GB)",
        "--skip storage"),
    Row("licence", with_member(good(), licence=licence(expires_at="2026-11-22T00:00:00Z")),
        FAIL, "ended on 2026-11-22", "valid on 2026-11-23", "ask the vendor"),
    Row("licence", with_member(good(), licence=licence(expires_at="2026-12-01T00:00:00Z")),
        WARN, "ends on 2026-12-01", "valid on 2026-11-23"),
    Row("licence", with_member(good(), licence=licence(expires_at="")), PASS, "never ends"),
    Row("licence", with_member(good(), licence=licence(is_signed=False)), FAIL, "no signature"),
    Row("licence", with_member(good(), licence=licence(app_slug="other")), FAIL,
        "for the application 'other'"),
    Row("licence", with_member(good(), licence=NotFound("l.yaml: not there")), FAIL, "not there"),
    Row("licence", installed(with_member(good(), licence=licence(is_signed=False)), "harness"),
        WARN, "no signature", hint="an upgrade goes by what is in the cluster"),
    Row("licence", installed(with_member(good(), licence=NotFound("l.yaml: not there")), "harness"),
        WARN, "not there", hint="an upgrade goes by what is in the cluster"),
    Row("channel", with_member(good(), licence=licence(channel_id="1zOTHER")), FAIL,
        "which the licence does not have", hint="ask the vendor"),
    Row("channel", with_member(good(), releases=(release("1", 1, channel_id="").release,)), FAIL,
        "names no channel"),
    Row("config", answers(app_url=None), FAIL, "harness 79915 requires it", hint="add it"),
    Row("config", answers(mode="tiny"), FAIL, "expected one of demo, production"),
    Row("config", answers(nothing="x"), FAIL, "asks for no such item"),
    Row("config", installed(answers(app_url=None), "harness"), WARN, "requires it",
        hint="an upgrade goes by what is in the cluster"),
    Row("config", answers(grpc_target=None), WARN, "no value, and the scheme is HTTPS",
        hint="know better"),
    Row("config", answers(node_port=""), WARN, "is there without a value"),
    Row("config", answers(node_port="32600"), WARN, "other values than harness: node_port"),
    Row("config", answers(log_backend="minio"), PASS, "8 values", "what harness 79915 asks",
        details="node port 32507"),
    Row("config", with_member(good(), values=NotFound("v.yaml: not there")), FAIL, "not there"),
    Row("node-port", answers(node_port="29999"), FAIL, "29999", "30000 to 32767", "correct"),
    Row("node-port", answers(node_port="any"), FAIL, "any", "30000 to 32767", "correct"),
    Row("node-port", node_ports(32500), FAIL, "32500, taken by service web in namespace other",
        "free in the cluster", "choose another"),
    Row("node-port", node_ports(32500, namespace="harness"), PASS, "32500", "free"),
    Row("node-port", spoil(answers(node_port=None), "cluster",
                           node_ports=(NodePort(port=32500, namespace="o", service="s"),)),
        FAIL, "32500, taken by service s"),
    Row("ports", node_ports(32510), WARN, "32510, taken by service web", "not used with this"),
    Row("ports", spoil(answers(grpc_authority=HOST), "cluster",
                       node_ports=(NodePort(port=32510, namespace="o", service="s"),)),
        FAIL, "32510, taken by service s", "free, for port 9879", "free it"),
    Row("ports", spoil(answers(log_backend="minio"), "cluster",
                       node_ports=(NodePort(port=32507, namespace="o", service="s"),)),
        FAIL, "32507, taken by service s", "free, for port 9000"),
    Row("console-port", spoil(good(), "machine", console_port_busy=True), WARN, "8800 is taken",
        "free", "--port"),
    Row("load-balancer", answers(lb_address=None), WARN, "none is given", "the IP address"),
    Row("load-balancer", answers(lb_address="lb.example"), WARN, "lb.example", "the IP address"),
    Row("dns", spoil(good(), "machine", addresses={HOST: Answer(("192.0.2.99",))}), FAIL,
        "192.0.2.99", "the load balancer's 192.0.2.10", "correct the DNS entry"),
    Row("dns", spoil(good(), "machine", addresses={HOST: Answer(NotFound("does not resolve"))}),
        FAIL, "does not resolve", "192.0.2.10"),
    Row("dns", answers(app_url="https://192.0.2.10"), PASS, "192.0.2.10"),
    Row("dns", answers(app_url="https://192.0.2.11"), FAIL, "192.0.2.11", "192.0.2.10"),
    Row("dns", answers(lb_address=None), PASS, "192.0.2.10", "an address"),
    Row("dns", answers(app_url=None), WARN, "no Application URL"),
    Row("plan", spoil(good(), "console", ways={"upgrade harness": Answer(PolicyError(
        "harness 80307 can be deployed only after 80110", hint="carry 80110 too"))}),
        FAIL, "only after 80110", hint="carry 80110 too"),
    Row("plan", spoil(good(), "console", ways={"upgrade harness": Answer(Way(notes=("n",)))}),
        PASS, "nothing to do", details="n"),
    Row("space", replace(
        spoil(good(), "machine", free=10), case=KOTS_PUSHES),
        PASS, "10 B free", "0 B"),
    Row("space", replace(
        spoil(spoil(good(), "machine", free=10), "console", ways={"a": Answer(Way(room=11))}),
        case=KOTS_PUSHES), FAIL, "10 B free", "11 B", "make room"),
    Row("space", replace(
        spoil(spoil(good(), "machine", free=11), "console", ways={"a": Answer(Way(room=11))}),
        case=KOTS_PUSHES), PASS, "11 B free", "11 B"),
    Row("space", replace(good(), case=KOTS_PUSHES), FAIL, "Forbidden"),
)
# fmt: on


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{i}-{r.check}-{r.verdict}" for i, r in enumerate(ROWS)]
)
def test_a_check_finds(row: Row) -> None:
    others = [name for name in NAMES if name != row.check]
    found = [one.found for one in judge(row.seen, others) if one.found.verdict is row.verdict]
    assert found, judge(row.seen, others)
    one = next((one for one in found if row.said in one.seen), found[0])
    assert row.said in one.seen
    assert row.needed in one.needed
    assert row.hint in one.hint
    assert any(row.details in detail for detail in (*one.details, ""))
    if row.verdict is not PASS:
        assert one.hint or row.verdict is FAIL  # an error may have none


@pytest.mark.parametrize("name", NAMES)
def test_in_good_order_a_check_passes(name: str) -> None:
    found = [one.found for one in judge(good()) if one.check == name]
    wanted = {WARN} if name == "storage" else {PASS}
    assert {one.verdict for one in found} == wanted


@pytest.mark.parametrize("rbac", ["minimal", "given"])
def test_a_smaller_role_needs_the_least_rights_alone(rbac: str) -> None:
    seen = rights(allowed=LEAST, new=True, console=True, rbac=rbac)
    found = [one.found.verdict for one in judge(seen) if one.check == "rights"]
    assert found == [PASS]


def test_every_check_has_rows_that_it_does_not_pass() -> None:
    bad = {row.check for row in ROWS if row.verdict is not PASS}
    assert bad == set(NAMES)


def test_all_is_found_and_in_the_order_of_the_list() -> None:
    found = [one.check for one in judge(good())]
    assert list(dict.fromkeys(found)) == [check.name for check in CHECKS]


def test_what_is_skipped_is_not_judged() -> None:
    assert {one.check for one in judge(good(), ["storage", "dns"])} == {*NAMES} - {"storage", "dns"}


@pytest.mark.parametrize("check", ["dns", "config", "node-port", "storage-class"])
def test_one_application_says_nothing_of_the_other(check: str) -> None:
    found = [one for one in judge(with_member(good(), values=SILENCE)) if one.check == check]
    verdicts = {one.found.subject.partition(":")[0]: one.found.verdict for one in found}
    assert verdicts == {"harness": FAIL, "harness-ng": PASS}


def test_a_cluster_that_is_silent_is_found_by_every_check_that_needs_it() -> None:
    nothing = dict.fromkeys(("kubectl", "version", "nodes", "pods", "node_ports"), SILENT)
    seen = spoil(good(), "cluster", **nothing, storage_classes=SILENT, may_do_everything=SILENT)
    seen = spoil(seen, "cluster", namespaces={"harness": SILENT})
    silent = {one.check for one in judge(seen) if one.found.seen == "Forbidden"}
    of_cluster = {"kubectl", "cluster", "rights", "namespace", "nodes", "cpu", "memory"}
    assert silent == {*of_cluster, "storage-class", "node-port", "ports"}


def test_applications_with_consoles_of_their_own_may_have_other_answers() -> None:
    text = SITE.replace("license-ng.yaml", "license-ng.yaml\n    namespace: another")
    others = [name for name in NAMES if name != "config"]
    found = judge(with_member(good(text), values=values(node_port="32600")), others)
    assert [one.found.verdict for one in found] == [PASS, PASS]


def test_what_is_not_in_the_guide_is_not_held_against_it() -> None:
    seen = with_member(good(), values=values(mode="demo"))
    first, second = seen.case.members
    members = (first, replace(second, config=Answer(ASKS_NOTHING)))
    seen = replace(seen, case=replace(seen.case, members=members))
    said = [one.found.seen for one in judge(seen) if one.check == "config"]
    assert not [text for text in said if "other values" in text]
