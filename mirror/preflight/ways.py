"""What an install or upgrade would do with what crossed, planned as those commands plan it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from mirror.deploy import Known, Order, State, Task, observe, plan
from mirror.deploy.spelling import carried, observed
from mirror.kots import Engine
from mirror.kube.pullsecret import Puller
from mirror.offer import Offered
from mirror.operation import AskCluster, Plan
from mirror.operation.model import Assemble, Await, Person
from mirror.operation.wanted import ConsoleIs, IsDeployed
from mirror.preflight.case import attempt
from mirror.preflight.model import Answer, Case, Member, Way
from mirror.site import Application, Site
from mirror.spelling import known_as
from transfer.errors import TransferError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Scout:
    """Finds the ways of a case."""

    case: Case
    ask: AskCluster
    puller: Puller | None
    """Who the cluster is to be in the registry; None where that is not known."""

    def is_installed(self, member: Member) -> bool:
        """Whether an application is in the console of its namespace.

        Raises:
            TransferError: nobody can tell.
        """
        _, order, state = self._observe(self._order(Task.UPGRADE))
        slug = order.spellings.get(member.slug, member.slug)
        return slug in state.namespaces[member.application.namespace].applications

    def ways(self, installed: Mapping[str, Answer[bool]]) -> dict[str, Answer[Way]]:
        """What would be done: one install of all that is new, an upgrade of each that is there."""
        found: dict[str, Answer[Way]] = {}
        for slug, answer in installed.items():
            if isinstance(answer.given, TransferError):
                found[slug] = Answer(answer.given)
        for order, applications in self._orders(installed):
            names = " and ".join(one.slug for one in applications)
            what = "the admin console" if order.console_only else names
            found[f"{order.task} {what}"] = attempt(partial(self._way, order, applications))
        return found

    def _orders(
        self, installed: Mapping[str, Answer[bool]]
    ) -> Iterator[tuple[Order, Sequence[Application]]]:
        case = self.case
        new = [m.application for m in case.members if installed[m.slug].given is False]
        if new:
            yield self._order(Task.INSTALL), new
        for member in case.members:
            if installed[member.slug].given is True:
                yield self._order(Task.UPGRADE), [member.application]
        if not case.members and case.console:
            order = Order(task=Task.UPGRADE, console_only=True)
            yield order, case.site.applications

    def _order(self, task: Task) -> Order:
        case = self.case
        order = Order(task=task, engine=case.engine, work_dir=case.work_dir)
        return carried(case.site, order, (one.release.app_slug for one in case.offers))

    def _way(self, order: Order, applications: Sequence[Application]) -> Way:
        slugs = [one.slug for one in applications]
        offers = [
            one
            for one in self.case.offers
            if one.is_console or known_as(one.release.app_slug, slugs) in slugs
        ]
        site, order, state = self._observe(order)
        planned = plan(site, offers, order, state)
        return Way(
            stops=tuple(_stops(planned)),
            by_hand=tuple(s.why for s in planned.work if isinstance(s.action, Person)),
            notes=planned.notes,
            room=_room(planned, offers) if order.engine is Engine.KOTS else 0,
        )

    def _observe(self, order: Order) -> tuple[Site, Order, State]:
        """What runs, and the site as the cluster calls its applications."""
        return observed(self.case.site, order, self._look)

    def _look(self, site: Site, order: Order) -> State:
        """Always asked of all that is carried, so that each question is the same."""
        members = self.case.members
        known = Known(
            order=order,
            licences={one.slug: _value(one.licence) for one in members},
            puller=self.puller,
            configs={one.slug: asked for one in members if (asked := _value(one.config))},
            answers={one.slug: given for one in members if (given := _value(one.values))},
        )
        applications = [site.application(one.slug) for one in members] or site.applications
        return observe(site, applications, known, self.ask)


def _value(answer: Answer[_T]) -> _T | None:
    return None if isinstance(answer.given, TransferError) else answer.given


def _stops(planned: Plan) -> Iterator[str]:
    for step in planned.work:
        match step.action:
            case Await(goal=IsDeployed(slug=slug, version=version)):
                yield f"{slug} {version}"
            case Await(goal=ConsoleIs(version=version)):
                yield f"kotsadm {version}"


def _room(planned: Plan, offers: Sequence[Offered]) -> int:
    """Each archive that is put together stays; KOTS unpacks one after the other, which is as large.

    KOTS: pkg/image/airgap.go extracts a whole archive before it pushes.
    """
    made = [s.action.archive.record.size for s in planned.work if isinstance(s.action, Assemble)]
    return sum(made) + max((offer.record.size for offer in offers), default=0)
