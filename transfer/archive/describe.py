"""What an archive is and what its images are, decided from what came by in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from transfer.archive.application import read_application
from transfer.archive.compress import COMPRESSOR
from transfer.archive.dockersave import SavedImage
from transfer.archive.gzipstream import GzipFile
from transfer.archive.packing import Packing
from transfer.archive.release import Airgap, parse_airgap
from transfer.archive.scan import AIRGAP_YAML, APP_ARCHIVE, OLD_FOLDER, SAVED_FOLDER, Found
from transfer.archive.shelf import Shelf
from transfer.archive.signature import describe_members
from transfer.contents import (
    NO_DIGEST,
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    ImageRecord,
    ReleaseRecord,
)
from transfer.descriptor import Descriptor
from transfer.errors import IntegrityError, InvalidInput, MissingContent, TransferError, UnsafePath
from transfer.reference import Reference
from transfer.relocate import naming_in

CONSOLE_IMAGE = "kotsadm/kotsadm"
CONSOLE_SLUG = "kotsadm"
FORMATS = {
    "docker": ArchiveFormat.DOCKER,
    "docker-archive": ArchiveFormat.DOCKER_ARCHIVE,
    "": ArchiveFormat.DOCKER_ARCHIVE,
}
"""What `spec.format` may say (KOTS: pkg/docker/types); archives that say nothing are older."""

_ELSEWHERE = {"local-volume-provider": "replicated"}
"""The one image of the old console's that is not of the organisation kotsadm."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]")


