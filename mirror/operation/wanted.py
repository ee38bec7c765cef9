"""What has to be so before a plan holds, and after a step has worked: values, judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from mirror.command import Value
from mirror.secret import SecretSource


@dataclass(frozen=True, slots=True, kw_only=True)
class IsDeployed:
    """A release of an application is deployed, as `kots get versions` tells."""

    slug: str
    version: str
    """Its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleIs:
    """The admin console has a version, as `kubectl get` tells."""

    version: str
    """"" is that of the plugin, which `Await.plugin` asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNewest:
    """The newest version of an application is the deployed one, as `kots get versions` tells."""

    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IsScaled:
    """A Deployment or StatefulSet has as many ready pods as wanted, as `kubectl get` tells.

    With 0 wanted, none of its pods is left either: what is asked for has to tell of pods too, those
    that are ending among them. A list of workloads is, once each of them is.
    """

    replicas: int
    workload: str = ""
    """The one of a list that counts, such as `deployment/manager`; "" is each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsReady:
    """Everything of an application is ready, as `kots get apps` tells."""

    slug: str
    address: str = ""
    """Where its users begin; "" where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HasLicence:
    """An application runs with a licence, as the manifests tell that `kots download` writes."""

    slug: str
    path: str
    """Where the licence is among them: absolute."""
    file: str
    """The licence that it has to be: absolute path."""


Goal = IsDeployed | IsNewest | ConsoleIs | IsScaled | IsReady | HasLicence


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginIs:
    """The plugin has a version, as `kots version` tells; with or without the leading `v`."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoConsole:
    """No admin console is there, as `kubectl get` tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullsFrom:
    """The admin console knows this registry, or none, as `kubectl get` tells."""

    registry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IsAbsent:
    """An application is not installed, as `kots get apps` tells."""

    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOpenShift:
    """The cluster is no OpenShift, as the groups of its API tell."""

    group: str
    """The one that every OpenShift has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNamespace:
    """A namespace is not there, as `kubectl get` tells."""

    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullsAs:
    """The pull secrets that are there have a user and password, as `kubectl get` tells."""

    secret: str
    """The one that has to be there."""
    host: str
    """Of the registry, with its port."""
    username: Value
    password: SecretSource


Expectation = (
    Goal | PluginIs | NoConsole | PullsFrom | IsAbsent | NoOpenShift | NoNamespace | PullsAs
)
