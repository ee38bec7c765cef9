"""A full archive put together again, for a site where KOTS itself pushes the images.

Laid out as KOTS's own release does it: `airgap.yaml`, `app.tar.gz`, then the storage tree of a
registry that holds every image under the last component of its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import yaml

from transfer.archive.airgap import AirgapArchive
from transfer.archive.distribution import ROOT
from transfer.archive.scan import AIRGAP_YAML, APP_ARCHIVE
from transfer.archive.tarwrite import TarWriter
from transfer.contents import ArchiveFormat, ImageRecord
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest, VerifyingReader
from transfer.errors import Conflict, raise_together
from transfer.graph import successors
from transfer.reference import Reference
from transfer.store import Source

_MAPPING = "tag:yaml.org,2002:map"
_SEQUENCE = "tag:yaml.org,2002:seq"
_TEXT = "tag:yaml.org,2002:str"


def write_full(
    stream: BinaryIO, slim: AirgapArchive, images: Sequence[ImageRecord], source: Source
) -> None:
    """Write the archive that `slim` is without its images.

    Args:
        stream: Gets the archive; it is complete when this returns.
        slim: The archive without its images, as a bundle carries it.
        images: Its images, which `source` holds.
        source: Where manifests and blobs are read; each is verified on the way.

    An archive of docker-save tars comes back as one of format `docker`: its `airgap.yaml` then
    says so and lists the images.

    Raises:
        Conflict: two images would have one name in the tree.
        NotFound, IntegrityError: the source lacks something, or has it wrong.
    """
    tree = _Tree(images, source)
    airgap_yaml = slim.airgap_yaml or b""
    if slim.record.format is ArchiveFormat.DOCKER_ARCHIVE:
        airgap_yaml = list_images(airgap_yaml, tree.names)
    with TarWriter(stream) as tar:
        tar.add(AIRGAP_YAML, airgap_yaml)
        app = slim.app_archive()
        if app is not None:
            with app as content:
                tar.add_stream(APP_ARCHIVE, content, content.size)
        tree.write(tar)


def list_images(airgap_yaml: bytes, names: Sequence[str]) -> bytes:
    """An `airgap.yaml` that says of itself: format `docker`, with these images.

    Everything else stays as it is written: no value is read, so no label 1.10 becomes 1.1.
    """
    document = _mapping(yaml.compose(airgap_yaml.decode(), Loader=yaml.SafeLoader))
    found = (value for name, value in document.value if name.value == "spec")
    spec = _mapping(next(found, None))
    _set(spec, "format", _text("docker"))
    _set(spec, "savedImages", yaml.SequenceNode(_SEQUENCE, [_text(name) for name in names]))
    _set(document, "spec", spec)
    text: str = yaml.serialize(document, Dumper=yaml.SafeDumper, allow_unicode=True)
    return text.encode()


def _mapping(node: yaml.Node | None) -> yaml.MappingNode:
    return node if isinstance(node, yaml.MappingNode) else yaml.MappingNode(_MAPPING, [])


def _set(mapping: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    others = [pair for pair in mapping.value if pair[0].value != key]
    mapping.value = [*others, (_text(key), value)]


def _text(value: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(_TEXT, value)


class _Tree:
    """The storage tree to write: blobs once, and what each repository has of them."""

    def __init__(self, images: Sequence[ImageRecord], source: Source) -> None:
        self._source = source
        self._manifests: dict[Digest, Manifest] = {}
        self._blobs: dict[Digest, Descriptor] = {}
        self._links: dict[str, Digest] = {}
        self.names: list[str] = []
        conflicts: list[Conflict] = []
        for image in images:
            self._add(image, conflicts)
        raise_together(Conflict, "images share a name in the archive", conflicts)

    def _add(self, image: ImageRecord, conflicts: list[Conflict]) -> None:
        reference = Reference.parse(image.name)
        root = image.root.digest
        repository = f"repositories/{reference.repository.name}"
        for manifest in successors(self._source, image.root):
            digest = Digest.of(manifest.raw)
            self._manifests[digest] = manifest
            self._link(f"{repository}/_manifests/revisions", digest)
            for blob in manifest.blobs:
                self._blobs[blob.digest] = blob
                self._link(f"{repository}/_layers", blob.digest)
        if reference.digest is not None:
            self.names.append(str(reference.pin(root)))
            return
        self.names.append(image.name)
        tag = f"{repository}/_manifests/tags/{reference.tag}"
        if self._links.setdefault(f"{tag}/current/link", root) != root:
            conflicts.append(Conflict(f"{image.name}: another image has its last component"))
        self._link(f"{tag}/index", root)

    def _link(self, folder: str, digest: Digest) -> None:
        self._links[f"{folder}/{digest.algorithm}/{digest.encoded}/link"] = digest

    def write(self, tar: TarWriter) -> None:
        """Write blobs and links, sorted as a shell would."""
        for digest in sorted({*self._blobs, *self._manifests}):
            path = f"{ROOT}blobs/{digest.algorithm}/{digest.encoded[:2]}/{digest.encoded}/data"
            if digest in self._manifests:
                tar.add(path, self._manifests[digest].raw)
            else:
                self._write_blob(tar, path, self._blobs[digest])
        for path, digest in sorted(self._links.items()):
            tar.add(f"{ROOT}{path}", str(digest).encode())

    def _write_blob(self, tar: TarWriter, path: str, blob: Descriptor) -> None:
        what = f"{self._source.description}: blob {blob.digest}"
        with self._source.open(blob) as content:
            verified = VerifyingReader(content, blob.digest, blob.size, what)
            tar.add_stream(path, verified, blob.size)
