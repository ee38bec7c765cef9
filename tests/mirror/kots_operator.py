"""Somebody at a site: what crossed, a site file, licences and a fake cluster, in one folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mirror.kots_world import FakeCluster, namespace
from tests.real.product import ENVIRONMENT, command
from tests.servers import Certificate, Registry

USER, PASSWORD = "pusher", 'p"ss $word & more'
CONSOLE_PASSWORD = "c0nsole's own"
SECRETS = (PASSWORD, CONSOLE_PASSWORD)
CHANNEL = "channel-{}"


@dataclass(frozen=True, slots=True)
class Carried:
    """What crossed: a bundle, and the vendor's own files."""

    bundle: Path
    downloads: Path
    registry: Registry
    tls: Certificate

    @property
    def endpoint(self) -> str:
        """Where everything was pushed."""
        return f"{self.registry.host}/harness"


def ours(
    package: str,
    *arguments: str | Path,
    stdin: str = "",
    env: Mapping[str, str] = ENVIRONMENT,
    code: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run one of our commands, which must end with `code`."""
    done = subprocess.run(
        command(package, *arguments),
        check=False,
        capture_output=True,
        text=True,
        input=stdin,
        env=env,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@dataclass
class Operator:
    """Somebody at the site, with a site file, licences and a cluster."""

    folder: Path
    carried: Carried
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the site file and what it names; start with an empty cluster."""
        self.cluster = FakeCluster(self.folder / "cluster")
        secrets = {"REGISTRY_PASSWORD": PASSWORD, "CONSOLE_PASSWORD": CONSOLE_PASSWORD}
        self.environment = self.cluster.environment(
            {**ENVIRONMENT, "REGISTRY_USER": USER, **secrets}
        )
        applications = {}
        for slug in ("harness", "harness-ng"):
            channel = CHANNEL.format(slug)
            (self.folder / f"{slug}.yaml").write_text(
                f"kind: License\nspec:\n  appSlug: {slug}\n  channelID: {channel}\n"
                f"  channels:\n    - channelID: {channel}\n      channelSlug: stable\n"
            )
            licence = {"licenseFile": f"{slug}.yaml", "sharedPasswordEnv": "CONSOLE_PASSWORD"}
            applications[slug] = licence
        self.write_site(applications=applications)

    @property
    def site(self) -> Path:
        """The site file."""
        return self.folder / "site.yaml"

    def write_site(self, **changes: Any) -> None:  # noqa: ANN401 - any key of the file
        """Write the site file, or change some of it."""
        start = {
            "apiVersion": "airgap/v1",
            "kind": "Site",
            "name": "north",
            "namespace": "harness",
            "registry": {
                "endpoint": self.carried.endpoint,
                "caFile": str(self.carried.tls.ca),
                "credentials": {"usernameEnv": "REGISTRY_USER", "passwordEnv": "REGISTRY_PASSWORD"},
            },
            "waits": {"waitDuration": "1s", "preflightsWaitDuration": "1s"},
        }
        before = json.loads(self.site.read_text()) if self.site.exists() else start
        self.site.write_text(json.dumps({**before, **changes}))  # JSON is YAML

    def has(self, version: str, **apps: Any) -> None:  # noqa: ANN401 - JSON
        """Let a console and applications run."""
        registry = self.carried.endpoint
        self.cluster.change(
            namespaces={
                "harness": namespace(version, registry=registry, login=(USER, PASSWORD), **apps)
            }
        )

    def run(
        self, *arguments: str | Path, code: int = 0, sources: tuple[Path, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command for this site; no secret may be seen anywhere."""
        verb, *rest = arguments
        paths = sources or (self.carried.bundle,)
        argv = (verb, *paths, "--site", self.site, *rest)
        done = ours("mirror", *argv, env=self.environment, code=code)
        for secret in SECRETS:
            assert secret not in done.stdout + done.stderr
            assert not [call for call in self.cluster.calls() if secret in str(call["argv"])]
            for path in self.folder.rglob("*"):
                assert not path.is_file() or secret.encode() not in path.read_bytes(), path
        return done

    def deployed(self) -> dict[str, str]:
        """What the cluster runs."""
        apps = self.cluster.load()["namespaces"]["harness"]["apps"]
        return {slug: app["versions"][0]["versionLabel"] for slug, app in apps.items()}

    def changes(self) -> list[str]:
        """The commands that changed something, in order."""
        names = [" ".join(call["argv"][1:3]) for call in self.cluster.calls()]
        return [name for name in names if not name.startswith(("version", "get "))]
