"""Mirrors: other places that are asked for a registry's images before the registry itself.

A mirror changes neither the name of an image nor its digest, and leaves no trace in a lock. What
it does not hold comes from the registry; once it is unavailable, it is asked nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Readable
from transfer.errors import InvalidInput, NotFound, TransferError, Unavailable
from transfer.naming import below
from transfer.progress import SILENT, Progress
from transfer.reference import Reference, Repository, parse_endpoint
from transfer.store import Source

_HINT = "write --mirror REGISTRY=HOST[:PORT][/PREFIX], for example docker.io=mirror.example/hub"
_BLOCK = 1 << 20
_Result = TypeVar("_Result")


class PullSource(Source, Protocol):
    """A repository that images are pulled from."""

    def resolve(self, name: str) -> Descriptor | None:
        """The manifest that a tag or digest names right now, or None."""
        ...

    def get_manifest(self, name: str) -> Manifest:
        """A manifest or index by tag or digest, as the bytes it is.

        Raises:
            NotFound: there is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A place that is asked first for the images of one registry."""

    registry: str
    endpoint: Repository

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `REGISTRY=HOST[:PORT][/PREFIX]`.

        Raises:
            InvalidInput: it is not that.
        """
        registry, equals, endpoint = text.partition("=")
        if "@" in text:
            raise InvalidInput("--mirror: holds an @, and with it perhaps a password", hint=_HINT)
        if not (registry and equals and endpoint):
            raise InvalidInput("--mirror: expected REGISTRY=ENDPOINT", hint=_HINT)
        try:
            # As an image's name is read: `index.docker.io` means `docker.io`.
            mirrored = Reference.parse(f"{registry}/any/image").repository
            place = parse_endpoint(endpoint)
        except InvalidInput as error:
            raise InvalidInput(f"--mirror: {error.message}", hint=_HINT) from error
        if mirrored.path != "any/image":
            raise InvalidInput(f"--mirror: {registry!r} is not a registry alone", hint=_HINT)
        return cls(registry=mirrored.registry, endpoint=place)


class Mirrors:
    """Every mirror that was named, and which of them turned out to be unavailable."""

    def __init__(self, mirrors: Sequence[Mirror] = (), progress: Progress = SILENT) -> None:
        """`progress` is told of a mirror that is not asked any more."""
        self._mirrors = mirrors
        self._progress = progress
        self._down: set[str] = set()

    def of(self, place: Repository) -> tuple[Repository, ...]:
        """Where a repository is looked for before its own registry, in the order given."""
        return tuple(
            below(mirror.endpoint, place.path)
            for mirror in self._mirrors
            if mirror.registry == place.registry
        )

    def is_up(self, repository: Source) -> bool:
        """Whether a mirror has not been unavailable yet."""
        return _host(repository) not in self._down

    def passed_over(self, repository: Source, error: TransferError) -> None:
        """Note that a mirror could not serve; it is said once that it is unavailable."""
        host = _host(repository)
        if isinstance(error, Unavailable) and host not in self._down:
            self._down.add(host)
            self._progress.say(f"mirror {host} is not asked any more: {error.message}")


def _host(repository: Source) -> str:
    return repository.description.partition("/")[0]


class MirroredRepository:
    """A repository that is read at its mirrors first."""

    def __init__(self, mirrored: Sequence[PullSource], own: PullSource, mirrors: Mirrors) -> None:
        """Nothing is asked yet.

        Args:
            mirrored: The repository at each mirror.
            own: The repository itself, the last to be asked.
            mirrors: Remembers which are down.
        """
        self._mirrored = tuple(mirrored)
        self._own = own
        self._mirrors = mirrors

    @property
    def description(self) -> str:
        """The repository, and where its content may come from instead."""
        places = ", ".join(repository.description for repository in self._mirrored)
        return f"{self._own.description} (mirror {places})"

    def resolve(self, name: str) -> Descriptor | None:
        """The manifest that a tag or digest names at the first place that knows it, or None."""

        def ask(repository: PullSource) -> Descriptor | None:
            found = repository.resolve(name)
            if found is None and repository is not self._own:
                raise NotFound(f"{repository.description}: {name}")
            return found

        return self._first(ask)

    def get_manifest(self, name: str) -> Manifest:
        """A manifest or index from the first place that holds it.

        Raises:
            NotFound: the registry itself does not hold it either.
        """
        return self._first(lambda repository: repository.get_manifest(name))

    @contextmanager
    def open(self, descriptor: Descriptor) -> Iterator[Readable]:
        """Open content at its first byte; where a mirror breaks off, the next one goes on.

        Raises:
            NotFound: no place holds it.
        """
        with ExitStack() as opened:
            yield _Relay(self._places(), self._mirrors, descriptor, opened)

    def _first(self, ask: Callable[[PullSource], _Result]) -> _Result:
        *before, own = self._places()
        for repository in before:
            try:
                return ask(repository)
            except (NotFound, Unavailable) as error:
                self._mirrors.passed_over(repository, error)
        return ask(own)

    def _places(self) -> list[PullSource]:
        return [*filter(self._mirrors.is_up, self._mirrored), self._own]


class _Relay:
    """Content from the first place that has it, and from the next where that one breaks off."""

    def __init__(
        self,
        places: list[PullSource],
        mirrors: Mirrors,
        descriptor: Descriptor,
        opened: ExitStack,
    ) -> None:
        self._places = places
        self._mirrors = mirrors
        self._descriptor = descriptor
        self._opened = opened
        self._passed_on = 0
        self._stream = self._open_next()

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes.

        Raises:
            Unavailable: the last place broke off too.
        """
        while True:
            try:
                block = self._stream.read(size)
            except Unavailable as error:
                self._leave(error)
                self._stream = self._open_next()
            else:
                self._passed_on += len(block)
                return block

    def _open_next(self) -> Readable:
        while True:
            try:
                content = self._places[0].open(self._descriptor)
                stream = self._opened.enter_context(content)
                left = self._passed_on
                while left and (block := stream.read(min(left, _BLOCK))):
                    left -= len(block)
            except (NotFound, Unavailable) as error:
                self._leave(error)
            else:
                return stream

    def _leave(self, error: TransferError) -> None:
        """Go on to the next place, or raise where there is none."""
        if len(self._places) == 1:
            raise error
        self._mirrors.passed_over(self._places.pop(0), error)
