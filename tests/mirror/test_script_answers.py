"""What a script makes of answers: JSON, goals, and commands that end well and failed."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirror.operation.model import Ask, Await, Judge, Run, Save
from mirror.operation.script import common
from mirror.operation.wanted import (
    ConsoleIs,
    Expectation,
    IsAbsent,
    IsDeployed,
    IsNewest,
    IsReady,
    IsScaled,
    NoConsole,
    NoNamespace,
    NoOpenShift,
    PluginIs,
    PullsAs,
    PullsFrom,
)
from mirror.secret import FromEnvironment
from tests.mirror.shells import SHELLS, Shell, kubectl, plan_of, step

GO = Run(command=kubectl("go"))


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path / "at", SHELLS[request.param])


@pytest.fixture
def dash(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "at", SHELLS["dash"])


JUDGED = [
    (Judge.EXIT, "anything", 0, True),
    (Judge.EXIT, '{"success":true}', 1, False),
    (Judge.EXIT, "=== exit code 0", 1, False),
    (Judge.INSTALL, "  • Done", 0, True),
    (Judge.INSTALL, "  • Additional app configuration is required. Please\n  • Done", 0, False),
    (Judge.ANSWER, '  • progress\n    {"success":true,"error":null}\n\n', 0, True),
    (Judge.ANSWER, '{"success": true}\n  • afterwards', 0, True),
    (Judge.ANSWER, '{"success":false}', 0, False),
    (Judge.ANSWER, '{"success":true,"error":"no"}', 0, False),
    (Judge.ANSWER, '{"success":true', 0, False),
    (Judge.ANSWER, '{"error":"\\"success\\":true"}', 0, False),
    (Judge.ANSWER, "", 0, False),
    (Judge.ANSWER, '{"success":true}', 1, False),
]


@pytest.mark.parametrize(("judge", "said", "code", "good"), JUDGED)
def test_a_command_is_believed_by_what_it_says(
    judge: Judge, said: str, code: int, dash: Shell, *, good: bool
) -> None:
    dash.answers(said, code)
    done = dash.run(plan_of(step(Run(command=kubectl("x"), judge=judge)), step(GO, name="next")))
    assert (done.returncode == 0) is good, done.stdout + done.stderr
    assert done.returncode in (0, 10)
    assert good or dash.calls() == 1, "nothing runs after what has failed"


def version(label: str, status: str) -> dict[str, Any]:
    return {"versionLabel": label, "sequence": 1, "status": status, "channelSequence": 4}


def console(image: str, registry: str | None = None) -> dict[str, Any]:
    containers = [{"image": "other:1", "name": "minio"}, {"image": image, "name": "kotsadm"}]
    spec = {
        "template": {
            "spec": {
                "containers": containers,
                "initContainers": [{"image": "x/kotsadm:no", "name": "kotsadm-init"}],
            }
        }
    }
    items = [{"kind": "Deployment", "metadata": {"name": "kotsadm"}, "spec": spec}]
    data = {"data": {"kotsadm-registry": registry}} if registry else {}
    return {"kind": "List", "items": [*items, {"kind": "ConfigMap", **data}]}


def scaled(wanted: int | None, pods: int = 0, ready: int = 0, kind: str = "StatefulSet") -> object:
    owner = [{"kind": "Deployment", "name": "operator"}]
    status = {**({"replicas": pods} if pods else {}), **({"readyReplicas": ready} if ready else {})}
    spec = {} if wanted is None else {"replicas": wanted}
    metadata = {"name": "mongo", "ownerReferences": owner}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": status}


def pod(owner: str, template: str = "", phase: str = "Running") -> object:
    """A pod of a ReplicaSet, which has the hash in its name, or else of a StatefulSet."""
    kind = "ReplicaSet" if template else "StatefulSet"
    labels = {"pod-template-hash": template} if template else {}
    references = [{"kind": kind, "name": owner, "uid": "1"}]
    containers = [{"env": [{"name": "kind", "value": "x"}], "name": "c"}]
    return {
        "kind": "Pod",
        "metadata": {"labels": labels, "name": "p", "ownerReferences": references},
        "spec": {"containers": containers},
        "status": {"phase": phase},
    }


def listed(*items: object) -> object:
    return {"kind": "List", "items": items}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pull_secret(login: str, name: str = "own", host: str = "r:5000") -> dict[str, Any]:
    auths = {"other.example": {"auth": encoded("x:y")}, host: {"auth": encoded(login)}}
    data = {".dockerconfigjson": encoded(json.dumps({"auths": auths})), "name": "x"}
    return {"kind": "Secret", "data": data, "metadata": {"name": name}}


def many(*items: object) -> dict[str, Any]:
    return {"kind": "List", "items": list(items)}


PASSWORD = "pässwörd: 'a\\b\"*% $(x)"
LOGIN = f"puller:{PASSWORD}"
PULLS = PullsAs(
    secret="own",
    host="r:5000",
    username="puller",
    password=FromEnvironment("PULL_PASSWORD"),
)
OPENSHIFT = NoOpenShift(group="config.openshift.io")
V = "v1.131.4"
ANSWERS: list[tuple[Expectation, Any, bool]] = [
    (PluginIs(version=V), {"version": "1.131.4"}, True),
    (PluginIs(version="1.131.4"), {"version": V}, True),
    (PluginIs(version=V), {"version": "1.131.40"}, False),
    (NoConsole(), "", True),
    (NoConsole(), console(f"r/kotsadm:{V}"), False),
    (ConsoleIs(version=V), console(f"r:5000/kotsadm:{V}"), True),
    (ConsoleIs(version=V), console("r:5000/kotsadm:v1"), False),
    (ConsoleIs(version=V), "", False),
    (PullsFrom(registry="r:5000/h"), console("x:1", "r:5000/h"), True),
    (PullsFrom(registry="r:5000/h"), console("x:1"), True),
    (PullsFrom(registry="r:5000/h"), console("x:1", "r:5000/other"), False),
    (OPENSHIFT, {"kind": "APIGroupList", "groups": [{"name": "apps"}]}, True),
    (OPENSHIFT, {"groups": [{"name": "apps"}, {"name": "config.openshift.io"}]}, False),
    (NoNamespace(namespace="h"), "", True),
    (NoNamespace(namespace="h"), {"kind": "Namespace", "metadata": {"name": "h"}}, False),
    (PULLS, pull_secret(LOGIN), True),
    (PULLS, many(pull_secret(LOGIN), pull_secret(LOGIN, "h-registry")), True),
    (PULLS, "", False),
    (PULLS, pull_secret(f"{LOGIN}2"), False),
    (PULLS, pull_secret(LOGIN, host="r"), False),
    (PULLS, pull_secret(LOGIN, "h-registry"), False),
    (PULLS, many(pull_secret(LOGIN), pull_secret("puller:old", "h-registry")), False),
    (PULLS, many(pull_secret(LOGIN), {"data": {".dockerconfigjson": "%"}}), False),
    (IsAbsent(slug="harness"), [{"slug": "harness-ng", "state": "ready"}], True),
    (IsAbsent(slug="harness"), [], True),
    (IsAbsent(slug="harness"), [{"slug": "harness", "state": "ready"}], False),
    (IsDeployed(slug="h", version="2"), [version("2", "deployed"), version("1", "x")], True),
    (IsDeployed(slug="h", version="2"), [version("2", "failed"), version("2", "deployed")], True),
    (IsDeployed(slug="h", version="2"), [version("1", "deployed")], False),
    (IsDeployed(slug="h", version="2"), [], False),
    (IsDeployed(slug="h", version='<"&'), [version('<"&', "deployed")], True),
    (IsNewest(slug="h"), [version("2", "deployed"), version("1", "failed")], True),
    (IsNewest(slug="h"), [version("2", "pending"), version("1", "deployed")], False),
    (IsNewest(slug="h"), [], False),
    (IsReady(slug="h"), [{"slug": "x", "state": "ready"}, {"slug": "h", "state": "ready"}], True),
    (IsReady(slug="h"), [{"slug": "x", "state": "ready"}, {"slug": "h", "state": "no"}], False),
    (IsReady(slug="h"), [], False),
    (IsScaled(replicas=3), scaled(3, 3, 3), True),
    (IsScaled(replicas=3), scaled(3, 3, 2), False),
    (IsScaled(replicas=3), scaled(4, 3, 3), False),
    (IsScaled(replicas=1), scaled(None, 1, 1), True),
    (IsScaled(replicas=0), scaled(0), True),
    (IsScaled(replicas=0), scaled(0, 1), False),
    (IsScaled(replicas=0), scaled(1), False),
    (IsScaled(replicas=2), {"kind": "List", "items": [scaled(2, 2, 2), scaled(2, 2, 2)]}, True),
    (IsScaled(replicas=2), {"kind": "List", "items": [scaled(2, 2, 2), scaled(2, 2)]}, False),
    (IsScaled(replicas=0), listed(scaled(0), pod("mongo")), False),
    (IsScaled(replicas=0), listed(pod("mongo"), scaled(0)), False),
    (IsScaled(replicas=0), listed(scaled(0), pod("mongo", phase="Failed")), True),
    (IsScaled(replicas=0), listed(scaled(0), pod("mongo-1"), pod("mongo-a1", "a1")), True),
    (IsScaled(replicas=0), listed(scaled(0, kind="Deployment"), pod("mongo-a1", "a1")), False),
    (IsScaled(replicas=0), listed(scaled(0, kind="Deployment"), pod("mongo-a-a1", "a1")), True),
    (IsScaled(replicas=0, workload="deployment/ui"), listed(scaled(2, 2), pod("mongo")), True),
    (IsScaled(replicas=0, workload="statefulset/mongo"), listed(scaled(0), pod("mongo")), False),
]


def go_json(value: object) -> str:
    """As Go prints it."""
    text = json.dumps(value, indent=4, ensure_ascii=False)
    return text.translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&"}) + "\n"


@pytest.mark.parametrize(("expected", "answer", "so"), ANSWERS)
def test_an_answer_is_compared_with_what_the_plan_was_made_for(
    expected: Expectation,
    answer: Any,  # noqa: ANN401 - JSON
    dash: Shell,
    *,
    so: bool,
) -> None:
    dash.answers(go_json(answer) if answer != "" else "")
    dash.environment = {"PULL_PASSWORD": PASSWORD}
    done = dash.run(plan_of(step(Ask(command=kubectl("get"), expected=(expected,)))))
    assert done.returncode == (0 if so else 12), done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert so or "hint: what is there is not what the plan was made for" in done.stderr


def test_what_is_wrong_with_a_pull_secret_is_told_and_nothing_of_it(shell: Shell) -> None:
    shell.answers(go_json(many(pull_secret("puller:old", "h-registry"))))
    shell.environment = {"PULL_PASSWORD": PASSWORD}
    done = shell.run(plan_of(step(Ask(command=kubectl("get"), expected=(PULLS,)))))
    assert done.returncode == 12
    told = "found: (own: not there)(h-registry: another user or password)"
    assert told in done.stderr
    assert "old" not in done.stderr
    assert not {"PULL_PASSWORD", PASSWORD} & set(done.stdout.split() + done.stderr.split())


def test_the_shell_reads_base64(shell: Shell) -> None:
    dice = random.Random(2)  # noqa: S311 - no secret
    for length in range(12):
        content = bytes(dice.randrange(1, 256) for _ in range(length))
        text = base64.b64encode(content).decode()
        code = f'{common()}\n[ "$(decode {text!r}; printf .)" = "$(printf \'{octal(content)}.\')" ]'
        assert shell.text(code).returncode == 0, text


def octal(content: bytes) -> str:
    """As printf takes it."""
    return "".join(f"\\{byte:03o}" for byte in content)


@pytest.mark.parametrize(("said", "code"), [("", 1), ("no JSON", 0)])
def test_a_question_that_fails_while_something_starts_anew_is_asked_again(
    said: str, code: int, dash: Shell
) -> None:
    answer = json.dumps([version("2", "deployed")])
    dash.program(
        "kubectl",
        f"""\
