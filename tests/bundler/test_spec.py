"""A spec is read strictly: everything wrong with it is said at once, with the path to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.spec import BundleSpec, parse_spec
from bundler.spec.origin import Address
from transfer.contents import ArchiveKind
from transfer.digest import Digest
from transfer.errors import InvalidInput, UnsupportedVersion

HEAD = "apiVersion: airgap/v1\nkind: BundleSpec\nname: harness\nversion: '2026.11'\n"
HEX = "0123456789abcdef" * 4


def parse(body: str) -> BundleSpec:
    return parse_spec(HEAD + body, "harness.yaml")


def faults(body: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse(body)
    return [fault.message for fault in caught.value.faults]


def test_everything_a_spec_may_say() -> None:
    spec = parse(f"""
kots:
  version: v1.131.4
  archive: {{path: down/kotsadm.tar.gz}}
  plugins: [{{platform: linux/amd64, url: 'https://x.example/a/k.tgz?sig=s', sha256: {HEX}}}]
applications:
  - slug: harness
    releases:
      - archive: {{path: /old.airgap, sha256: 'sha256:{HEX}'}}
      - archive: {{path: new.airgap}}
  - slug: harness-ng
    releases: [{{archive: {{path: ng.airgap}}}}]
imageArchives: [{{path: platform_images.tgz}}]
images: [harness/delegate, 'quay.io/x/y@sha256:{HEX}']
files: [{{name: values/configvalues.yaml, path: ./configvalues.yaml}}]
""")
    assert (spec.name, spec.version) == ("harness", "2026.11")
    assert [(one.input.entry, one.kind, one.expected) for one in spec.archives] == [
        ("kots.archive", ArchiveKind.ADMIN_CONSOLE, "v1.131.4"),
        ("applications[0].releases[0].archive", ArchiveKind.APPLICATION, "harness"),
        ("applications[0].releases[1].archive", ArchiveKind.APPLICATION, "harness"),
        ("applications[1].releases[0].archive", ArchiveKind.APPLICATION, "harness-ng"),
        ("imageArchives[0]", ArchiveKind.IMAGES, ""),
    ]
    assert spec.archives[1].input.sha256 == Digest("sha256", HEX)
    assert spec.archives[2].input.sha256 is None
    assert [(one.entry, str(one.reference)) for one in spec.images] == [
        ("images[0]", "docker.io/harness/delegate:latest"),
        ("images[1]", f"quay.io/x/y@sha256:{HEX}"),
    ]
    plugin, values = spec.files
    assert plugin.path == "files/kubectl-kots/linux/amd64/k.tgz"
    assert plugin.platform == "linux/amd64"
    assert plugin.input.source == "https://x.example/a/k.tgz"
    assert plugin.input.origin == Address(url="https://x.example/a/k.tgz?sig=s")
    assert "sig" not in repr(spec)
    assert (values.path, values.platform) == ("files/values/configvalues.yaml", None)


def test_five_mistakes_are_five_faults() -> None:
    found = faults("""
kots: {version: v1.131.4, archive: {}}
applications:
  - slug: Harness
    releases: [{archive: {path: a.airgap, sha256: 12ab}}]
