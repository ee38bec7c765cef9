"""One complete site in a folder, with its fake cluster: what an install or upgrade touches."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mirror.audit import Audit, AuditedImage, Finding
from mirror.command import Command
from mirror.credentials import Keyring, passwords
from mirror.deploy import Known, Order, looked_at, observe, plan
from mirror.kots import Engine
from mirror.kots.outcome import Finished
from mirror.kube.pullsecret import Puller
from mirror.offer import Offered
from mirror.operation import Hands, Plan, Step, run
from mirror.operation.edits import edit, save
from mirror.operation.journal import Event, fingerprint
from mirror.process import Runner
from mirror.site import Site, puller_of
from tests.fakes.cluster import pull_secret
from tests.mirror import fakes_here
from tests.mirror.kots_world import (
    PUSHER,
    SITE,
    FakeCluster,
    licence_text,
    licences,
    offered,
    read_site,
    write_slim,
)
from transfer.contents import ArchiveRecord
from transfer.relocate import Relocation

SECRETS = {"REGISTRY_PASSWORD": PUSHER[1], "CONSOLE_PASSWORD": "cons0le-'secret'"}
FILE_SECRETS = {"pull-password": "pu11-only", "console password": "console2 from a file"}
ENVIRONMENT = {"PATH": os.environ["PATH"], "REGISTRY_USER": PUSHER[0], **SECRETS}


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        """Seconds waited so far."""
        return self.seconds

    def pause(self, seconds: float) -> None:
        """Be there at once."""
        self.seconds += seconds


class Notes:
    """A journal that lasts as long as its site."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._done: set[str] = set()

    def has_done(self, step: Step) -> bool:
        """Whether it was done since the last end."""
        return fingerprint(step) in self._done

    def note(self, event: Event, step: Step) -> None:
        """Keep it."""
        self.lines.append((event.value, step.name))
        if event is Event.DONE:
            self._done.add(fingerprint(step))

    def end(self) -> None:
        """Forget what was done."""
        self.lines.append((Event.ENDED.value, ""))
        self._done.clear()