n=0
while read -r _; do n=$((n + 1)); done < {dash.folder}/kubectl/calls
[ "$n" -gt 2 ] || {{ printf '%s\\n' '{said}'; exit {code}; }}
printf '%s\\n' '{answer}'
""",
    )
    goal = IsDeployed(slug="h", version="2")
    done = dash.run(plan_of(step(Await(command=kubectl("get"), goal=goal, seconds=100))))
    assert done.returncode == 0, done.stdout + done.stderr
    assert dash.calls() == 3
    assert done.stdout.count("no answer (") == 1


def test_waiting_ends_when_it_is_so(dash: Shell) -> None:
    answers = [[version("2", "pending")], [version("2", "deploying")], [version("2", "deployed")]]
    for number, answer in enumerate(answers):
        (dash.folder / f"answer-{number}").write_text(json.dumps(answer))
    dash.program(
        "kubectl",
        f"""\
n=0
while read -r _; do n=$((n + 1)); done < {dash.folder}/kubectl/calls
read -r line < {dash.folder}/answer-$((n - 1))
printf '%s\\n' "$line"
""",
    )
    goal = IsDeployed(slug="h", version="2")
    done = dash.run(plan_of(step(Await(command=kubectl("get"), goal=goal, seconds=100))))
    assert done.returncode == 0, done.stdout + done.stderr
    assert dash.calls("sleep") == 2
    assert "pending; asking again every 5 s" in done.stdout


@pytest.mark.parametrize(("seconds", "pauses", "after"), [(0, 0, ""), (12, 3, " after 15 s")])
def test_waiting_has_an_end(seconds: float, pauses: int, after: str, dash: Shell) -> None:
    dash.answers(go_json([version("2", "pending")]))
    goal = IsDeployed(slug="h", version="2")
    done = dash.run(plan_of(step(Await(command=kubectl("get", "x"), goal=goal, seconds=seconds))))
    assert done.returncode == 10
    assert f"error: try: pending{after}; expected: h 2 is deployed\n" in done.stderr
    assert "ask again with: kubectl get x" in done.stderr
    assert dash.calls("sleep") == pauses


def test_waiting_stops_where_it_is_of_no_use(dash: Shell) -> None:
    dash.answers(go_json([version("2", "failed")]))
    goal = IsDeployed(slug="h", version="2")
    done = dash.run(plan_of(step(Await(command=kubectl("get"), goal=goal, seconds=100))))
    assert done.returncode == 10
    assert "hint: look at the version in the admin console" in done.stderr
    assert dash.calls("sleep") == 0


@pytest.mark.parametrize("said", ["", "no JSON", '{"a": ', "[info] x\n", '"text"'])
def test_an_answer_that_cannot_be_read_ends_it(said: str, dash: Shell) -> None:
    dash.answers(said)
    plan = plan_of(step(Ask(command=kubectl("x"), expected=(IsAbsent(slug="h"),))))
    done = dash.run(plan)
    assert done.returncode == 10
    assert "gave an answer that cannot be read" in done.stderr


def documents() -> Iterator[Any]:
    """Made-up JSON, the same every time."""
    dice = random.Random(1)  # noqa: S311 - no secret
    letters = ['"', "\\", "/", "\n", "é", "a", "{", "}", "[", "]", ",", ":", " ", "\u2028", "="]

    def value(depth: int) -> Any:  # noqa: ANN401 - JSON
        kind = dice.randrange(8 if depth else 5)
        if kind < 5:
            text = "".join(dice.choices(letters, k=dice.randrange(6)))
            return [None, True, -1.5e7, dice.randrange(100), text][kind]
        count = range(dice.randrange(4))
        if kind < 7:
            return {"".join(dice.choices(letters, k=3)): value(depth - 1) for _ in count}
        return [value(depth - 1) for _ in count]

    yield [{}, "x", [], "y", {"a": {}}, ["z", {}], 1]
    for number in range(60):
        yield {"": value(3)} if number % 2 else [value(4)]


def flat(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """What the shell makes of it."""
    below = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in below:
        at = f"{path}\t{json.dumps(key)[1:-1] if isinstance(key, str) else key}"
        if isinstance(inner, dict | list):
            yield from flat(inner, at)
        else:
            text = json.dumps(inner)
            yield f"{at}\t{text[1:-1] if isinstance(inner, str) else text}"


@pytest.mark.parametrize("indent", [None, 4])
def test_the_shell_reads_any_json(shell: Shell, indent: int | None) -> None:
    for document in documents():
        text = f"  • progress\n{json.dumps(document, indent=indent)}\nafter it\n"
        (shell.folder / "json").write_text(text)
        done = shell.text(f"{common()}\nread_json < {shell.folder}/json")
        assert done.returncode == 0, text
        assert done.stdout.splitlines() == list(flat(document)), text


@pytest.mark.parametrize(("once", "kept"), [(True, "first"), (False, "second")])
def test_what_was_noted_first_stays_where_it_is_worth_more(
    shell: Shell, *, once: bool, kept: str
) -> None:
    path = shell.folder / "counts"
    note = step(Save(command=kubectl("get"), path=str(path), once=once))
    for said in ("first", "second"):
        shell.answers(said)
        done = shell.run(plan_of(note))
        assert done.returncode == 0, done.stderr
    assert path.read_text() == f"{kept}\n"
