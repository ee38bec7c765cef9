"""Options that several commands share, turned into values."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mirror.target import RegistryAccess
from transfer.errors import InvalidInput
from transfer.registry import Credentials

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def examples(*lines: str) -> str:
    """An epilog for `--help`: command lines as they are typed, one each."""
    return "\b\nExamples:\n" + "\n".join(f"  airgap-mirror {line}" for line in lines)


def sources_argument(command: _Decorated) -> _Decorated:
    """`SOURCE…`: bundles and archives; the command gets them as `sources`."""
    return click.argument(
        "sources", metavar="SOURCE...", type=click.Path(path_type=Path), nargs=-1, required=True
    )(command)


def to_option(*, required: bool = True) -> Callable[[_Decorated], _Decorated]:
    """`--to ENDPOINT|oci:DIR`; the command gets it as `to`."""
    return click.option(
        "--to",
        metavar="HOST[:PORT][/NS]|oci:DIR",
        required=required,
        help="The site's registry with its namespace, or the folder of a site store.",
    )


def registry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to reach a registry and as whom; the command gets it as `access`."""

    @click.option("--ca-file", type=click.Path(path_type=Path), help="CA of the registry (PEM).")
    @click.option("--plain-http", is_flag=True, help="Speak HTTP without TLS.")
    @click.option(
        "--insecure-skip-tls-verify",
        is_flag=True,
        help="Do not check the registry's certificate: anybody in between reads the password.",
    )
    @click.option(
        "--username",
        help="User of the registry; without it docker's credential files and helpers are asked.",
    )
    @click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
    @functools.wraps(command)
    def with_access(
        *args: object,
        ca_file: Path | None,
        plain_http: bool,
        insecure_skip_tls_verify: bool,
        username: str | None,
        password_stdin: bool,
        **options: object,
    ) -> object:
        if insecure_skip_tls_verify:
            click.echo(
                "warning: the registry's certificate is not checked (--insecure-skip-tls-verify)",
                err=True,
            )
        access = RegistryAccess(
            ca_file=ca_file,
            plain_http=plain_http,
            verify=not insecure_skip_tls_verify,
            credentials=_credentials(username, from_stdin=password_stdin),
            environ=dict(os.environ),
        )
        return command(*args, access=access, **options)

    return with_access


def _credentials(username: str | None, *, from_stdin: bool) -> Credentials | None:
    if username is None and not from_stdin:
        return None
    if username is None or not from_stdin:
        raise click.UsageError("--username and --password-stdin go together")
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InvalidInput(
            "--password-stdin: stdin holds no password",
            hint="for example: … --password-stdin <FILE",
        )
    return Credentials(username, password)
