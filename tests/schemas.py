"""The files that have a schema: what it says, what the parser says, and a file with every key."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from jsonschema import Draft202012Validator as Validator
from jsonschema import ValidationError

from bundler.schema import SCHEMAS
from bundler.spec import parse_spec
from mirror.site import parse_site
from tests.transfer.test_lock import LOCK
from transfer.errors import InvalidInput
from transfer.lock import BundleLock

HEX = "0123456789abcdef" * 4
Path = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

SPEC = f"""
apiVersion: airgap/v1
kind: BundleSpec
name: harness
version: "2026.11"
portal: {{api: https://portal.example/api, licenseIdEnv: ID, passwordFile: secrets/password}}
kots:
  version: v1.131.4
  minio: false
  platforms: [linux/amd64, darwin/arm64]
  releases: https://git.example/repos/kots
  archive: {{url: https://x.example/kotsadm.tar.gz, sha256: {HEX}}}
  plugins: [{{platform: linux/amd64, path: kots_linux_amd64.tar.gz, sha256: 'sha256:{HEX}'}}]
applications:
  - slug: harness-firstgen
    installed: "79000"
    license: license.yaml
    configValues: values.yaml
    majorReleases: ["78000", "78500"]
    releases:
      - archive: {{path: harness-79915.airgap, sha256: {HEX}}}
      - archive: {{url: 'https://x.example/h.airgap?sig=1'}}
      - archive: {{portal: {{sequence: 412, channel: 1aCHANNEL}}}}
  - slug: harness-ng
    releases: [{{archive: {{portal: {{label: "0.1"}}}}}}]
imageArchives:
  - {{path: platform_images.tgz}}
  - {{url: https://x.example/ci_images.tgz, sha256: {HEX}}}
  - {{manifest: smp-bundle-manifest.yaml, modules: [cdng, ff/agents]}}
images:
  - docker.io/harness/delegate:latest
  - {{image: quay.io/x/y:1, platforms: [linux/arm64]}}
  - {{image: local:1, engine: default}}
files: [{{name: values/configvalues.yaml, path: ./configvalues.yaml}}]
toolkit: {{platforms: [linux/amd64], python: ["3.11"]}}
"""
SITE = """
apiVersion: airgap/v1
kind: Site
name: dc-north
registry:
  endpoint: registry.dc-north.example:5000/harness
  caFile: pki/dc-north-ca.pem
  clientCertFile: pki/client.pem
  clientKeyFile: pki/client.key
  createMissing: false
  habits:
    probed: "2026-11-22"
    login: basic
    location: absolute
    chunks: accepted
    resume: by-offset
    digests: checked
    cancel: possible
    whole: accepted
    singlePost: ignored
    mount: works
    mountMissing: upload
    head: digest
    delete: possible
    referrers: unlisted
    chunkMinimum: 5242880
    bodyLimit: 104857600
    refusedTypes: [oci.image.index.v1+json]
  credentials: {usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}
  pullCredentials: {username: harness-pull, passwordFile: ~/pull-password}
cluster: {kubeconfig: ~/.kube/config, context: dc-north, openshift: false}
namespace: harness
applications:
  harness:
    licenseFile: licences/harness.yaml
    configValues: values/harness.yaml
    sharedPasswordEnv: CONSOLE_PASSWORD
    channel: stable
    namespace: harness
    skipPreflights: false
    withMinio: true
    serviceAccounts: [default]
    requirements: {cpu: 20, memoryGB: 40, storageGB: 200}
    downtime: {stop: [deployment/harness-manager], first: [statefulset/mongodb=3, sts/redis]}
  harness-ng:
    licenseFile: licences/harness-ng.yaml
    sharedPasswordFile: console-password
    requirements: {mode: development}
waits: {waitDuration: 30m, preflightsWaitDuration: 1h15m}
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file."""

    name: str
    parse: Callable[[str], object]
    full: Any
    """A file with every key in it."""
    validator: Validator = field(init=False)
    """Of its schema."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "validator", Validator(SCHEMAS[self.name]()))

    @property
    def schema(self) -> dict[str, Any]:
        """What `airgap-bundler schema` prints."""
        return SCHEMAS[self.name]()

    def by_schema(self, value: object) -> list[ValidationError]:
        """What the schema has against a file."""
        return list(self.validator.iter_errors(value))

    def by_parser(self, value: object) -> list[str]:
        """What the parser has against it."""
        try:
            self.parse(json.dumps(value))  # JSON is YAML
        except InvalidInput as error:
            return [fault.message for fault in error.faults] or [error.message]
        return []


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("spec", lambda text: parse_spec(text, "spec.yaml"), yaml.safe_load(SPEC)),
        Kind("lock", lambda text: BundleLock.parse(text, "spec.lock.json"), LOCK.to_json()),
        Kind(
            "site",
            lambda text: parse_site(text, "site.yaml", folder="/etc/airgap", home="/home/ops"),
            yaml.safe_load(SITE),
        ),
    )
}


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """The place of every value in a file, its own included."""
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places(below, (*path, key))
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from places(below, (*path, i))


def at(value: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
    """What is at a place."""
    for step in path:
        value = value[step]
    return value


def replaced(value: Any, path: Path, new: object) -> Any:  # noqa: ANN401 - JSON
    """A copy with something else at a place."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


def without(value: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
    """A copy without what is at a place."""
    changed = copy.deepcopy(value)
    del at(changed, path[:-1])[path[-1]]
    return changed


OTHERS: list[object] = [
    *(None, True, 7, -1, 1 << 63, 1.5, "", "Some text", "a\nb", "a\x9bb"),
    *([], [7], [""], ["Some text"], [None], {}, {"unheard-of": 1}),
]
"""What may stand anywhere in a file, and is right hardly anywhere."""
