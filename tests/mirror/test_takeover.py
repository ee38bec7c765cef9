"""NextGen configured as FirstGen: what is taken over, what must not differ, who may read it."""

from __future__ import annotations

import base64
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mirror.config.takeover import clashes, merge, sign_up_address
from mirror.deploy import Known, looked_at, observe, plan
from mirror.operation import Plan, run
from mirror.operation.model import Await, MergeValues
from mirror.operation.wanted import IsReady
from mirror.secret import HIDDEN
from tests.mirror.golden import ANSWERS, SITE_FOLDER
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    SITE,
    dry_plan,
    install_order,
    licences,
    namespace,
    offered,
    read_site,
    running,
)
from transfer.errors import Incomplete, InvalidInput, PolicyError
from transfer.kots.config import Config
from transfer.kots.values import ConfigValues
from transfer.yamlfile import load_texts

GROUPS = """
kind: Config
spec:
  groups:
    - name: advanced
      title: Ingress Controller Configurations
      items:
        - {name: nginx_on, title: Install Nginx Ingress Controller, type: bool}
    - name: all
      items:
        - {name: app_url, title: Application URL}
        - {name: node_port, title: NodePort, default: "32500"}
        - {name: scheme, title: Scheme, type: select_one, default: http}
        - {name: smtp_password, title: Password, type: password}
"""
CONFIG = Config.read(load_texts(GROUPS))
ENCRYPTED = "RU5DUllQVEVE"
PLAIN = base64.b64decode(ENCRYPTED).decode()


def own(**answers: str) -> str:
    values = {name: {"value": value} for name, value in answers.items()}
    return yaml.safe_dump({"kind": "ConfigValues", "spec": {"values": values}})


def answers(**given: str) -> ConfigValues:
    return ConfigValues.parse(own(**given), "configvalues.yaml")


def merged(text: str) -> dict[str, dict[str, str]]:
    return dict(yaml.safe_load(text)["spec"]["values"])


def test_own_answers_come_first_and_what_is_unanswered_is_left_out() -> None:
    found = merged(merge(ANSWERS, own(app_url="http://ng.example", extra="1"), None, "s"))
    assert found == {
        "app_url": {"value": "http://ng.example"},
        "extra": {"value": "1"},
        "scheme": {"value": "http"},
        "smtp_password": {"value": ENCRYPTED},
    }


def test_only_what_the_release_asks_is_taken_over() -> None:
    found = merged(merge(ANSWERS, own(extra="1"), ["scheme"], "s"))
    assert found == {"extra": {"value": "1"}, "scheme": {"value": "http"}}


def test_texts_stay_as_they_are() -> None:
    text = own(pem="-----BEGIN-----\n\nabc\n-----END-----\n", number="0123", yes="true", n="null")
    assert merged(merge(text, None, None, "s")) == yaml.safe_load(text)["spec"]["values"]


@pytest.mark.parametrize(
    "text", ["s3cret", "kind: License\n", "kind: ConfigValues\nspec: s3cret\n", "[s3cret", ""]
)
def test_what_holds_no_answers_is_refused_unseen(text: str) -> None:
    for source, mine in ((text, own()), (own(), text)):
        with pytest.raises(InvalidInput, match="holds no configuration values") as caught:
            merge(source, mine, None, "taken-values.yaml")
        assert "s3cret" not in str(caught.value)


def test_a_password_of_the_site_is_never_written_as_stars() -> None:
    with pytest.raises(InvalidInput, match="smtp: one of the site's own passwords"):
        merge(own(smtp=HIDDEN), None, None, "s")
    assert merged(merge(own(smtp=HIDDEN), own(smtp="mine"), None, "s"))["smtp"]["value"] == "mine"


def test_the_scheme_and_the_ingress_settings_must_agree() -> None:
    theirs = answers(scheme="http", nginx_on="1", app_url="http://a", node_port="1")
    mine = answers(scheme="https", nginx_on="0", app_url="http://b", node_port="1")
    assert sorted(clashes(theirs, mine, CONFIG)) == ["nginx_on", "scheme"]
    assert sorted(clashes(theirs, mine, None)) == ["scheme"]
    assert not list(clashes(theirs, theirs, CONFIG))


def test_an_answer_that_is_the_default_agrees_with_none() -> None:
    unanswered = answers(scheme="", app_url="")
    assert not list(clashes(unanswered, answers(scheme="http"), CONFIG))
    assert list(clashes(unanswered, answers(scheme="https"), CONFIG)) == ["scheme"]


def test_where_users_sign_up() -> None:
    assert sign_up_address(answers(app_url="http://h.example/"), CONFIG) == (
        "http://h.example/auth/#/signup"
    )
    assert sign_up_address(answers(), CONFIG) == ""
    assert sign_up_address(answers(app_url="h.example"), CONFIG) == ""
    elsewhere = Config(items=CONFIG.items[:1])
    assert sign_up_address(answers(app_url="http://h.example"), elsewhere) == ""


def first_gen(folder: Path, text: str = SITE) -> KotsSite:
    """A site where FirstGen runs, configured."""
    site = KotsSite(folder, FIRST, text=text)
    before = namespace(KOTS, harness=running("79915", 412, config=ANSWERS))
    site.cluster.change(namespaces={"harness": before})
    return site


