"""The command line itself: help, options, exit codes of usage, and `serve` as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mirror.serve import parse_listen, tls_context
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import DESTINATIONS, MANAGER, make_bundle, mirror
from tests.processes import PATIENCE, run
from tests.servers import Certificate
from transfer import __version__
from transfer.errors import InvalidInput, NotFound

pytest_plugins = ["tests.server_fixtures"]
PROJECT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


def test_the_program_introduces_itself() -> None:
    assert mirror("--version").out == f"airgap-mirror, version {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("push",),
        ("push", "bundle"),
        ("push", "bundle", "--to", "r:1/x", "--username", "me"),
        ("push", "bundle", "--to", "r:1/x", "--password-stdin"),
        ("push", "bundle", "--to", "r:1/x", "--password", "secret"),
        ("plan", "bundle", "--to", "r:1/x", "--jobs", "0"),
        ("audit", "--to", "r:1/x"),
    ],
)
def test_wrong_usage(words: tuple[str, ...]) -> None:
    assert mirror(*words).code == 2


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("oci:", "names no folder"),
        ("https://r.example/x", "starts with a scheme"),
        ("r.example/x/", "ends with a slash"),
        ("r.example/Upper", "'Upper'"),
        ("nodots/x", "neither a dot nor a port"),
    ],
)
def test_an_endpoint_that_is_none(bundle: Path, to: str, message: str) -> None:
    refused = mirror("plan", bundle, "--to", to)
    assert (refused.code, message in refused.err) == (3, True)


def test_an_empty_password_is_refused(bundle: Path) -> None:
    words = ("--to", "r.example/x", "--username", "me", "--password-stdin")
    refused = mirror("push", bundle, *words, stdin="\n")
    assert refused.code == 3
    assert "stdin holds no password" in refused.err


def test_the_password_stays_out_of_sight(bundle: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    with FakeRegistry(
        authorization="Basic bWU6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ=="
    ) as registry:
        to = ("--to", f"{registry.host}/x", "--plain-http")
        words = ("push", bundle, *to, "--receipt", receipt, "--username", "me", "--password-stdin")
        ran = mirror(*words, stdin=PASSWORD + "\n")
        assert ran.code == 0, ran.err
        assert PASSWORD not in ran.out + ran.err + receipt.read_text()
        assert "bWU6" not in ran.out + ran.err + receipt.read_text()
        refused = mirror(*words, stdin=PASSWORD + "x\n")
        assert refused.code == 6
        assert PASSWORD not in refused.out + refused.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:5000", ("127.0.0.1", 5000)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:443", ("::1", 443)),
    ],
)
def test_addresses_to_listen_on(text: str, expected: tuple[str, int]) -> None:
    assert parse_listen(text) == expected


@pytest.mark.parametrize("text", ["", "5000", ":5000", "host:", "host:port", "host:65536", "h:-1"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput, match="--listen"):
        parse_listen(text)


def test_certificates_that_do_not_do(tls: Certificate, other_tls: Certificate) -> None:
    assert tls_context(None, None) is None
    assert tls_context(tls.certificate, tls.key) is not None
    with pytest.raises(InvalidInput, match="go together"):
        tls_context(tls.certificate, None)
    with pytest.raises(InvalidInput, match="KEY_VALUES_MISMATCH"):
        tls_context(tls.certificate, other_tls.key)
    with pytest.raises(NotFound, match="nowhere"):
        tls_context(tls.certificate, Path("nowhere.pem"))


@contextmanager
def serve(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`airgap-mirror serve` and the address it says first."""
    start = ["env", "--default-signal=INT", sys.executable, "-m", "mirror", "serve"]
    process = subprocess.Popen(
        [*start, *map(str, words), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    with process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve_a_bundle_until_told_to_end(bundle: Path, ending: signal.Signals) -> None:
    with serve(bundle, "--namespace", "harness/prod") as (process, address):
        assert re.fullmatch(r"127\.0\.0\.1:[0-9]+", address)
        base = f"http://{address}/v2/harness/prod"
        for name, tree in DESTINATIONS.items():
            path, joint, reference = name.partition("@")
            if not joint:
                path, _, reference = name.rpartition(":")
            url = f"{base}/{path}/manifests/{reference}"
            with urllib.request.urlopen(url) as response:  # noqa: S310 - http, ours
                assert response.read() == tree.manifests[tree.root.digest]
        process.send_signal(ending)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (0, "")
        assert err.count(" 200 ") == len(DESTINATIONS)
        assert "Traceback" not in err


@pytest.mark.real
def test_serve_a_store_over_tls_to_skopeo(
    *,
    bundle: Path,
    tmp_path: Path,
    tls: Certificate,
    need: Callable[[str], Path],
) -> None:
    store = tmp_path / "store"
    assert mirror("push", bundle, "--to", f"oci:{store}").code == 0
    certificates = tmp_path / "certs"
    certificates.mkdir()
    (certificates / "ca.crt").write_bytes(tls.ca.read_bytes())
    with serve(store, "--tls-cert", tls.certificate, "--tls-key", tls.key, "--quiet") as started:
        process, address = started
        skopeo: list[str | Path] = [need("skopeo"), "--insecure-policy"]
        source = f"docker://{address}/manager:79915"
        raw = run([*skopeo, "inspect", "--raw", "--cert-dir", certificates, source])
        assert raw.encode() == MANAGER.manifests[MANAGER.root.digest]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")


def test_errors_are_json_where_asked_for(tmp_path: Path) -> None:
    refused = mirror("show", tmp_path / "nothing", "--output", "json")
    assert refused.code == 5
    assert json.loads(refused.out)["error"]["exitCode"] == 5
