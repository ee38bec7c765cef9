"""Where an answer says what is asked, for whoever reads it with his own eyes."""

from __future__ import annotations

from mirror.operation.wanted import (
    ConsoleIs,
    Expectation,
    HasLicence,
    IsAbsent,
    IsDeployed,
    IsNewest,
    IsReady,
    IsScaled,
    NoConsole,
    NoNamespace,
    NoOpenShift,
    PluginIs,
    PullsAs,
    PullsFrom,
)


def found_at(expected: Expectation) -> str:
    """What to look for, as a sentence without its end."""
    match expected:
        case PluginIs() | ConsoleIs() | NoConsole() | PullsFrom():
            return _about_console(expected)
        case NoNamespace():
            return "there is no output"
        case NoOpenShift() | IsAbsent() | IsReady() | IsDeployed() | IsNewest():
            return _in_list(expected)
        case IsScaled():
            return _about_pods(expected)
        case HasLicence(path=path, file=file):
            return f"licenseID, licenseSequence and the end in {path} are those in {file}"
        case PullsAs(secret=secret, host=host):
            return (
                f'{secret} is there, and ".dockerconfigjson" of each secret has, once it went '
                f'through base64 -d, an "auth" for {host}, which is, once it went through base64 '
                "-d, user:password"
            )


def _about_console(expected: PluginIs | ConsoleIs | NoConsole | PullsFrom) -> str:
    match expected:
        case PluginIs(version=version):
            return f'"version" is "{version}", with or without the v'
        case NoConsole():
            return "there is no output, or neither a Deployment nor a StatefulSet in it"
        case ConsoleIs(version=version):
            which = f":{version}" if version else 'a colon, v and the "version" of the plugin'
            return f'"image" of the container "kotsadm" ends with {which}'
        case PullsFrom(registry=registry):
            return f'"kotsadm-registry" is "{registry}", or not there'


def _in_list(expected: NoOpenShift | IsAbsent | IsReady | IsDeployed | IsNewest) -> str:
    match expected:
        case NoOpenShift(group=group):
            return f'no "name" is "{group}"'
        case IsAbsent(slug=slug):
            return f'no "slug" is "{slug}"'
        case IsReady(slug=slug):
            return f'"state" is "ready" where "slug" is "{slug}"'
        case IsDeployed(version=version):
            return f'"status" is "deployed" where "versionLabel" is "{version}"'
        case IsNewest():
            return 'the first "status" is "deployed"'


def _about_pods(expected: IsScaled) -> str:
    which = expected.workload or "each of them"
    if expected.replicas:
        return (
            f'"readyReplicas" of {which} is {expected.replicas}, and so is "replicas" of its "spec"'
        )
    return f'"replicas" of {which} is 0 or not there, and no pod of it is in the list'
