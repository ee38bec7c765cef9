"""Made-up sites, releases and clusters for tests of installs and upgrades."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mirror.deploy import Known, Order, Task, assume, plan
from mirror.offer import Offered
from mirror.operation import Plan
from mirror.site import Site, parse_site
from tests.fakes.cluster import digest, pull_secret
from transfer.contents import (
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    ImageRecord,
    ReleaseRecord,
    RequiredRelease,
)
from transfer.descriptor import OCI_INDEX, Descriptor
from transfer.digest import Digest
from transfer.kots.licence import Licence

FAKES = Path(__file__).resolve().parents[1] / "fakes"

SITE = """\
apiVersion: airgap/v1
kind: Site
name: dc-north
registry:
  endpoint: registry.dc-north.example:5000/harness
  caFile: dc-north.pem
  credentials: {usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}
cluster: {kubeconfig: ~/.kube/config, context: dc-north}
namespace: harness
applications:
  harness:
    licenseFile: license.yaml
    configValues: values/configvalues.yaml
    sharedPasswordEnv: CONSOLE_PASSWORD
  harness-ng:
    licenseFile: license-ng.yaml
    sharedPasswordFile: ~/console password
"""

PUSHER = ("pusher", 'reg pa"ss$word')
"""Who the site of `SITE` is in its registry."""
OLD_KOTS, KOTS = "v1.130.0", "v1.131.4"
CHANNELS = {"harness": "1aCHANNEL", "harness-ng": "1bCHANNEL"}


def read_site(text: str = SITE, folder: str = "/etc/airgap") -> Site:
    """The site of `text`, in a folder and a home that look alike everywhere."""
    return parse_site(text, "site.yaml", folder=folder, home="/home/ops")


def image(name: str) -> ImageRecord:
    """An image whose root hashes its own name."""
    root = Descriptor(media_type=OCI_INDEX, digest=Digest.of(name.encode()), size=500)
    return ImageRecord(name=name, root=root)


def console(version: str = KOTS, *, minio: bool = True, old: bool = False) -> ArchiveRecord:
    """`kotsadm.tar.gz`; `old` is its form of before 1.107."""
    names = [f"kotsadm/kotsadm:{version}", f"kotsadm/kotsadm-migrations:{version}"]
    names += ["kotsadm/dex:2.44.0", "kotsadm/rqlite:10.2.7"]
    names += ["kotsadm/minio:RELEASE.2025-10-15T17-29-55Z"] if minio else []
    return ArchiveRecord(
        kind=ArchiveKind.ADMIN_CONSOLE,
        file_name="kotsadm.tar.gz",
        size=400_000_000,
        digest=Digest.of(b"console" + version.encode()),
        format=ArchiveFormat.DOCKER_ARCHIVE if old else ArchiveFormat.DOCKER,
        release=ReleaseRecord(version_label=version),
        slim=None if old else f"kots/kotsadm/{version}.airgap",
        compressor=None,
        images=tuple(map(image, names)),
    )


def release(
    version: str,
    cursor: int,
    slug: str = "harness",
    **fields: Any,  # noqa: ANN401
) -> ArchiveRecord:
    """`<slug>-<version>.airgap`."""
    known: dict[str, Any] = {
        "channel_id": CHANNELS.get(slug, "1xCHANNEL"),
        "required_releases": (RequiredRelease(version_label="1", update_cursor="1"),),
        **fields,
    }
    return ArchiveRecord(
        kind=ArchiveKind.APPLICATION,
        file_name=f"{slug}-{version}.airgap",
        size=9_000_000_000,
        digest=Digest.of(f"{slug}{version}".encode()),
        format=ArchiveFormat.DOCKER,
        release=ReleaseRecord(
            app_slug=slug,
            version_label=version,
            update_cursor=str(cursor),
            channel_name="Stable",
            **known,
        ),
        slim=f"kots/{slug}/{version}.airgap",
        compressor=None,
        images=(image(f"docker.io/harness/{slug}-manager:{version}"), image("mongo:4.4.22")),
    )


FIRST = (console(), release("79915", 412), release("500", 91, "harness-ng"))
"""What a first visit brings."""
MONTHLY = (
    console(),
    release("80110", 415),
    release("80307", 418),
    release("520", 95, "harness-ng"),
)
"""What a later visit brings: a newer console, two releases of one application, one of the other."""


def offered(
    records: Sequence[ArchiveRecord], folder: str = "/media/usb/harness", *, vendor: bool = False
) -> tuple[Offered, ...]:
    """Records as a bundle in `folder` offers them, or as the vendor's own files there."""
    return tuple(
        Offered(
            record=record,
            slim=f"{folder}/{record.slim}" if record.slim and not vendor else None,
            full=f"{folder}/{record.file_name}" if vendor else None,
        )
        for record in records
    )


