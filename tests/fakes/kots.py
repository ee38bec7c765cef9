"""A stand-in for kubectl-kots v1.131: refuses what KOTS refuses, says what KOTS says.

State and log are files named by FAKE_CLUSTER and FAKE_LOG. `traps` in the state makes a command
fail in the ways that KOTS really fails, among them with exit code 0.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tests.fakes import kots_more
from tests.fakes.cluster import (
    State,
    check_access,
    cluster,
    digest,
    ensure_pull_secret,
    log,
    namespace_of,
    read_archive,
    read_licence,
    registry_path,
    trap,
)
from tests.fakes.goflags import Call, Refused, parse

_Status = int | None


def main(words: Sequence[str]) -> NoReturn:
    """Run one command line."""
    log("kubectl-kots", words)
    try:
        call = parse(words, os.environ)
        with cluster() as state:
            code = _says(call, state) or _COMMANDS[call.command](call, state)
    except Refused as refusal:
        sys.stdout.flush()
        sys.stderr.write(f"Error: {refusal}\n")
        sys.exit(1)
    sys.exit(code or 0)


def _says(call: Call, state: State) -> _Status:
    """What `said` in the state lets a question answer, whatever there is: text, then exit code."""
    said = state.get("said", {}).get(call.command)
    if said is None:
        return None
    text, code = said
    sys.stdout.write(text)
    sys.stdout.flush()
    if code:
        raise Refused("failed to port forward: unable to upgrade connection")
    sys.exit(0)


def say(line: str = "") -> None:
    """A line on stdout, as KOTS's logger writes it where there is no terminal."""
    sys.stdout.write(f"  • {line}\n" if line else "\n")


def _namespace(call: Call) -> str:
    name = call.get("namespace")
    if not name:
        sys.exit(255)  # the prompt for it finds no terminal
    if "_" in name:
        raise Refused(f"namespace {name} is not a valid label value")
    return name


def _registry(call: Call, state: State) -> str:
    registry = call.get("kotsadm-registry")
    joined = registry_path(registry, call.get("kotsadm-namespace"))
    if registry and "skip-registry-check" in call.specification["flags"]:
        _access(call, state, joined)
    return joined


def _access(call: Call, state: State, registry: str) -> None:
    if call.on("skip-registry-check"):
        return
    say("Validating registry information")
    user, password = call.get("registry-username"), call.get("registry-password")
    check_access(state, registry, user, password)


def _push(state: State, registry: str, archive: str) -> None:
    say("Pushing application images (1/1)")
    sys.stdout.write(f"Pushing image {registry}/{Path(archive).name}\n")
    state.setdefault("pushed", []).append([archive, registry])


def _install(call: Call, state: State) -> _Status:
    sys.stdout.write("\x1b[?25l")
    slug, _, channel = call.arguments[0].partition("/")
    licence = read_licence(call.get("license-file")) if call.get("license-file") else None
    registry = _registry(call, state)
    if not channel:
        say("No channel specified in upstream URI, falling back to channel slug 'stable'.")
    if licence and licence["channels"] and (channel or "stable") not in licence["channels"]:
        raise Refused(f'channel slug "{channel or "stable"}" is not allowed by license')
    name = _namespace(call)
    archive = call.get("airgap-bundle")
    fields = read_archive(archive, "app.tar.gz") if archive else published(state, slug, "")
    _config_values(call)
    if archive and licence is None:
        raise Refused("license is required when airgap bundle is specified")
    if archive and not registry:
        sys.stdout.write("    not pushing airgapped app images as no registry was provided\n\n")
    elif archive and not call.on("disable-image-push"):
        _push(state, registry, archive)
    namespace = namespace_of(state, name)
    _deploy_console(call, state, namespace, registry)
    if slug in namespace["apps"]:
        raise Refused(f"failed to validate installation: license already exists for app {slug}")
    if licence and licence["slug"] != slug:
        raise Refused("failed to validate installation: license is for another app")
    say("Uploading app archive")
    say("Waiting for installation to complete")
    return _finish_install(call, state, namespace["apps"].setdefault(slug, {}), fields)


def published(state: State, slug: str, label: str) -> dict[str, str]:
    """What the vendor gives where it is reached: the release of a label, or the newest."""
    releases = state.get("vendor", {}).get(slug, [])
    found = [one for one in releases if label in ("", one["versionLabel"])]
    if not found:
        raise Refused("failed to get application: dial tcp: lookup replicated.app: no such host")
    return dict(found[-1])


