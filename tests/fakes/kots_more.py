"""What the fake kubectl-kots knows besides installs: download, upload and admin-console.

`manifests` of an application in the state are its files, by path; what is missing there is as KOTS
makes it. `licence` is that of the deployed version, as KOTS writes it. The traps are `download`,
`upload` and `admin-console`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.fakes.cluster import State, namespace_of, trap
from tests.fakes.goflags import Call, Refused

LICENCE = "upstream/userdata/license.yaml"
INSTALLATION = "upstream/userdata/installation.yaml"
KUSTOMIZATION = "overlays/midstream/kustomization.yaml"
PATCH = "overlays/midstream/nginx-service.yaml"
MANIFESTS = {
    LICENCE: "kind: License\nspec:\n  licenseID: the-licence-id\n",
    INSTALLATION: 'kind: Installation\nspec:\n  updateCursor: "412"\n',
    KUSTOMIZATION: (
        "apiVersion: kustomize.config.k8s.io/v1beta1\n"
        "bases:\n- ../../base\n"
        "kind: Kustomization\n"
        "patchesStrategicMerge:\n"
        "- pullsecrets.yaml\n"
        "# by hand, for the ingress controller\n"
        "- nginx-service.yaml\n"
        "resources:\n- secret.yaml\n"
    ),
    PATCH: "kind: Service\nmetadata:\n  name: nginx\n",
}
"""As an application has them that was customised in the way of before."""


def _download(call: Call, state: State) -> int:
    slug = call.get("slug") or next(iter(call.arguments), "")
    if not slug:
        raise Refused("Usage:\n  kots download [appSlug] [flags]")
    if call.on("current") and call.get("sequence") != "-1":
        raise Refused("cannot use --current and --sequence together")
    app = _namespace(call, state)["apps"].get(slug)
    folder = Path(call.get("dest")) / slug
    if app is None:
        return _answer(call, {"error": f"app with slug {slug} not found"})
    sprung = trap(state, "download")
    if sprung == "error":
        return _answer(call, {"error": "unexpected status code from http://localhost: 500"})
    if sprung == "hang":
        _hang()
    if folder.exists() and not call.on("overwrite"):
        return _answer(call, {"error": f"directory already exists at {folder}"})
    shutil.rmtree(folder, ignore_errors=True)
    files = {**app.get("manifests", MANIFESTS)}
    if "licence" in app:
        files[LICENCE] = app["licence"]
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return _answer(call, {"success": True, "downloadLocation": str(folder)})


def _upload(call: Call, state: State) -> int:
    app = _namespace(call, state)["apps"].get(call.get("slug"))
    folder = Path(call.arguments[0])
    if not (folder / INSTALLATION).is_file():
        return _answer(call, {"error": f"failed to find update cursor in {str(folder)!r}"})
    if app is None:
        return _answer(call, {"error": "Unexpected response from the API: 500"})
    sprung = trap(state, "upload")
    if sprung == "silent":
        return 0
    if sprung == "error":
        return _answer(call, {"error": "Unexpected response from the API: 500"})
    files = (path for path in folder.rglob("*") if path.is_file())
    app["manifests"] = {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in files}
    versions = app["versions"]
    newest = {**versions[0], "sequence": versions[0]["sequence"] + 1, "source": "KOTS Upload"}
    wanted = "deploying" if sprung in ("", "hang") else sprung
    newest["status"] = wanted if call.on("deploy") else "pending"
    if newest["status"] == "deploying":
        for version in versions:
            version["status"] = "superseded"
    versions.insert(0, newest)
    if sprung == "hang":
        _hang()
    return _answer(call, {"success": True, "appSlug": call.get("slug")})


def _admin_console(call: Call, state: State) -> int:
    _namespace(call, state)
    sprung = trap(state, "admin-console")
    if sprung == "timeout":
        raise Refused(
            "failed to port forward: kotsadm failed to start: timed out waiting for kotsadm pod. "
            "Use the --wait-duration flag to increase timeout."
        )
    port = int(call.get("port"))
    sys.stdout.write("  • Press Ctrl+C to exit\n")
    sys.stdout.write(f"  • Go to http://localhost:{port} to access the Admin Console\n")
    sys.stdout.flush()
    if sprung == "closed":  # as if somebody had pressed Ctrl-C
        sys.stdout.write("  • Cleaning up\n")
        return 0
    if sprung == "dropped":
        sys.stderr.write("Error: lost connection to pod\n")
        sys.exit(255)
    _until_interrupted()
    sys.stdout.write("  • Cleaning up\n")
    return 0


def _until_interrupted() -> None:
    asked = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: asked.set())
    Path(os.environ["FAKE_HANGS"]).touch()
    while not asked.wait(60):
        pass


def _hang() -> None:
    """Wait to be interrupted, and end as KOTS does where nothing hears the signal."""
    _until_interrupted()
    sys.exit(130)


def _namespace(call: Call, state: State) -> State:
    namespace = namespace_of(state, call.get("namespace") or "default")
    if namespace["console"] is None:
        raise Refused("failed to port forward: unable to find kotsadm pod")
    return namespace


def _answer(call: Call, told: dict[str, object]) -> int:
    """KOTS says errors as JSON with exit code 0, or as text with 1."""
    if call.get("output") != "json":
        if "error" in told:
            raise Refused(str(told["error"]))
        return 0
    sys.stdout.write(f"    {json.dumps({'success': False, **told})}\n\n")
    return 0


COMMANDS: dict[str, Callable[[Call, State], int | None]] = {
    "download": _download,
    "upload": _upload,
    "admin-console": _admin_console,
}
