"""`airgap-mirror config`: a file to fill in, its check against a release, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts import sample_archives as sample
from tests.mirror.supply import Ran, make_bundle, mirror
from tests.real.product import bundler, write_spec

DATA = Path(__file__).parents[1] / "data" / "config"
ASKED = (DATA / "asked.yaml").read_text()
SECRET = "s3cret-s3cret"
OLD = sample.Release("79800", 400, files={"config.yaml": ASKED})
NEW = sample.Release(
    "79915",
    412,
    files={
        "config.yaml": ASKED.replace('"32500"', '"32600"')
        .replace("title: Storage class\n", "title: Storage class\n          required: true\n")
        .replace("name: lb_address", "name: balancer")
        .replace("changeit-s3cret", "another-s3cret")
        .replace("{name: s3, title: Amazon S3 Bucket}", "{name: gcs, title: GCS}")
        .replace("title: CA, type: file", "title: CA, type: textarea")
    },
)
SITE = """
apiVersion: airgap/v1
kind: Site
name: s
registry: {endpoint: "r.example:5000/ns"}
namespace: harness
applications:
  harness: {licenseFile: l.yaml, configValues: values.yaml}
"""


def values_text(**answers: str) -> str:
    lines = "".join(f"    {name}: {{value: '{text}'}}\n" for name, text in answers.items())
    return f"apiVersion: kots.io/v1beta1\nkind: ConfigValues\nspec:\n  values:\n{lines}"


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of one application, and one of another."""
    folder = tmp_path_factory.mktemp("downloads")
    for name, slug, release in (
        ("old", "harness", OLD),
        ("new", "harness", NEW),
        ("ng", "harness-ng", OLD),
    ):
        sample.write_application(folder / f"{name}.airgap", slug, size=20_000, release=release)
    sample.write_console(folder / "kotsadm.tar.gz", size=20_000)
    bare = sample.Release("1", 1, files={"config.yaml": "kind: Nothing\n"})
    sample.write_application(folder / "bare.airgap", "bare", size=20_000, release=bare)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path / "site.yaml"


def check(site: Path, *words: str | Path, given: Mapping[str, str] | None = None) -> Ran:
    if given is not None:
        (site.parent / "values.yaml").write_text(values_text(**given))
    return mirror("config", "check", *words, "--site", site, "--quiet")


def test_the_file_to_fill_in(downloads: Path, tmp_path: Path) -> None:
    out = tmp_path / "values.yaml"
    done = mirror("config", "init", downloads / "old.airgap", "-o", out, "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{out}: 18 items of harness 79800\nto fill in: app_url\n"
    assert out.read_text() == (DATA / "values.yaml").read_text()
    assert out.stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in out.read_text()


def test_what_init_writes_is_read_back(downloads: Path, site: Path) -> None:
    out = site.parent / "values.yaml"
    assert mirror("config", "init", downloads / "old.airgap", "-o", out, "--quiet").code == 0
    done = check(site, downloads / "old.airgap")
    assert done.code == 12
    assert done.err.count("- ") == 0  # one fault alone
    assert f"{out}: app_url: harness 79800 requires it" in done.err


def test_a_file_that_is_there_is_kept(downloads: Path, tmp_path: Path) -> None:
    out = tmp_path / "values.yaml"
    out.write_text("mine")
    words = ("config", "init", downloads / "old.airgap", "-o", out, "--quiet")
    done = mirror(*words)
    assert (done.code, out.read_text()) == (8, "mine")
    assert mirror(*words, "--force", "--output", "json").json() == {
        "file": str(out),
        "items": 18,
        "release": "harness 79800",
        "required": ["app_url"],
    }
    assert out.read_text() != "mine"


def test_init_takes_the_newest_release_unless_told(downloads: Path, tmp_path: Path) -> None:
    sources = [downloads / "new.airgap", downloads / "old.airgap", downloads / "kotsadm.tar.gz"]
    more = ("--app", "harness", "--quiet", "--force", "-o", tmp_path / "x")
    assert "harness 79915" in mirror("config", "init", *sources, *more).out
    old = ("--release", "harness=79800")
    assert "harness 79800" in mirror("config", "init", *sources, *more, *old).out


def at(downloads: Path, words: str) -> list[str | Path]:
    """Words of a command line, with archives where they are."""
    return [downloads / word if "." in word else word for word in words.split()]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("old.airgap ng.airgap", 2, "--app is missing: there are harness, harness-ng"),
        ("old.airgap --app other", 5, "no release of other; there are: harness"),
        ("bare.airgap", 5, "bare 1: asks nothing"),
        ("none.airgap", 5, "does not exist"),
    ],
)
def test_what_init_cannot_write(
    downloads: Path, tmp_path: Path, words: str, code: int, message: str
) -> None:
    done = mirror("config", "init", *at(downloads, words), "-o", tmp_path / "x", "--quiet")
    assert done.code == code
    assert message in done.err
    assert not (tmp_path / "x").exists()


