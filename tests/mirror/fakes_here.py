"""The fake programs, run in this very process, for tests that call them thousands of times."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout

from mirror.command import Command
from mirror.credentials import Keyring
from mirror.kots.outcome import Finished
from tests.fakes import kube, openshift

PROGRAMS = {"kubectl": kube.main, "oc": openshift.main}


def call(command: Command, environment: Mapping[str, str]) -> Finished:
    """Run a command as the real runner does, but for the process."""
    given = {**environment, **Keyring(environment).variables(command)}
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    before, arguments = dict(os.environ), sys.argv
    os.environ.clear()
    os.environ.update(given)
    sys.argv = list(command.argv)
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            PROGRAMS[command.argv[0]]()
    except SystemExit as left:
        code = int(left.code or 0)
    finally:
        sys.argv = arguments
        os.environ.clear()
        os.environ.update(before)
    out, err = (
        tuple(filter(None, map(str.rstrip, stream.getvalue().splitlines())))
        for stream in (stdout, stderr)
    )
    return Finished(exit_code=code, stdout=out, stderr=err)
