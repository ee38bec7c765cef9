"""What the site's registry is given, as whoever names an image looks it up.

The destinations are those of a push: `transfer.naming.destination`, by the rule of each image's
archive.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from transfer.digest import Digest
from transfer.errors import InvalidInput, NotFound
from transfer.naming import destination
from transfer.reference import Reference, Repository
from transfer.relocate import RelocationPlan, SourceImage, relocate
from transfer.text import counted

_NEAREST = 3
_LIKE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    source: Reference
    destination: Reference
    digest: Digest

    def answer(self, wanted: Reference) -> Reference | None:
        """The name at the site that means what `wanted` means; None where this is another image."""
        if self.source.repository != wanted.repository:
            return None
        place = self.destination
        if wanted.digest is None:
            return place if self.source.tag == wanted.tag else None
        if wanted.digest != self.digest:
            return None
        # Whoever pins an image is not given a name that can be moved.
        tag = place.tag if wanted.tag == self.source.tag else None
        return Reference(place.repository, tag, self.digest)


class Holdings:
    """The images of some sources, by every name that means them."""

    def __init__(self, images: Iterable[SourceImage], endpoint: Repository) -> None:
        """Relocate the images as a push would.

        Raises:
            InvalidInput, IntegrityError, Conflict: as `relocate`.
        """
        images = list(images)
        self._plan = relocate(images, endpoint)
        self._held = [
            _Held(
                source=Reference.parse(image.record.name),
                destination=destination(endpoint, image.record.name, image.naming),
                digest=image.record.root.digest,
            )
            for image in images
        ]
        self._repositories = {held.source.repository for held in self._held}
        self._there = {held.destination for held in self._held}
        self._pinned = {(held.destination.repository, held.digest) for held in self._held}

    def __contains__(self, reference: Reference) -> bool:
        """Whether a reference names an image where it is at the site already."""
        if reference in self._there:
            return True
        return reference.digest is not None and (
            (reference.repository, reference.digest) in self._pinned
            and (
                reference.tag is None
                or Reference(reference.repository, reference.tag) in self._there
            )
        )

    def find(self, wanted: Reference) -> Reference:
        """The name of an image at the site: by tag what is named by tag, pinned what is pinned.

        What the sources have by tag and digest, and is wanted by that tag, comes out by digest.

        Raises:
            NotFound: the sources do not carry it; near names are told.
            InvalidInput: they carry different images of that name.
        """
        meant = {held.digest: held for held in reversed(self._held) if held.answer(wanted)}
        if len(meant) > 1:
            places = " and ".join(str(held.destination) for held in meant.values())
            raise InvalidInput(
                f"image {wanted}: the sources have different ones of that name: {places}",
                hint="give fewer sources, or one --release of the application",
            )
        for held in self._held:
            if answer := held.answer(wanted):
                return answer
        raise NotFound(f"image {wanted}: {self._why(wanted)}", hint=_HINT)

    def plan_of(self, names: Iterable[str]) -> RelocationPlan:
        """The relocations of the images that some names at the site mean."""
        wanted = {
            (reference.repository, reference.digest or reference.tag)
            for reference in map(Reference.parse, names)
        }
        meant = tuple(
            one
            for one in self._plan.relocations
            if wanted
            & {
                (one.destination.repository, name)
                for name in (one.destination.tag, one.destination.digest, one.root.digest)
                if name
            }
        )
        return RelocationPlan(endpoint=self._plan.endpoint, relocations=meant)

    def carries(self, text: str) -> bool:
        """Whether a text is the name of an image that the sources carry."""
        try:
            wanted = Reference.parse(text)
        except InvalidInput:
            return False
        if wanted.repository not in self._repositories:
            return False
        return any(held.answer(wanted) for held in self._held)

    def _why(self, wanted: Reference) -> str:
        same = [h for h in self._held if h.source.repository == wanted.repository]
        if wanted.digest and (
            tags := [h for h in same if wanted.tag and h.source.tag == wanted.tag]
        ):
            return f"the sources have {tags[0].source} as {tags[0].digest}"
        if same:
            near = [str(held.source) for held in same]
        else:
            # All of docker.io look alike: the host does not count.
            names = {_below_host(held.source): str(held.source) for held in self._held}
            like = difflib.get_close_matches(_below_host(wanted), names, _NEAREST, _LIKE)
            near = [names[name] for name in like]
        known = ", ".join(dict.fromkeys(near[:_NEAREST])) or counted(len(self._held), "other image")
        return f"not in the sources, which have {known}"


def _below_host(reference: Reference) -> str:
    return str(reference).removeprefix(f"{reference.repository.registry}/")


_HINT = "name it in the spec's images: and build again, or give the source that has it too"