@dataclass
class KotsSite:
    """A site in a folder."""

    folder: Path
    records: tuple[ArchiveRecord, ...]
    text: str = SITE
    vendor: bool = False

    def __post_init__(self) -> None:
        """Write everything that a command may name."""
        self.cluster = FakeCluster(self.folder / "cluster")
        self.clock = Clock()
        self.said: list[str] = []
        self.assembled: list[str] = []
        self.proven: list[str] = []
        self.confirmed = {"backup"}
        self.person: Callable[[Step], None] = self.settle
        """Does what a step asks for, before it is confirmed."""
        self.path = ""
        """Where programs are, if not where they usually are."""
        self.here = False
        """Programs run in this very process, which is quick."""
        self.journal = Notes()
        self.free = 10**15
        self.etc.mkdir()
        for name, slug in (("license", "harness"), ("license-ng", "harness-ng")):
            (self.etc / f"{name}.yaml").write_text(licence_text(slug))
        (self.etc / "values").mkdir()
        (self.etc / "values/configvalues.yaml").write_text("kind: ConfigValues\n")
        for name, secret in FILE_SECRETS.items():
            (self.etc / name).write_text(secret + "\n")
        (self.etc / "site.yaml").write_text(self.text)
        for offer in self.offers:
            if path := offer.full or offer.slim:
                write_slim(Path(path), offer.record)
        self.registry = {
            f"{self.site.registry.endpoint}/{_last(image.name)}": image.root
            for record in self.records
            for image in record.images
        }

    @property
    def etc(self) -> Path:
        """Where the site file is."""
        return self.folder / "etc"

    @property
    def work(self) -> Path:
        """The folder for --work-dir."""
        return self.folder / "work"

    @property
    def site(self) -> Site:
        """The site; `~/` is the folder too."""
        text = self.text.replace("~/", f"{self.etc}/")
        return read_site(text, str(self.etc))

    @property
    def offers(self) -> tuple[Offered, ...]:
        """The archives, as files of a bundle or as the vendor's."""
        return offered(self.records, str(self.folder / "bundle"), vendor=self.vendor)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever runs the commands."""
        found = self.cluster.environment(ENVIRONMENT)
        return {**found, "PATH": self.path} if self.path else found

    def puller(self) -> Puller | None:
        """Who the cluster is to be in the registry, as the command line finds out."""
        registry, keyring = self.site.registry, Keyring(self.environment)
        login = puller_of(registry)
        if login is None:
            return None
        return Puller(
            host=registry.endpoint.registry,
            username=keyring.username(login),
            password=keyring.read(login.password),
        )

    def runner(self) -> Runner:
        """What starts programs."""
        site = self.site
        return Runner(
            keyring=Keyring(self.environment), secrets=passwords(site), say=self.said.append
        )

    def hands(self) -> Hands:
        """What a run works with."""
        runner = self.runner()
        silent = replace(runner, say=lambda _line: None)
        return Hands(
            edit=edit,
            save=save,
            confirm=self._confirm,
            journal=self.journal,
            execute=self._call if self.here else runner,
            ask=self._call if self.here else silent,
            check_secrets=runner.keyring.check,
            audit=self.audit,
            assemble=self.assemble,
            prove=self.proven.append,
            free_bytes=lambda _folder: self.free,
            size_of=size_of,
            clock=self.clock,
            say=self.said.append,
            advise=self.said.append,
        )

    def _confirm(self, step: Step) -> bool:
        if step.name not in self.confirmed:
            return False
        self.person(step)
        return True

    def _call(self, command: Command) -> Finished:
        if command.argv[0] in fakes_here.PROGRAMS:
            return fakes_here.call(command, self.environment)
        return self.runner()(command)

    def settle(self, step: Step) -> None:
        """Tell the console the password of the registry, where a step asks for that."""
        if not step.name.startswith("registry-settings"):
            return
        state = self.cluster.load()
        for namespace in state["namespaces"].values():
            secrets = namespace.get("secrets", {})
            registry = str(self.site.registry.endpoint)
            made = pull_secret(registry, *PUSHER)
            secrets |= {name: made for name in secrets if name != "kotsadm-private-registry"}
        self.cluster.save(state)

    def audit(self, images: Sequence[Relocation]) -> Audit:
        """What the registry holds of some images."""
        return Audit(images=tuple(map(self._audited, images)))

    def _audited(self, image: Relocation) -> AuditedImage:
        found = self.registry.get(str(image.destination))
        if found is None:
            detail = "the name is not there"
            return AuditedImage(relocation=image, finding=Finding.MISSING, details=(detail,))
        if found == image.root:
            return AuditedImage(relocation=image, finding=Finding.HELD)
        detail = f"holds {found.digest}, expected {image.root.digest}"
        return AuditedImage(relocation=image, finding=Finding.DIFFERENT, details=(detail,))

    def assemble(self, offer: Offered, path: str) -> None:
        """As if an archive had been put together again."""
        self.assembled.append(path)
        write_slim(Path(path), offer.record)

    def carry_out(
        self, order: Order, stated: Mapping[str, str] | None = None
    ) -> tuple[Plan, tuple[str, ...]]:
        """Look at the cluster, plan and run: what the command line does."""
        site, hands = self.site, self.hands()
        order = replace(order, work_dir=str(self.work)) if order.engine is Engine.KOTS else order
        order = replace(order, folder=str(self.etc))
        concerned = looked_at(site, order, self.offers)
        known = Known(order=order, stated=stated or {}, licences=licences(), puller=self.puller())
        state = observe(site, concerned, known, hands.ask)
        planned = plan(site, self.offers, order, state)
        return planned, run(site, planned, hands)

    def deployed(self, namespace: str = "harness") -> dict[str, str]:
        """The release of each application that the cluster runs in the end."""
        apps = self.cluster.load()["namespaces"].get(namespace, {"apps": {}})["apps"]
        return {
            slug: next(
                (v["versionLabel"] for v in app["versions"] if v["status"] == "deployed"), ""
            )
            for slug, app in apps.items()
        }

    def paste(self, text: str) -> list[Finished]:
        """Run every command of a dry run's text in a shell, as a person would paste it."""
        done = []
        for command in commands_in(text):
            shell = subprocess.run(
                ["sh", "-c", command],
                env=self.environment,
                check=False,
                capture_output=True,
                text=True,
            )
            lines = tuple(shell.stdout.splitlines()), tuple(shell.stderr.splitlines())
            done.append(Finished(exit_code=shell.returncode, stdout=lines[0], stderr=lines[1]))
        return done


def commands_in(text: str) -> list[str]:
    """The commands in the text of a plan: blocks indented deeper than their sentence."""
    blocks = re.findall(r"(?m)^ {7}\S.*(?:\n {9}.*| {0}\n {7}\S.*)*", text)
    return [block for block in blocks if re.match(r" {7}(kubectl |oc |[A-Z_]+=|\(umask)", block)]


def size_of(path: str) -> int:
    """Bytes of a file, 0 where there is none."""
    return Path(path).stat().st_size if Path(path).exists() else 0


def secret_values() -> Iterable[str]:
    """Every secret of the made-up site."""
    return (*SECRETS.values(), *FILE_SECRETS.values())


def _last(name: str) -> str:
    return name.rpartition("/")[2]
