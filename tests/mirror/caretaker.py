"""Somebody who looks after a site in the days after its install: a folder, a cluster, commands.

`carry_out` takes a plan as the command line does, with a clock that waits for nobody; `stops` lets
it be interrupted at every single thing that it does to the world.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from mirror.audit import Audit
from mirror.command import Command
from mirror.credentials import Keyring
from mirror.kots.outcome import Finished
from mirror.operation import Hands, Plan, run
from mirror.operation.edits import edit
from mirror.site import Site, parse_site
from tests.fakes import kube
from tests.fakes.kube_changes import JSON
from tests.mirror.kots_site import Clock, Notes
from tests.mirror.kots_world import KOTS, FakeCluster, licence_text, namespace, running
from tests.real.product import ENVIRONMENT
from tests.real.product import command as command_line

PASSWORD = 'reg pa"ss$word'
SITE = """\
apiVersion: airgap/v1
kind: Site
name: dc-north
registry:
  endpoint: registry.dc-north.example:5000/harness
  plainHttp: true
  credentials: {username: pusher, passwordEnv: REGISTRY_PASSWORD}
namespace: harness
applications:
  harness: {licenseFile: license.yaml}
  harness-ng: {licenseFile: license-ng.yaml}
waits: {waitDuration: 1s, preflightsWaitDuration: 1s}
"""
_T = TypeVar("_T")


class Stopped(KeyboardInterrupt):
    """Ctrl-C at a moment that a test has chosen."""


@dataclass
class Stop:
    """Ctrl-C at the n-th thing that is done: before it, or just after it."""

    at: int
    after: bool = False
    count: int = 0

    def wrap(self, action: Callable[..., _T]) -> Callable[..., _T]:
        """The same, until it is time."""

        def taken(*arguments: object) -> _T:
            self.count += 1
            if self.count == self.at and not self.after:
                raise Stopped
            done = action(*arguments)
            if self.count == self.at:
                raise Stopped
            return done

        return taken


@dataclass
class Caretaker:
    """One site, and whoever looks after it."""

    folder: Path
    text: str = SITE
    objects: list[JSON] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Write the site file and the licences; both applications run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_site(self.text)
        for name, slug in (("license", "harness"), ("license-ng", "harness-ng")):
            (self.folder / f"{name}.yaml").write_text(licence_text(slug))
        apps = {"harness": running("79915", 412), "harness_ng": running("500", 91, "harness-ng")}
        here = {"harness": namespace(KOTS, **apps)}
        self.cluster = FakeCluster(
            self.folder / "cluster", {"namespaces": here, "objects": self.objects}
        )
        self.environment = self.cluster.environment(
            {**ENVIRONMENT, "REGISTRY_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        )
        self.said: list[str] = []
        self.journal = Notes()

    @property
    def site_file(self) -> Path:
        """The site file."""
        return self.folder / "site.yaml"

    @property
    def site(self) -> Site:
        """What is in it."""
        return parse_site(
            self.site_file.read_text(), "site.yaml", folder=str(self.folder), home=None
        )

    def write_site(self, text: str) -> None:
        """Another site file."""
        self.site_file.write_text(text)

    def hands(self, **changes: Any) -> Hands:  # noqa: ANN401 - the fields of Hands
        """What a run works with: the fakes, real files, and a clock that waits for nobody."""

        def save(path: str, lines: Sequence[str]) -> None:
            Path(path).write_text("".join(f"{line}\n" for line in lines))

        hands = Hands(
            execute=self.call,
            ask=self.call,
            check_secrets=Keyring(self.environment).check,
            audit=lambda _images: Audit(images=()),
            assemble=lambda _offer, _path: None,
            prove=lambda _path: None,
            edit=edit,
            save=save,
            confirm=lambda _step: True,
            free_bytes=lambda _folder: 0,
            size_of=lambda _path: 0,
            journal=self.journal,
            clock=Clock(),
            say=self.said.append,
            advise=self.said.append,
        )
        return replace(hands, **changes)

    def call(self, command: Command) -> Finished:
        """Run a fake program here: hundreds of processes would take their time."""
        given = Keyring(self.environment).variables(command)
        stdout, stderr, code = io.StringIO(), io.StringIO(), 0
        before, arguments = dict(os.environ), sys.argv
        os.environ.update({**self.environment, **given})
        sys.argv = list(command.argv)
        try:
            with redirect_stdout(stdout), redirect_stderr(stderr):
                kube.main()
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            sys.argv = arguments
            os.environ.clear()
            os.environ.update(before)
        lines = (stream.getvalue().splitlines() for stream in (stdout, stderr))
        out, err = (tuple(filter(None, map(str.rstrip, found))) for found in lines)
        return Finished(exit_code=code, stdout=out, stderr=err)

    def carry_out(self, plan: Plan, stop: Stop | None = None) -> tuple[str, ...]:
        """Take the steps of a plan, until it is stopped."""
        hands = self.hands()
        if stop:
            hands = replace(
                hands,
                execute=stop.wrap(hands.execute),
                ask=stop.wrap(hands.ask),
                edit=stop.wrap(hands.edit),
                save=stop.wrap(hands.save),
                confirm=stop.wrap(hands.confirm),
            )
        return run(self.site, plan, hands)

    def run(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one of our commands for this site, which must end with `code`; no secret is seen."""
        argv = command_line("mirror", *arguments, "--site", self.site_file)
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, env=self.environment
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def scaled(self) -> list[tuple[str, int]]:
        """What was scaled, and to what, in order."""
        return [(name, pods) for name, pods in self.cluster.load().get("scaled", [])]

    def pods(self) -> Mapping[str, int]:
        """How many pods every workload is to have now."""
        return {
            f"{one['kind'].lower()}/{one['metadata']['name']}": one["spec"]["replicas"]
            for one in self.cluster.load()["objects"]
            if "replicas" in one.get("spec", {})
        }


def stops(
    make: Callable[[Path], Caretaker],
    plan: Callable[[Caretaker], Plan],
    folder: Path,
    end: Callable[[Caretaker], object],
) -> None:
    """Interrupt an operation before and after everything it does, and continue: all is the same.

    Args:
        make: A new site in a folder.
        plan: Looks at a site and plans, as often as it is asked.
        folder: Where the sites are made.
        end: What there is in the end, to be compared.
    """
    whole = make(folder / "whole")
    whole.carry_out(plan(whole))
    expected = end(whole)
    for after in (False, True):
        at = 1
        while True:
            one = make(folder / f"{at}-{after}")
            stop = Stop(at=at, after=after)
            try:
                one.carry_out(plan(one), stop)
            except Stopped:
                assert ("failed", "") not in one.journal.lines
                one.carry_out(plan(one))
                assert end(one) == expected, f"stopped {'after' if after else 'before'} {at}"
                at += 1
                continue
            break
        assert at > 1, "nothing was done that could be stopped"
