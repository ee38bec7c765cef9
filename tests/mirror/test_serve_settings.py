"""What `serve --print-config` prints, read by whom it is for."""

from __future__ import annotations

import configparser
import json
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mirror.serve.settings import CERTS, K3S, UNIT, Settings, settings_files
from tests.mirror.served import fill_store
from tests.mirror.supply import MANAGER, make_bundle, mirror
from tests.processes import run

PLAIN = Settings(
    program=["/opt/air gap/bin/airgap-mirror"],
    folder=Path("/srv/100% store"),
    listen="0.0.0.0:5000",
    endpoint="mirror.example:5000",
    hosts={"docker.io": "docker.io", "quay.io:8443": "harness/quay.io:8443"},
)
SECURE = Settings(
    program=["airgap-mirror"],
    folder=Path("/srv/store"),
    listen="[::]:443",
    endpoint="mirror.example:443",
    hosts={"docker.io": "docker.io"},
    namespace="harness",
    certificate=Path("/etc/airgap/tls.pem"),
    key=Path("/etc/airgap/tls.key"),
    htpasswd=Path("/etc/airgap/htpasswd"),
)


def toml(files: Mapping[str, str], host: str) -> dict[str, Any]:
    return tomllib.loads(files[f"{CERTS}/{host}/hosts.toml"])


def unit(settings: Settings) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]  # as its documentation says
    parsed.read_string(settings_files(settings)[UNIT])
    return parsed


def test_containerd_is_told_to_pull_from_here_alone() -> None:
    files = settings_files(PLAIN)
    url = "http://mirror.example:5000/v2/docker.io"
    way = {"capabilities": ["pull", "resolve"], "override_path": True}
    assert toml(files, "docker.io") == {"server": url, **way, "host": {url: way}}
    other = toml(files, "quay.io:8443")
    assert other["server"] == "http://mirror.example:5000/v2/harness/quay.io:8443"
    own = toml(files, "mirror.example:5000")
    assert (own["server"], "override_path" in own) == ("http://mirror.example:5000", False)
    secure = toml(settings_files(SECURE), "docker.io")
    assert secure["server"].startswith("https://")
    assert secure["ca"] == "/etc/containerd/certs.d/mirror.example:443/ca.crt"


def test_k3s_is_told_the_same() -> None:
    told = yaml.safe_load(settings_files(PLAIN)[K3S])
    assert told == {
        "mirrors": {
            "mirror.example:5000": {"endpoint": ["http://mirror.example:5000"]},
            "docker.io": {
                "endpoint": ["http://mirror.example:5000"],
                "rewrite": {"^(.*)$": "docker.io/$1"},
            },
            "quay.io:8443": {
                "endpoint": ["http://mirror.example:5000"],
                "rewrite": {"^(.*)$": "harness/quay.io:8443/$1"},
            },
        }
    }
    configured = yaml.safe_load(settings_files(SECURE)[K3S])["configs"]["mirror.example:443"]
    assert configured["auth"] == {"username": "", "password": ""}
    assert configured["tls"]["ca_file"].endswith(".crt")


def test_systemd_runs_the_same_command() -> None:
    service = unit(PLAIN)["Service"]
    assert service["ExecStart"] == (
        '"/opt/air gap/bin/airgap-mirror" serve "/srv/100%% store" --listen 0.0.0.0:5000'
    )
    assert "LoadCredential" not in service
    assert service["AmbientCapabilities"] == ""
    service = unit(SECURE)["Service"]
    assert service["ExecStart"].endswith(
        "--listen [::]:443 --namespace harness "
        "--tls-cert /etc/airgap/tls.pem --tls-key %d/tls.key --htpasswd %d/htpasswd"
    )
    assert service["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    text = settings_files(SECURE)[UNIT]
    assert "LoadCredential=tls.key:/etc/airgap/tls.key\n" in text
    assert "LoadCredential=htpasswd:/etc/airgap/htpasswd\n" in text


@pytest.mark.real
@pytest.mark.parametrize("settings", [PLAIN, SECURE])
def test_systemd_finds_nothing_wrong(
    settings: Settings, tmp_path: Path, need: Callable[[str], Path]
) -> None:
    path = tmp_path / "airgap-mirror.service"
    text = settings_files(settings)[UNIT]
    for program in settings.program:  # it looks whether the program is there
        text = text.replace(f'"{program}"' if " " in program else program, "/bin/true", 1)
    path.write_text(text)
    run([need("systemd-analyze"), "verify", "--man=no", path])


def test_a_bundle_is_a_mirror_of_the_hosts_that_its_images_name(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle").path
    words = ("serve", bundle, "--namespace", "in/here", "--print-config", "--output", "json")
    files = json.loads(mirror(*words, "--endpoint", "mirror.example:5000").out)
    for host in ("docker.io", "quay.io"):
        assert toml(files, host)["server"] == f"http://mirror.example:5000/v2/in/here/{host}"
    assert len(files) == 2 + 3
    shown = mirror(*words[:-2], "--listen", "127.0.0.1:5001").out
    assert f"### {UNIT}\n[Unit]" in shown
    assert "### /etc/containerd/certs.d/127.0.0.1:5001/hosts.toml\n" in shown
    assert str(MANAGER.root.digest) not in shown


def test_a_store_that_names_no_hosts_is_no_mirror_of_any(tmp_path: Path) -> None:
    store = fill_store(tmp_path / "store")
    files = json.loads(mirror("serve", store, "--print-config", "--output", "json").out)
    assert set(files) == {UNIT, f"{CERTS}/127.0.0.1:5000/hosts.toml", K3S}


@pytest.mark.parametrize("words", [("--listen", "127.0.0.1:0"), ("--endpoint", "r.example/x")])
def test_settings_that_nobody_could_use(tmp_path: Path, words: tuple[str, ...]) -> None:
    store = fill_store(tmp_path / "store")
    assert mirror("serve", store, "--print-config", *words).code == 2


def test_a_registry_that_listens_everywhere_is_called_by_its_host(tmp_path: Path) -> None:
    store = fill_store(tmp_path / "store")
    words = ("serve", store, "--print-config", "--listen", "0.0.0.0:5000", "--output", "json")
    assert f"{CERTS}/{os.uname().nodename}:5000/hosts.toml" in json.loads(mirror(*words).out)
