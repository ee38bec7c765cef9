"""Kubernetes YAML with the names that its images have at the site, and else as it was.

Only the characters of the references change: the parser says where each stands, and comments,
quotes, order and line ends stay. Where a pod names images: `containers`, `initContainers`,
`ephemeralContainers` and image volumes; KOTS's own kinds also have `additionalImages`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from mirror.holdings import Holdings
from transfer.errors import InvalidInput, NotFound, TransferError
from transfer.plain import one_line
from transfer.reference import Reference, Repository
from transfer.yamlfile import NOT_YAML

DELEGATE = Repository("docker.io", "harness/delegate")
DELEGATE_TAG, OPENSHIFT_TAG = "latest", "non-root-openshift"
"""Vendor's install guide, "Delegates and OpenShift": what the YAML has, and what replaces it."""

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_TEMPLATES = ("{{", "$(", "${")
_QUOTED_WHERE_PLAIN = re.compile(r"[\[\]{},]")
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One reference, and what stands in its place."""

    line: int
    """Counted from 1."""
    old: str
    new: str

    def to_json(self) -> dict[str, object]:
        """The same for a program."""
        return {"line": self.line, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A file after the rewriting."""

    file: str
    text: str
    replacements: tuple[Replacement, ...] = ()
    kept: tuple[Replacement, ...] = ()
    """References that name the site's registry already."""
    notes: tuple[str, ...] = ()
    """What a person should look at: images named where no pod would take them from."""


def rewrite(text: str, file: str, holdings: Holdings, *, openshift: bool = False) -> Rewritten:
    """Give every image in a text of YAML documents the name that it has at the site.

    Args:
        text: The file, its line ends as they are.
        file: How messages name it.
        holdings: What the site's registry is given.
        openshift: Take the delegate's image for OpenShift.

    Raises:
        NotFound: images that the sources do not carry; each is named.
        InvalidInput: not YAML, or something that is no image reference.
    """
    found, others = _look(text, file)
    replacements, kept, faults = list[Replacement](), list[Replacement](), list[TransferError]()
    edits: list[tuple[int, int, str]] = []
    for node in found:
        try:
            new = _renamed(node.value.strip(), holdings, openshift=openshift)
            edit = _edit(text, node, new)
        except TransferError as fault:
            message = f"{file}:{_line(node)}: {fault.message}"
            faults.append(type(fault)(message, hint=fault.hint))
            continue
        one = Replacement(line=_line(node), old=node.value.strip(), new=new)
        if one.old == new:
            kept.append(one)
        else:
            replacements.append(one)
            edits.append(edit)
    raise_refused(faults)
    result = _apply(text, edits)
    _prove(result, file, [one.value.strip() for one in found], replacements)
    return Rewritten(
        file=file,
        text=result,
        replacements=tuple(replacements),
        kept=tuple(kept),
        notes=(
            *_left(others, file, holdings),
            *(_openshift(found, file, replacements) if openshift else ()),
        ),
    )


def raise_refused(faults: Sequence[TransferError]) -> None:
    """Raise what was found of one file or of many, all at once.

    Raises:
        NotFound: nothing but images that are not carried.
        InvalidInput: something in the files is wrong.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        absent = all(isinstance(fault, NotFound) for fault in faults)
        kind: type[TransferError] = NotFound if absent else InvalidInput
        what = "images are not in the sources" if absent else "image references are refused"
        raise kind(f"{len(faults)} {what}; nothing was written", faults=faults)


def _look(text: str, file: str) -> tuple[list[yaml.ScalarNode], list[yaml.ScalarNode]]:
    """The scalars that pods take images from, and all others, each once, in their order."""
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except NOT_YAML as error:
        # What the parser read is not repeated: a delegate's YAML has a token in it.
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        raise InvalidInput(f"{where}: not valid YAML") from None
    images, others = dict[int, yaml.ScalarNode](), dict[int, yaml.ScalarNode]()
    for document in documents:
        for is_image, node in _scalars(document):
            (images if is_image else others)[node.start_mark.index] = node
    rest = [node for at, node in sorted(others.items()) if at not in images]
    return [node for _, node in sorted(images.items())], rest


def _scalars(document: yaml.Node | None) -> Iterator[tuple[bool, yaml.ScalarNode]]:
    if document is None:
        return
    top = _mapping(document)
    group = top.get("apiVersion")
    of_kots = isinstance(group, yaml.ScalarNode) and group.value.startswith("kots.io/")
    waiting, seen = [document], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield False, node
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            yield from ((True, image) for image in _images(_mapping(node), of_kots=of_kots))
            waiting.extend(value for _, value in node.value)


def _images(fields: Mapping[str, yaml.Node], *, of_kots: bool) -> Iterator[yaml.ScalarNode]:
    for key in _CONTAINERS:
        yield from _named(_mapping(one).get("image") for one in _sequence(fields.get(key)))
    for volume in _sequence(fields.get("volumes")):
        yield from _named([_mapping(_mapping(volume).get("image")).get("reference")])
    if of_kots:
        yield from _named(_sequence(fields.get("additionalImages")))


def _named(nodes: Iterable[yaml.Node | None]) -> Iterator[yaml.ScalarNode]:
    for node in nodes:
        if isinstance(node, yaml.ScalarNode) and node.tag != _NULL and node.value.strip():
            yield node


def _mapping(node: yaml.Node | None, depth: int = 8) -> dict[str, yaml.Node]:
    """The keys of a mapping; what it takes over from others (<<) goes behind its own."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "<<" and depth:
            for taken in _sequence(value) or [value]:
                found = {**_mapping(taken, depth - 1), **found}
    own = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    return {**found, **own}


