"""pip, run to find and fetch wheels: the one place of the connected end that starts a program.

What makes `pip install` work on a host - its index, a mirror of it, a folder of wheels, proxies,
certificates, credentials in a netrc file or a keyring - makes this work too, and none of it
passes through our hands. pip takes a file only if its hash is one of those it is given.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from bundler.toolkit.requirements import Requirement
from bundler.toolkit.target import Target
from transfer.disk import storage_errors
from transfer.errors import (
    DigestMismatch,
    NotFound,
    StorageError,
    ToolError,
    TransferError,
    Unavailable,
)

WHEELS = "wheels"
"""Where in its folder `download` puts them."""

_LAST_LINES = 3
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")
_REASON = re.compile(r"\[Errno -?[0-9]+\] ([A-Za-z ]+)")
_QUERY = re.compile(r"\?[^\s'\"]*")
_TRY = "check that `pip download pip` works on this host: the same configuration is used"
_UNREACHED = f"the package index does not answer; {_TRY}"
_OUTCOMES: tuple[tuple[str, type[TransferError], str], ...] = (
    ("No module named pip", NotFound, f"install it: {sys.executable} -m ensurepip"),
    ("DO NOT MATCH THE HASHES", DigestMismatch, "ask whoever runs the package index"),
    ("No space left on device", StorageError, "free some space where the cache is"),
    ("connection broken by", Unavailable, _UNREACHED),
    ("No matching distribution", NotFound, f"{_TRY}; or name other machines in toolkit:"),
)
"""What pip says, what kind of failure that is, and what to do; the first one that is found."""


def download(
    requirements: Iterable[Requirement], target: Target, folder: Path, environ: Mapping[str, str]
) -> None:
    """Fetch the wheels of all requirements that fit a machine into `folder`.

    Args:
        requirements: Any of the files of each; their markers are not looked at.
        target: The machine.
        folder: Gets the wheels in `wheels/`, and everything that pip needs for the moment; a
            wheel that is there is not fetched again.
        environ: The environment that pip runs in, and takes its configuration from.

    Raises:
        NotFound: there is no pip, or the index has no wheel that fits.
        DigestMismatch: the index has other files.
        Unavailable: the index does not answer.
        StorageError: there is no room for them.
        ToolError: pip failed in another way.
    """
    wanted = folder / "wanted.txt"
    with storage_errors(f"cache {folder}"):
        wanted.write_text("".join(needed.line(marked=False) for needed in requirements))
    argv = [
        *(sys.executable, "-P", "-m", "pip", "download"),
        *("--disable-pip-version-check", "--no-input", "--progress-bar=off", "--quiet"),
        *("--no-deps", "--only-binary=:all:", "--require-hashes"),
        *(f"--platform={tag}" for tag in target.tags),
        *("--implementation=cp", f"--python-version={target.python}"),
        *(f"--dest={folder / WHEELS}", f"--requirement={wanted}"),
    ]
    try:
        done = subprocess.run(
            argv,
            env={**environ, "PIP_REQUIRE_VIRTUALENV": "0", "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise ToolError(f"{sys.executable}: cannot be started: {error.strerror}") from error
    if done.returncode:
        raise _failure(target, done.returncode, f"{done.stdout}{done.stderr}")


def _failure(target: Target, code: int, said: str) -> TransferError:
    """What pip's exit code and words mean; of its words the last ones, without secrets."""
    shown = _QUERY.sub("", _CREDENTIALS.sub("", said))
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    # Of a connection that breaks, pip warns with the insides of its library, once for each try.
    lines = [line for line in lines if not line.startswith("WARNING: ")] or lines
    reason = _REASON.search(said)
    ended = f"pip ended with exit code {code}" + (f" ({reason[1]})" if reason else "")
    message = f"wheels for {target}: {ended}: {' / '.join(lines[-_LAST_LINES:])}"
    for words, kind, hint in _OUTCOMES:
        if words in said:
            return kind(message, hint=hint)
    return ToolError(message, hint=_TRY)