def test_a_bundle_has_what_its_releases_ask(downloads: Path, tmp_path: Path, site: Path) -> None:
    archives = [{"archive": {"path": str(downloads / f"{n}.airgap")}} for n in ("old", "new")]
    spec, bundle = tmp_path / "harness.yaml", tmp_path / "bundle"
    write_spec(spec, applications=[{"slug": "harness", "releases": archives}])
    bundler("lock", spec)
    bundler("build", spec, "-o", bundle)
    done = check(site, bundle, given={"app_url": "http://h", "storage_class": "x"})
    assert (done.code, done.err) == (0, "")
    file = site.parent / "values.yaml"
    assert done.out.splitlines()[0] == f"harness 79915: {file}: 2 values, nothing to correct"
    compared = mirror("config", "diff", bundle, "--quiet")
    assert compared.out == (DATA / "diff.txt").read_text()


def test_every_fault_at_once_and_no_value(downloads: Path, site: Path) -> None:
    given_answers = {"hostname": SECRET, "mode": SECRET, "install_nginx": SECRET, "ca": "!"}
    done = check(site, downloads / "old.airgap", given=given_answers)
    file = site.parent / "values.yaml"
    assert done.code == 12
    assert done.out.splitlines()[0] == f"harness 79800: {file}: 4 values, 5 faults"
    for message in (
        "hostname: harness 79800 asks for no such item",
        "mode (select_one): expected one of demo, production",
        'install_nginx (bool): expected "0" or "1"',
        "ca (file): expected a file's content in base64",
        "app_url: harness 79800 requires it",
    ):
        assert f"- {file}: {message}" in done.err
    told = check(site, downloads / "old.airgap", "--output", "json")
    rules = {f["item"]: f["rule"] for f in told.json()["applications"][0]["findings"]}
    assert rules["hostname"] == "config-unknown"
    assert SECRET not in done.out + done.err + told.out + told.err


def test_only_the_newest_release_counts(downloads: Path, site: Path) -> None:
    sources = downloads / "old.airgap", downloads / "new.airgap"
    answers = {"app_url": "http://h", "lb_address": "192.0.2.1"}
    done = check(site, *sources, given=answers)
    assert "lb_address: harness 79915 asks for no such item" in done.err
    assert "storage_class: harness 79915 requires it" in done.err
    assert check(site, *sources, "--release", "harness=79800").code == 0


def test_an_application_without_values_may_need_some(downloads: Path, site: Path) -> None:
    site.write_text(SITE.replace(", configValues: values.yaml", ""))
    done = check(site, downloads / "old.airgap")
    assert done.code == 12
    where = "applications.harness.configValues (not given)"
    assert f"{where}: app_url: harness 79800 requires it" in done.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("ng.airgap", 5, "lists none of the applications that the sources carry: harness-ng"),
        ("ng.airgap --app harness", 5, "no release of harness; there are: harness-ng"),
        ("old.airgap --app other", 3, "applications.other: not in the site file"),
        ("kotsadm.tar.gz", 5, "no release of an application"),
        ("old.airgap", 5, "applications.harness.configValues: "),
    ],
)
def test_what_cannot_be_checked(
    downloads: Path, site: Path, words: str, code: int, message: str
) -> None:
    done = check(site, *at(downloads, words))
    assert done.code == code
    assert message in done.err


