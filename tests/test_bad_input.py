"""Bad input, a row for each kind: what was wrong, what a command said, and how it ended.

Each row runs a real command line. Whatever the fault, stderr is the text in the table, to the
last line; nothing is left by halves; and once the fault is gone the same command ends well,
without doing again what was done. `docs/when-it-fails.md` explains these texts to people.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import faults
from tests.bundler.test_lock import push
from tests.fakes.faulty import close_after, forget, status
from tests.fakes.registry import FakeRegistry
from tests.faults import Fault, answers, bundle, file, full_disk
from tests.processes import run
from tests.scene import LATE, Scene, write_samples
from tests.servers import certificate

BUILD = "airgap-bundler build {spec} -o {out}"
BUILD_LATE = "airgap-bundler build {late} -o {out} --plain-http {host}"
VERIFY = "airgap-mirror verify {bundle}"
STORE = "airgap-mirror push {bundle} --to oci:{store}"
STORE_ARCHIVE = "airgap-mirror push {archive} --to oci:{store}"
PUSH = "airgap-mirror push {bundle} --to {host}/harness --plain-http"
PUSH_1_BY_1 = f"{PUSH} --jobs 1"
PUSH_TLS = "airgap-mirror push {bundle} --to {host}/harness --ca-file {ca}"
INSTALL = "airgap-mirror install {bundle} --site {site}"


@dataclass(frozen=True, slots=True)
class Row:
    """One fault, the command that meets it, its exit code, and what it says on stderr."""

    name: str
    fault: Fault
    command: str
    code: int
    said: str
    """`{…}` is a name of the scene, `*` is anything; a line may stand for several alike, and one
    that begins with `?` may be missing."""
    signal: signal.Signals | None = None
    """Sent to the command when the registry stands still."""
    halfway: bool = False
    """Part of the work was done before, and is not done again."""
    final: bool = False
    """The same command never ends well: it is itself what is wrong."""


# fmt: off
FILES = (
    Row("not-a-gzip", file("archive", faults.web_page), BUILD, 3, """\
error: 1 entry of the spec cannot be used
  - applications[0].releases[0].archive: archive {archive}: not a gzip file; it is a web page *
hint: give kotsadm.tar.gz, an .airgap file or an *_images.tgz as it was downloaded
"""),
    Row("not-a-gzip-pushed", file("archive", faults.web_page), STORE_ARCHIVE, 3, """\
error: archive {archive}: not a gzip file; it is a web page *
hint: give kotsadm.tar.gz, an .airgap file or an *_images.tgz as it was downloaded
"""),
    Row("empty-file", file("archive", faults.empty), BUILD, 4, """\
error: 1 entry of the spec cannot be used
  - applications[0].releases[0].archive: archive {archive}: the file is empty
hint: copy or download it again, and compare its size and SHA-256 with the vendor's
"""),
    Row("empty-file-pushed", file("archive", faults.empty), STORE_ARCHIVE, 4, """\
error: archive {archive}: the file is empty
hint: copy or download it again, and compare its size and SHA-256 with the vendor's
"""),
    Row("2-bytes-short", file("archive", faults.cut), BUILD, 4, """\
error: 1 entry of the spec cannot be used
  - applications[0].releases[0].archive: archive {archive}: 1 fault
    - archive {archive}: ends in the middle of its compressed data, after * bytes: it was cut short
hint: copy or download it again, and compare its size and SHA-256 with the vendor's
"""),
    Row("2-bytes-short-pushed", file("archive", faults.cut), STORE_ARCHIVE, 4, """\
error: archive {archive}: 1 fault
  - archive {archive}: ends in the middle of its compressed data, after * bytes: it was cut short
hint: copy or download it again, and compare its size and SHA-256 with the vendor's
"""),
    Row("five-mistakes-in-the-spec", file("spec", faults.five_mistakes), BUILD, 3, """\
