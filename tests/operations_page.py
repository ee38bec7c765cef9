"""`docs/operations.md` as a program: its commands, and what they print.

`python -m tests.operations_page` runs the page and writes what the commands print into it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from mirror.operation.journal import Event, entry
from tests.mirror.operations_daily import DAILY
from tests.mirror.stops import NOW

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "operations.md"
_PART = re.compile(
    r"^<!-- (?P<order>\w+):? ?(?P<what>.*?) ?-->$"
    r"|^```console\n(?P<console>.*?)^```$"
    r"|^```json\n(?P<json>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?:(?!\$ ).*\n)*", re.MULTILINE)


class Player:
    """Runs the page's commands at one site, against the fake cluster."""

    def __init__(self, folder: Path) -> None:
        """Make the site, and the command."""
        self.site = DAILY["down"].stage(folder / "ops")
        tools = folder / "bin"
        tools.mkdir()
        program = tools / "airgap-mirror"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mirror "$@"\n')
        program.chmod(0o755)
        found = self.site.environment
        self.environment = {
            **found,
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.site.etc),
            "PATH": f"{tools}:{found['PATH']}",
            "PYTHONPATH": str(PROJECT),
        }

    def play(self, page: str) -> str:
        """The page, with the output of every command as it is now."""
        return _PART.sub(self._part, page)

    def _part(self, found: re.Match[str]) -> str:
        if found["console"]:
            shown = _COMMAND.sub(lambda c: f"$ {c[1]}\n{self.run(c[1])}", found["console"])
            return f"```console\n{shown}```"
        if found["json"]:
            return f"```json\n{_noted()}```"
        refused = {found["what"]: "Error from server: etcdserver: request timed out"}
        self.site.cluster.change(refusals=refused if found["order"] == "refuse" else {})
        return found[0]

    def run(self, command: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            check=False,
            cwd=self.site.etc,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.stdout.replace(str(self.site.etc), "/etc/airgap")


def _noted() -> str:
    """A line of the journal."""
    step = next(step for step in DAILY["down"].shown().steps if step.name == "stop-ng-manager")
    value = json.loads(entry(NOW, "take harness-ng down at dc-north", Event.DONE, step))
    return json.dumps({**value, "digest": value["digest"][:19] + "…"}, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(Player(Path(folder)).play(PAGE.read_text()))


if __name__ == "__main__":
    main()
