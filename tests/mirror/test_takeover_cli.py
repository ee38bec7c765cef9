"""`airgap-mirror install --take-config-from`, with real archives that ask, and a real registry."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.mirror.preflight_world import SECRETS, VALUES, Carried, Place, carried, values
from tests.mirror.supply import Ran, mirror
from tests.servers import Certificate

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

ENCRYPTED = "RU5DUllQVEVE"


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory, tls: Certificate) -> Iterator[Carried]:
    with carried(tmp_path_factory.mktemp("crossed"), tls) as found:
        yield found


@pytest.fixture
def place(tmp_path: Path, crossed: Carried) -> Place:
    return Place(tmp_path, crossed)


def install(place: Place, *words: str, code: int = 0) -> Ran:
    """Install what crossed; no secret may be seen anywhere."""
    place.write("site.yaml", json.dumps(place.site))
    site = ("--site", place.folder / "site.yaml")
    done = mirror("install", *place.carried.sources, *site, *words, env=place.environment)
    assert done.code == code, done.out + done.err
    for secret in (*SECRETS, ENCRYPTED):
        assert secret not in done.out + done.err
    return done


def configured(place: Place, **answers: str) -> None:
    """FirstGen runs, configured."""
    done = install(place, "--app", "harness", "--quiet")
    assert done.out.splitlines()[-1] == (
        f"harness is ready: sign up at {VALUES['app_url']}/auth/#/signup"
    )
    state = place.cluster.load()
    text = values({**VALUES, **answers, "nobody_asks": "1", "smtp_password": ENCRYPTED})
    state["namespaces"]["harness"]["apps"]["harness"]["config"] = text
    place.cluster.save(state)


TAKE = ("--app", "harness-ng", "--take-config-from", "harness")


def test_what_the_release_asks_is_taken_over(place: Place) -> None:
    configured(place, node_port="31000")
    del place.site["applications"]["harness-ng"]["configValues"]
    done = install(place, *TAKE, "--quiet")
    file = place.folder / "harness-ng.merged-values.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    taken = yaml.safe_load(file.read_text())["spec"]["values"]
    assert taken["node_port"] == {"value": "31000"}
    assert "nobody_asks" not in taken
    assert done.out.splitlines()[-1].startswith("harness-ng is ready: sign up at http://localhost")
    apps = place.cluster.load()["namespaces"]["harness"]["apps"]
    assert set(apps) == {"harness", "harness-ng"}


def test_another_scheme_stops_it_before_anything_changes(place: Place) -> None:
    configured(place, scheme="http")
    place.write("harness-ng-values.yaml", values({**VALUES, "scheme": "https"}))
    done = install(place, *TAKE, code=12)
    assert "scheme: not what harness is configured with" in done.err
    assert not list(place.folder.glob("*merged*"))
    assert "harness-ng" not in place.cluster.load()["namespaces"]["harness"]["apps"]


def test_options_that_say_nothing_alone(place: Place) -> None:
    done = install(place, "--decrypt-config", code=2)
    assert "--decrypt-config goes with --take-config-from" in done.err
