"""OpenShift: what has to be allowed before an application is installed."""

from __future__ import annotations

from mirror.deploy import undoing
from mirror.deploy.draft import Draft
from mirror.kube import openshift
from mirror.kube.kubectl import kubectl
from mirror.kube.kubectl_deploy import create_namespace
from mirror.operation.model import Person, Run, Step
from mirror.site import Application


def allow_accounts(draft: Draft, application: Application) -> None:
    """Let the service accounts of an application run as any user, where that is not so anyway.

    Harness guide, "Review: OpenShift clusters". The namespace has to be there for it, so that it
    is created before KOTS would do it.
    """
    if not draft.state.is_openshift:
        return
    site, namespace = draft.site, application.namespace
    if draft.has_to_create(namespace):
        why = f"Create the namespace {namespace}: what follows is allowed in it."
        action = Run(command=create_namespace(site, namespace))
        delete = kubectl(site, "delete", "namespace", namespace)
        undo = undoing.with_command("delete it, as long as nothing is in it", delete)
        draft.add(Step(name="create-namespace", why=why, action=action, undo=undo))
    accounts = [
        account
        for account in openshift.accounts_of(application)
        if draft.is_first(("anyuid", namespace, account))
    ]
    if not accounts:
        return
    if not draft.state.has_oc:
        draft.add(_by_hand(draft, application, accounts))
        return
    for account in accounts:
        draft.add(
            Step(
                name="anyuid",
                why=f"Let pods of the service account {account} run as the user that their "
                "images name, which OpenShift refuses otherwise.",
                action=Run(command=openshift.allow(site, account, namespace)),
                undo=undoing.with_command(
                    "this takes it back", openshift.forbid(site, account, namespace)
                ),
                recorded=True,
            )
        )


def _by_hand(draft: Draft, application: Application, accounts: list[str]) -> Step:
    namespace = application.namespace
    lines = (
        f"  {openshift.allow_without_oc(draft.site, account, namespace).shell_line()}"
        for account in accounts
    )
    return Step(
        name="anyuid",
        why="Let pods run as the user that their images name, which OpenShift refuses otherwise.",
        action=Person(
            instructions="There is no oc on PATH. With kubectl it is a binding for each service "
            "account; one that is there already is fine:\n" + "\n".join(lines)
        ),
        undo=f"delete the bindings {openshift.POLICY}-… in namespace {namespace}",
        recorded=True,
    )