TAKE = install_order(only="harness-ng", take_from="harness")


def planned(site: KotsSite, *, mine: ConfigValues | None = None, decrypt: bool = False) -> Plan:
    order = replace(TAKE, folder=str(site.etc), decrypt=decrypt)
    concerned = looked_at(site.site, order, site.offers)
    known = Known(
        order=order,
        licences=licences(),
        configs={"harness-ng": CONFIG},
        answers={"harness-ng": mine} if mine else {},
        puller=site.puller(),
    )
    state = observe(site.site, concerned, known, site.hands().ask)
    return plan(site.site, site.offers, order, state)


def test_kots_gets_the_answers_of_the_first_application(tmp_path: Path) -> None:
    site = first_gen(tmp_path)
    achieved = run(site.site, planned(site), site.hands())
    file = site.etc / "harness-ng.merged-values.yaml"
    (install,) = [call for call in site.cluster.calls() if call["argv"][1] == "install"]
    assert f"--config-values={file}" in install["argv"]
    assert merged(file.read_text()) == {
        "app_url": {"value": "http://harness.dc-north.example"},
        "scheme": {"value": "http"},
        "smtp_password": {"value": ENCRYPTED},
    }
    for path in site.etc.glob("*-values.yaml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert PLAIN not in path.read_text()
    assert achieved[-1] == (
        "harness-ng is ready: sign up at http://harness.dc-north.example/auth/#/signup"
    )


def test_nobody_sees_an_answer_on_the_way(tmp_path: Path) -> None:
    site = first_gen(tmp_path)
    run(site.site, planned(site), site.hands())
    said = "\n".join(site.said) + str(site.cluster.calls()) + str(site.journal.lines)
    for secret in (ENCRYPTED, PLAIN):
        assert secret not in said


def test_passwords_are_in_the_clear_only_where_that_was_asked_for(tmp_path: Path) -> None:
    site = first_gen(tmp_path)
    found = planned(site, decrypt=True)
    assert any("passwords in the clear" in note for note in found.notes)
    run(site.site, found, site.hands())
    file = site.etc / "harness-ng.merged-values.yaml"
    assert merged(file.read_text())["smtp_password"] == {"value": PLAIN}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PLAIN not in "\n".join(site.said)


def test_another_scheme_is_refused_before_anything_changes(tmp_path: Path) -> None:
    site = first_gen(tmp_path)
    with pytest.raises(PolicyError, match="scheme: not what harness is configured with") as caught:
        planned(site, mine=answers(scheme="https", app_url="http://b"))
    assert "https" not in str(caught.value)
    found = planned(site, mine=answers(scheme="http", app_url="http://b"))
    assert "install-harness-ng" in [step.name for step in found.work]


def test_there_has_to_be_somebody_to_take_them_from(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    with pytest.raises(PolicyError, match="--take-config-from harness: it is not installed"):
        site.carry_out(TAKE)
    with pytest.raises(InvalidInput, match="not in the site file"):
        dry_plan(replace(TAKE, take_from="other"), offered(FIRST))


def test_another_console_cannot_read_what_is_encrypted() -> None:
    text = SITE.replace("license-ng.yaml\n", "license-ng.yaml\n    namespace: ng\n")
    order = install_order(take_from="harness", folder=SITE_FOLDER)
    with pytest.raises(PolicyError, match="cannot read what that of harness has encrypted") as e:
        dry_plan(order, offered(FIRST), site=read_site(text))
    assert "--decrypt-config" in str(e.value.hint)
    clear = dry_plan(replace(order, decrypt=True), offered(FIRST), site=read_site(text))
    assert "take-config-harness-ng" in [step.name for step in clear.work]


def test_both_on_a_new_cluster(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    found, _ = site.carry_out(install_order(take_from="harness"))
    names = [step.name for step in found.work]
    assert names.index("ready-harness-79915") < names.index("take-config-harness-ng")
    changes = [getattr(step.action, "change", None) for step in found.work]
    (change,) = [one for one in changes if isinstance(one, MergeValues)]
    assert change.keys is None
    assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


def test_the_data_of_an_old_installation_comes_between_the_two(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    with pytest.raises(Incomplete, match="migrate-data: not confirmed"):
        site.carry_out(install_order(legacy=True))
    assert site.deployed() == {"harness": "79915"}
    with pytest.raises(Incomplete, match="migrate-data: not confirmed"):
        site.carry_out(install_order(legacy=True))
    site.confirmed.add("migrate-data")
    site.carry_out(install_order(legacy=True))
    assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


def test_nothing_goes_on_before_everything_is_ready(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    found, _ = site.carry_out(install_order(only="harness"))
    goals = [step.action.goal for step in found.work if isinstance(step.action, Await)]
    assert IsReady(slug="harness") in goals
    state = site.cluster.load()
    state["namespaces"]["harness"]["apps"]["harness"]["states"] = ["unavailable", "updating"]
    site.cluster.save(state)
    waited = site.clock.seconds
    tail = replace(found, steps=found.steps[-1:])
    assert run(site.site, tail, site.hands()) == ("harness is ready",)
    assert site.clock.seconds > waited
    assert "  harness: updating; asking again every 5 s" in site.said