images: [docker.io/UPPER/case]
colour: blue
""")
    said = [
        "colour: unknown key; known here: apiVersion, kind, name, version, portal, kots, ",
        "kots.archive: expected path: or url:, found neither",
        "applications[0].slug: not a slug: 'Harness'; expected lower-case words joined by -",
        "applications[0].releases[0].archive.sha256: not a SHA-256: '12ab'; expected 64",
        "images[0]: image reference 'docker.io/UPPER/case': ",
    ]
    assert len(found) == len(said)
    for fault, start in zip(found, said, strict=True):
        assert fault.startswith(start)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", ["names nothing to carry"]),
        ("files: []\nimages: []", ["names nothing to carry"]),
        ("kots: {archive: {path: k}}", ["kots.version: is missing"]),
        ("imageArchives: v1", ["imageArchives: expected a list, found text"]),
        (
            "imageArchives: [{path: a, url: 'https://x/a'}]",
            [
                "imageArchives[0]: expected path: or url:, found both",
            ],
        ),
        (
            f"imageArchives: [{{sha256: {HEX}}}]",
            ["imageArchives[0]: expected path: or url:, found neither"],
        ),
        ("imageArchives: [{path: ''}]", ["imageArchives[0].path: is empty"]),
        ("imageArchives: [{path: ..}]", ["imageArchives[0].path: does not end with the name"]),
        (
            f"imageArchives: [{{path: a, sha256: 'sha512:{HEX}{HEX}'}}]",
            ["imageArchives[0].sha256: expected a SHA-256, found a sha512"],
        ),
        ("applications: [{releases: []}]", ["slug: is missing", "releases: is missing"]),
        (
            "applications: [{slug: a, releases: [{}]}]",
            ["applications[0].releases[0].archive: is missing: give path:, url: or portal:"],
        ),
        (
            "applications:\n- &one {slug: a, releases: [{archive: {path: x}}]}\n- *one",
            ["applications[1].slug: a stands at applications[0].slug already"],
        ),
        (
            "images: [redis, docker.io/library/redis:latest]",
            ["images[1]: docker.io/library/redis:latest stands at images[0] already"],
        ),
        (
            "images: [7, '', redis, UPPER, redis]",
            [
                "images[0]: expected text, found a number; put it in quotes",
                "images[1]: is empty",
                "images[3]: image reference 'UPPER'",
                "images[4]: docker.io/library/redis:latest stands at images[2] already",
            ],
        ),
        (
            "toolkit: {platforms: [linux], python: [3.11]}",
            [
                "toolkit.platforms[0]: expected os/architecture such as linux/amd64, found 'linux'",
                "toolkit.python[0]: expected text, found a number; put it in quotes",
            ],
        ),
        (
            "toolkit: {python: []}",
            [
                "toolkit.platforms: is missing: name at least one",
                "toolkit.python: is missing: name at least one",
            ],
        ),
        (
            "imageArchives: [{manifest: m.yaml, modules: [7]}]",
            ["imageArchives[0].modules[0]: expected text, found a number; put it in quotes"],
        ),
        (
            "images: [{image: redis, engine: true}]",
            ["images[0].engine: expected text, found true or false"],
        ),
        (
            "applications: [{slug: a, releases: [archive: {portal: {label: a/b}}]}]",
            ["applications[0].releases[0].archive.portal.label: not a label that can name a file"],
        ),
        ("files: [{name: ../x, path: x}]", ["files[0].name: not a path below files/: '../x'"]),
        ("files: [{name: /x, path: x}]", ["files[0].name: not a path below files/: '/x'"]),
        (
            "files: [{name: kubectl-kots/x, path: x}, {name: archives/x, path: x}]",
            ["files[0].name: files/kubectl-kots/ is filled", "files[1].name: files/archives/"],
        ),
        (
            "files: [{name: a, path: x}, {name: A, path: y}, {name: a/b, path: z}]",
            [
                "files[1]: files/A in the bundle is taken by files[0]",
                "files[2]: files/a/b in the bundle is taken by files[0]",
            ],
        ),
        (
            "files: [{name: a/b, path: x}, {name: a, path: y}]",
            ["files[1]: files/a in the bundle is taken by files[0]"],
        ),
        (
            "kots: {version: v1, archive: {path: k}, plugins: [&p {platform: linux, path: p}, *p]}",
            [
                "kots.plugins[0].platform: expected os/architecture such as linux/amd64",
                "kots.plugins[1].platform: expected os/architecture",
                "kots.plugins[1]: files/kubectl-kots/linux/p in the bundle is taken",
            ],
        ),
    ],
)
def test_mistakes(body: str, said: list[str]) -> None:
    found = faults(body)
    assert len(found) == len(said)
    for fault, part in zip(found, said, strict=True):
        assert part in fault


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x.example/a", "expected http:// or https://, found ftp scheme"),
        ("file:///etc/passwd", "found file scheme"),
        ("x.example/a", "found no scheme"),
        ("https:///a", "not an address with a host"),
        ("https://[::1/a", "not an address with a host"),
        ("https://x.example:port/a", "not an address with a host"),
        ("https://user:hunter2@x.example/a", "holds a user name or password"),
        ("https://x.example/", "does not end with the name of a file"),
        ("https://x.example/a%2f..%2fb%00", "does not end with the name of a file"),
    ],
)
def test_addresses_that_are_refused_are_not_repeated(url: str, said: str) -> None:
    (fault,) = faults(f"imageArchives: [{{url: '{url}', sha256: {HEX}}}]")
    assert fault.startswith("imageArchives[0].url: ")
    assert said in fault
    assert "hunter2" not in fault


def test_newer_spec_asks_for_a_newer_toolkit() -> None:
    with pytest.raises(UnsupportedVersion, match=r"harness\.yaml: apiVersion 'airgap/v2'"):
        parse_spec(HEAD.replace("v1", "v2"), "harness.yaml")


@pytest.mark.parametrize("name", ["first-install.yaml", "monthly-upgrade.yaml"])
def test_ready_specs_are_read(name: str) -> None:
    text = (Path(__file__).parents[2] / "manifests" / name).read_text()
    spec = parse_spec(text, name)
    assert spec.archives[0].expected == "v1.131.4"


def test_an_image_may_be_chosen_by_the_variant_of_its_platform() -> None:
    spec = parse("images: [{image: redis, platforms: [linux/amd64, linux/arm/v7]}]")
    assert spec.images[0].platforms == ("linux/amd64", "linux/arm/v7")
    assert spec.images[0].source == "docker.io/library/redis:latest (linux/amd64, linux/arm/v7)"
    said = "expected os/architecture such as linux/amd64, found"
    assert faults("images: [{image: redis, platforms: [linux, linux/a/b/c]}]") == [
        f"images[0].platforms[0]: {said} 'linux'",
        f"images[0].platforms[1]: {said} 'linux/a/b/c'",
    ]
    assert faults("toolkit: {platforms: [linux/arm/v7], python: ['3.11']}") == [
        f"toolkit.platforms[0]: {said} 'linux/arm/v7'",
    ]
