"""A plan in the making: what installs and upgrades have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePosixPath

from mirror import kots
from mirror.deploy.model import Deployed, Order, State
from mirror.deploy.reads import reads
from mirror.kots import Engine, Handover
from mirror.offer import Offered
from mirror.operation.model import Assemble, Look, Plan, Run, Step
from mirror.operation.naming import named_apart
from mirror.site import Application, DockerConfig, Site
from transfer.contents import ArchiveFormat
from transfer.digest import Digest
from transfer.errors import InvalidInput, PolicyError
from transfer.reference import Reference
from transfer.relocate import Places, Relocation, SourceImage, archive_images, relocate


class Draft:
    """Gathers the steps of one order."""

    def __init__(self, site: Site, order: Order, state: State, console: Offered | None) -> None:
        self.site = site
        self.order = order
        self.state = state
        self.console = console
        """The admin console among the sources."""
        self._first: list[Step] = []
        self._steps: list[Step] = []
        self._notes: list[str] = []
        self._carried: list[Offered] = []
        self._pushed: list[Offered] = []
        self._consoles: dict[str, str] = {}
        self._assembled: dict[Digest, str] = {}
        self._seen: set[object] = set()
        self._installed: set[str] = set()

    def begin_with(self, step: Step) -> None:
        """Goes before everything that changes something; left out where nothing does."""
        self._first.append(step)

    def add(self, step: Step) -> None:
        """The next thing to do."""
        self._steps.append(step)

    def note(self, text: str) -> None:
        """Something to know; said once."""
        if text not in self._notes:
            self._notes.append(text)

    def is_first(self, thing: object) -> bool:
        """Whether the plan meets something for the first time."""
        known = thing in self._seen
        self._seen.add(thing)
        return not known

    def has_to_create(self, namespace: str) -> bool:
        """Whether a namespace is not there at this point of the plan; from then on it is."""
        return not self.deployed(namespace).exists and self.is_first(("namespace", namespace))

    def deployed(self, namespace: str) -> Deployed:
        """What the namespace holds before the plan."""
        return self.state.namespaces.get(namespace, Deployed(console=None, exists=False))

    def runs(self, application: Application) -> bool:
        """Whether an application is installed at this point of the plan."""
        deployed = self.deployed(application.namespace).applications
        return application.slug in deployed or application.slug in self._installed

    def start_console(self, namespace: str) -> None:
        """From here on, the console of the plugin's version runs in the namespace."""
        self._consoles[namespace] = self.state.plugin or ""

    def console_version(self, namespace: str) -> str:
        """The admin console that runs there at this point of the plan; "" if not known."""
        running = self.deployed(namespace).console
        return self._consoles.get(namespace) or (running.version if running else "")

    def has_console(self, namespace: str) -> bool:
        """Whether an admin console is there at this point of the plan."""
        return namespace in self._consoles or self.deployed(namespace).console is not None

    def check_registry(self, namespace: str) -> None:
        """Refuse a site file that names another registry than the console was installed with.

        The console rewrites images to the registry it knows, whatever a command names.

        Raises:
            PolicyError: the two differ.
        """
        running = self.deployed(namespace).console
        endpoint = str(self.site.registry.endpoint)
        if running and running.registry and running.registry != endpoint:
            raise PolicyError(
                f"the admin console in namespace {namespace} pulls from {running.registry}; "
                f"the site file names {endpoint}",
                hint="push to the registry that the console knows, and name it in the site file",
            )

    def deploy_console(self, namespace: str, console: Offered) -> None:
        """From here on, the console of the sources runs in the namespace."""
        self._consoles[namespace] = console.release.version_label
        self._carry(console, namespace)
        if self.order.engine is Engine.KOTS:
            self._push(console, namespace, "An install or upgrade pushes the application's only.")

    def minio(self, namespace: str) -> bool:
        """Whether the console of the namespace runs with Minio.

        Raises:
            PolicyError: the site file wants Minio, and the console's archive has none.
        """
        wanted = [app.with_minio for app in self.site.applications if app.namespace == namespace]
        chosen = next((choice for choice in wanted if choice is not None), None)
        carried = self.console is None or _holds(self.console, "minio")
        running = self.deployed(namespace).console
        if namespace not in self._consoles and running:
            return running.minio
        if chosen and not carried:
            raise PolicyError(
                "withMinio: true in the site file, but the admin console's archive has no Minio",
                hint="carry kotsadm.tar.gz instead of kotsadm-nominio.tar.gz, or drop withMinio",
            )
        if running and running.minio and not carried:
            self.note(
                f"The admin console in namespace {namespace} runs with Minio and the new one does "
                "not: KOTS moves its data. Take a snapshot before."
            )
        return carried if chosen is None else chosen

    def hand_over(self, offer: Offered, application: Application, channel: str | None) -> Handover:
        """Add what has to happen before KOTS can be given this release.

        Raises:
            InvalidInput: there is no archive that KOTS could be given.
        """
        self._carry(offer, application.namespace)
        if self.order.engine is Engine.MIRROR:
            archive = offer.slim or offer.full
            if archive is None:
                raise InvalidInput(f"{offer.record.file_name}: the source has no archive for KOTS")
            return Handover(archive=archive, push=False, channel=channel)
        separately = self.site.registry.pull_credentials is not None
        if separately:
            why = "The user that pushes is not handed to the cluster, which gets pullCredentials."
            self._push(offer, application.namespace, why)
        archive = self._full(offer)
        folder = None if separately else self.order.work_dir
        return Handover(archive=archive, push=not separately, channel=channel, temporary=folder)

    def images_come(self, handover: Handover) -> str:
        """Where the images of a release come from, in a sentence."""
        if handover.push:
            return "KOTS pushes the application's images from the archive."
        if self.order.engine is Engine.KOTS:
            return "Its images were pushed in a step of their own."
        return "KOTS pushes nothing: the images are in the registry, proven by digest."

    def check_pushed(self, offer: Offered) -> None:
        """Do not believe KOTS that it pushed a release until the registry holds it.

        KOTS makes docker-save images into what a registry holds itself: other bytes than ours.
        """
        if offer.full and offer.record.format is ArchiveFormat.DOCKER_ARCHIVE:
            self.note(
                f"{offer.record.file_name} holds docker-save images: KOTS writes manifests of its "
                "own for them, so what it pushes of this archive is not checked."
            )
            return
        images = self._images([offer])
        why = (
            f"See that {self.site.registry.endpoint} holds all {len(images)} images of "
            f"{offer.record.file_name}, with their digests."
        )
        look = Look(images=images, pushed=True)
        self.add(Step(name=f"pushed-{_stem(offer)}", why=why, action=look))

    def has_to_wait(self, offer: Offered) -> bool:
        """Whether a release's images take names that an earlier release of this plan needs.

        KOTS, where it pushes, pushes each release just before it deploys it.
        """
        if self.order.engine is Engine.KOTS:
            return False
        places = Places()
        clashes = map(places.take, self._images_of([*self._carried, offer]))
        return any(clash.is_of_releases for clash in clashes if clash)

    def mark_installed(self, application: Application) -> None:
        """From here on, an application is installed."""
        self._installed.add(application.slug)

    def finish(self, title: str, applications: Iterable[Application]) -> Plan:
        """The plan.

        Raises:
            PolicyError: the plugin would deploy another console than the one that was carried.
            Conflict: two images have one destination.
        """
        expected = self._expected_plugin()
        self._check_plugin(expected)
        images = self._images(self._carried) if self.order.engine is Engine.MIRROR else ()
        steps = list(reads(self.site, self.order, self.state, applications, expected))
        if images:
            why = (
                f"See that {self.site.registry.endpoint} holds all {len(images)} images under the "
                "names that KOTS will pull, with the digests that were pushed."
            )
            steps.append(Step(name="images", why=why, action=Look(images=images)))
        if self._steps:
            self._credential_notes()
            steps += self._first
        else:
            steps = [step for step in steps if step.is_question]
        return Plan(
            title=title,
            steps=named_apart((*steps, *self._steps)),
            assumptions=self.state.assumptions,
            notes=tuple(self._notes),
        )

    def _carry(self, offer: Offered, namespace: str) -> None:
        if offer not in self._carried:
            self._carried.append(offer)
        self.check_registry(namespace)

    def _push(self, offer: Offered, namespace: str, why: str) -> None:
        if offer in self._pushed:
            return
        self._pushed.append(offer)
        archive = self._full(offer)
        command = kots.push_images(self.site, namespace, archive, self.order.work_dir)
        what = f"Let KOTS push the images of {offer.record.file_name}. "
        action = Run(command=command, handed=archive)
        self.add(Step(name=f"push-{_stem(offer)}", why=what + why, action=action))
        self.check_pushed(offer)

    def _full(self, offer: Offered) -> str:
        if offer.full:
            return offer.full
        name = offer.record.file_name
        if offer.slim is None:  # an admin console of before 1.107 has no airgap.yaml to keep
            raise InvalidInput(
                f"--engine kots: the bundle cannot give {name} back",
                hint="build the bundle with --keep-archives, or use --engine mirror",
            )
        if not self.order.work_dir:
            raise InvalidInput(
                f"--engine kots: {name} has to be put together again, and there is no folder",
                hint="give --work-dir DIR, on a disk with room for the archive twice",
            )
        digest = offer.record.digest
        if digest not in self._assembled:
            # Two releases may have one file name, and a file name is not to be trusted.
            path = f"{self.order.work_dir}/{digest.encoded[:8]}-{PurePosixPath(name).name}"
            self._assembled[digest] = path
            self.add(
                Step(
                    name=f"assemble-{_stem(offer)}",
                    why=f"Put {name} together again from the bundle, for KOTS to push from.",
                    action=Assemble(archive=offer, path=path),
                    undo=f"delete {path}; nothing needs it once KOTS has pushed from it",
                )
            )
        return self._assembled[digest]

    def _expected_plugin(self) -> str | None:
        """The version that kubectl-kots must have: it deploys the console of its own version."""
        if self.order.connected:  # whatever it has is what is wanted
            return None
        if self.console and self._consoles:
            return self.console.release.version_label
        running = {
            state.console.version
            for state in self.state.namespaces.values()
            if state.console and state.console.version
        }
        return next(iter(running)) if len(running) == 1 else None

    def _check_plugin(self, expected: str | None) -> None:
        found = self.state.plugin
        if found and expected and found != expected:
            raise PolicyError(
                f"kubectl-kots is {found}; the admin console is {expected}, and the plugin "
                "deploys and talks to the console of its own version",
                hint="airgap-mirror plugin … --to DIR installs the one that crossed; DIR has to "
                "come first on PATH",
            )

    def _images(self, offers: Iterable[Offered]) -> tuple[Relocation, ...]:
        return relocate(self._images_of(offers), self.site.registry.endpoint).relocations

    def _images_of(self, offers: Iterable[Offered]) -> Iterator[SourceImage]:
        return chain.from_iterable(archive_images(offer.record) for offer in offers)

    def _credential_notes(self) -> None:
        registry = self.site.registry
        if self.order.connected:
            return
        if registry.pull_credentials is None and isinstance(registry.credentials, DockerConfig):
            self.note(
                "KOTS gets no user of the registry (dockerConfig): the nodes must be able to pull "
                "by themselves, or give registry.pullCredentials in the site file."
            )
        if self.order.engine is Engine.KOTS:
            self.note("KOTS pushes without verifying the registry's certificate.")
            if self.order.work_dir is None:
                self.note("KOTS unpacks each archive below /tmp; --work-dir names a larger disk.")


def _stem(offer: Offered) -> str:
    """What the steps about an archive are called by."""
    if offer.is_console:
        return f"kotsadm-{offer.release.version_label}"
    return f"{offer.release.app_slug}-{offer.release.version_label}"


def _holds(console: Offered, name: str) -> bool:
    """Whether the archive of the console lists an image of this base name."""
    return any(
        Reference.parse(image.name).repository.name == name for image in console.record.images
    )
