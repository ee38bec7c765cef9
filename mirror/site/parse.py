"""The site file, read strictly: every mistake is told with its path, all at once.

Nothing is looked up here. Relative paths start at the site file's folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from mirror import duration
from mirror.downtime import read_downtime
from mirror.requirements import read_requirements
from mirror.secret import FromEnvironment, FromFile, SecretSource
from mirror.site.habits import read_habits
from mirror.site.model import (
    PREFLIGHTS_WAIT,
    WAIT,
    Application,
    Cluster,
    DockerConfig,
    Login,
    LoginSource,
    Rbac,
    Site,
    SiteRegistry,
    Waits,
)
from transfer.errors import InvalidInput
from transfer.fields import Fields
from transfer.reference import Repository, parse_endpoint
from transfer.yamlfile import read_yaml

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LOGIN_KEYS = ("username", "usernameEnv", "passwordEnv", "passwordFile")
_REGISTRY_KEYS = (
    "credentials",
    "pullCredentials",
    "clientCertFile",
    "clientKeyFile",
    "createMissing",
    "habits",
)
_APPLICATION_KEYS = (
    "licenseFile",
    "configValues",
    "sharedPasswordEnv",
    "sharedPasswordFile",
    "channel",
    "namespace",
    "skipPreflights",
    "withMinio",
    "serviceAccounts",
    "requirements",
    "downtime",
)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every part of the file needs to be read: where relative paths start."""

    folder: PurePosixPath
    home: PurePosixPath | None

    def path(self, fields: Fields, key: str) -> str | None:
        """An absolute path, or None where the key is absent."""
        return self.required_path(fields, key) if key in fields else None

    def required_path(self, fields: Fields, key: str) -> str:
        """The path with `~/` and the folder of the site file put in."""
        text = fields.text(key)
        if text != "~" and not text.startswith("~/"):
            return str(self.folder / text)
        if self.home is None:
            fields.fault(key, f"nothing says what ~ stands for in {text}; set HOME")
        return str((self.home or self.folder) / text[2:])


def parse_site(text: str, file: str, *, folder: str, home: str | None) -> Site:
    """Read a site file.

    Args:
        text: What is in the file.
        file: How messages name it.
        folder: The folder that relative paths start from, absolute.
        home: The folder that `~/` stands for, None where nobody knows it.

    Raises:
        InvalidInput: with every fault.
    """
    reader = _Reader(PurePosixPath(folder), PurePosixPath(home) if home else None)
    keys = ("name", "registry", "cluster", "namespace", "applications", "waits")
    fields = read_yaml(text, file, "apiVersion", "kind", *keys)
    fields.expect("Site")
    namespace = _label(fields, "namespace")
    site = Site(
        name=fields.text("name"),
        registry=_registry(fields, reader),
        cluster=_cluster(fields, reader),
        namespace=namespace,
        applications=_applications(fields, reader, namespace),
        waits=_waits(fields),
    )
    fields.faults.raise_all()
    return site


def _registry(parent: Fields, reader: _Reader) -> SiteRegistry:
    keys = ("endpoint", "caFile", "plainHttp", "insecureSkipTlsVerify")
    fields = parent.child("registry", *keys, *_REGISTRY_KEYS)
    if fields is None:
        parent.fault("registry", "is missing")
        return SiteRegistry(endpoint=Repository("", ""))
    ways = [key for key in keys[1:] if key in fields]
    if len(ways) > 1:
        fields.fault("", f"choose one of {' and '.join(ways)}")
    if "clientCertFile" in fields and "plainHttp" in fields:
        fields.fault("clientCertFile", "does not go together with plainHttp")
    if "clientKeyFile" in fields and "clientCertFile" not in fields:
        fields.fault("clientKeyFile", "has no clientCertFile that it could be for")
    pull = fields.child("pullCredentials", *_LOGIN_KEYS)
    return SiteRegistry(
        endpoint=_endpoint(fields),
        ca_file=reader.path(fields, "caFile"),
        client_cert=reader.path(fields, "clientCertFile"),
        client_key=reader.path(fields, "clientKeyFile"),
        plain_http=fields.boolean("plainHttp"),
        insecure_skip_tls_verify=fields.boolean("insecureSkipTlsVerify"),
        credentials=_credentials(fields, reader),
        pull_credentials=_login(pull, reader) if pull else None,
        create_missing=fields.boolean("createMissing"),
        habits=read_habits(fields),
    )


