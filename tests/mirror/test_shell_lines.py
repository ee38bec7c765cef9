"""Whatever a value holds, a printed command runs as it is meant, and nothing else does."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mirror.deploy import Known, Order, assume, plan
from mirror.kots import Engine
from mirror.kube.openshift import allow_without_oc
from mirror.operation import as_text
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import FIRST, SITE, install_order, licence_text, licences

HOSTILE = [
    "two words",
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "back\\slash\\",
    "-n --force",
    "* ? [a]",
    "#no comment",
    "~root",
    "a=b&c|d>e<f!g",
    "größe",
]
SECRET = "from a file"


def hostile_site(folder: Path, value: str) -> KotsSite:
    """A site in whose folders, files and names `value` stands wherever anything may."""
    site = yaml.safe_load(SITE)
    site["cluster"] = {"kubeconfig": f"{value}/config", "context": value, "openshift": True}
    application = {
        "licenseFile": f"{value}.yaml",
        "configValues": f"{value}/values.yaml",
        "sharedPasswordFile": f"{value}/password",
        "serviceAccounts": [value],
    }
    site["applications"] = {"harness": application}
    made = KotsSite(folder / value, FIRST[:2], text=json.dumps(site))
    (made.etc / value).mkdir()
    (made.etc / f"{value}.yaml").write_text(licence_text("harness"))
    (made.etc / value / "values.yaml").write_text("kind: ConfigValues\n")
    (made.etc / value / "password").write_text(f"{SECRET}\n")
    return made


@pytest.fixture(params=HOSTILE)
def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> KotsSite:
    monkeypatch.chdir(tmp_path)
    return hostile_site(tmp_path, request.param)


def orders(site: KotsSite) -> tuple[Order, Order]:
    return install_order(), install_order(engine=Engine.KOTS, work_dir=str(site.work))


def test_a_shell_gives_kots_what_a_run_would_give(site: KotsSite, tmp_path: Path) -> None:
    site.work.mkdir()
    for offer in site.offers:
        assert offer.slim
        name = f"{offer.record.digest.encoded[:8]}-{offer.record.file_name}"
        (site.work / name).write_bytes(Path(offer.slim).read_bytes())
    for order in orders(site):
        site.cluster.change(namespaces={})
        before = len(site.cluster.calls())
        state = assume(site.site, site.offers, Known(order=order, licences=licences()))
        planned = plan(site.site, site.offers, order, state)
        done = site.paste(as_text(planned))
        assert [one.exit_code for one in done] == [0] * len(done), done
        wanted = [step.command.argv for step in planned.steps if step.command]
        found = [tuple(call["argv"][1:]) for call in site.cluster.calls()[before:]]
        assert found == [argv[1 + ("kots" in argv[:2]) :] for argv in wanted]
    assert not list(tmp_path.rglob("pwned"))


def test_what_is_to_be_done_by_hand_is_quoted_as_well(site: KotsSite) -> None:
    known = Known(order=install_order(), licences=licences())
    state = assume(site.site, site.offers, known)
    state = replace(state, has_oc=False)
    text = as_text(plan(site.site, site.offers, install_order(), state))
    (line,) = (line for line in text.splitlines() if "create rolebinding" in line)
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {line.strip()}"], check=True, capture_output=True, text=True
    )
    (application,) = site.site.applications
    (account,) = application.service_accounts
    wanted = allow_without_oc(site.site, account, application.namespace)
    assert done.stdout.splitlines() == list(wanted.argv)
    assert not list(Path.cwd().rglob("pwned"))
