#!/usr/bin/env python3
"""Flip one byte in the largest blob of a bundle, for the demo: what a bad sector does.

python scripts/flip_byte.py BUNDLE
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Change the middle byte of the largest blob."""
    blobs = Path(sys.argv[1]).glob("blobs/sha256/*")
    path = max(blobs, key=lambda blob: blob.stat().st_size)
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))
    print(f"flipped one bit in {path}")


if __name__ == "__main__":
    main()