def _sequence(node: yaml.Node | None) -> list[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _renamed(name: str, holdings: Holdings, *, openshift: bool) -> str:
    if any(mark in name for mark in _TEMPLATES):
        raise InvalidInput(
            f"image {one_line(name)}: a template",
            hint="fill the file in first, then rewrite what comes out of it",
        )
    wanted = Reference.parse(name)
    if wanted in holdings:
        return name
    if openshift and wanted == Reference(DELEGATE, DELEGATE_TAG):
        wanted = Reference(DELEGATE, OPENSHIFT_TAG)
    return str(holdings.find(wanted))


def _edit(text: str, node: yaml.ScalarNode, new: str) -> tuple[int, int, str]:
    """Where a scalar's own characters begin and end, and what comes there."""
    start, end = node.start_mark.index, node.end_mark.index
    properties = _PROPERTIES.match(text, start, end)  # an anchor or a tag goes before the text
    start = properties.end() if properties else start
    if node.style in ("'", '"'):
        return start, end, f"{node.style}{new}{node.style}"
    if node.style is None:
        return start, end, f'"{new}"' if _QUOTED_WHERE_PLAIN.search(new) else new
    old = node.value.strip()
    if text.count(old, start, end) != 1:
        raise InvalidInput(f"image {one_line(old)}: stands on several lines; write it on one")
    at = text.index(old, start, end)
    return at, at + len(old), new


def _apply(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _prove(
    result: str, file: str, before: Sequence[str], replacements: Iterable[Replacement]
) -> None:
    """See that the parser now reads what was to be written, and as many images as before.

    Raises:
        InvalidInput: it does not; nothing that was written by a person looks so.
    """
    names = {one.old: one.new for one in replacements}
    images, _ = _look(result, file)
    if [node.value.strip() for node in images] != [names.get(name, name) for name in before]:
        raise InvalidInput(
            f"{file}: cannot be rewritten in its place",
            hint="write each image on a line of its own, as image: name",
        )


def _left(others: Iterable[yaml.ScalarNode], file: str, holdings: Holdings) -> Iterator[str]:
    for node in others:
        text = node.value.strip()
        if (":" in text or "@" in text) and holdings.carries(text):
            yield f"{file}:{_line(node)}: {text} is no container's image; left as it is"


def _openshift(
    found: Iterable[yaml.ScalarNode], file: str, replacements: Iterable[Replacement]
) -> Iterator[str]:
    """What --openshift left as it was, as the guide names one image alone."""
    plain = f"{DELEGATE.path}:{DELEGATE_TAG}"
    tags = [(node, _delegate_tag(node.value.strip())) for node in found]
    others = [node for node, tag in tags if tag not in {None, DELEGATE_TAG}]
    for node in others:
        yield (
            f"{file}:{_line(node)}: {node.value.strip()} is not changed by --openshift, which "
            f"takes another image for {plain} alone"
        )
    if not others and not any(_delegate_tag(one.old) for one in replacements):
        yield f"{file}: nothing for --openshift to change: no {plain} in it"


def _delegate_tag(name: str) -> str | None:
    """The tag or digest, if an image is the delegate's; None for every other."""
    try:
        reference = Reference.parse(name)
    except InvalidInput:
        return None
    return reference.name if reference.repository == DELEGATE else None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