def _config_values(call: Call) -> None:
    path = call.get("config-values")
    if path and "kind: ConfigValues" not in Path(path).read_text(encoding="utf-8"):
        raise Refused("failed to parse config values: not a ConfigValues object")


def _deploy_console(call: Call, state: State, namespace: State, registry: str) -> None:
    password = call.get("shared-password")
    running = namespace["console"]
    if call.on("exclude-admin-console"):
        say("Deploying application")
        if running is None or running["minio"] != call.on("with-minio"):
            raise Refused(
                "kotsadm failed to start: timed out waiting for kotsadm pod. "
                "Use the --wait-duration flag to increase timeout."
            )
        if password:
            namespace["password"] = digest(password)
        return
    ensure_pull_secret(namespace, call, registry)
    say("Deploying Admin Console")
    if not password:
        raise Refused("failed to deploy: failed to prompt for shared password: EOF")
    namespace.setdefault("password", digest(password))
    namespace["console"] = {
        "version": _tag(state),
        "minio": call.on("with-minio"),
        "registry": registry,
        "user": call.get("registry-username"),
    }


def _tag(state: State) -> str:
    plugin = str(state["plugin"])
    return plugin if plugin.startswith("v") else f"v{plugin}"


def _finish_install(call: Call, state: State, app: State, fields: dict[str, str]) -> _Status:
    sprung = trap(state, "install")
    _leak(sprung)
    if sprung == "hang":
        _hang()
    if state.get("import", 0) > _seconds(call.get("wait-duration")):
        sprung = "timeout"  # the wait also bounds what the server does with the archive
    stuck = sprung not in ("", "leak")
    app["versions"] = [_version(fields, "pending_config" if stuck else "deployed")]
    if sprung == "timeout":
        raise Refused(
            "failed to validate installation: timeout waiting for automated install. "
            "Use the --wait-duration flag to increase timeout."
        )
    if sprung == "preflight":
        say("Waiting for preflight checks to complete")
        say("There are preflight check warnings for the application. The app was not deployed.")
        sys.stdout.write("\nSTATE    TITLE                 MESSAGE\n")
        sys.stdout.write("WARN     Kubernetes version    1.15.0 or later is recommended\n")
        return 1
    if sprung == "pending_config":
        say(
            "Additional app configuration is required. Please login to the Admin Console "
            "to continue !"
        )
    if not call.on("no-port-forward") and not call.on("exclude-admin-console"):
        say("Press Ctrl+C to exit")
        return 97  # KOTS waits for ever
    say("Done")
    sys.stdout.write("\x1b[?25h")
    return 0


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    return sum(float(n) * units[unit] for n, unit in re.findall(r"([\d.]+)([smh])", text))


