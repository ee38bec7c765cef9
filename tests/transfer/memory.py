"""A store in memory: both ends of a copy, without sockets or disk, and with faults on demand.

Everything a store is asked is a step with a name (`STEPS`) and a subject (a digest or a name). It
is written down in `asked`, and given to a hook that may raise there: an error of the product's
tree for a fault that a store reports, `Lie` for a store that says it did what it did not,
`Killed` for the end of the process.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.transfer.images import Tree
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest, Readable
from transfer.errors import NotFound, TransferError, Unavailable
from transfer.store import OpenContent, Target

BLOCK = 64
"""Bytes per read: small, so that there is a middle in which to fail."""

STEPS = (
    "resolve",
    "has_blob",
    "open",
    "read",
    "push_blob",
    "keep_blob",
    "kept_blob",
    "mount_blob",
    "push_manifest",
    "kept_manifest",
)
"""`keep_blob` comes when all bytes are there, `kept_…` when it is done but not answered yet."""

Hook = Callable[[str, str], None]


class Lie(Exception):
    """Raised by a hook: the store acknowledges this step and does nothing."""


class Killed(BaseException):
    """Raised by a hook: the process ends here."""


def nothing(_step: str, _subject: str) -> None:
    """The hook of a store without faults."""


class MemoryStore:
    """One repository. `mounts` says whether it takes blobs over from others."""

    def __init__(
        self,
        *trees: Tree,
        description: str = "memory",
        hook: Hook = nothing,
        mounts: bool = True,
        retries: int = 0,
    ) -> None:
        self.description = description
        self.hook = hook
        self.mounts = mounts
        self.retries = retries
        """How often a push is tried again after Unavailable, as a registry client does."""
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[Digest, bytes] = {}
        self.tags: dict[str, Digest] = {}
        self.asked: list[tuple[str, str]] = []
        self.wrongs: list[str] = []
        """What a caller did that no store should see: wrong bytes kept, a name too early."""
        self.streams = 0
        """Opened and not closed."""
        for tree in trees:
            self.add(tree)

    def add(self, tree: Tree, name: str = "") -> None:
        """Hold a whole image, under a tag if a name is given."""
        self.blobs.update(tree.blobs)
        self.manifests.update(tree.manifests)
        if name:
            self.tags[name] = tree.root.digest

    def count(self, step: str) -> int:
        """How often this was asked."""
        return sum(asked == step for asked, _ in self.asked)

    def lacks(self, digest: Digest) -> list[Digest]:
        """What is missing at and below a manifest."""
        raw = self.manifests.get(digest)
        if raw is None:
            return [digest]
        manifest = Manifest.parse(raw)
        below = [gone for child in manifest.manifests for gone in self.lacks(child.digest)]
        return [blob.digest for blob in manifest.blobs if blob.digest not in self.blobs] + below

    @contextmanager
    def open(self, descriptor: Descriptor) -> Iterator[Readable]:
        self._step("open", descriptor.digest)
        digest = descriptor.digest
        raw = self.manifests.get(digest, self.blobs.get(digest))
        if raw is None:
            raise NotFound(f"{self.description}: has no {digest}")
        self.streams += 1
        try:
            yield _Stream(raw, lambda: self._step("read", digest))
        finally:
            self.streams -= 1

    def resolve(self, name: str) -> Descriptor | None:
        self._step("resolve", name)
        digest = self.tags.get(name) or next((d for d in self.manifests if str(d) == name), None)
        if digest is None:
            return None
        manifest = Manifest.parse(self.manifests[digest])
        return Descriptor(
            media_type=manifest.media_type, digest=digest, size=len(self.manifests[digest])
        )

    def has_blob(self, blob: Descriptor) -> bool:
        self._step("has_blob", blob.digest)
        return len(self.blobs.get(blob.digest, b"")) == blob.size and blob.digest in self.blobs

    def push_blob(self, blob: Descriptor, content: OpenContent) -> None:
        for left in reversed(range(self.retries + 1)):
            try:
                return self._receive(blob, content)
            except Unavailable:
                if not left:
                    raise
        return None

    def mount_blob(self, blob: Descriptor, origin: Target) -> bool:
        try:
            self._step("mount_blob", blob.digest)
        except Lie:
            return True
        if not self.mounts or not isinstance(origin, MemoryStore):
            return False
        self.blobs[blob.digest] = origin.blobs[blob.digest]
        return True

    def push_manifest(self, manifest: Manifest, name: str) -> None:
        digest = manifest.descriptor.digest
        try:
            self._step("push_manifest", name)
        except Lie:
            return
        self.manifests[digest] = manifest.raw
        self.wrongs += [f"{name}: named before {gone} came" for gone in self.lacks(digest)]
        if name != str(digest):
            self.tags[name] = digest
        self._step("kept_manifest", name)

    def _receive(self, blob: Descriptor, content: OpenContent) -> None:
        self._step("push_blob", blob.digest)
        try:
            with content() as stream:
                raw = b"".join(iter(lambda: stream.read(BLOCK), b""))
            self._step("keep_blob", blob.digest)
        except Lie:
            return
        if len(raw) != blob.size or (
            blob.digest.algorithm == "sha256" and Digest.of(raw) != blob.digest
        ):
            self.wrongs.append(f"{blob.digest}: wrong bytes were kept")
        self.blobs[blob.digest] = raw
        self._step("kept_blob", blob.digest)

    def _step(self, step: str, subject: object) -> None:
        self.asked.append((step, str(subject)))
        self.hook(step, str(subject))


class _Stream:
    def __init__(self, raw: bytes, told: Callable[[], None]) -> None:
        self._bytes = io.BytesIO(raw)
        self._told = told

    def read(self, size: int = -1, /) -> bytes:
        self._told()
        return self._bytes.read(size)


@dataclass(slots=True)
class Fails:
    """A hook that raises at a step, whose subject contains `about`, so many times."""

    step: str
    error: Exception
    about: str = ""
    times: int = 1_000_000
    after: int = 0
    """So many such steps pass first."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, step: str, subject: str) -> None:
        if step != self.step or self.about not in subject:
            return
        with self._lock:
            if self.after:
                self.after -= 1
                return
            if not self.times:
                return
            self.times -= 1
        raise self.error


