"""Kubernetes YAML whose images get the names of the site, and which else stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.holdings import Holdings
from mirror.rewriteplan import joined
from mirror.rewriting import rewrite
from tests.mirror.supply import Ran, make_bundle, mirror
from tests.servers import docker_registry
from tests.transfer.images import image, layer
from transfer.contents import ImageRecord
from transfer.digest import Digest
from transfer.errors import InvalidInput, NotFound
from transfer.naming import Naming
from transfer.reference import Repository, parse_endpoint
from transfer.relocate import SourceImage

SITE = "r.example:5000/ns"
ENDPOINT = parse_endpoint(SITE)
DATA = Path(__file__).parents[1] / "data" / "delegates"
TREES = {
    name: image(layer(name))
    for name in (
        "harness/delegate:23.11.81820",
        "harness/delegate:latest",
        "harness/delegate:non-root-openshift",
        "docker.io/harness/upgrader:latest",
        "harness/ci-addon:1.16.22",
        "registry.k8s.io/tools/wait:1.0",
    )
}
PINNED = TREES["harness/delegate:latest"].root.digest
OTHER = Digest.of(b"another")


def held(*names: str, naming: Naming = Naming.KOTS) -> list[SourceImage]:
    return [
        SourceImage(
            record=ImageRecord(name=name, root=TREES["harness/delegate:latest"].root),
            naming=naming,
            origin="a.airgap",
        )
        for name in names
    ]


def site(*names: str, endpoint: Repository = ENDPOINT) -> Holdings:
    return Holdings(held(*names), endpoint)


def pod(line: str) -> str:
    return f"kind: Pod\nspec:\n  containers:\n  - {line}\n    name: x\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle", TREES, {}).path


@pytest.fixture
def delegate(tmp_path: Path) -> Path:
    path = tmp_path / "delegate.yaml"
    path.write_bytes((DATA / "vendor.yaml").read_bytes())
    return path


def run(bundle: Path, *words: str | Path, stdin: str = "") -> Ran:
    words = ("rewrite-images", *words, "--source", bundle, "--to", SITE)
    return mirror(*words, stdin=stdin)


@pytest.mark.parametrize(("golden", "more"), [("site", ()), ("openshift", ("--openshift",))])
def test_a_delegate(bundle: Path, delegate: Path, golden: str, more: tuple[str, ...]) -> None:
    done = run(bundle, delegate, *more)
    assert done.code == 0
    assert done.out == (DATA / f"{golden}.yaml").read_text()
    told = done.err.replace(f"{delegate.parent}/", "")
    assert told == (DATA / f"{golden}.txt").read_text()


def test_twice_is_as_once(bundle: Path, delegate: Path) -> None:
    first = run(bundle, delegate, "--in-place")
    assert first.out == ""
    once, number = delegate.read_bytes(), delegate.stat().st_ino
    second = run(bundle, delegate, "--in-place")
    assert second.code == 0
    assert "0 images rewritten, 4 named" in second.err
    assert delegate.read_bytes() == once == (DATA / "site.yaml").read_bytes()
    assert delegate.stat().st_ino == number  # not even written


@pytest.mark.parametrize(
    ("carried", "given_name", "expected"),
    [
        ("docker.io/harness/delegate:x", "harness/delegate:x", "delegate:x"),
        ("harness/delegate:x", "index.docker.io/harness/delegate:x", "delegate:x"),
        ("docker.io/library/mongo:6", "mongo:6", "mongo:6"),
        ("mongo", "docker.io/library/mongo:latest", "mongo:latest"),
        ("quay.io/a/b/c:1", "quay.io/a/b/c:1", "c:1"),
        (f"quay.io/a/b@{PINNED}", f"quay.io/a/b@{PINNED}", f"b@{PINNED}"),
        (f"quay.io/a/b:1@{PINNED}", f"quay.io/a/b:1@{PINNED}", f"b@{PINNED}"),
        (f"quay.io/a/b:1@{PINNED}", "quay.io/a/b:1", f"b@{PINNED}"),
        ("quay.io/a/b:1", f"quay.io/a/b@{PINNED}", f"b@{PINNED}"),
        ("quay.io/a/b:1", f"quay.io/a/b:1@{PINNED}", f"b:1@{PINNED}"),
        ("quay.io/a/b:1", f"quay.io/a/b:2@{PINNED}", f"b@{PINNED}"),
    ],
)
def test_a_reference_and_its_place(carried: str, given_name: str, expected: str) -> None:
    done = rewrite(pod(f"image: {given_name}"), "f", site(carried))
    assert done.text == pod(f"image: {SITE}/{expected}")
    again = rewrite(done.text, "f", site(carried))
    assert again.text == done.text
    assert [len(again.replacements), len(again.kept)] == [0, 1]


def test_a_modules_image_keeps_its_path() -> None:
    holdings = Holdings(held("harness/gateway:1", naming=Naming.WHOLE_PATH), ENDPOINT)
    done = rewrite(pod("image: harness/gateway:1"), "f", holdings)
    assert done.text == pod(f"image: {SITE}/harness/gateway:1")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("image: a/b:1  # a: b", "image: S/b:1  # a: b"),
        ("image:   'a/b:1'", "image:   'S/b:1'"),
        ('"image" : "a/b:1"', '"image" : "S/b:1"'),
        ("image: &x a/b:1", "image: &x S/b:1"),
        ("image: !!str a/b:1", "image: !!str S/b:1"),
        ("image: &x !!str 'a/b:1'", "image: &x !!str 'S/b:1'"),
        ("image: >-\n      a/b:1", "image: >-\n      S/b:1"),
        ("image: |\n      a/b:1\n", "image: |\n      S/b:1\n"),
        ("image:\n      a/b:1", "image:\n      S/b:1"),
    ],
)
def test_how_it_is_written_stays(old: str, new: str) -> None:
    done = rewrite(pod(old), "f", site("a/b:1"))
    assert done.text == pod(new.replace("S", SITE))


def test_an_address_in_brackets_goes_into_quotes() -> None:
    holdings = site("a/b:1", endpoint=Repository("[::1]:5000", "ns"))
    done = rewrite("containers: [{image: a/b:1}]", "f", holdings)
    assert done.text == 'containers: [{image: "[::1]:5000/ns/b:1"}]'


@pytest.mark.parametrize(
    "text",
    [
        "{kind: List, items: [{spec: {template: {spec: {initContainers: [{image: a/b:1}]}}}}]}",
        "spec: {ephemeralContainers: [{image: a/b:1}]}",
        "spec: {volumes: [{name: v, image: {reference: a/b:1}}]}",
        "apiVersion: kots.io/v1beta1\nspec: {additionalImages: [a/b:1]}",
        "x: &c {image: a/b:1}\ncontainers: [{<<: *c, name: x}]",
        "x: &c {image: a/b:1}\ncontainers: [{<<: [*c], name: x}]",
        '{"containers": [{"image": "a/b:1"}]}',
        "\ufeffcontainers: [{image: a/b:1}]",
        "containers: [{image: a/b:1, name: \U0001f600}]\r\n---\r\n",
        "--- \n# nothing\n---\ncontainers:\r\n- image: a/b:1\r\n...\r\n",
    ],
)
def test_wherever_a_pod_names_images(text: str) -> None:
    done = rewrite(text, "f", site("a/b:1"))
    assert done.text == text.replace("a/b:1", f"{SITE}/b:1")


@pytest.mark.parametrize(
    "text",
    [
        "image: a/b:1",
        "spec: {additionalImages: [a/b:1]}",
        "env: [{name: X, value: a/b:1}]",
        "a: &a [*a, a/b:1]",
    ],
)
def test_what_is_no_containers_image_is_left_and_told(text: str) -> None:
    done = rewrite(text, "f", site("a/b:1"))
    assert done.text == text
    assert done.notes == ("f:1: a/b:1 is no container's image; left as it is",)


def test_every_image_that_is_not_carried_is_named() -> None:
    text = pod("image: a/c:1") + "---\n" + pod("image: a/b:2\n  - image: a/b:1")
    with pytest.raises(NotFound) as caught:
        rewrite(text, "f.yaml", site("a/b:1"))
    assert caught.value.message == "2 images are not in the sources; nothing was written"
    assert [fault.message for fault in caught.value.faults] == [
        "f.yaml:4: image docker.io/a/c:1: not in the sources, which have docker.io/a/b:1",
        "f.yaml:10: image docker.io/a/b:2: not in the sources, which have docker.io/a/b:1",
    ]


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        (f"image: a/b:1@{OTHER}", NotFound, f"the sources have docker.io/a/b:1 as {PINNED}"),
        (f"image: a/b@{OTHER}", NotFound, "which have docker.io/a/b:1"),
        ("image: zzzzzz/yyyyyyy:1", NotFound, "which have 1 other image"),
        (
            "image: '{{ .Values.image }}'",
            InvalidInput,
            "f:4: image {{ .Values.image }}: a template",
        ),
        ("image: A/B", InvalidInput, "not a repository name"),
        ("image: {", InvalidInput, "not valid YAML"),
        ("image: |\n      a/b\n      :1", InvalidInput, "f:4:"),
    ],
)
def test_what_is_refused(line: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        rewrite(pod(line), "f", site("a/b:1"))
    assert message in str(caught.value)


def test_a_file_that_is_no_yaml_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as caught:
        rewrite("a: b\ntoken: *s3cret", "f.yaml", site("a/b:1"))
    assert str(caught.value) == "f.yaml:2: not valid YAML"


def test_two_images_of_one_name_are_refused() -> None:
    one, two = held("a/b:1")[0], TREES["harness/ci-addon:1.16.22"].root
    other = SourceImage(
        record=ImageRecord(name="a/b:1", root=two), naming=Naming.WHOLE_PATH, origin="m.tgz"
    )
    with pytest.raises(InvalidInput, match="different ones of that name"):
        rewrite(pod("image: a/b:1"), "f", Holdings([one, other], ENDPOINT))


def test_to_a_file_as_readable_as_the_one_that_was_read(bundle: Path, delegate: Path) -> None:
    delegate.chmod(0o600)
    out = delegate.parent / "out.yaml"
    done = run(bundle, delegate, "-o", out)
    assert (done.code, done.out) == (0, "")
    assert out.read_bytes() == (DATA / "site.yaml").read_bytes()
    assert out.stat().st_mode & 0o777 == 0o600
    assert delegate.read_bytes() == (DATA / "vendor.yaml").read_bytes()


def test_line_ends_and_the_lack_of_a_last_one(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "dos.yaml"
    path.write_bytes(b"containers:\r\n- image: harness/delegate:latest\r\n- name: \xc3\xa4")
    assert run(bundle, path, "--in-place").code == 0
    assert path.read_bytes() == (
        b"containers:\r\n- image: r.example:5000/ns/delegate:latest\r\n- name: \xc3\xa4"
    )


def test_json(bundle: Path, delegate: Path) -> None:
    done = run(bundle, delegate, "--output", "json", "--quiet")
    assert done.err == ""
    (told,) = done.json()["files"]
    assert told["replacements"][0] == {
        "line": 33,
        "old": "harness/delegate:23.11.81820",
        "new": f"{SITE}/delegate:23.11.81820",
    }
    assert delegate.read_bytes() == (DATA / "vendor.yaml").read_bytes()


def test_nothing_is_written_if_one_image_is_missing(bundle: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("containers: [{image: harness/delegate:latest}]")
    bad.write_text("containers: [{image: harness/delegat:latest}, {image: x/y:1}]")
    done = run(bundle, good, bad, "--in-place")
    assert done.code == 5
    assert f"{bad}:1: image docker.io/harness/delegat:latest" in done.err
    assert "docker.io/harness/delegate:latest" in done.err
    assert "docker.io/x/y:1" in done.err
    assert good.read_text() == "containers: [{image: harness/delegate:latest}]"


def test_several_files_and_stdin(bundle: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.yaml"
    one.write_text("containers: [{image: harness/delegate:latest}]")
    done = run(bundle, one, "-", stdin="kind: x\n")
    assert done.out == f"containers: [{{image: {SITE}/delegate:latest}}]\n---\nkind: x\n"
    assert joined(["a\n", "---\nb\n"]) == "a\n---\nb\n"


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("harness/delegate:23.11.81820", "is not changed by --openshift"),
        ("harness/ci-addon:1.16.22", "nothing for --openshift to change"),
    ],
)
def test_what_openshift_does_not_change(name: str, note: str) -> None:
    holdings = Holdings(held(*TREES), ENDPOINT)
    done = rewrite(pod(f"image: {name}"), "f", holdings, openshift=True)
    assert done.text == pod(f"image: {SITE}/{name.rpartition('/')[2]}")
    assert [note in one for one in done.notes] == [True]


def test_openshift_has_to_be_carried(tmp_path: Path, delegate: Path) -> None:
    trees = {name: tree for name, tree in TREES.items() if "openshift" not in name}
    bundle = make_bundle(tmp_path / "bundle", trees, {}).path
    done = run(bundle, delegate, "--openshift")
    assert done.code == 5
    assert "docker.io/harness/delegate:non-root-openshift: not in the sources" in done.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--in-place", "-o", "x"),
        ("--in-place", "-"),
        ("-o", "FILE"),
        ("--site", "site.yaml"),
    ],
)
def test_wrong_usage(bundle: Path, delegate: Path, words: tuple[str, ...]) -> None:
    given_words = [delegate if word == "FILE" else word for word in words]
    files = [delegate] if words else []
    assert run(bundle, *files, *given_words).code == 2


def test_a_site_store_is_no_registry(bundle: Path, delegate: Path) -> None:
    done = mirror("rewrite-images", delegate, "--source", bundle, "--to", "oci:/srv/store")
    assert done.code == 3
    assert "no name that a cluster could pull from" in done.err


def test_a_site_file_needs_no_password(bundle: Path, delegate: Path, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "apiVersion: airgap/v1\nkind: Site\nname: s\nnamespace: harness\nregistry:\n"
        f"  endpoint: {SITE}\n  credentials: {{username: u, passwordEnv: NOT_SET_ANYWHERE}}\n"
        "applications: {harness: {licenseFile: l.yaml}}\n"
    )
    done = mirror("rewrite-images", delegate, "--source", bundle, "--site", path)
    assert (done.code, done.err.splitlines()[-1][:18]) == (0, "4 images rewritten")
    assert done.out == (DATA / "site.yaml").read_text()


@pytest.mark.real
def test_images_that_the_registry_does_not_hold_are_refused(
    bundle: Path, delegate: Path, tmp_path: Path
) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        to = f"{registry.host}/ns"
        at = tmp_path / "site.yaml"
        at.write_text(
            "apiVersion: airgap/v1\nkind: Site\nname: x\nnamespace: harness\n"
            f"registry: {{endpoint: '{to}', plainHttp: true}}\n"
            "applications: {harness: {licenseFile: l.yaml}}\n"
        )
        words = ("rewrite-images", delegate, "--source", bundle, "--site", at, "--look")
        out = tmp_path / "new.yaml"
        done = mirror(*words, "-o", out)
        assert done.code == 5
        assert f"{to}/delegate:23.11.81820: the name is not there" in done.err
        assert f"{to}/ci-addon" not in done.err  # no image of this file
        assert not out.exists()
        assert mirror("push", bundle, "--to", to, "--plain-http").code == 0
        assert mirror(*words, "-o", out).code == 0
        assert mirror("rewrite-images", out, *words[2:], "--in-place").code == 0  # kept ones, too
    assert "--look needs --site" in run(bundle, delegate, "--look").err
