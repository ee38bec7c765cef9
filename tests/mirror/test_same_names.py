"""What KOTS will pull is what was pushed, whatever the site file says of its registry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mirror import kots
from mirror.kots import Engine
from mirror.operation import Plan
from mirror.site import Site
from tests.fakes.goflags import parse
from tests.fakes.kotspull import RegistryFlags, destination, pushed_by_kots
from tests.mirror.golden import WORK
from tests.mirror.kots_world import (
    FIRST,
    MONTHLY,
    SITE,
    dry_plan,
    image,
    install_order,
    offered,
    read_site,
    upgrade_order,
)
from transfer.contents import ArchiveRecord
from transfer.digest import Digest
from transfer.reference import Repository
from transfer.relocate import archive_images, relocate

VECTORS = json.loads((Path(__file__).parents[1] / "data/rewrite-vectors.json").read_text())[
    "vectors"
]
HOSTS = (
    "registry.dc-north.example",
    "registry.dc-north.example:5000",
    "localhost:5000",
    "10.0.0.1",
)
NAMESPACES = ("", "harness", "team/harness", "a/b/c")
ENDPOINTS = [f"{host}/{name}".rstrip("/") for host in HOSTS for name in NAMESPACES]
DIGEST = Digest.of(b"docker.io/library/postgres@")
ODD = (
    "mongo",
    "quay.io/some/org/debian:0.1",
    "localhost:5000/x:1",
    f"docker.io/library/postgres:14@{DIGEST}",
)


def odd(record: ArchiveRecord) -> ArchiveRecord:
    """The archive with images whose names are none of the usual ones."""
    made = [image(name) for name in ODD]
    made[-1] = replace(made[-1], root=replace(made[-1].root, digest=DIGEST))
    return replace(record, images=(*record.images[:1], *made))


CONSOLE, APPLICATION = FIRST[0], odd(FIRST[1])
SOURCES = offered((CONSOLE, APPLICATION))


def site_at(endpoint: str) -> Site:
    return read_site(SITE.replace("registry.dc-north.example:5000/harness", endpoint))


def pushed(site: Site) -> dict[str, set[str]]:
    """What `airgap-mirror push --site` writes, by archive."""
    return {
        record.file_name: {
            str(one.destination)
            for one in relocate(archive_images(record), site.registry.endpoint).relocations
        }
        for record in (CONSOLE, APPLICATION)
    }


def flags_of(plan: Plan, verb: str) -> RegistryFlags:
    """The flags of the registry, as KOTS reads them from a planned command."""
    (argv,) = (
        step.command.argv[2:]
        for step in plan.work
        if step.command and " ".join(step.command.argv[2:]).startswith(verb)
    )
    call = parse(argv, {})
    return RegistryFlags(call.get("kotsadm-registry"), call.get("kotsadm-namespace"))


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["kind"] == "DestImage"])
def test_the_model_of_kots_agrees_with_its_own_tests(vector: dict[str, Any]) -> None:
    given = vector["input"]
    found = destination(given["endpoint"], given["namespace"], given["image"])
    assert found == vector["expected"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_install_pulls_what_was_pushed(endpoint: str) -> None:
    site = site_at(endpoint)
    plan = dry_plan(install_order(only="harness"), SOURCES, site=site)
    flags, there = flags_of(plan, "install"), pushed(site)
    assert flags.namespace == ""
    assert {flags.console(one.name) for one in CONSOLE.images} == there["kotsadm.tar.gz"]
    application = {flags.application(one.name) for one in APPLICATION.images}
    assert application == there["harness-79915.airgap"]
    assert {str(one.destination) for one in plan.images} == set.union(*there.values())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_upgrade_pulls_what_was_pushed(endpoint: str) -> None:
    site = site_at(endpoint)
    sources = offered((MONTHLY[0], MONTHLY[2]))
    plan = dry_plan(upgrade_order(only="harness"), sources, site=site)
    there = {str(one.destination) for one in plan.images}
    console = flags_of(plan, "admin-console upgrade")
    application = flags_of(plan, "upstream upgrade")
    assert there == {
        *(console.console(one.name) for one in MONTHLY[0].images),
        *(application.application(one.name) for one in MONTHLY[2].images),
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_kots_pushes_itself_is_what_it_pulls(endpoint: str) -> None:
    site = site_at(endpoint)
    order = install_order(engine=Engine.KOTS, only="harness", work_dir=WORK)
    plan = dry_plan(order, SOURCES, site=site)
    flags = flags_of(plan, "install")
    push = kots.push_images(site, "harness", "/kotsadm.tar.gz", None)
    registry = next(word for word in push.argv if word == endpoint)
    for one in CONSOLE.images:
        assert pushed_by_kots(registry, one.name) == flags.console(one.name)
    assert {flags.application(one.name) for one in APPLICATION.images} == pushed(site)[
        "harness-79915.airgap"
    ]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("namespace", NAMESPACES[1:])
def test_a_namespace_of_its_own_is_the_same_as_one_in_the_endpoint(
    host: str, namespace: str
) -> None:
    """Somebody who gives `--kotsadm-namespace` to a bare host writes both into the site file."""
    by_hand = RegistryFlags(host, namespace)
    there = pushed(site_at(f"{host}/{namespace}"))
    assert {by_hand.console(one.name) for one in CONSOLE.images} == there["kotsadm.tar.gz"]
    application = {by_hand.application(one.name) for one in APPLICATION.images}
    assert application == there["harness-79915.airgap"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("namespace", NAMESPACES[1:])
def test_given_twice_kots_would_pull_what_nobody_pushed(host: str, namespace: str) -> None:
    """As the printed guide has it: a registry with a path, and a namespace besides."""
    endpoint = f"{host}/{namespace}"
    by_hand = RegistryFlags(endpoint, "harness-kots")
    there = set.union(*pushed(site_at(endpoint)).values())
    for one in (*CONSOLE.images, *APPLICATION.images):
        assert by_hand.application(one.name) not in there
        assert by_hand.console(one.name) not in there


def test_the_endpoints_are_read_as_they_are_written() -> None:
    for endpoint in ENDPOINTS:
        found = site_at(endpoint).registry.endpoint
        assert isinstance(found, Repository)
        assert str(found) == endpoint