@dataclass(slots=True)
class Script:
    """A hook for several stores: one fault at one step, counted over all of them together."""

    at: int
    """The number of the step, from 0."""
    fault: BaseException
    happened: bool = False
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, _step: str, _subject: str) -> None:
        with self._lock:
            now = self._count == self.at
            self._count += 1
            dead = self.happened and isinstance(self.fault, Killed)
            self.happened = self.happened or now
        if now or dead:
            raise self.fault


class Watch:
    """A progress that remembers; its figures must make sense at every moment."""

    def __init__(self) -> None:
        self.label = ""
        self.total = -1
        self.done = 0
        self.most = 0
        self.backwards = 0
        """Bytes taken back."""
        self.ended = False
        self.lines: list[str] = []
        self._lock = threading.Lock()

    def begin(self, label: str, total: int) -> None:
        self.label, self.total, self.done = label, total, 0

    def advance(self, count: int) -> None:
        with self._lock:
            self.done += count
            self.most = max(self.most, self.done)
            self.backwards -= min(count, 0)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def end(self) -> None:
        self.ended = True


def settle() -> None:
    """Wait until the threads of an interrupted copy have found out about it."""
    for thread in threading.enumerate():
        if thread.name.startswith(("copy_", "name_")):
            thread.join(30)
            assert not thread.is_alive(), f"{thread.name} did not end"


def faults_of(error: TransferError) -> list[str]:
    """The messages of the single faults in an error."""
    return [fault.message for fault in error.faults]