def _endpoint(fields: Fields) -> Repository:
    text = fields.text("endpoint")
    if not text:
        return Repository("", "")
    try:
        endpoint = parse_endpoint(text)
    except InvalidInput as error:
        fields.fault("endpoint", str(error))
        return Repository("", "")
    if endpoint.registry.startswith("http"):
        # KOTS: cmd/kots/cli/util.go takes everything that starts so for a URL.
        fields.fault("endpoint", f"KOTS takes a host that starts with http for a URL: {text!r}")
    return endpoint


def _credentials(parent: Fields, reader: _Reader) -> LoginSource:
    fields = parent.child("credentials", *_LOGIN_KEYS, "dockerConfig")
    if fields is None:
        return None
    if "dockerConfig" not in fields:
        return _login(fields, reader)
    if not fields.boolean("dockerConfig"):
        fields.fault("dockerConfig", "expected true, or another kind of credentials")
    for key in _LOGIN_KEYS:
        if key in fields:
            fields.fault(key, "does not go together with dockerConfig")
    return DockerConfig()


def _login(fields: Fields, reader: _Reader) -> Login:
    name = _environment(fields, "usernameEnv")
    username = fields.optional_text("username")
    if (name is None) == (username is None):
        fields.fault("", "expected either username or usernameEnv")
    password = _secret(fields, "password", reader)
    if password is None:
        fields.fault("", "expected either passwordEnv or passwordFile")
    return Login(username=name or username or "", password=password or FromEnvironment(""))


def _secret(fields: Fields, what: str, reader: _Reader) -> SecretSource | None:
    """The place given by `<what>Env` or `<what>File`, None where neither is there."""
    variable = _environment(fields, f"{what}Env")
    path = reader.path(fields, f"{what}File")
    if variable and path:
        fields.fault("", f"choose one of {what}Env and {what}File")
    return FromFile(path) if path else variable


def _environment(fields: Fields, key: str) -> FromEnvironment | None:
    name = fields.optional_text(key)
    if name is None:
        return None
    if not _ENVIRONMENT_NAME.fullmatch(name):
        # The text is not repeated: whoever wrote the password itself here is told so unseen.
        fields.fault(key, "expected the name of an environment variable, such as REGISTRY_USER")
    return FromEnvironment(name)


def _cluster(parent: Fields, reader: _Reader) -> Cluster:
    fields = parent.child("cluster", "kubeconfig", "context", "openshift", "rbac")
    if fields is None:
        return Cluster()
    text = fields.optional_text("rbac") or Rbac.CLUSTER
    rbac = next((one for one in Rbac if one == text), None)
    if rbac is None:
        fields.fault("rbac", f"expected {' or '.join(Rbac)}, found {text!r}")
    return Cluster(
        kubeconfig=reader.path(fields, "kubeconfig"),
        context=fields.optional_text("context"),
        openshift=fields.boolean("openshift"),
        rbac=rbac or Rbac.CLUSTER,
    )


def _applications(parent: Fields, reader: _Reader, namespace: str) -> tuple[Application, ...]:
    found = []
    for slug, fields in parent.named_children("applications", *_APPLICATION_KEYS):
        if not _LABEL.fullmatch(slug):
            fields.fault("", f"not the slug of an application: {slug!r}")
        found.append(
            Application(
                slug=slug,
                license_file=reader.required_path(fields, "licenseFile"),
                config_values=reader.path(fields, "configValues"),
                shared_password=_secret(fields, "sharedPassword", reader),
                channel=fields.optional_text("channel"),
                namespace=_label(fields, "namespace", namespace),
                skip_preflights=fields.boolean("skipPreflights"),
                with_minio=fields.boolean("withMinio") if "withMinio" in fields else None,
                service_accounts=fields.texts("serviceAccounts"),
                requirements=read_requirements(fields),
                downtime=read_downtime(fields),
            )
        )
    if not found:
        parent.fault("applications", "expected at least one application")
    return tuple(found)


def _label(fields: Fields, key: str, default: str | None = None) -> str:
    text = fields.text(key) if default is None else fields.text(key, default)
    if key in fields and text and not _LABEL.fullmatch(text):
        fields.fault(key, f"not the name of a namespace: {text!r}")
    return text


def _waits(parent: Fields) -> Waits:
    fields = parent.child("waits", "waitDuration", "preflightsWaitDuration")
    if fields is None:
        return Waits()
    found = {}
    for key, default in (("waitDuration", WAIT), ("preflightsWaitDuration", PREFLIGHTS_WAIT)):
        text = fields.text(key, default)
        if text and duration.seconds(text) is None:
            fields.fault(key, f"expected a duration such as 30m or 1h15m, found {text!r}")
        found[key] = text
    return Waits(wait=found["waitDuration"], preflights=found["preflightsWaitDuration"])
