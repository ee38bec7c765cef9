"""Everything that a preflight can see, all of it well; tests spoil one thing each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from mirror.kube.cluster import Node, StorageClass
from mirror.preflight.model import (
    Access,
    Answer,
    Case,
    ClusterSeen,
    ConsoleSeen,
    Held,
    MachineSeen,
    Member,
    RegistrySeen,
    Seen,
    Way,
)
from tests.mirror.kots_world import CHANNELS, KOTS, SITE, console, offered, read_site, release
from transfer.errors import ToolError
from transfer.kots.config import Config
from transfer.kots.licence import Licence
from transfer.kots.values import ConfigValues
from transfer.relocate import RelocationPlan
from transfer.yamlfile import load_texts

_ASKED = (Path(__file__).parents[1] / "data/config/asked.yaml").read_text()
ASKED = Config.read(load_texts(_ASKED))
NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOST = "harness.dc-north.example"
VALUES = {
    "app_url": f"https://{HOST}",
    "lb_address": "192.0.2.10",
    "node_port": "32500",
    "storage_class": "fast",
    "log_backend": "s3",
    "scheme": "https",
    "grpc_target": HOST,
    "grpc_authority": f"manager-grpc-{HOST}",
}
RECORDS = (console(), release("79915", 412), release("500", 91, "harness-ng"))
SLUGS = ("harness", "harness-ng")
PULL = "  pullCredentials: {username: harness-pull, passwordFile: pull-password}\ncluster:"
SILENCE = ToolError(
    "kubectl get x\nended with exit code 1; its last words:\n  Forbidden", hint="ask"
)
SILENT: Answer[Any] = Answer(SILENCE)
"""What comes of a question that nobody answers."""


def values(**changes: str | None) -> ConfigValues:
    """The answers of the site, but for some; None leaves one out."""
    given = {name: text for name, text in {**VALUES, **changes}.items() if text is not None}
    spec = {"values": {name: {"value": text} for name, text in given.items()}}
    text = yaml.safe_dump({"kind": "ConfigValues", "spec": spec}, default_style='"')
    return ConfigValues.parse(text, "values.yaml")


def licence(slug: str = "harness", **fields: Any) -> Licence:  # noqa: ANN401 - of a Licence
    """A licence of the site, but for some fields."""
    known: dict[str, Any] = {
        "app_slug": slug,
        "channel_id": CHANNELS[slug],
        "channel_name": "Stable",
        "expires_at": "2027-11-23T00:00:00Z",
        "is_signed": True,
        **fields,
    }
    return Licence(**known)


def node(name: str, cpu: float = 16, gigabytes: float = 64, **fields: str) -> Node:
    """A node that leaves everything to pods."""
    size, memory = Fraction(cpu), Fraction(gigabytes) * 10**9
    return Node(name=name, cpu=size, memory=memory, free_cpu=size, free_memory=memory, **fields)


def good_case(site: str = "") -> Case:
    """Two applications and the console; `site` replaces the text of the site file."""
    at_site = read_site(site or SITE.replace("cluster:", PULL))
    records = {record.release.app_slug: record.release for record in RECORDS}
    return Case(
        site=at_site,
        offers=offered(RECORDS),
        images=Answer(RelocationPlan(endpoint=at_site.registry.endpoint, relocations=())),
        members=tuple(
            Member(
                application=at_site.application(slug),
                releases=(records[slug],),
                licence=Answer(licence(slug)),
                config=Answer(ASKED),
                values=Answer(values()),
            )
            for slug in SLUGS
            if slug in [one.slug for one in at_site.applications]
        ),
    )


def good(site: str = "") -> Seen:
    """A preflight that finds nothing to mend."""
    return Seen(
        case=good_case(site),
        now=NOW,
        registry=RegistrySeen(
            entry=Answer(None),
            push=Answer(Access(repositories=9)),
            pull=Answer(Access(repositories=9)),
            held=Answer(Held(images=9)),
        ),
        cluster=ClusterSeen(
            kubectl=Answer("v1.27.4"),
            version=Answer("v1.27.3"),
            may_do_everything=Answer(given=True),
            rights={},
            namespaces={"harness": Answer("Active")},
            may_create_namespaces=SILENT,
            nodes=Answer(tuple(node(f"node-{i}") for i in range(1, 5))),
            pods=Answer(()),
            storage_classes=Answer((StorageClass(name="fast"),)),
            node_ports=Answer(()),
        ),
        console=ConsoleSeen(
            plugin=Answer(KOTS),
            installed={slug: Answer(given=False) for slug in SLUGS},
            ways={"install harness and harness-ng": Answer(Way(stops=("harness 79915",)))},
        ),
        machine=MachineSeen(
            files=Answer(7),
            console_port_busy=Answer(given=False),
            addresses={HOST: Answer(("192.0.2.10",))},
            free=SILENT,
        ),
    )


def spoil(seen: Seen, part: str, **fields: Any) -> Seen:  # noqa: ANN401 - answers
    """The same with other answers in one part: `registry`, `cluster`, `console`, `machine`."""
    given = {name: one if _is_whole(one) else Answer(one) for name, one in fields.items()}
    return replace(seen, **{part: replace(getattr(seen, part), **given)})


def with_member(seen: Seen, **fields: Any) -> Seen:  # noqa: ANN401 - answers
    """The same with another first application."""
    first, *others = seen.case.members
    given: dict[str, Any] = {
        name: one if name == "releases" else Answer(one) for name, one in fields.items()
    }
    members = (replace(first, **given), *others)
    return replace(seen, case=replace(seen.case, members=members))


def _is_whole(value: object) -> bool:
    return isinstance(value, (Answer, Mapping))
