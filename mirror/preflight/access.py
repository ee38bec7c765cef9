"""Whether the registry takes what is pushed, lets it be pulled, and holds what KOTS will pull."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mirror.kots import Engine
from mirror.preflight.finding import Found, failed, passed, warned
from mirror.preflight.model import Access, Seen
from mirror.site import DockerConfig, Site
from transfer.errors import NotFound, TransferError
from transfer.text import counted

PUSH_FIRST = "push first: airgap-mirror push SOURCE… --site SITE"
PUSH_OVER = "push again with --overwrite: names there hold other content than the sources do"
_NODES_TOO = "the container runtime of each node has to accept that, too"


def check_registry(seen: Seen) -> Iterator[Found]:
    """It answers, with TLS and credentials in order; nodes are stricter than KOTS is."""
    registry = seen.site.registry
    seen.registry.entry.get()
    host = registry.endpoint.registry
    if registry.insecure_skip_tls_verify:
        told = "lets us in; its certificate is not checked (insecureSkipTlsVerify)"
        yield warned(host, told, "a certificate that holds", hint=_NODES_TOO)
    elif registry.plain_http:
        yield warned(host, "lets us in, without TLS (plainHttp)", "TLS", hint=_NODES_TOO)
    else:
        by = f" by {registry.ca_file}" if registry.ca_file else ""
        yield passed(host, f"lets us in; its certificate is good{by}", "TLS and credentials")
    if registry.client_cert:
        told = "lets us in with a certificate of our own (clientCertFile)"
        hint = "see that each node has one to show, too: KOTS gives it none"
        yield warned(host, told, hint=hint)


def check_push(seen: Seen) -> Iterator[Found]:
    """An upload was begun and cancelled in every repository that images go to."""
    access, registry = seen.registry.push.get(), seen.site.registry
    new = {
        repository: error
        for repository, error in access.refused.items()
        if registry.create_missing and isinstance(error, NotFound)
    }
    if new:
        told = f"{counted(len(new), 'repository', 'repositories')} not there yet"
        hint = "the push creates them (createMissing), if its user may do that"
        yield warned(str(registry.endpoint), told, hint=hint, details=new)
        refused = {path: error for path, error in access.refused.items() if path not in new}
        access = replace(access, repositories=access.repositories - len(new), refused=refused)
    hint = "create the project or repository there, or give the user of credentials the right"
    yield _judge(str(registry.endpoint), access, "take an upload", hint)


def check_pull(seen: Seen) -> Iterator[Found]:
    """What the cluster pulls with may read every repository."""
    access, site = seen.registry.pull.get(), seen.site
    hint = f"give the right to {_puller(site)}"
    yield _judge(str(site.registry.endpoint), access, f"let {_puller(site)} read", hint)
    if site.registry.pull_credentials or site.registry.credentials is None:
        return
    if isinstance(site.registry.credentials, DockerConfig):
        told = "no pullCredentials, and KOTS cannot read docker's files"
        hint = "give pullCredentials, or let the nodes pull by themselves"
    else:
        told = "no pullCredentials: who pushes stays in the cluster as its pull secret"
        hint = "give registry.pullCredentials in the site file, of a user that may only read"
    yield warned("the cluster", told, "a user that may only read", hint=hint)


def check_images(seen: Seen) -> Iterator[Found]:
    """Every image of the sources is held by its digest, down to each blob."""
    held = seen.registry.held.get()
    endpoint, needed = str(seen.site.registry.endpoint), counted(held.images, "image")
    there = held.images - len(held.missing) - len(held.different)
    told = f"holds {there}"
    if held.missing:
        told += f", {len(held.missing)} missing"
    if held.different:
        told += f", {len(held.different)} different"
    if there == held.images:
        yield passed(endpoint, told, needed)
        return
    details = [*held.missing, *held.different]
    if seen.case.engine is Engine.KOTS:
        yield warned(
            endpoint, told, needed, hint="KOTS pushes them (--engine kots)", details=details
        )
    else:
        hint = PUSH_OVER if held.different else PUSH_FIRST
        yield failed(endpoint, told, needed, hint=hint, details=details)


def _judge(endpoint: str, access: Access, what: str, hint: str) -> Found:
    good = access.repositories - len(access.refused)
    told = f"{good} of {counted(access.repositories, 'repository', 'repositories')} {what}"
    if not access.refused:
        return passed(endpoint, told, "all of them")
    return failed(endpoint, told, "all of them", hint=hint, details=_reasons(access.refused))


def _reasons(refused: Mapping[str, TransferError]) -> list[str]:
    return [
        error.message if repository in error.message else f"{repository}: {error.message}"
        for repository, error in refused.items()
    ]


def _puller(site: Site) -> str:
    return "the user of pullCredentials" if site.registry.pull_credentials else "who pushes"
