"""Actions of operations that only look: what they ask is the work itself, and nothing is changed.

`run` does not take them, and no journal notes them: each command line that has such a plan asks
in its own way, and scripts and runbooks do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mirror.command import Command, Value
from mirror.secret import SecretSource


class Form(StrEnum):
    """What an answer looks like, and with it when it is one: names of the script's."""

    JSON = "json"
    MAYBE = "maybe"
    """JSON, or nothing where nothing is there."""
    LIST = "list"
    """A list in JSON: an error may come as something else, with exit code 0."""
    VERSIONS = "versions"
    """JSON, also of a cluster that does not answer: there is no use in asking more, then."""
    WORD = "word"
    """`yes` or `no`, whatever the exit code."""
    LINES = "lines"
    """Text that a person reads."""
    SECRET = "secret"  # noqa: S105 - a form
    """JSON with secrets in it, which nobody is shown; nothing where nothing is there."""
    ANY = "any"
    """Whatever it is: that it ends well is all there is to see."""


class Sight(StrEnum):
    """What a shell can see for sure: functions of `shell/findings.sh`."""

    SAYS_YES = "says_yes"
    MAY_DO_EVERYTHING = "may_do_everything"
    PLUGIN_IS = "plugin_is"
    KUBECTL_SINCE = "kubectl_since"
    KUBECTL_NEAR = "kubectl_near"
    CLUSTER_WITHIN = "cluster_within"
    IS_ACTIVE = "is_active"
    HAS_CLASS = "has_class"
    HAS_DEFAULT_CLASS = "has_default_class"
    PORT_IS_FREE = "port_is_free"
    IS_READABLE = "is_readable"
    IS_SET = "is_set"
    PULLS_AS = "has_login"
    ENDED_WELL = "ended_well"
    LACKS_RIGHTS = "lacks_rights"
    LACKS_NAMESPACE = "lacks_namespace"
    HAS_CONSOLE = "has_console"
    HAS_APPLICATION = "has_application"
    LACKS_APPLICATION = "lacks_application"
    NEEDS_OPENSHIFT_TOOL = "needs_oc"


class Shown(StrEnum):
    """What of an answer is told, before it is judged: functions of `shell/findings.sh`."""

    NOTHING = ""
    LINES = "show_lines"
    NAMES = "show_names"
    NODES = "show_nodes"
    CONSOLE = "show_console"
    APPLICATIONS = "show_applications"
    VERSIONS = "show_versions"
    OPENSHIFT = "show_openshift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that has to be so."""

    words: str
    """A sentence without its end."""
    sight: Sight | None = None
    """How a shell sees it; None where only a person can."""
    arguments: tuple[Value, ...] = ()
    """What `sight` is given; of a secret, the value, which is not shown."""
    hint: str = ""
    """What to do where it is not so."""
    warns: bool = False
    """It is good to know where it is not so, and stops nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question, and what has to be seen; whatever comes of it, the next one is asked too."""

    command: Command | None = None
    requests: tuple[str, ...] = ()
    """What is asked without a command: requests to a registry and the like, one line each."""
    checks: tuple[str, ...] = ()
    """The checks of the report that need the answer."""
    form: Form = Form.JSON
    shown: Shown = Shown.NOTHING
    of: str = ""
    """What `shown` is about: a namespace or an application."""
    needs: tuple[Need, ...] = ()
    only: Need | None = None
    """It is asked only where this is so; None asks in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """What runs in one namespace, and what waits there."""

    namespace: str
    command: Command
    """Asks for the admin console."""
    applications: Command
    """Asks the console for its applications."""
    versions: Command
    """Asks it for the versions of each of them: the slug is a `Blank`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """The log of each container of each pod of a namespace, one file each."""

    namespace: str
    command: Command
    """Asks for the pods."""
    log: Command
    """Asks for one log: pod and container are `Blank`s."""
    folder: str
    """Where the files go: absolute path."""
    hidden: tuple[SecretSource, ...] = ()
    """What nobody may read in the files, as far as it is at hand."""
    licences: tuple[str, ...] = ()
    """Files of licences, whose IDs and signatures nobody may read there: absolute paths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A command that is there until somebody ends it: nothing comes after."""

    command: Command


Reading = Check | Tell | Gather | Hold
