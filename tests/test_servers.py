"""The servers that other tests lean on do what they promise."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path

import pytest

from tests.fakes.tokens import token_server
from tests.servers import Certificate, Registry, Request, docker_registry, nginx
from tests.tools import need

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real


def skopeo(*argv: str) -> subprocess.CompletedProcess[str]:
    command = [str(need("skopeo")), "--insecure-policy", *argv]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def layout(folder: Path) -> str:
    """An OCI layout with one empty image in it."""
    umoci = str(need("umoci"))
    subprocess.run([umoci, "init", "--layout", folder], check=True)
    subprocess.run([umoci, "new", "--image", f"{folder}:1"], check=True)
    return f"oci:{folder}:1"


def test_a_registry_counts_what_it_was_asked(tmp_path: Path, registry: Registry) -> None:
    assert registry.requests() == []
    destination = f"docker://{registry.host}/a/b:1"
    pushed = skopeo("copy", "--dest-tls-verify=false", layout(tmp_path / "layout"), destination)
    assert pushed.returncode == 0, pushed.stderr
    assert registry.count("PUT", r"/v2/a/b/manifests/1$") == 1
    assert registry.count("PUT", r"/v2/a/b/manifests/2$") == 0
    assert (registry.storage / "docker/registry/v2/repositories/a/b").is_dir()


def test_a_registry_with_tls_and_a_password(tmp_path: Path, tls: Certificate) -> None:
    with docker_registry(tmp_path / "r", tls=tls, htpasswd=("ann", "secret")) as registry:
        destination = f"docker://{registry.host}/a:1"
        options = ["--dest-cert-dir", str(tmp_path / "certs"), "--dest-creds"]
        (tmp_path / "certs").mkdir()
        (tmp_path / "certs/ca.crt").write_bytes(tls.ca.read_bytes())
        source = layout(tmp_path / "layout")
        assert skopeo("copy", *options, "ann:wrong", source, destination).returncode != 0
        pushed = skopeo("copy", *options, "ann:secret", source, destination)
        assert pushed.returncode == 0, pushed.stderr


def test_a_registry_takes_the_tokens_of_a_token_server(tmp_path: Path) -> None:
    with (
        token_server(tmp_path / "t", users={"ann": "secret"}) as tokens,
        docker_registry(tmp_path / "r", token=tokens) as registry,
    ):
        options = ["--dest-tls-verify=false", "--dest-creds"]
        source, destination = layout(tmp_path / "layout"), f"docker://{registry.host}/a:1"
        assert skopeo("copy", *options, "ann:wrong", source, destination).returncode != 0
        assert tokens.issued == []
        pushed = skopeo("copy", *options, "ann:secret", source, destination)
        assert pushed.returncode == 0, pushed.stderr
        assert tokens.issued


def test_a_readonly_registry_refuses_and_comes_back_on_its_port(tmp_path: Path) -> None:
    options = ["copy", "--dest-tls-verify=false", layout(tmp_path / "layout")]
    with docker_registry(tmp_path / "r", readonly=True) as registry:
        destination = f"docker://{registry.host}/a:1"
        assert skopeo(*options, destination).returncode != 0
    with docker_registry(tmp_path / "r", port=int(registry.host.rpartition(":")[2])):
        assert skopeo(*options, destination).returncode == 0


def test_nginx_serves_files_in_parts(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(b"0123456789")
    with nginx(tmp_path / "nginx", root, "location /old { return 301 /file; }") as server:
        connection = http.client.HTTPConnection(server.host, timeout=30)
        connection.request("GET", "/file", headers={"Range": "bytes=3-"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (206, b"3456789")
        connection.close()
        assert server.requests() == [Request("GET", "/file", 206)]
