"""What is asked of whoever wants a spec; each answer is held against the parser at once."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from bundler.init.answers import NONE, Answers, Application, Said, release_entry
from bundler.spec import parse_spec
from bundler.spec.values import DEFAULT_PLATFORM
from transfer.errors import InvalidInput
from transfer.fields import API_VERSION

_T = TypeVar("_T")
_CARRIED = {"kots": {"version": "v1.131.4"}}
_YES, _NO = ("yes", "y"), ("no", "n")


class Ask(Protocol):
    """Asks somebody, until the answer is one that can be taken."""

    def __call__(self, question: str, default: str | None, accept: Callable[[str], _T], /) -> _T:
        """What `accept` makes of the answer; it raises InvalidInput for one that is none."""
        ...


def unsaid(said: Said) -> tuple[str, ...]:
    """The options that have to be given where nobody can be asked."""
    needed = {
        "--version": said.version is None,
        "--kots": said.kots is None,
        "--toolkit-python": bool(said.toolkit_platforms) and not said.toolkit_python,
    }
    return tuple(option for option, is_needed in needed.items() if is_needed)


def interview(said: Said, ask: Ask, month: str) -> Answers:
    """Ask for everything that was not said; `month`, such as 2026.11, is the version offered.

    Raises:
        InvalidInput: what was said does not go together.
    """
    name = said.name or ask("Name of the bundle", "harness", _name)
    version = said.version or ask("Version of the bundle", month, _version)
    kots, minio, kots_platforms = _console(said, ask)
    applications = _applications(said, ask)
    images = said.images or ask(
        "Images that no archive holds, such as delegates, apart by blanks", NONE, _images
    )
    python, platforms = _toolkit(said, ask)
    return Answers(
        name=name,
        version=version,
        kots=kots,
        minio=minio,
        kots_platforms=kots_platforms,
        applications=applications,
        images=images,
        toolkit_python=python,
        toolkit_platforms=platforms,
    )


def _console(said: Said, ask: Ask) -> tuple[str, bool, tuple[str, ...]]:
    question = f"Version of the KOTS admin console, such as v1.131.4, or {NONE}"
    kots = _kots(said.kots) if said.kots else ask(question, None, _kots)
    if not kots:
        return "", True, (DEFAULT_PLATFORM,)
    minio = said.minio
    if minio is None:
        minio = ask("Does the admin console at the site run with Minio", _YES[0], _truth)
    platforms = said.kots_platforms or ask(
        "Platforms of the machines there that run kubectl kots", DEFAULT_PLATFORM, _kots_platforms
    )
    return kots, minio, platforms


def _applications(said: Said, ask: Ask) -> tuple[Application, ...]:
    if said.releases is None:
        slugs = ask("Applications, by slug, apart by blanks", "harness", _slugs)
    else:
        slugs = tuple(dict.fromkeys(slug for slug, _ in said.releases))
    if strangers := [slug for slug in said.installed if slug not in slugs]:
        raise InvalidInput(f"--installed {strangers[0]}=…: no release of it is carried")
    return tuple(_application(slug, said, ask) for slug in slugs)


def _application(slug: str, said: Said, ask: Ask) -> Application:
    installed = said.installed.get(slug)
    if installed is None:
        installed = ask(f"{slug}: version label that runs at the site", NONE, _label)
    releases = tuple(source for named, source in said.releases or () if named == slug)
    if not releases:
        question = (
            f"{slug}: releases to carry, oldest first, apart by blanks: files, addresses, or\n"
            "sequence:N or label:L of the vendor's portal"
        )
        releases = ask(question, f"downloads/{slug}.airgap", _releases)
    return Application(slug=slug, releases=releases, installed=installed)


def _toolkit(said: Said, ask: Ask) -> tuple[tuple[str, ...], tuple[str, ...]]:
    python = said.toolkit_python or ask(
        "To carry this toolkit, too: Python versions of the machines at the site",
        NONE,
        _python,
    )
    if not python or said.toolkit_platforms:
        return python, said.toolkit_platforms or (DEFAULT_PLATFORM,)
    return python, ask("Platforms of those machines", DEFAULT_PLATFORM, _toolkit_platforms)


def _name(text: str) -> str:
    return _taken(text, name=text, **_CARRIED)


def _version(text: str) -> str:
    return _taken(text, version=text, **_CARRIED)


def _kots(text: str) -> str:
    return "" if text == NONE else _taken(text, kots={"version": text})


def _kots_platforms(text: str) -> tuple[str, ...]:
    found = _words(text)
    return _taken(found, kots={**_CARRIED["kots"], "platforms": found})


def _slugs(text: str) -> tuple[str, ...]:
    found = _words(text)
    release = {"archive": {"path": "release.airgap"}}
    applications = [{"slug": slug, "releases": [release]} for slug in found]
    return _taken(found, **_CARRIED, applications=applications)


def _label(text: str) -> str:
    return "" if text == NONE else text


def _releases(text: str) -> tuple[str, ...]:
    found = _words(text)
    releases = [{"archive": release_entry(source)} for source in found]
    return _taken(found, applications=[{"slug": "harness", "releases": releases}])


def _images(text: str) -> tuple[str, ...]:
    found = _words(text)
    return _taken(found, **_CARRIED, images=found)


def _python(text: str) -> tuple[str, ...]:
    return _words(text)


def _toolkit_platforms(text: str) -> tuple[str, ...]:
    found = _words(text)
    return _taken(found, toolkit={"platforms": found, "python": ["3.11"]})


def _truth(text: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise InvalidInput(f"expected yes or no, found {text!r}")
    return text.lower() in _YES


def _words(text: str) -> tuple[str, ...]:
    """The parts of an answer; a path with blanks in it stands in quotes."""
    try:
        return () if text == NONE else tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(f"a quote is not closed: {text}") from error


def _taken(answer: _T, **parts: Any) -> _T:  # noqa: ANN401 - JSON
    """The answer, if a spec with these parts can be read.

    Raises:
        InvalidInput: with the first mistake, without its path: there is no file yet.
    """
    head = {"apiVersion": API_VERSION, "kind": "BundleSpec", "name": "a", "version": "1"}
    try:
        parse_spec(json.dumps({**head, **parts}), "the answer")
    except InvalidInput as error:
        message = error.faults[0].message if error.faults else error.message
        raise InvalidInput(message.partition(": ")[2] or message) from None
    return answer
