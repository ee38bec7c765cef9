"""The page on the preflight says what the code does: checks, figures, rights."""

from __future__ import annotations

import re
from pathlib import Path

from mirror.config.advice import NODE_PORTS
from mirror.config.settings import NODE_PORT
from mirror.kube.quantity import parse_quantity
from mirror.preflight.checks import NAMES
from mirror.preflight.ports import CONSOLE_PORT, GRPC_PORT, MINIO_PORT
from mirror.preflight.rights import MINIMUM
from mirror.preflight.versions import GUIDE_SINCE, LISTED, PLUGINS_SINCE
from mirror.requirements import NODE_CPU, NODE_MEMORY, TABLES
from transfer.kots.licence import SOON

PAGE = (Path(__file__).parents[1] / "docs/preflight.md").read_text(encoding="utf-8")


def rows(heading: str, columns: int) -> list[list[str]]:
    """The rows of the table below a heading, but for its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    assert all(len(row) == columns for row in cells), cells
    return [[cell.strip() for cell in row] for row in cells[2:]]


def test_every_check_is_in_the_table_in_its_order() -> None:
    assert [row[0].strip("`") for row in rows("Checks", 4)] == list(NAMES)


def test_the_figures_of_the_checks_are_those_of_the_code() -> None:
    said = {row[0].strip("`"): " ".join(row[1:]) for row in rows("Checks", 4)}
    figures = {
        "kubectl": [PLUGINS_SINCE],
        "cluster": [*LISTED, f"{GUIDE_SINCE}.0"],
        "nodes": [f"{NODE_CPU} CPU", f"{NODE_MEMORY / 10**9} GB"],
        "licence": [f"{SOON.days} days"],
        "node-port": [str(NODE_PORTS.start), str(NODE_PORTS.stop - 1), str(NODE_PORT)],
        "ports": [str(GRPC_PORT), str(MINIO_PORT), "9879", "9000"],
        "console-port": [str(CONSOLE_PORT)],
    }
    for name, wanted in figures.items():
        assert [one for one in wanted if one not in said[name]] == [], name


def test_the_tables_of_the_vendor_are_those_of_the_code() -> None:
    told = [
        (
            row[0].partition("`")[2].partition("`")[0],
            row[1],
            *(parse_quantity(re.sub(" |B$", "", cell)) if cell else None for cell in row[2:]),
        )
        for row in rows("What applications need", 5)
    ]
    assert told == [
        (slug, one.mode, one.cpu, one.memory, one.storage)
        for slug in ("harness", "harness-ng")
        for one in TABLES[slug]
    ]


def test_the_least_role_is_that_of_the_code() -> None:
    told = {
        resource: tuple(verbs.split(", "))
        for resources, verbs in rows("The least role", 2)
        for resource in resources.split(", ")
    }
    assert told == dict(MINIMUM)
