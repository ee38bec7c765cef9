"""What plans and runbooks say alike of steps that only look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mirror.operation.reading import Check, Gather, Hold, Need, Reading, Sight, Tell

WARNED = "otherwise a warning"


def file_of(gather: Gather) -> str:
    """Where a script puts a log: it makes no folders, and so has all files in one."""
    return f"{gather.folder}/{gather.namespace}_POD_CONTAINER.log"


def manner(actions: Iterable[object]) -> str:
    """How a person goes through the steps."""
    if any(isinstance(action, Check | Gather) for action in actions):
        return (
            "One step after the other, whatever comes of the one before; all that is not as it has "
            "to be is noted."
        )
    return "One step after the other, each only once it is seen that the one before has worked."


_SEEN: Mapping[Sight, str] = {
    Sight.SAYS_YES: "the answer is yes",
    Sight.MAY_DO_EVERYTHING: "the answer is yes",
    Sight.PLUGIN_IS: '"version", with or without v',
    Sight.KUBECTL_SINCE: '"gitVersion" of "clientVersion"',
    Sight.KUBECTL_NEAR: '"gitVersion" of "clientVersion" and of "serverVersion"',
    Sight.CLUSTER_WITHIN: '"gitVersion" of "serverVersion"',
    Sight.IS_ACTIVE: '"phase"; without an answer, it is not there yet',
    Sight.HAS_CLASS: '"name" of an item',
    Sight.HAS_DEFAULT_CLASS: '"name" of an item, or its annotation "is-default-class": "true"',
    Sight.PORT_IS_FREE: 'no "nodePort" says this, but in the namespaces of the site itself',
    Sight.PULLS_AS: '".dockerconfigjson" of each item, decoded twice from base64',
    Sight.ENDED_WELL: "its exit code is 0",
}
"""Where in an answer a person sees what a shell sees."""


def conditions(action: Reading) -> Iterator[str]:
    """When the step is taken at all, and with what; sentences."""
    match action:
        case Check(only=Need(words=words)):
            yield f"Asked only where {words}."
        case Tell():
            yield (
                "Applications are asked for where there is an admin console, and the versions of "
                "each of them, its slug in place of SLUG."
            )
        case Gather():
            yield (
                "Asked for each container of each pod, with their names in place of POD and "
                "CONTAINER; where the container was started anew, once more with --previous "
                "behind them, for the log of the run before. A container that never ran has none."
            )
        case _:
            pass


def needed(need: Need) -> str:
    """What has to be so, and what it means where it is not."""
    return f"{need.words} ({WARNED})" if need.warns else need.words


def proof(action: Reading) -> str:
    """How it is seen that a step has worked, in words without markup."""
    match action:
        case Check(needs=needs):
            return "all of this is so" if needs else "there is an answer"
        case Tell():
            return "every question has an answer; the first one none where no admin console is"
        case Gather():
            return "each of them ends with exit code 0"
        case Hold():
            return "it says where to go, and goes on until Ctrl-C ends it"


def to_be_seen(need: Need) -> str:
    """What has to be so, and where in an answer a person sees it."""
    where = _SEEN.get(need.sight, "") if need.sight else ""
    return f"{needed(need)}: {where}" if where else needed(need)


def otherwise(action: Reading) -> str:
    """What to do where it has not, in words without markup; "" where nothing special is."""
    match action:
        case Check(needs=needs):
            hints = "; ".join(dict.fromkeys(need.hint for need in needs if need.hint))
            return f"{hints}; and go on with the next one" if hints else "go on with the next one"
        case Gather():
            return "go on with the next one, and note which is missing"
        case _:
            return ""


def warning(action: Reading) -> str:
    """What a person has to beware of; "" for nothing."""
    match action:
        case Gather():
            return (
                "Nothing is hidden in what kubectl prints: look for passwords and licence IDs "
                "before you give the files away. The script hides those that it knows, as they "
                "are and as JSON has them; a run hides them in other spellings, too."
            )
        case Check(form="secret"):
            return "Passwords are in the answer: show it to nobody."
        case _:
            return ""


def as_data(action: Reading) -> dict[str, Any]:
    """What a step has besides its commands, for programs."""
    match action:
        case Check():
            found: dict[str, Any] = {
                "checks": list(action.checks),
                "requests": list(action.requests),
                "needs": [_need_as_data(need) for need in action.needs],
            }
            return found | ({"only": action.only.words} if action.only else {})
        case Gather(namespace=namespace, folder=folder):
            return {"namespace": namespace, "path": folder}
        case Tell(namespace=namespace):
            return {"namespace": namespace}
        case Hold():
            return {}


def _need_as_data(need: Need) -> dict[str, Any]:
    return {"words": need.words, "hint": need.hint, "warns": need.warns, "seen": bool(need.sight)}
