"""`airgap-bundler init`: the questions, the options, and the spec that they make."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator as Validator

from bundler.schema import spec_schema
from bundler.spec import BundleSpec, parse_spec
from bundler.spec.origin import Address, LocalFile, PortalRelease, ReleaseAsset
from tests.bundler.commands import Workplace
from tests.bundler.golden import CASES, FOLDER
from tests.commented import uncommented
from tests.terminals import Terminal, on_terminal
from tests.test_help import parse, shown_lines

FLAGS = ("--no-input", "--version", "2026.11", "--kots", "v1.131.4")


def read(path: Path) -> BundleSpec:
    """A spec that was written, once the schema has nothing against it."""
    text = path.read_text()
    assert list(Validator(spec_schema()).iter_errors(yaml.safe_load(text))) == []
    return parse_spec(text, path.name)


@pytest.mark.parametrize("name", CASES)
def test_a_spec_looks_like_this(name: str, workplace: Workplace) -> None:
    answers, kept = CASES[name], FOLDER / f"{name}.yaml"
    options = [f"--name={answers.name}", f"--version={answers.version}"]
    options += [f"--kots={answers.kots or 'none'}", "--minio" if answers.minio else "--no-minio"]
    for application in answers.applications:
        options += [f"--release={application.slug}={source}" for source in application.releases]
        if application.installed:
            options.append(f"--installed={application.slug}={application.installed}")
    options += [f"--kots-platform={platform}" for platform in answers.kots_platforms]
    options += [f"--image={image}" for image in answers.images]
    options += [f"--toolkit-python={version}" for version in answers.toolkit_python]
    ran = workplace.run("init", "-", "--no-input", *options)
    assert (ran.code, ran.out) == (0, kept.read_text())
    read(kept)


def test_no_golden_spec_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*CASES}


@pytest.mark.parametrize("name", CASES)
def test_a_spec_stays_one_with_all_its_comments_taken_away(name: str) -> None:
    text = uncommented((FOLDER / f"{name}.yaml").read_text())
    value = yaml.safe_load(text)
    assert {"kots", "applications", "images", "files", "imageArchives", "toolkit"} < {*value}
    assert {"installed", "license", "configValues", "majorReleases"} < {*value["applications"][0]}
    assert list(Validator(spec_schema()).iter_errors(value)) == []
    parse_spec(text, name)


@pytest.mark.parametrize("name", CASES)
def test_the_commands_in_a_spec_can_be_typed(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    assert max(map(len, text.splitlines())) <= 100
    assert [parse(line) for line in shown_lines(text)] == ["schema", "lock", "check", "build"]


def test_options_say_everything(workplace: Workplace) -> None:
    path = workplace.folder / "north.yaml"
    sources = ["down/a b.airgap", "https://x.example/h.airgap?sig=1", "sequence:412", "label:0.1"]
    releases = [f"--release=harness={source}" for source in sources]
    ran = workplace.run(
        "init", path, *FLAGS, "--no-minio", *releases, "--toolkit-python=3.11", "--output=json"
    )
    assert (ran.code, ran.json()) == (0, {"path": str(path), "spec": path.read_text()})
    spec = read(path)
    assert [archive.input.origin for archive in spec.archives] == [
        ReleaseAsset(
            repository="https://api.github.com/repos/replicatedhq/kots",
            tag="v1.131.4",
            file_name="kotsadm-nominio.tar.gz",
        ),
        LocalFile(path="down/a b.airgap"),
        Address(url="https://x.example/h.airgap?sig=1"),
        PortalRelease(slug="harness", sequence=412),
        PortalRelease(slug="harness", label="0.1"),
    ]
    assert spec.toolkit is not None
    assert spec.toolkit.platforms == ("linux/amd64",)


def test_a_name_that_a_shell_would_read_is_quoted(workplace: Workplace) -> None:
    path = workplace.folder / "my spec.yaml"
    assert workplace.run("init", path, *FLAGS, "--name", "it's; ls").code == 0
    *_, build = shown_lines(path.read_text())
    assert shlex.split(build)[2:] == ["my spec.yaml", "-o", "it's; ls-2026.11"]
    assert read(path).name == "it's; ls"


def test_a_spec_that_is_there_is_not_replaced(workplace: Workplace) -> None:
    path = workplace.spec("# mine")
    before = path.read_text()
    ran = workplace.run("init", path, *FLAGS)
    assert ran.code == 8
    assert ran.err == (
        f"error: {path}: exists already\nhint: choose another name, or give --force\n"
    )
    assert path.read_text() == before
    assert workplace.run("init", path, *FLAGS, "--force").code == 0
    assert read(path).version == "2026.11"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "no terminal to ask on, and an answer is missing: give --version, --kots"),
        (["--no-input", "--kots=none"], 2, "--no-input was given, and an answer is missing: give"),
        ([*FLAGS, "--toolkit-platform=linux/amd64"], 2, "missing: give --toolkit-python"),
        ([*FLAGS, "--release=harness"], 2, "expected SLUG=VALUE, found 'harness'"),
        ([*FLAGS, "--kots=latest"], 3, "expected a KOTS version such as v1.131.4, found 'latest'"),
        ([*FLAGS, "--kots=none"], 3, "  - names nothing to carry\n"),
        ([*FLAGS, "--release=Harness=x.airgap"], 3, "applications[0].slug: not a slug: 'Harness'"),
        ([*FLAGS, "--release=harness=sequence:x"], 3, "portal.sequence: expected a whole number"),
        ([*FLAGS, "--release=harness=ftp://x/y"], 3, "archive.url: expected http:// or https://"),
        ([*FLAGS, "--installed=chaos=1"], 3, "--installed chaos=…: no release of it is carried"),
        ([*FLAGS, "--image=a/UPPER"], 3, "images[0]: image reference 'a/UPPER': "),
    ],
)
def test_answers_that_are_none(
    workplace: Workplace, options: list[str], code: int, said: str
) -> None:
    path = workplace.folder / "spec.yaml"
    ran = workplace.run("init", path, *options)
    assert ran.code == code
    assert said in ran.err
    assert not path.exists()


@pytest.fixture
def terminal(workplace: Workplace, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """`airgap-bundler init spec.yaml` on a terminal, with the options of the test."""
    options: list[str] = getattr(request, "param", [])
    argv = workplace.argv("init", "spec.yaml", *options)
    with on_terminal(argv, workplace.folder, workplace.environ(TERM="dumb")) as found:
        yield found


def test_questions_are_asked_until_they_are_answered(
    workplace: Workplace, terminal: Terminal
) -> None:
    terminal.type(
        ("Name of the bundle [harness]: ", ""),
        ("Version of the bundle [20", "2026.12"),
        ("Version of the KOTS admin console", "latest"),
        ("expected a KOTS version such as v1.131.4, found 'latest'", "v1.131.4"),
        ("run with Minio [yes]: ", "maybe"),
        ("expected yes or no, found 'maybe'", "No"),
        ("run kubectl kots [linux/amd64]: ", "linux/arm64"),
        ("Applications, by slug, apart by blanks [harness]: ", "Harness"),
        ("not a slug: 'Harness'", "harness harness-ng"),
        ("harness: version label that runs at the site [none]: ", "79000"),
        ("[downloads/harness.airgap]: ", "'a b.airgap sequence:412"),
        ("a quote is not closed", "'a b.airgap' sequence:412"),
        ("harness-ng: version label that runs at the site [none]: ", ""),
        ("[downloads/harness-ng.airgap]: ", ""),
        ("such as delegates, apart by blanks [none]: ", "UPPER"),
        ("image reference 'UPPER'", "harness/delegate:latest"),
        ("Python versions of the machines at the site [none]: ", "3.11 3.12"),
        ("Platforms of those machines [linux/amd64]: ", ""),
    )
    code, out = terminal.end()
    assert (code, out) == (
        0,
        "spec.yaml: written; look through it, then run airgap-bundler lock spec.yaml\n",
    )
    spec = read(workplace.folder / "spec.yaml")
    assert (spec.name, spec.version) == ("harness", "2026.12")
    assert spec.console is not None
    assert (spec.console.minio, spec.console.platforms) == (False, ("linux/arm64",))
    assert [one.installed for one in spec.applications] == ["79000", None]
    assert [one.input.source for one in spec.archives[1:]] == [
        "a b.airgap",
        "portal:harness/sequence/412",
        "downloads/harness-ng.airgap",
    ]
    assert [str(one.reference) for one in spec.images] == ["docker.io/harness/delegate:latest"]
    assert spec.toolkit is not None
    assert spec.toolkit.python == ("3.11", "3.12")


@pytest.mark.parametrize(
    "terminal",
    [["--name=n", "--version=1", "--kots=none", "--release=harness=a.airgap", "--image=x:1"]],
    indirect=True,
)
def test_only_what_was_not_said_is_asked(workplace: Workplace, terminal: Terminal) -> None:
    terminal.type(
        ("harness: version label that runs", "1"), ("Python versions of the machines", "")
    )
    assert terminal.end()[0] == 0
    assert terminal.shown.count("[none]: ") == 2
    assert read(workplace.folder / "spec.yaml").applications[0].installed == "1"


@pytest.mark.parametrize("leave", [Terminal.close, Terminal.interrupt])
def test_a_question_that_is_left_leaves_nothing_behind(
    workplace: Workplace, terminal: Terminal, leave: Callable[[Terminal, str], None]
) -> None:
    leave(terminal, "Name of the bundle [harness]: ")
    assert terminal.end() == (130, "")
    assert terminal.shown.endswith("interrupted; run the same command again to continue\n")
    assert not (workplace.folder / "spec.yaml").exists()
