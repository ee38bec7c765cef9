"""What an install or upgrade knows before it asks: files of the site, and of the sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mirror.config.carried import carried_releases
from mirror.credentials import Keyring
from mirror.deploy import Known, Order, Task
from mirror.kube.pullsecret import Puller
from mirror.site import Application, Site, puller_of
from mirror.site.file import load_licences
from transfer.disk import read_text
from transfer.errors import NotFound, TransferError
from transfer.kots.config import Config
from transfer.kots.values import ConfigValues
from transfer.sources import OpenSource


def known_for(
    order: Order,
    stated: Mapping[str, str],
    applications: Sequence[Application],
    sources: Sequence[OpenSource],
) -> Known:
    """What files tell of some applications; those that are not there tell nothing.

    Raises:
        InvalidInput, StorageError: one of them is not what it should be.
    """
    if order.task is not Task.INSTALL:
        return Known(order=order, stated=stated)
    return Known(
        order=order,
        stated=stated,
        licences=load_licences(applications),
        configs=_configs(sources),
        answers=_answers(applications),
    )


def puller_for(site: Site) -> Puller | None:
    """Who the cluster is to be in the registry, if that can be read already.

    What cannot be read is told of where it is needed: not everything that is asked for needs it.
    """
    login, keyring = puller_of(site.registry), Keyring(dict(os.environ))
    if login is None:
        return None
    try:
        return Puller(
            host=site.registry.endpoint.registry,
            username=keyring.username(login),
            password=keyring.read(login.password),
        )
    except TransferError:
        return None


def _configs(sources: Sequence[OpenSource]) -> dict[str, Config]:
    """What the newest release of each application asks."""
    found = {}
    try:
        for slug, releases in carried_releases(sources).items():
            found[slug] = releases[-1].read_config()
    except NotFound:
        return found
    return found


def _answers(applications: Iterable[Application]) -> dict[str, ConfigValues]:
    found = {}
    for one in applications:
        if one.config_values and Path(one.config_values).is_file():
            text = read_text(Path(one.config_values), one.config_values)
            found[one.slug] = ConfigValues.parse(text, one.config_values)
    return found
