#!/usr/bin/env python3
"""Read one image back from a served registry by digest, for the demo: plain HTTP and hashlib.

    python scripts/read_back.py ADDRESS_FILE RECEIPT NAMESPACE

ADDRESS_FILE is where `airgap-mirror serve` writes its address once it listens. Nothing of the
toolkit is used, so that it does not vouch for itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ACCEPT = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
PATIENCE = 30  # seconds for the server to start


def address(file: Path) -> str:
    """Host and port, once the server has written them."""
    for _ in range(PATIENCE * 10):
        if found := re.search(r"127\.0\.0\.1:[0-9]+", file.read_text()):
            return found[0]
        time.sleep(0.1)
    sys.exit(f"no address in {file} after {PATIENCE} s")


def fetch(url: str, digest: str) -> bytes:
    """GET content that must hash to `digest`."""
    request = urllib.request.Request(url, headers={"Accept": ACCEPT})  # noqa: S310 - http, ours
    with urllib.request.urlopen(request) as response:  # noqa: S310
        content: bytes = response.read()
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if found != digest:
        sys.exit(f"{url}: expected {digest}, found {found}")
    print(f"GET {url}\n    {len(content):,} bytes, {digest}: proven")
    return content


def main() -> None:
    """Fetch the manifest of the receipt's first image, and everything below it."""
    host = address(Path(sys.argv[1]))
    image = json.loads(Path(sys.argv[2]).read_text())["images"][0]
    base = f"http://{host}/v2/{sys.argv[3]}/{image['repository']}"
    manifest: dict[str, Any] = json.loads(
        fetch(f"{base}/manifests/{image['digest']}", image["digest"])
    )
    if "manifests" in manifest:
        digest = manifest["manifests"][0]["digest"]
        manifest = json.loads(fetch(f"{base}/manifests/{digest}", digest))
    for blob in (manifest["config"], *manifest["layers"]):
        fetch(f"{base}/blobs/{blob['digest']}", blob["digest"])


if __name__ == "__main__":
    main()
