"""Writes the answers down as a spec, with comments that say what to change and who knows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from bundler.init.answers import Answers, Application, release_entry
from bundler.init.scalar import scalar
from transfer.contents import is_file_name

_KOTS = """\
The KOTS admin console, and the kubectl-kots plugins that deploy it. The version is enough: both
come from that release at https://github.com/replicatedhq/kots/releases. Which versions a release
of an application wants stands in its archive; `check` compares."""
_PORTAL = """\
The vendor's download portal asks for the licence's ID and a password. They are found here: in
variables of the environment, or in files (licenseIdFile:, passwordFile:)."""
_APPLICATIONS = """\
In the order in which the site installs them: NextGen comes after FirstGen, whose admin console it
joins. The slug is the one in the licence; `kubectl kots get apps` shows it at the site."""
_INSTALLED = """\
The version label that runs at the site: `kubectl kots get versions SLUG` shows it. Change
it after each upgrade; as long as it is left out, nothing is installed there."""
_RELEASES = """\
Oldest first, and every release on the way: Harness must not be taken past four major
releases in one step, and a release that the vendor requires cannot be left out. A file or
an address may have its `sha256:` beside it, where somebody told it."""
_CHECKED = """\
Held against each release by `check`, and never carried. Harness sends the licence; its
release notes tell the labels of the major releases, oldest first: these are examples."""
_IMAGE_ARCHIVES = """\
Archives of images, such as the modules of Harness's Helm line: files, addresses, or a manifest
from Harness support, which has a signed address for each module."""
_IMAGES = """\
Images that no archive holds, such as delegates, pulled from their own registries. The lock pins
each tag to a digest."""
_FILES = """\
Plain files that travel along, under these names below files/. Config values may hold passwords:
carry them only where your rules allow it."""
_TOOLKIT = """\
This toolkit itself, to be installed at the site without a network: for these platforms and Python
versions of the machines there (`python3 --version`)."""


def compose(answers: Answers, file: str) -> str:
    """The text of a spec; `file` is what its commands call it."""
    return (
        "\n\n".join(
            (
                _head(answers, file),
                _block(_KOTS, _kots(answers), given=bool(answers.kots)),
                *([_block(_PORTAL, _PORTAL_KEYS)] if answers.asks_portal else []),
                _applications(answers.applications),
                _block(_IMAGE_ARCHIVES, _IMAGE_ARCHIVES_KEYS, given=False),
                _block(
                    _IMAGES,
                    ["images:", *_items(answers.images or [_DELEGATE], 2)],
                    given=bool(answers.images),
                ),
                _block(_FILES, _FILES_KEYS, given=False),
                _block(_TOOLKIT, _toolkit(answers), given=bool(answers.toolkit_python)),
            )
        )
        + "\n"
    )


_DELEGATE = "docker.io/harness/delegate:latest"
_PORTAL_KEYS = [
    "portal:",
    "  licenseIdEnv: HARNESS_LICENSE_ID",
    "  passwordEnv: HARNESS_PORTAL_PASSWORD",
]
_IMAGE_ARCHIVES_KEYS = [
    "imageArchives:",
    "  - manifest: smp-bundle-manifest.yaml",
    "    modules:",
    "      - platform",
]
_FILES_KEYS = ["files:", "  - name: values/configvalues.yaml", "    path: configvalues.yaml"]


def _head(answers: Answers, file: str) -> str:
    named = f"{answers.name}-{answers.version}"
    folder = shlex.quote(named if is_file_name(named) else "bundle")
    spec = shlex.quote(file)
    commands = {
        "schema spec -o bundle-spec.schema.json": "editors complete and check it",
        f"lock {spec}": "resolve to digests; review the lock",
        f"check {spec}": "hold it against what the site demands",
        f"build {spec} -o {folder}": "write the bundle",
    }
    width = max(map(len, commands))
    lines = [f"  airgap-bundler {line:{width}}   {what}" for line, what in commands.items()]
    intro = "What crosses the gap to one site. docs/specs.md explains every key, as does\n"
    intro += "`airgap-bundler schema spec --keys`."
    where = "Relative paths start at this file's folder. No password belongs here."
    return "\n".join(
        (
            "# yaml-language-server: $schema=bundle-spec.schema.json",
            *_comment("\n".join(("", intro, "", *lines, "", where))),
            "apiVersion: airgap/v1",
            "kind: BundleSpec",
            f"name: {scalar(answers.name)}",
            "# Together with the name it names the bundle: change it for each carry.",
            f"version: {scalar(answers.version)}",
        )
    )


def _kots(answers: Answers) -> list[str]:
    return [
        "kots:",
        f"  version: {scalar(answers.kots or 'v1.131.4')}",
        "  # Without Minio (false), the site installs with --with-minio=false.",
        f"  minio: {'true' if answers.minio else 'false'}",
        "  # Of the machines at the site that run kubectl kots.",
        "  platforms:",
        *_items(answers.kots_platforms, 4),
    ]


def _applications(applications: Sequence[Application]) -> str:
    shown = applications or [Application(slug="harness", releases=("downloads/harness.airgap",))]
    lines = [line for one in shown for line in _application(one, explained=one is shown[0])]
    return _block(_APPLICATIONS, ["applications:", *lines], given=bool(applications))


def _application(application: Application, *, explained: bool) -> Iterator[str]:
    yield f"  - slug: {scalar(application.slug)}"
    yield from _comment(_INSTALLED * explained, 4)
    label = scalar(application.installed or "79915")
    yield f"    installed: {label}" if application.installed else f"    # installed: {label}"
    yield from _comment(_RELEASES * explained, 4)
    yield "    releases:"
    for source in application.releases:
        yield "      - archive:"
        yield from _mapping(release_entry(source), 10)
    yield from _comment(_CHECKED * explained, 4)
    yield "    # license: license.yaml"
    yield "    # configValues: configvalues.yaml"
    yield '    # majorReleases: ["79000", "79500"]'


def _toolkit(answers: Answers) -> list[str]:
    return [
        "toolkit:",
        "  platforms:",
        *_items(answers.toolkit_platforms, 4),
        "  python:",
        *_items(answers.toolkit_python or ["3.11"], 4),
    ]


def _block(comment: str, lines: Sequence[str], *, given: bool = True) -> str:
    """A key of the spec below its comment; one that is not given is part of the comment."""
    return "\n".join([*_comment(comment), *(lines if given else _comment("\n".join(lines)))])


def _comment(text: str, indent: int = 0) -> list[str]:
    return [f"{' ' * indent}# {line}".rstrip() for line in text.splitlines()]


def _items(values: Sequence[str], indent: int) -> list[str]:
    return [f"{' ' * indent}- {scalar(value)}" for value in values]


def _mapping(value: dict[str, object], indent: int) -> Iterator[str]:
    for key, below in value.items():
        start = f"{' ' * indent}{key}:"
        if isinstance(below, dict):
            yield start
            yield from _mapping(below, indent + 2)
        else:
            yield f"{start} {scalar(below) if isinstance(below, str) else below}"