error: {spec}: 5 mistakes
  - applications[0].release: unknown key; known here: slug, *, releases
  - applications[0].releases: is missing: name at least one release
  - applications[1].slug: not a slug: 'Harness NG'; expected lower-case words joined by -
  - applications[1].releases[0].archive.sha256: not a SHA-256: 'abc'; expected 64 lower-case *
  - files[0].name: not a path below files/: '../values'
hint: correct that file and run the same command; nothing was done yet
"""),
    Row("wrong-sha256", file("spec", faults.wrong_sha256), BUILD, 4, """\
error: 1 entry of the spec cannot be used
  - applications[0].releases[0].archive: downloads/harness.airgap: expected sha256:*, found *
hint: compare the SHA-256 in the spec with the one the vendor gave
"""),
    Row("no-such-file", faults.nothing, "airgap-mirror verify {store}/harness.airgap", 5, """\
error: source {store}/harness.airgap: does not exist
hint: check the path, and whether its disk is mounted
""", final=True),
    Row("no-destination", faults.nothing, "airgap-mirror push {bundle}", 2, """\
Usage: airgap-mirror push [OPTIONS] SOURCE...
Try 'airgap-mirror push --help' for help.

Error: missing option: --to, or --site with the site file
""", final=True),
)

BUNDLES = (
    Row("flipped-byte-in-a-layer", bundle(faults.flip_layer), VERIFY, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: blobs/sha256/{layer}: expected sha256:{layer}, found sha256:*
hint: copy the bundle again from where it was built, and check it with sha256sum -c there
"""),
    Row("flipped-byte-in-a-layer-pushed", bundle(faults.flip_layer), PUSH, 11, """\
error: * of 5 images were not delivered
  - bundle {bundle}: blob sha256:{layer}: expected sha256:{layer}, found sha256:*
hint: mend what is named here, then run the same command: it continues
hint: the content is damaged; copy or download it again
""", halfway=True),
    Row("flipped-byte-in-a-manifest", bundle(faults.flip_manifest), STORE, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: manifest sha256:{manifest}: expected sha256:{manifest}, found sha256:*
hint: copy the bundle again from where it was built, and check it with sha256sum -c there
hint: the content is damaged; copy or download it again
"""),
    Row("flipped-byte-in-bundle-json", bundle(faults.flip_contents), PUSH, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: bundle.json: expected sha256:*, found sha256:*
hint: copy the bundle again from where it was built, and check it with sha256sum -c there
"""),
    Row("flipped-byte-in-sha256sums", bundle(faults.flip_sum), STORE, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: SHA256SUMS: lists blobs/sha256/{layer} with digest sha256:*, not its own
hint: copy the bundle again from where it was built, and check it with sha256sum -c there
"""),
    Row("missing-blob", bundle(faults.lose_layer), PUSH, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: blobs/sha256/{layer}: listed in SHA256SUMS, but not there
hint: copy the bundle again from where it was built, and check it with sha256sum -c there
"""),
    Row("extra-file", bundle(faults.add_file), VERIFY, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: notes.txt: not listed in SHA256SUMS
hint: a bundle holds its own files only: move what is not listed out of its folder
"""),
    Row("link-out-of-the-bundle", bundle(faults.link_layer), STORE, 4, """\
error: bundle {bundle}: 1 fault; nothing of it was used
  - bundle {bundle}: blobs/sha256/{layer}: a link, not a plain file or folder
hint: copy the bundle again from where it was built, and check it with sha256sum -c there
"""),
)

DOOR, UPLOADS = r"^/v2/$", "/blobs/uploads/"
HANGS_UP = answers("PUT", UPLOADS, close_after(99), 5)
REGISTRIES = (
    Row("down", faults.down, PUSH, 7, """\
registry {host}: Connection refused; trying again in * s
error: registry {host}: Connection refused (tried 5 times)
hint: check that it runs, and that this machine reaches it
"""),
    Row("401", answers("GET", DOOR, status(401, {"WWW-Authenticate": "Basic"})), PUSH, 6, """\
error: registry {host}: answered 401 Unauthorized
hint: no credentials for {host}; looked for in: --username and --password-stdin, or the site file; *
"""),
    Row("403", answers("POST", UPLOADS, status(403, error=("DENIED", "no"))), PUSH, 6, """\
error: 5 of 5 images were not delivered
  - {host}/harness/*: upload of blob sha256:*: answered 403 Forbidden (DENIED: no)
hint: mend what is named here, then run the same command: it continues
hint: no credentials for {host}; looked for in: --username and --password-stdin, or the site file; *
"""),
    Row("404-on-upload", answers("POST", UPLOADS, status(404)), PUSH, 5, """\
error: 5 of 5 images were not delivered
  - {host}: repository harness/* does not exist, and a push does not create it (answered 404 *)
hint: create what does not exist at the registry, or let --create-missing do it in a Harbor or *
hint: check the address too: a part of its path may be missing
"""),
    Row("500-for-ever", answers("GET", DOOR, status(500)), PUSH, 7, """\
registry {host}: answered 500 Internal Server Error; trying again in * s
error: registry {host}: answered 500 Internal Server Error (tried 5 times)
hint: the registry is overloaded or broken; its log says more
"""),
    Row("429-twice", answers("POST", UPLOADS, status(429, {"Retry-After": "1"}), 2), PUSH, 0, """\
{host}/harness/*: upload of blob sha256:*: answered 429 Too Many Requests; trying again in 1.0 s
""", halfway=True),
    Row("closes-in-a-blob", answers("PUT", UPLOADS, close_after(99), 2), PUSH, 0, """\
{host}/harness/*: upload of blob sha256:*: closed the connection *; trying again in * s
""", halfway=True),
    Row("closes-in-a-blob-each-time", HANGS_UP, PUSH_1_BY_1, 11, """\
{host}/harness/*: upload of blob sha256:*: closed the connection *; trying again in * s
error: 1 of 5 images were not delivered
  - {host}/harness/*: upload of blob sha256:*: closed the connection * (tried 5 times)
hint: mend what is named here, then run the same command: it continues
hint: check that it runs, and that this machine reaches it
""", halfway=True),
    Row("closes-in-a-blob-read", answers("GET", "/blobs/", close_after(9), 2), BUILD_LATE, 0, """\
{host}/harness/delegate: blob sha256:*: closed the connection *; trying again in * s
""", halfway=True),
    Row("acknowledges-and-forgets", answers("PUT", UPLOADS, forget), PUSH, 4, """\
error: 5 of 5 images were not delivered
  - {host}/harness/*: acknowledged blob sha256:* but does not have it
hint: mend what is named here, then run the same command: it continues
hint: the registry loses data; look at its storage and its log before trying again
"""),
    Row("wrong-ca", faults.wrong_ca, PUSH_TLS, 6, """\
error: registry {host}: the certificate is not trusted: *
hint: name the authority that signed it by --ca-file (caFile:), and the server as its * does
"""),
    Row("no-https", faults.nothing, "airgap-mirror push {bundle} --to {host}/harness", 3, """\
error: registry {host}: does not speak HTTPS
hint: check the port; without TLS a registry needs --plain-http (plainHttp: true), any other *
""", final=True),
    Row("tag-in-use", faults.tag_in_use, PUSH, 8, """\
error: names at the destination hold other content; nothing was written
  - {host}/harness/*:79915: holds sha256:*, expected sha256:*
hint: run again with --overwrite to move these names to the new content
"""),
)

NO_ROOM = """\
hint: mend what is named here, then run the same command: it continues
hint: free some space there, then run the same command: it continues
"""
GOODBYE = "interrupted; run the same command again to continue\n"
READING = faults.stands_still("GET", "/blobs/")
WRITING = faults.stands_still("PUT", UPLOADS, passing=4)
INTERRUPTIONS = (
    Row("full-disk-building", full_disk("out"), BUILD, 9, """\
error: bundle {out}: needs * bytes) more; * bytes) are free
hint: free some space there, or choose another disk for it by -o or for downloads by --cache-dir; *
"""),
    Row("full-disk-pushing", full_disk("store"), STORE, 9, f"""\
error: 5 of 5 images were not delivered
  - site store {{store}}: blob sha256:*: No space left on device
?  - some were not tried: too many failures in a row before them
{NO_ROOM}""", halfway=True),
    Row("ctrl-c-building", READING, BUILD_LATE, 130, GOODBYE, signal.SIGINT, halfway=True),
    Row("ctrl-c-pushing", WRITING, PUSH, 130, GOODBYE, signal.SIGINT, halfway=True),
    Row("kill-9-building", READING, BUILD_LATE, -9, "", signal.SIGKILL, halfway=True),
    Row("kill-9-pushing", WRITING, PUSH, -9, "", signal.SIGKILL, halfway=True),
)

KOTS = (
    Row("a-release-left-out", file("spec", faults.skips_a_release), BUILD, 12, """\
error: bundle {out}: 1 finding; the site could not use it as it is
  - required-release: harness 79915 can be deployed only after 79400; on the way there: 78000
hint: correct the spec, or let a finding pass by its name with --allow NAME: the bundle keeps a *
hint: carry 79400 too: KOTS refuses to leave out a required release
"""),
    Row("no-kubectl", faults.nothing, INSTALL, 10, """\
error: kubectl: not found on PATH
hint: install kubectl; kubectl-kots is among the bundle's files
""", final=True),
    Row("no-console", faults.nothing, f"{INSTALL} --dry-run", 12, """\
error: no admin console runs in namespace harness, and none is among the sources
hint: give kotsadm.tar.gz, or a bundle that has it, as a source too
""", final=True),
)
# fmt: on

TABLE = (*FILES, *BUNDLES, *REGISTRIES, *INTERRUPTIONS, *KOTS)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_bad_input(row: Row, tmp_path: Path, samples: Path) -> None:
    tls = certificate(tmp_path / "tls") if "{ca}" in row.command else None
    with FakeRegistry(tls=tls) as registry:
        scene = Scene.arrange(tmp_path / "scene", samples, registry)
        if tls:
            shutil.copy(tls.ca, scene.path("ca"))
        if "{late}" in row.command:
            push(registry.host, "late", LATE)
        with scene.later:
            fails_as_told(row, scene)
            if not row.final:
                ends_well(row, scene)


def fails_as_told(row: Row, scene: Scene) -> None:
    """The command meets the fault."""
    with row.fault(scene):
        ran = scene.interrupt(row.command, row.signal) if row.signal else scene.run(row.command)
    assert ran.code == row.code, ran.err
    if not re.fullmatch(pattern(row.said, scene.names), ran.err):
        pytest.fail(f"it said:\n{ran.err}\nexpected:\n{row.said}")
    assert list(scene.halves()) == []
    assert row.signal or scene.litter() == []


def ends_well(row: Row, scene: Scene) -> None:
    """The same command does what is left to do."""
    held, asked = scene.blobs(), len(scene.registry.requests)
    assert held or not row.halfway
    again = scene.run(row.command)
    assert (again.code, again.err) == (0, "")
    assert held.items() <= scene.blobs().items()
    assert scene.sent(asked).isdisjoint(held)
    assert list(scene.halves()) == []
    assert scene.litter() == []
    if row.command == BUILD:
        run(["diff", "--recursive", scene.path("bundle"), scene.path("out")])
    elif row.command == BUILD_LATE:
        assert scene.run("airgap-bundler verify {out}").code == 0
    elif row.command != VERIFY:
        assert scene.run(row.command.replace(" push ", " audit ")).code == 0


def pattern(said: str, names: Mapping[str, str]) -> str:
    """A regular expression for what a row says."""
    lines = []
    for line in said.format_map(names).splitlines():
        text = ".*".join(map(re.escape, line.removeprefix("?").split("*")))
        lines.append(f"(?:{text}\n){'*' if line.startswith('?') else '+'}")
    return "".join(lines)
