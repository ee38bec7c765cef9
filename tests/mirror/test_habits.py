"""The habits in the site file: written by a probe, read strictly, of use to a push, no danger."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.site.edit import with_mapping
from mirror.site.file import load_site
from mirror.site.habits import KEYS, WORDS, to_lines
from tests.fakes.faulty import FOREVER, Exchange, header, status
from tests.fakes.owners import FakeHarbor, basic
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import DESTINATIONS, half_named, make_bundle, mirror
from tests.servers import Certificate, certificate, docker_registry, nginx
from transfer.errors import InvalidInput
from transfer.habits import UNKNOWN, Habits

pytest_plugins = ["tests.server_fixtures"]

SITE = """\
# One site.
apiVersion: airgap/v1
kind: Site
name: dc-north   # its name

registry:
  # Where everything goes.
  endpoint: {host}/harness   # one string
  plainHttp: true   # a test

# Who lives there.
namespace: harness
applications:
  harness: {{licenseFile: license.yaml}}
"""
ASKED = {"chunks": "refused", "mount-missing": "upload", "chunk-minimum": "7", "push": "allowed"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        yield fake


def site_for(folder: Path, registry: FakeRegistry, text: str = SITE, **more: str) -> Path:
    """A site file for a registry, with further keys of `registry`."""
    path = folder / "site.yaml"
    keys = "".join(f"\n  {key}: {value}" for key, value in more.items())
    path.write_text(text.format(host=registry.host).replace("# a test", f"# a test{keys}"))
    return path


def habits_of(path: Path) -> Habits:
    return load_site(path, None).registry.habits


def test_lines_hold_what_was_found_by_the_names_of_the_site_file() -> None:
    lines = to_lines({**ASKED, "type oci.x+json": "refused", "body-limit": "none"}, "2026-11-22")
    assert lines == [
        'probed: "2026-11-22"',
        "chunks: refused",
        "mountMissing: upload",
        "chunkMinimum: 7",
        "refusedTypes: [oci.x+json]",
    ]


def test_what_a_probe_finds_is_written_and_read_again(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    path = site_for(tmp_path, registry)
    before = path.read_text()
    registry.fail("POST", "/uploads/$", FOREVER, header("OCI-Chunk-Min-Length", "5000"))
    ran = mirror("probe", "--site", path, "--write")
    assert ran.code == 0, ran.err
    assert ran.err == f"written to {path}: registry.habits\n"
    text = path.read_text()
    added = text.replace(before.partition("\n\n# Who")[0], "").partition("\n\n# Who")[0]
    assert text.replace(added, "") == before, "everything else stays as it was"
    assert re.match(r'\n  habits:\n    probed: "\d{4}-\d\d-\d\d"\n    login: none\n', added)
    written = {line.split(":")[0].strip() for line in added.splitlines()[2:]}
    assert written <= set(KEYS)
    assert {"chunks", "whole", "mount", "head", "chunkMinimum", "resume"} <= written
    assert habits_of(path) == Habits(least_piece=5000)


def test_what_is_written_again_takes_the_place_of_the_old(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    path = site_for(tmp_path, registry)
    assert mirror("probe", "--site", path, "--write").code == 0
    first = path.read_text()
    assert mirror("probe", "--site", path, "--write").code == 0
    assert path.read_text() == first
    registry.fail("PATCH", "/uploads/", FOREVER, status(501))
    assert mirror("probe", "--site", path, "--write").code == 0
    assert habits_of(path) == Habits(pieces=False)
    assert path.read_text().count("habits:") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a: {b: 1}\n", "a: {b: 1, habits: {x: y, z: 1}}\n"),
        ("a: {b: 1, habits: {x: n}, c: 2} # d\n", "a: {b: 1, habits: {x: y, z: 1}, c: 2} # d\n"),
        ("a:\n    b: 1", "a:\n    b: 1\n    habits:\n      x: y\n      z: 1"),
        (
            "a:\n  b:\n    - 1\n    - c: 2 # d\n\n# e\nf: 1\n",
            "a:\n  b:\n    - 1\n    - c: 2 # d\n  habits:\n    x: y\n    z: 1\n\n# e\nf: 1\n",
        ),
        (
            "a: # a\n  # b\n  habits:\n    x: n\n    t: '#'\n  # c\n  b: 1\n",
            "a: # a\n  # b\n  habits:\n    x: y\n    z: 1\n  # c\n  b: 1\n",
        ),
        (
            "a:\r\n  b: 1\r\nc: 2\r\n",
            "a:\r\n  b: 1\r\n  habits:\r\n    x: y\r\n    z: 1\r\nc: 2\r\n",
        ),
        (
            "a:\r\n  habits:\r\n    x: n\r\n  b: 1 # c\r\n",
            "a:\r\n  habits:\r\n    x: y\r\n    z: 1\r\n  b: 1 # c\r\n",
        ),
        (
            "a:\n  b: |\n    x\n\n# c\nd: 1\n",
            "a:\n  b: |\n    x\n  habits:\n    x: y\n    z: 1\n\n# c\nd: 1\n",
        ),
        (
            "a:\n  b: >-\n    x\n    # y\n",
            "a:\n  b: >-\n    x\n    # y\n  habits:\n    x: y\n    z: 1\n",
        ),
        (
            "a:\n  habits:\n    x: |\n      n\n\n  b: 1\n",
            "a:\n  habits:\n    x: y\n    z: 1\n\n  b: 1\n",
        ),
        ("a: &r\n  b: &e 1\n", "a: &r\n  b: &e 1\n  habits:\n    x: y\n    z: 1\n"),
        ("a:\n  habits: {}\n  b: 1\n", "a:\n  habits:\n    x: y\n    z: 1\n  b: 1\n"),
        ("a:\n  habits:\n  b: 1\n", "a:\n  habits:\n    x: y\n    z: 1\n  b: 1\n"),
    ],
)
def test_only_the_mapping_changes(old: str, new: str) -> None:
    assert with_mapping(old, ("a", "habits"), ["x: y", "z: 1"], "f") == new


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a:\n  habits:\n    # old\n    x: n\n  b: 1\n", "comments"),
        ("a:\n  habits:\n    x: n # why\n  b: 1\n", "comments"),
        ("a:\n  habits: # why\n    x: n\n", "comments"),
        ("a:\n  habits: {x: n} # why\n", "comments"),
        ("a:\n  habits:   # to be probed\n  b: 1\n", "comments"),
        ("a: {habits: {x: n, # why\n  y: m}}\n", "comments"),
        ("a:\n  habits: &h\n    x: n\n", "an anchor, an alias or a tag"),
        ("a:\n  habits:\n    x: &n n\n  b: *n\n", "an anchor, an alias or a tag"),
        ("a:\n  habits: !!map {x: n}\n", "an anchor, an alias or a tag"),
        ("z: &h {x: n}\na:\n  habits: *h\n  b: 1\n", "an alias"),
        ("z: &h {x: n}\na:\n  b: 1\n  habits:\n    x: *h\n", "an alias"),
        ("z: &e 1\na:\n  b: *e\n", "an alias"),
        ("z: &e 1\na:\n  b:\n    - 1\n    - *e\n", "an alias"),
        ("z: &e 1\na: {b: *e}\n", "an alias"),
    ],
)
def test_what_would_be_lost_is_left_to_a_person(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^f: a\.habits .*{why}.*nothing was") as caught:
        with_mapping(text, ("a", "habits"), ["x: y", "z: 1"], "f")
    assert caught.value.hint == "write it by hand, below a:  habits: {x: y, z: 1}"


@pytest.mark.parametrize("lines", ["\n", "\r\n"])
def test_line_ends_owner_and_mode_stay(registry: FakeRegistry, tmp_path: Path, lines: str) -> None:
    path = site_for(tmp_path, registry)
    path.write_bytes(path.read_bytes().replace(b"\n", lines.encode()))
    path.chmod(0o640)
    if not os.geteuid():
        os.chown(path, 65534, 65533)  # as for somebody who runs it by sudo
    before = path.stat()
    assert mirror("probe", "--site", path, "--write").code == 0
    after = path.stat()
    assert habits_of(path).largest_body is None
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )
    written = path.read_bytes()
    assert b"habits:" in written
    assert written.count(b"\n") == written.count(lines.encode())


def test_a_person_is_told_what_to_write(registry: FakeRegistry, tmp_path: Path) -> None:
    path = site_for(tmp_path, registry, habits="{login: none} # of last year")
    before = path.read_bytes()
    ran = mirror("probe", "--site", path, "--write")
    assert ran.code == 3
    assert f"{path}: registry.habits has comments in it, which would be lost" in ran.err
    assert path.read_bytes() == before
    (told,) = re.findall(r"hint: write it by hand, below registry:  (habits: .*)", ran.err)
    path.write_text(path.read_text().replace("habits: {login: none} # of last year", told))
    assert habits_of(path) == UNKNOWN
    assert "login: none" in told


@pytest.mark.parametrize("text", ["", "a: 1", "a: {}", "b: {c: 1}", "[", "- a"])
def test_where_nobody_can_tell_where_to_write(text: str) -> None:
    with pytest.raises(InvalidInput, match="f: a is not a mapping"):
        with_mapping(text, ("a", "habits"), ["x: y"], "f")


def test_a_file_whose_place_depends_on_an_alias_is_not_written(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    text = SITE.replace("name: dc-north", "name: &it {host}/harness").replace(
        "  endpoint: {host}/harness   # one string\n", ""
    )
    text = text.replace("# a test", "# a test\n  endpoint: *it")
    path = site_for(tmp_path, registry, text)
    assert load_site(path, None).registry.endpoint.path == "harness"
    before = path.read_text()
    ran = mirror("probe", "--site", path, "--write")
    assert (ran.code, path.read_text()) == (3, before)
    assert "registry.habits depends on an alias: nothing was changed" in ran.err


def test_a_file_that_would_change_its_meaning_is_not_written(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    text = SITE.replace("# a test", "# a test\n  ? habits\n  : {{mount: refused}}")
    path = site_for(tmp_path, registry, text)
    assert habits_of(path) == Habits(mounts=False)
    before = path.read_text()
    ran = mirror("probe", "--site", path, "--write")
    assert (ran.code, path.read_text()) == (3, before)
    assert "cannot be changed without changing more" in ran.err
    assert "hint: write it by hand, below registry:  habits: {probed: " in ran.err


def test_nothing_is_written_where_a_push_would_be_refused(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    path = site_for(tmp_path, registry)
    before = path.read_text()
    registry.fail("POST", "", FOREVER, status(405))
    assert mirror("probe", "--site", path, "--write").code == 6
    assert path.read_text() == before


def test_the_mode_of_the_file_and_a_link_to_it_stay(registry: FakeRegistry, tmp_path: Path) -> None:
    path = site_for(tmp_path, registry)
    path.chmod(0o600)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    assert mirror("probe", "--site", link, "--write").code == 0
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "habits:" in path.read_text()


def test_wrong_usage(registry: FakeRegistry) -> None:
    ran = mirror("probe", registry.host, "--plain-http", "--write")
    assert (ran.code, "--write needs --site" in ran.err) == (2, True)
    assert not registry.requests


def test_habits_are_read_strictly(registry: FakeRegistry, tmp_path: Path) -> None:
    wrong = "{mount: sometimes, chunkMinimum: -1, bodyLimit: 0, probed: soon, tags: 7, head: 1}"
    path = site_for(tmp_path, registry, habits=wrong)
    with pytest.raises(InvalidInput) as caught:
        load_site(path, None)
    assert [str(fault).partition(",")[0] for fault in caught.value.faults] == [
        "registry.habits.tags: unknown key; known here: probed",
        "registry.habits.mount: expected works",
        "registry.habits.head: expected text",
        "registry.habits.chunkMinimum: expected a whole number",
        "registry.habits.bodyLimit: expected at least 1",
        'registry.habits.probed: expected a date such as "2026-11-22"',
    ]


def test_no_habits_are_what_nobody_knows(registry: FakeRegistry, tmp_path: Path) -> None:
    assert habits_of(site_for(tmp_path, registry)) == UNKNOWN


def test_a_push_makes_use_of_habits(registry: FakeRegistry, bundle: Path, tmp_path: Path) -> None:
    known = "{mount: refused, whole: refused, head: no-digest}"
    path = site_for(tmp_path, registry, habits=known)
    assert mirror("push", bundle, "--site", path).code == 0
    assert registry.count("POST", "mount=") == 0
    assert registry.count("HEAD", "/manifests/") == 0
    bodies = [
        int(seen.headers["content-length"])
        for seen in registry.requests
        if seen.method == "PUT" and "/uploads/" in seen.path
    ]
    assert bodies
    assert set(bodies) == {0}, "everything came in pieces"
    assert half_named(registry) == []


STALE = {
    "everything is refused": "{mount: refused, whole: refused, chunks: refused, head: no-digest}",
    "everything works": "{mount: works, whole: accepted, chunks: accepted, head: digest}",
    "tiny": "{bodyLimit: 1, chunkMinimum: 1}",
    "huge": "{bodyLimit: 9000000000000, chunkMinimum: 9000000000000, whole: refused}",
    "against each other": "{bodyLimit: 5, chunkMinimum: 50, whole: refused, login: bearer}",
}


def refuses_pieces(exchange: Exchange) -> bool:
    exchange.read_body()
    exchange.answer(501)
    return True


@pytest.mark.parametrize("actual", ["good", "whole only", "pieces only"])
@pytest.mark.parametrize("habits", STALE.values(), ids=STALE)
def test_habits_that_are_wrong_break_no_push(
    registry: FakeRegistry, bundle: Path, tmp_path: Path, habits: str, actual: str
) -> None:
    if actual == "whole only":
        registry.fail("PATCH", "/uploads/", FOREVER, refuses_pieces)
    if actual == "pieces only":

        def only_empty(exchange: Exchange) -> bool:
            return exchange.headers["Content-Length"] != "0" and refuses_pieces(exchange)

        registry.fail("PUT", "/uploads/", FOREVER, only_empty)
        registry.fail("HEAD", "/manifests/", FOREVER, header("Docker-Content-Digest", None))
        registry.fail("POST", "mount=", FOREVER, status(404))
    path = site_for(tmp_path, registry, habits=habits)
    ran = mirror("push", bundle, "--site", path)
    assert ran.code == 0, ran.err
    assert f"{len(DESTINATIONS)} images: {len(DESTINATIONS)} copied" in ran.out
    assert half_named(registry) == []
    assert not registry.open_uploads


@pytest.mark.real
def test_the_limit_of_a_proxy_is_found_and_kept(bundle: Path, tmp_path: Path) -> None:
    with docker_registry(tmp_path / "registry") as behind:
        snippet = (
            "client_max_body_size 10m;\n"
            "location /v2/ { proxy_pass http://%s; proxy_set_header Host $http_host; }"
        )
        with nginx(tmp_path / "nginx", tmp_path, snippet % behind.host) as proxy:
            path = tmp_path / "site.yaml"
            path.write_text(SITE.format(host=proxy.host))
            ran = mirror("probe", "--site", path, "--write")
            assert ran.code == 0, ran.err
            assert habits_of(path) == Habits(largest_body=10 * 1024 * 1024)
            asked = [one for one in proxy.requests() if one.status == 413]
            assert mirror("push", bundle, "--site", path).code == 0
            assert [one for one in proxy.requests() if one.status == 413] == asked
        assert [one for one in behind.requests() if one.status == 413] == []


@pytest.mark.parametrize("allowed_by", ["option", "site file", "nobody"])
def test_a_project_is_created_where_that_is_allowed_by_name(
    bundle: Path, tmp_path: Path, allowed_by: str
) -> None:
    with FakeHarbor(owner=basic("ann", "secret-7"), authorization=None) as harbor:
        by_file = {"createMissing": "true"} if allowed_by == "site file" else {}
        path = site_for(tmp_path, harbor, **by_file)
        words = ["--create-missing"] if allowed_by == "option" else []
        login = ["--username", "ann", "--password-stdin"]
        ran = mirror("push", bundle, "--site", path, *login, *words, stdin="secret-7\n")
        if allowed_by == "nobody":
            assert ran.code == 5, ran.err
            assert "project harness does not exist, and a push does not create it" in ran.err
            assert "hint: create what does not exist at the registry" in ran.err
            assert ran.err.count("project harness not found: ") == 1
        else:
            assert ran.code == 0, ran.err
            assert harbor.projects == {"harness"}
        assert "secret-7" not in ran.out + ran.err


def test_a_certificate_is_shown_by_option_and_by_site_file(
    tls: Certificate, bundle: Path, tmp_path: Path
) -> None:
    ours = certificate(tmp_path / "ours", purpose="clientAuth")
    with FakeRegistry(tls=tls, client_ca=ours.ca) as registry:
        to: list[str | Path] = ["--to", f"{registry.host}/harness", "--ca-file", tls.ca]
        shown: list[str | Path] = ["--client-cert", ours.certificate, "--client-key", ours.key]
        assert mirror("push", bundle, *to, *shown).code == 0
        text = SITE.replace("plainHttp: true", f"caFile: {tls.ca}")
        files = {"clientCertFile": str(ours.certificate), "clientKeyFile": str(ours.key)}
        path = site_for(tmp_path, registry, text, **files)
        ran = mirror("push", bundle, "--site", path)
        assert (ran.code, "4 present" in ran.out) == (0, True), ran.err


@pytest.mark.parametrize(
    "words",
    [["--client-key", "k.pem", "--ca-file", "c"], ["--client-cert", "c.pem", "--plain-http"]],
)
def test_certificates_that_make_no_sense(bundle: Path, words: list[str]) -> None:
    ran = mirror("push", bundle, "--to", "registry.example/harness", *words)
    assert (ran.code, "--client-cert" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"clientKeyFile": "k.pem"}, "registry.clientKeyFile: has no clientCertFile"),
        ({"clientCertFile": "c.pem"}, "registry.clientCertFile: does not go together with plain"),
        ({"createMissing": "maybe"}, "registry.createMissing: expected true or false"),
    ],
)
def test_what_the_site_file_must_not_say(
    registry: FakeRegistry, tmp_path: Path, keys: dict[str, str], fault: str
) -> None:
    path = site_for(tmp_path, registry, **keys)
    with pytest.raises(InvalidInput) as caught:
        load_site(path, None)
    assert any(str(found).startswith(fault) for found in caught.value.faults)


def test_the_page_tells_every_habit_and_what_it_may_be() -> None:
    page = (Path(__file__).parents[2] / "docs/probe.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z -]+)`? ?[^|]*\| ([^|]+) \|", page, re.MULTILINE))
    for key, words in WORDS.items():
        name = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", key)
        told = re.findall(r"`([a-z-]+)`", rows[name])
        assert [word for word in words if word != "unknown" or name != "login"] == told
    assert {"chunk-minimum", "body-limit"} <= rows.keys()