def test_two_applications_of_one_console(downloads: Path, site: Path) -> None:
    site.write_text(SITE + "  harness-ng: {licenseFile: n.yaml, configValues: ng.yaml}\n")
    (site.parent / "ng.yaml").write_text(values_text(app_url="https://h", mode="demo"))
    done = check(
        site,
        downloads / "old.airgap",
        downloads / "ng.airgap",
        given={"app_url": "http://h", "mode": "demo"},
    )
    assert done.code == 0
    assert "note: harness and harness-ng have different values of app_url; " in done.out


def test_diff_of_two_files(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(values_text(a="1", b=SECRET, c="3"))
    new.write_text(values_text(d="4", b=f"{SECRET}-new", a="1"))
    done = mirror("config", "diff", old, new)
    assert done.code == 0
    assert done.out == f"{old} -> {new}\n  added    d\n  changed  b\n  removed  c\n"
    same = mirror("config", "diff", old, old)
    assert same.out == f"{old} -> {old}: no difference\n"


def test_diff_of_two_releases(downloads: Path) -> None:
    done = mirror("config", "diff", downloads / "old.airgap", downloads / "new.airgap", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out == (DATA / "diff.txt").read_text()
    assert "s3cret" not in done.out
    words = ("config", "diff", downloads / "old.airgap", downloads / "new.airgap", "--quiet")
    (told,) = mirror(*words, "--output", "json").json()["comparisons"]
    assert told["compared"] == "harness 79800 -> 79915"
    assert {"name": "balancer", "what": "added", "details": ["text"]} in told["items"]


def test_what_cannot_be_compared(downloads: Path, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(values_text(a="1"))
    mixed = mirror("config", "diff", file, downloads / "old.airgap", "--quiet")
    assert (mixed.code, "compared with another file of them" in mixed.err) == (3, True)
    alone = mirror("config", "diff", downloads / "old.airgap", "--quiet")
    assert (alone.code, "no application with two releases" in alone.err) == (5, True)
    apart = mirror("config", "diff", downloads / "old.airgap", downloads / "ng.airgap", "--quiet")
    assert (apart.code, "no application with two releases" in apart.err) == (5, True)
    absent = mirror("config", "diff", tmp_path / "no.yaml", file)
    assert absent.code == 5


def test_a_bundle_without_the_files_of_a_release(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle").path
    done = mirror("config", "init", bundle, "-o", tmp_path / "x", "--quiet")
    assert (done.code, "carries no files of harness 79915" in done.err) == (5, True)


@pytest.mark.parametrize("output", ["text", "json", "script", "runbook"])
def test_a_dry_run_of_a_check_says_what_has_to_be_seen_and_reads_no_value(
    output: str, downloads: Path, site: Path
) -> None:
    words = ("--dry-run", "--output", output)
    done = check(site, downloads / "old.airgap", *words, given={"app_url": SECRET, "mode": SECRET})
    assert done.code == 0, done.err
    shown = done.out.replace("\\", "")
    assert "app_url (Application URL) has a value" in shown
    assert "is one of: demo, production" in shown
    assert SECRET not in done.out
    (site.parent / "values.yaml").unlink()
    assert check(site, downloads / "old.airgap", *words).out == done.out


@pytest.mark.parametrize("output", ["text", "json", "script", "runbook"])
def test_a_dry_run_of_a_comparison_is_a_list_to_go_through(output: str, downloads: Path) -> None:
    sources = downloads / "old.airgap", downloads / "new.airgap"
    done = mirror("config", "diff", *sources, "--quiet", "--dry-run", "--output", output)
    assert done.code == 0, done.err
    shown = done.out.replace("\\", "")
    assert "balancer is added (text), as it is meant" in shown
    assert "lb_address is removed, as it is meant" in shown
    assert "s3cret" not in shown
    same = mirror("config", "diff", sources[0], sources[0], "--quiet", "--dry-run")
    assert "no difference" in same.out


def test_a_check_is_no_script_without_a_dry_run(downloads: Path, site: Path) -> None:
    done = check(site, downloads / "old.airgap", "--output", "script")
    assert (done.code, "goes with --dry-run" in done.err) == (2, True)
