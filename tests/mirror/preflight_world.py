"""A site before its window: archives, a registry that holds them, a cluster, all in order."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from scripts import sample_archives as sample
from tests.mirror.kots_world import FakeCluster
from tests.mirror.supply import Ran, mirror
from tests.servers import Certificate, Registry, docker_registry

ASKED = (Path(__file__).parents[1] / "data/config/asked.yaml").read_text()
USER, PASSWORD, PULL_PASSWORD = "pusher", 'p"ss $word & more', 'p"ss $word & more'
CONSOLE_PASSWORD = "c0nsole's own"
SECRETS = (PASSWORD, CONSOLE_PASSWORD)
VALUES = {
    "app_url": "http://localhost",
    "lb_address": "127.0.0.1",
    "node_port": "32500",
    "storage_class": "fast",
    "log_backend": "s3",
}
CURSORS = {"79915": 412, "80110": 415}


@dataclass(frozen=True, slots=True)
class Carried:
    """The vendor's files, and a registry that holds their images."""

    folder: Path
    registry: Registry
    tls: Certificate

    @property
    def endpoint(self) -> str:
        """Where everything was pushed."""
        return f"{self.registry.host}/harness"

    @property
    def sources(self) -> tuple[Path, ...]:
        """The console and both applications."""
        names = ("kotsadm.tar.gz", "harness.airgap", "harness-ng.airgap")
        return tuple(self.folder / name for name in names)


@contextmanager
def carried(folder: Path, tls: Certificate) -> Iterator[Carried]:
    """Write archives, start a registry with a password, push."""
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    sample.write_console(downloads / "kotsadm.tar.gz", size=20_000)
    for slug in ("harness", "harness-ng"):
        release = sample.Release("79915", 412, files={"config.yaml": ASKED})
        path = downloads / f"{slug}.airgap"
        sample.write_application(path, slug, size=20_000, release=release)
    with docker_registry(folder / "registry", tls=tls, htpasswd=(USER, PASSWORD)) as registry:
        found = Carried(downloads, registry, tls)
        access = ("--ca-file", tls.ca, "--username", USER, "--password-stdin", "--quiet")
        done = mirror("push", *found.sources, "--to", found.endpoint, *access, stdin=PASSWORD)
        assert done.code == 0, done.err
        yield found


def licence(slug: str, **spec: Any) -> str:  # noqa: ANN401 - YAML
    """A licence for the releases here, but for what is said."""
    told = {
        "appSlug": slug,
        "channelID": f"channel-{slug}",
        "channelName": "Stable",
        "signature": "c2lnbmVk",
        "entitlements": {"expires_at": {"value": "2099-12-31T00:00:00Z"}},
        **spec,
    }
    return yaml.safe_dump({"apiVersion": "kots.io/v1beta1", "kind": "License", "spec": told})


def values(answers: Mapping[str, str]) -> str:
    """A file of configuration values."""
    given = {name: {"value": text} for name, text in answers.items()}
    return yaml.safe_dump(
        {"apiVersion": "kots.io/v1beta1", "kind": "ConfigValues", "spec": {"values": given}}
    )


@dataclass
class Place:
    """Somebody at the site, with a site file, what it names, and a cluster."""

    folder: Path
    carried: Carried
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write everything as it should be."""
        self.cluster = FakeCluster(self.folder / "cluster")
        (self.folder / "kubeconfig").write_text("")
        (self.folder / "pull-password").write_text(PULL_PASSWORD)
        for slug in ("harness", "harness-ng"):
            self.write(f"{slug}.yaml", licence(slug))
            self.write(f"{slug}-values.yaml", values(VALUES))
        secrets = {"REGISTRY_PASSWORD": PASSWORD, "CONSOLE_PASSWORD": CONSOLE_PASSWORD}
        self.environment = self.cluster.environment(
            {"PATH": os.environ["PATH"], "REGISTRY_USER": USER, **secrets}
        )
        self.site: dict[str, Any] = {
            "apiVersion": "airgap/v1",
            "kind": "Site",
            "name": "dc-north",
            "namespace": "harness",
            "registry": {
                "endpoint": self.carried.endpoint,
                "caFile": str(self.carried.tls.ca),
                "credentials": {"usernameEnv": "REGISTRY_USER", "passwordEnv": "REGISTRY_PASSWORD"},
                "pullCredentials": {"username": USER, "passwordFile": "pull-password"},
            },
            "cluster": {"kubeconfig": "kubeconfig", "context": "dc-north"},
            "applications": {
                slug: {
                    "licenseFile": f"{slug}.yaml",
                    "configValues": f"{slug}-values.yaml",
                    "sharedPasswordEnv": "CONSOLE_PASSWORD",
                }
                for slug in ("harness", "harness-ng")
            },
        }

    def write(self, name: str, text: str) -> None:
        """Write one of the files that the site file names."""
        (self.folder / name).write_text(text)

    def kube(self, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Change the cluster apart from KOTS."""
        self.cluster.change(kube={**self.cluster.load().get("kube", {}), **fields})

    def run(self, *words: str | Path, sources: tuple[Path, ...] = (), code: int = 0) -> Ran:
        """Run the preflight; no secret may be seen anywhere."""
        self.write("site.yaml", json.dumps(self.site))
        paths = sources or self.carried.sources
        site = ("--site", self.folder / "site.yaml")
        done = mirror("preflight", *paths, *site, *words, env=self.environment)
        assert done.code == code, done.out + done.err
        for secret in SECRETS:
            assert secret not in done.out + done.err
            assert not [call for call in self.cluster.calls() if secret in str(call["argv"])]
        return done

    def findings(self, *words: str | Path, **more: Any) -> dict[str, list[str]]:  # noqa: ANN401 - of `run`
        """What each check saw and what it needs, behind its verdict."""
        done = self.run("--output", "json", "--quiet", *words, **more)
        found: dict[str, list[str]] = {}
        for one in done.json()["findings"]:
            line = f"{one['verdict']} {one['subject']}: {one['seen']} / {one['needed']}"
            found.setdefault(one["check"], []).append(line)
        return found