@dataclass(slots=True)
class Describing:
    """Makes the record of an archive; what is wrong with it is added to `faults`."""

    file: GzipFile
    found: Found
    shelf: Shelf
    packing: Packing
    faults: list[TransferError]
    unnamed: str = ""
    """The name of an image that has none."""

    def record(self) -> ArchiveRecord:
        """The record, to be trusted only if there are no faults."""
        if self.found.airgap_yaml is not None:
            return self._of_release(self.found.airgap_yaml)
        if any(path.startswith(OLD_FOLDER) for path in self.found.saved):
            return self._of_old_console()
        return self._of_module()

    def _of_release(self, raw: bytes) -> ArchiveRecord:
        self._refuse_links()
        airgap = parse_airgap(raw, f"{self.file.what}: {AIRGAP_YAML}", self.faults)
        form = FORMATS.get(airgap.format, ArchiveFormat.DOCKER)
        kind, release = self._kind(airgap)
        if airgap.format not in FORMATS:
            known = "docker and docker-archive"
            self._wrong_yaml(f"spec.format: {airgap.format!r} is none of {known}")
            return self._make(kind, form, release, ())
        return self._make(kind, form, release, self._images(airgap, form))

    def _kind(self, airgap: Airgap) -> tuple[ArchiveKind, ReleaseRecord]:
        release, app = airgap.release, self.found.app
        tags = _tags(airgap.saved_images, CONSOLE_IMAGE)
        if tags and not app and not release.app_slug:
            return ArchiveKind.ADMIN_CONSOLE, replace(release, version_label=tags[0])
        if app and self.found.is_whole:
            content = self.shelf.section(app)
            release = read_application(content, release, self.file.what, self.faults)
        if not app and not release.app_slug and airgap.is_valid:
            self._wrong_yaml(
                f"neither of an application (no appSlug, no {APP_ARCHIVE}) "
                f"nor of the admin console (no image {CONSOLE_IMAGE})"
            )
        elif not app and self.found.is_whole and airgap.is_valid:
            fault = f"{self.file.what}: {APP_ARCHIVE} is not in it, and KOTS installs nothing else"
            self.faults.append(MissingContent(fault))
        return ArchiveKind.APPLICATION, release

    def _images(self, airgap: Airgap, form: ArchiveFormat) -> tuple[ImageRecord, ...]:
        """The images; none where the archive holds none at all, as a slim one does.

        KOTS takes such an archive for one whose images were pushed before.
        """
        tree, saved = self.found.tree, self.found.saved
        if not self.found.is_whole or not airgap.is_valid:
            return ()
        if saved if form is ArchiveFormat.DOCKER else not tree.is_empty:
            self._wrong_yaml(f"spec.format: {airgap.format!r}, but the images are stored otherwise")
            return ()
        if form is ArchiveFormat.DOCKER:
            return () if tree.is_empty else tree.images(airgap.saved_images)
        named = [(image, [_name_of(path)]) for path, image in saved.items()]
        return self._pack(named, ArchiveKind.APPLICATION)

    def _of_old_console(self) -> ArchiveRecord:
        self._refuse_links()
        named = [(image, [_old_name_of(path)]) for path, image in self.found.saved.items()]
        images = self._pack(named, ArchiveKind.ADMIN_CONSOLE)
        tags = _tags([image.name for image in images], CONSOLE_IMAGE)
        if not tags and self.found.is_whole and not self.faults:
            fault = f"{self.file.what}: {OLD_FOLDER} holds no image {CONSOLE_IMAGE}"
            self.faults.append(MissingContent(fault))
        release = ReleaseRecord(version_label=tags[0] if tags else "")
        return self._make(
            ArchiveKind.ADMIN_CONSOLE, ArchiveFormat.DOCKER_ARCHIVE, release, images, slim=False
        )

    def _of_module(self) -> ArchiveRecord:
        images: tuple[ImageRecord, ...] = ()
        if self.found.loose.is_one:
            saved = self.found.loose.images()
            for image in saved:
                if not image.tags and not self.unnamed:
                    self.faults.append(IntegrityError(f"{image.where}: has no name (RepoTags)"))
            named = [(image, image.tags or (self.unnamed,)) for image in saved]
            images = self._pack(named, ArchiveKind.IMAGES)
        elif self.found.is_whole:
            self._refuse_links()
            kind = describe_members(self.found.names)
            self._wrong(
                f"holds neither {AIRGAP_YAML} nor a docker-save manifest.json; {kind}",
                hint="give kotsadm.tar.gz, an .airgap file or an *_images.tgz of the vendor",
            )
        form = ArchiveFormat.DOCKER_ARCHIVE
        return self._make(ArchiveKind.IMAGES, form, ReleaseRecord(), images, slim=False)

    def _pack(
        self, named: Sequence[tuple[SavedImage, Sequence[str]]], kind: ArchiveKind
    ) -> tuple[ImageRecord, ...]:
        if not self.found.is_whole or self.faults:
            return ()
        roots = self.packing.pack(named, naming_in(kind))
        images: dict[str, ImageRecord] = {}
        for (_, names), root in zip(named, roots, strict=True):
            for given in names:
                name = self._pin(given, root)
                image = images.setdefault(name, ImageRecord(name=name, root=root))
                if image.root != root:
                    self._wrong(f"two images have the name {name}")
        return tuple(images.values())

    def _pin(self, name: str, root: Descriptor) -> str:
        """The name, by the digest the image really has if it is named by digest.

        A docker-save tar holds no manifest, so the digest that the image had in the vendor's
        registry cannot be had back; nor can KOTS push it under that digest.
        """
        try:
            reference = Reference.parse(name)
        except InvalidInput as error:
            self.faults.append(error)
            return name
        if reference.digest is None:
            return name
        pinned = str(reference.pin(root.digest))
        self.packing.progress.say(
            f"{name} is in a docker-save tar, which keeps no digests: {pinned}"
        )
        return pinned

    def _refuse_links(self) -> None:
        for name in self.found.links:
            fault = f"{self.file.what}: {name!r}: a link, where only plain files are expected"
            self.faults.append(UnsafePath(fault))

    def _wrong_yaml(self, fault: str) -> None:
        self._wrong(f"{AIRGAP_YAML}: {fault}")

    def _wrong(self, fault: str, hint: str | None = None) -> None:
        self.faults.append(InvalidInput(f"{self.file.what}: {fault}", hint=hint))

    def _make(
        self,
        kind: ArchiveKind,
        form: ArchiveFormat,
        release: ReleaseRecord,
        images: tuple[ImageRecord, ...],
        *,
        slim: bool = True,
    ) -> ArchiveRecord:
        packed = form is ArchiveFormat.DOCKER_ARCHIVE and images
        return ArchiveRecord(
            kind=kind,
            file_name=self.file.name,
            size=self.file.size,
            digest=self.found.digest or NO_DIGEST,
            format=form,
            release=release,
            slim=self._slim_path(kind, release) if slim else None,
            compressor=COMPRESSOR if packed else None,
            images=images,
        )

    def _slim_path(self, kind: ArchiveKind, release: ReleaseRecord) -> str:
        slug = release.app_slug or PurePosixPath(self.file.name).stem
        if kind is ArchiveKind.ADMIN_CONSOLE:
            slug = CONSOLE_SLUG
        version = release.version_label or release.update_cursor or "unnamed"
        return f"kots/{_safe(slug)}/{_safe(version)}.airgap"


def _safe(text: str) -> str:
    """`text` as one component of a path."""
    safe = _UNSAFE.sub("_", text)
    return safe if safe.strip(".") else safe.replace(".", "_")


def _name_of(path: str) -> str:
    """The image of `images/docker-archive/<host>/<path>/<name>/<tag>`, or `…/sha256/<hex>`.

    Of a shorter path something comes that is no name, and is refused as that.
    """
    _, *parts = path.removeprefix(SAVED_FOLDER).split("/")
    if parts[-2:-1] == ["sha256"]:
        return f"{'/'.join(parts[:-2])}@sha256:{parts[-1]}"
    return f"{'/'.join(parts[:-1])}:{''.join(parts[-1:])}"


def _old_name_of(path: str) -> str:
    """The image of `docker-archive/<name>/<tag>`."""
    name, _, tag = path.removeprefix(OLD_FOLDER).rpartition("/")
    return f"{_ELSEWHERE.get(name, 'kotsadm')}/{name}:{tag}"


def _tags(names: Iterable[str], path: str) -> list[str]:
    """The tags of the images in the repository `path`."""
    found = []
    for name in names:
        try:
            reference = Reference.parse(name)
        except InvalidInput:
            continue  # reported where the image itself is looked for
        if reference.repository.path == path and reference.tag:
            found.append(reference.tag)
    return found
