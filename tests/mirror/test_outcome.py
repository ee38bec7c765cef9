from __future__ import annotations

import json

import pytest

from mirror.command import Command
from mirror.kots import outcome
from mirror.kots.outcome import Finished, Version
from transfer.errors import ToolError

COMMAND = Command(argv=("kubectl", "kots", "do"))
PROGRESS = ("  • Validating registry information", "Pushing image r/x:1", '{"layers": 3}')


def said(*stdout: str, code: int = 0, stderr: tuple[str, ...] = ()) -> Finished:
    return Finished(exit_code=code, stdout=stdout, stderr=stderr)


def refused(finished: Finished, judge: object = outcome.check) -> ToolError:
    assert callable(judge)
    with pytest.raises(ToolError) as caught:
        judge(finished, COMMAND)
    return caught.value


def test_an_upgrade_is_believed_only_for_its_success() -> None:
    outcome.check_upgrade(said(*PROGRESS, '    {"success":true,"availableUpdates":0}'), COMMAND)
    error = refused(
        said(*PROGRESS, '    {"success":false,"error":"Unexpected response: 500"}'),
        outcome.check_upgrade,
    )
    assert error.exit_code == 10
    assert "kubectl kots do\nended with exit code 0 but failed: Unexpected response" in str(error)


@pytest.mark.parametrize(
    "answer",
    ['{"success":true,"error":"but"}', '{"success":false}', '{"success":"true"}'],
)
def test_any_other_answer_to_an_upgrade_is_a_failure(answer: str) -> None:
    assert "but failed" in str(refused(said(*PROGRESS, answer), outcome.check_upgrade))


def test_the_last_answer_counts() -> None:
    lines = ('{"success":true}', *PROGRESS, '{"success":false,"error":"late"}')
    assert "late" in str(refused(said(*lines), outcome.check_upgrade))


def test_an_upgrade_without_an_answer_failed() -> None:
    error = refused(said(*PROGRESS), outcome.check_upgrade)
    assert "without a result" in str(error)
    assert "Pushing image r/x:1" in str(error)


def test_an_exit_code_comes_with_the_last_words_of_both_streams() -> None:
    lines = [f"line {number}" for number in range(40)]
    error = refused(said(*lines, code=1, stderr=("Error: why",)))
    assert "ended with exit code 1" in str(error)
    assert "line 39" in str(error)
    assert "line 24" not in str(error)
    assert str(error).endswith("  Error: why")
    assert "(nothing)" in str(refused(said(code=255)))


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("There are preflight check warnings for the application.", "skipPreflights"),
        ("timeout waiting. Use the --wait-duration flag to increase timeout.", "waits"),
        ("Error: insufficient privileges", "cluster-admin"),
        ('Error: unknown command "kots" for "kubectl"', "under the name kubectl-kots"),
        ("The connection to the server localhost:8080 was refused", "cluster.kubeconfig"),
        ("Error: failed to get license", "its own words"),
    ],
)
def test_a_failure_comes_with_advice(words: str, advice: str) -> None:
    assert advice in str(refused(said(words, code=1)).hint)


def test_an_install_that_deployed_nothing_is_a_failure() -> None:
    outcome.check_install(said("  • Done"), COMMAND)
    line = "  • Additional app configuration is required. Please login to the Admin Console !"
    assert "pending_config" in str(refused(said(line), outcome.check_install))
    line = "    not pushing airgapped app images as no registry was provided"
    assert "saw no registry" in str(refused(said(line), outcome.check_install))
    assert "exit code 1" in str(refused(said(code=1), outcome.check_install))


@pytest.mark.parametrize("version", ["1.131.4", "v1.131.4"])
def test_the_plugin_has_the_version_of_its_console(version: str) -> None:
    answer = said(f'{{"version":"{version}","latestVersion":"v9"}}')
    assert outcome.read_plugin_version(answer, COMMAND) == "v1.131.4"


def workload(kind: str, image: str = "r.example:5000/ns/kotsadm:v1.130.0") -> dict[str, object]:
    containers = [{"name": "sidecar", "image": "x:1"}, {"name": "kotsadm", "image": image}]
    return {"kind": kind, "spec": {"template": {"spec": {"containers": containers}}}}


def answer_of(*items: object) -> Finished:
    return said(*json.dumps({"kind": "List", "items": items}, indent=4).splitlines())


def test_the_console_is_read() -> None:
    config = {"kind": "ConfigMap", "data": {"kotsadm-registry": "r.example:5000/ns"}}
    found = outcome.read_console(answer_of(workload("Deployment"), config), COMMAND)
    assert found is not None
    assert (found.version, found.minio, found.registry) == ("v1.130.0", True, "r.example:5000/ns")
    found = outcome.read_console(answer_of(workload("StatefulSet")), COMMAND)
    assert found is not None
    assert (found.minio, found.registry) == (False, None)
    assert outcome.read_console(answer_of(config), COMMAND) is None
    assert outcome.read_console(said(), COMMAND) is None


def test_applications_and_versions_are_read() -> None:
    apps = [{"slug": "harness", "state": "ready", "versionlabel": "79915"}]
    text = ("a line before", *json.dumps(apps, indent=4).splitlines())
    assert outcome.read_apps(said(*text), COMMAND) == {"harness": "79915"}
    assert outcome.read_apps(said("[]"), COMMAND) == {}
    version = {
        "versionLabel": "79915",
        "status": "deployed",
        "channelSequence": 412,
        "channelId": "1a",
    }
    text = tuple(json.dumps([version], indent=4).splitlines())
    assert outcome.read_versions(said(*text), COMMAND) == (
        Version(label="79915", status="deployed", cursor=412, channel_id="1a"),
    )


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (outcome.read_plugin_version, "no JSON"),
        (outcome.read_plugin_version, '{"Version": "1"}'),
        (outcome.read_console, '{"items": [{"kind": "Deployment"}]}'),
        (outcome.read_console, '{"items": 3}'),
        (outcome.read_apps, '["harness"]'),
        (outcome.read_apps, '{"slug": "harness"}'),
        (outcome.read_versions, '[{"versionLabel": "1"}]'),
        (
            outcome.read_versions,
            '[{"versionLabel": "1", "status": "x", "channelSequence": "y", "channelId": ""}]',
        ),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_failure(read: object, answer: str) -> None:
    assert "gave an answer that cannot be read" in str(refused(said(answer), read))