def _hang() -> None:
    """Wait to be interrupted, and end as KOTS does: with exit code 0."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    sys.stdout.flush()
    Path(os.environ["FAKE_HANGS"]).touch()
    while True:
        time.sleep(60)


def _leak(sprung: str) -> None:
    """Say the password on both streams, split between two writes."""
    if sprung != "leak":
        return
    password = os.environ["KOTS_REGISTRY_PASSWORD"]
    middle = len(password) // 2
    for stream in (sys.stdout, sys.stderr):
        stream.write(f"  • user:{password[:middle]}")
        stream.flush()
        stream.write(f"{password[middle:]}@registry\n")
        stream.write(json.dumps({"password": password}) + "\n")


def _version(fields: dict[str, str], status: str) -> State:
    return {
        "versionLabel": fields.get("versionLabel", ""),
        "sequence": 0,
        "createdOn": "2026-11-22T10:00:00Z",
        "status": status,
        "deployedAt": None,
        "source": "Airgap Install",
        "channelId": fields.get("channelID", ""),
        "channelSequence": int(fields.get("updateCursor", "0")),
    }


def _upstream_upgrade(call: Call, state: State) -> _Status:
    name = _namespace(call)
    registry = _registry(call, state)
    sprung = trap(state, "upstream upgrade")
    _leak(sprung)
    archive = call.get("airgap-bundle")
    if archive and not call.on("disable-image-push"):
        if not registry:
            return _answer(call, "failed to push: dial tcp registry-1.docker.io: i/o timeout")
        _push(state, registry, archive)
    if sprung == "silent":
        return 0
    if sprung == "error":
        return _answer(call, "Unexpected response from the API: 500")
    slug, label = call.arguments[0], call.get("deploy-version-label")
    fields = read_archive(archive, "app.tar.gz") if archive else published(state, slug, label)
    app = namespace_of(state, name)["apps"].get(slug)
    if app is None:
        return _answer(call, f"The application {slug} was not found in the cluster")
    versions = app["versions"]
    if versions and versions[0]["channelSequence"] == int(fields["updateCursor"]):
        return _answer(call, "Unexpected response from the API: 500" if archive else "")
    wanted = "deployed" if call.on("deploy") or label else "pending"
    versions.insert(0, _version(fields, wanted if sprung in ("", "leak") else sprung))
    return _answer(call, "")


def _answer(call: Call, error: str) -> _Status:
    if call.get("output") == "json":
        answer: dict[str, Any] = {"success": not error, "availableUpdates": 0}
        if error:
            answer["error"] = error
        sys.stdout.write(f"    {json.dumps(answer)}\n\n")
    else:
        say(error or "Update has been uploaded and is being deployed")
    return 0


def _push_images(call: Call, state: State) -> _Status:
    archive, registry = call.arguments
    joined = registry_path(registry, "")
    _access(call, state, joined)
    read_archive(archive)
    _push(state, joined, archive)
    return 0


def _console_upgrade(call: Call, state: State) -> _Status:
    name = _namespace(call)
    if name not in state["namespaces"] or state["namespaces"][name]["console"] is None:
        raise Refused("failed to upgrade: The namespace cannot be found or accessed")
    console = state["namespaces"][name]["console"]
    say("Upgrading Admin Console")
    if trap(state, "admin-console upgrade") != "nothing":
        console["version"] = _tag(state)
    console["registry"] = _registry(call, state) or "docker.io/kotsadm"
    ensure_pull_secret(state["namespaces"][name], call, console["registry"])
    console["minio"] = console["minio"] and call.on("with-minio")
    say("The Admin Console is running the latest version")
    return 0


def _show_version(call: Call, state: State) -> _Status:
    plugin = state["plugin"].removeprefix("v")
    if call.get("output") == "json":
        sys.stdout.write(json.dumps({"version": plugin}) + "\n")
    else:
        sys.stdout.write(f"Replicated KOTS {plugin}\n")
    return 0


def _running(call: Call, state: State) -> State:
    namespace = namespace_of(state, _namespace(call))
    if namespace["console"] is None:
        raise Refused("failed to start port forwarding: unable to find kotsadm pod")
    return namespace


def _get_apps(call: Call, state: State) -> _Status:
    apps = []
    for slug, app in _running(call, state)["apps"].items():
        labels = [v["versionLabel"] for v in app["versions"] if v["status"] == "deployed"]
        label = labels[0] if labels else ""
        states = app.get("states", [])  # what is told at the next questions, then ready
        told = states.pop(0) if states else "ready"
        apps.append({"slug": slug, "state": told, "versionlabel": label})
    sys.stdout.write(json.dumps(apps, indent=4) + "\n")
    return 0


def _get_versions(call: Call, state: State) -> _Status:
    app = _running(call, state)["apps"].get(call.arguments[0])
    if app is None:
        raise Refused("failed to get app versions: unexpected status code 404")
    versions = app["versions"]
    sys.stdout.write(json.dumps(versions, indent=4) + "\n")
    for version in versions:
        if version["status"] == "deploying":  # on its way: there at the next question
            version["status"] = "deployed"
    return 0


def _get_config(call: Call, state: State) -> _Status:
    if call.on("current") and call.get("sequence") != "-1":
        raise Refused("cannot use --current and --sequence together")
    apps = _running(call, state)["apps"]
    slug = call.get("appslug") or (next(iter(apps)) if len(apps) == 1 else "")
    if slug not in apps:
        raise Refused(f"app {slug} not found" if slug else "appslug is required")
    text = apps[slug].get("config", NO_ANSWERS)
    if call.on("decrypt"):
        text = re.sub(r"\bRU5D\w+", lambda found: base64.b64decode(found[0]).decode(), text)
    sys.stdout.write(text)
    return 0


NO_ANSWERS = "apiVersion: kots.io/v1beta1\nkind: ConfigValues\nspec:\n  values: {}\n"
"""What KOTS says of an application that nobody configured; `RU5D…` is what it encrypts."""

_COMMANDS: dict[str, Callable[[Call, State], _Status]] = {
    "install": _install,
    "upstream upgrade": _upstream_upgrade,
    "admin-console push-images": _push_images,
    "admin-console upgrade": _console_upgrade,
    "version": _show_version,
    "get apps": _get_apps,
    "get config": _get_config,
    "get versions": _get_versions,
    **kots_more.COMMANDS,
}