def licences() -> dict[str, Licence | None]:
    """Licences that allow what the releases here are."""
    return {
        slug: Licence(
            app_slug=slug,
            channel_id=channel,
            channel_name="Stable",
            channels={"stable": channel, "beta": "1zOTHER"},
        )
        for slug, channel in CHANNELS.items()
    }


def dry_plan(
    order: Order,
    offers: Sequence[Offered],
    *,
    site: Site | None = None,
    stated: Mapping[str, str] | None = None,
    known: Mapping[str, Licence | None] | None = None,
    renew: bool = False,
) -> Plan:
    """The plan of a dry run."""
    site = site or read_site()
    allowed = licences() if known is None else known
    said = Known(order=order, stated=stated or {}, licences=allowed, renew=renew)
    state = assume(site, offers, said)
    return plan(site, offers, order, state)


def install_order(**fields: Any) -> Order:  # noqa: ANN401 - the fields of Order
    """An order to install."""
    return Order(task=Task.INSTALL, **fields)


def upgrade_order(**fields: Any) -> Order:  # noqa: ANN401 - the fields of Order
    """An order to upgrade."""
    return Order(task=Task.UPGRADE, **fields)


def write_slim(path: Path, record: ArchiveRecord) -> None:
    """An archive with all that KOTS reads when it pushes nothing."""
    fields = {
        "appSlug": record.release.app_slug,
        "channelID": record.release.channel_id,
        "versionLabel": record.release.version_label,
        "updateCursor": record.release.update_cursor,
    }
    lines = "".join(f'  {key}: "{value}"\n' for key, value in fields.items() if value)
    yaml = f"apiVersion: kots.io/v1beta1\nkind: Airgap\nspec:\n{lines}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in (("airgap.yaml", yaml.encode()), ("app.tar.gz", gzip.compress(b""))):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def licence_text(slug: str) -> str:
    """A licence of the vendor's for one application."""
    return (
        "apiVersion: kots.io/v1beta1\nkind: License\nspec:\n"
        f"  appSlug: {slug}\n  channelID: {CHANNELS[slug]}\n  channelName: Stable\n"
        f"  channels:\n    - channelID: {CHANNELS[slug]}\n      channelSlug: stable\n"
    )


@dataclass
class FakeCluster:
    """The files behind `tests/fakes/kubectl`, and what was asked of it."""

    folder: Path
    state: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """An empty cluster, with the plugin of today's console."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.save({"plugin": KOTS, "namespaces": {}, **self.state})

    @property
    def file(self) -> Path:
        """The state."""
        return self.folder / "cluster.json"

    @property
    def log(self) -> Path:
        """One line for each call."""
        return self.folder / "calls.jsonl"

    def save(self, state: Mapping[str, Any]) -> None:
        """Make this the state."""
        self.file.write_text(json.dumps(state), encoding="utf-8")

    def load(self) -> dict[str, Any]:
        """The state as it is now."""
        return dict(json.loads(self.file.read_text(encoding="utf-8")))

    def change(self, **fields: Any) -> None:  # noqa: ANN401 - any part of the state
        """Change parts of the state."""
        self.save({**self.load(), **fields})

    def calls(self) -> list[dict[str, Any]]:
        """Every call so far."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def commands(self) -> list[str]:
        """The words of each call before its first option or path."""
        return [_command(call["argv"]) for call in self.calls()]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """An environment in which `kubectl` is the fake."""
        return {
            **base,
            "PATH": f"{FAKES}:{Path(sys.executable).parent}:{base['PATH']}",
            "FAKE_CLUSTER": str(self.file),
            "FAKE_LOG": str(self.log),
            "FAKE_HANGS": str(self.folder / "hangs"),
        }


def _command(argv: Sequence[str]) -> str:
    words = [word for word in argv[1:] if not word.startswith(("-", "/"))]
    return " ".join(words[: 4 if "get" in words else 3])


def running(
    label: str, cursor: int, slug: str = "harness", status: str = "deployed", **more: str
) -> Any:  # noqa: ANN401 - JSON
    """One application of the fake cluster; `config=` is what it is configured with."""
    version = {
        "versionLabel": label,
        "sequence": 0,
        "createdOn": "2026-10-22T10:00:00Z",
        "status": status,
        "deployedAt": None,
        "source": "Airgap Install",
        "channelId": CHANNELS[slug],
        "channelSequence": cursor,
    }
    return {"versions": [version], **more}


def namespace(
    version: str = KOTS,
    *,
    registry: str = "registry.dc-north.example:5000/harness",
    minio: bool = True,
    login: tuple[str, str] = PUSHER,
    **apps: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """One namespace of the fake cluster; `harness_ng=` means `harness-ng`."""
    return {
        "console": {"version": version, "minio": minio, "registry": registry},
        "apps": {slug.replace("_", "-"): app for slug, app in apps.items()},
        "password": digest("the password before"),
        "secrets": {"kotsadm-private-registry": pull_secret(registry, *login)},
    }
