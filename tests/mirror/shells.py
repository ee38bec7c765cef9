"""Scripts run by each shell that a site may have, with a program that notes what it is given."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mirror.command import Command, Value
from mirror.operation import Plan, Step, as_script
from mirror.operation.model import Action
from tests.tools import need

SHELLS: Mapping[str, Sequence[str]] = {
    "dash": ("dash",),
    "busybox": ("busybox", "sh"),
    "bash": ("bash", "--posix"),
}
_PROGRAM = """\
#!/bin/sh
printf '%s\\0' "$@" >> {folder}/arguments
export -p > {folder}/environment
printf '%s\\n' called >> {folder}/calls
{body}
"""


def plan_of(*steps: Step, title: str = "try something at dc-north") -> Plan:
    """A plan with these steps."""
    return Plan(title=title, steps=steps)


def step(action: Action, name: str = "try", why: str = "Try it.", undo: str = "") -> Step:
    """A step."""
    return Step(name=name, why=why, action=action, undo=undo)


def kubectl(*words: str, environment: Sequence[tuple[str, Value]] = ()) -> Command:
    """A command."""
    return Command(argv=("kubectl", *words), environment=tuple(environment))


@dataclass
class Shell:
    """A shell at a site where kubectl does what a test wants."""

    folder: Path
    argv: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the only folder on PATH."""
        self.bin.mkdir(parents=True)
        self.program("sleep", "")
        self.program("kubectl", "")

    @property
    def bin(self) -> Path:
        """Where programs are."""
        return self.folder / "bin"

    def program(self, name: str, body: str) -> None:
        """A program; nothing is on PATH for it either."""
        notes = self.folder / name
        notes.mkdir(exist_ok=True)
        path = self.bin / name
        path.write_text(_PROGRAM.format(folder=notes, body=body), encoding="utf-8")
        path.chmod(0o755)

    def answers(self, text: str, code: int = 0) -> None:
        """Kubectl prints a text."""
        (self.folder / "answer").write_text(text, encoding="utf-8")
        read = 'while IFS= read -r line || [ -n "$line" ]; do printf "%s\\n" "$line"; done'
        self.program("kubectl", f"{read} < {self.folder}/answer\nexit {code}\n")

    def script(self, plan: Plan) -> Path:
        """The plan as a script."""
        path = self.folder / "operation.sh"
        path.write_text(as_script(plan), encoding="utf-8")
        return path

    def run(self, plan: Plan, **given: str) -> subprocess.CompletedProcess[str]:
        """Run the script of a plan to its end."""
        program, *options = self.argv
        return subprocess.run(
            [str(need(program)), *options, str(self.script(plan))],
            env={"PATH": str(self.bin), **self.environment, **given},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def text(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a text."""
        program, *options = self.argv
        return subprocess.run(
            [str(need(program)), *options, "-c", text],
            env={"PATH": str(self.bin)},
            capture_output=True,
            text=True,
            check=False,
        )

    def arguments(self) -> list[str]:
        """Every argument that kubectl got."""
        path = self.folder / "kubectl/arguments"
        return path.read_text(encoding="utf-8").split("\0")[:-1] if path.exists() else []

    def given(self) -> str:
        """The environment that kubectl got at last, as its shell prints it."""
        return (self.folder / "kubectl/environment").read_text(encoding="utf-8")

    def calls(self, program: str = "kubectl") -> int:
        """How often a program was called."""
        path = self.folder / program / "calls"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
