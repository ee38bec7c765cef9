"""Where images go, as `--to` or the site file says, and how that place is reached."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from mirror.cli.options import site_option
from mirror.secret import CARRIAGE_RETURN, UNPRINTABLE
from mirror.target import RegistryAccess
from transfer.errors import InvalidInput
from transfer.registry import Credentials, Identity

_Option = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    """What the command line says of a registry; it goes before what the site file says."""

    ca_file: Path | None
    plain_http: bool
    insecure_skip_tls_verify: bool
    client_cert: Path | None
    client_key: Path | None
    username: str | None
    password_stdin: bool

    def reach(self, to: str | None, site: Path | None) -> tuple[str | None, RegistryAccess]:
        """Where to, and how: the flags, then the site file, then docker's files."""
        ways = (self.ca_file is not None, self.plain_http, self.insecure_skip_tls_verify)
        if sum(ways) > 1:
            raise click.UsageError(
                "choose one of --ca-file, --plain-http and --insecure-skip-tls-verify"
            )
        if self.client_key and not self.client_cert:
            raise click.UsageError("--client-key needs --client-cert: the certificate it is for")
        if self.client_cert and self.plain_http:
            raise click.UsageError("--client-cert is shown by TLS: it needs no --plain-http")
        access = RegistryAccess(environ=dict(os.environ))
        if site:
            from mirror.cli.sites import read_access

            is_given = self.username is not None or self.password_stdin
            to, access = read_access(site, login=not is_given)
        given = _credentials(self.username, from_stdin=self.password_stdin)
        if any(ways):
            access = replace(
                access,
                ca_file=self.ca_file,
                plain_http=self.plain_http,
                verify=not self.insecure_skip_tls_verify,
            )
        if self.client_cert:
            identity = Identity(certificate=self.client_cert, key=self.client_key)
            access = replace(access, identity=identity)
        return to, replace(access, credentials=given) if given else access


def warn_of(access: RegistryAccess) -> None:
    """Say so where nobody checks whom we talk to."""
    if not access.verify:
        click.echo(
            "warning: the registry's certificate is not checked (--insecure-skip-tls-verify, or "
            "insecureSkipTlsVerify in the site file)",
            err=True,
        )


def destination_options(
    *, required: bool = True, argument: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """`--to` or `--site`, and how to reach a registry; the command gets them as `to` and `access`.

    Without `required`, `to` may be None. With `argument` it is a registry, and no option.
    """
    name, place = ("ENDPOINT", _ENDPOINT) if argument else ("--to", _TO)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_destination(
            *args: object,
            to: str | None,
            site: Path | None,
            **options: Any,  # noqa: ANN401 - the flags, and what else the command takes
        ) -> object:
            if to and site:
                raise click.UsageError(
                    f"give {name} or --site, not both: a site file names a registry"
                )
            if required and not to and not site:
                kind = "argument" if argument else "option"
                raise click.UsageError(f"missing {kind}: {name}, or --site with the site file")
            flags = _Flags(**{field.name: options.pop(field.name) for field in fields(_Flags)})
            where, access = flags.reach(to, site)
            warn_of(access)
            return command(*args, to=where, access=access, **options)

        decorated: Callable[..., Any] = with_destination
        for option in reversed((place, *_OPTIONS)):
            decorated = option(decorated)
        return decorated

    return decorate


_TO: _Option = click.option(
    "--to",
    metavar="HOST[:PORT][/NS]|oci:DIR",
    help="The site's registry with its namespace, or the folder of a site store.",
)
_ENDPOINT: _Option = click.argument("to", metavar="[HOST[:PORT][/NS]]", required=False)
_OPTIONS: tuple[_Option, ...] = (
    site_option(
        "Instead of naming it: the site file, for the registry, its CA and the credentials. "
        "Options given here go before what it says."
    ),
    click.option("--ca-file", type=click.Path(path_type=Path), help="CA of the registry (PEM)."),
    click.option("--plain-http", is_flag=True, help="Speak HTTP without TLS."),
    click.option(
        "--insecure-skip-tls-verify",
        is_flag=True,
        help="Do not check the registry's certificate: anybody in between reads the password.",
    ),
    click.option(
        "--client-cert",
        type=click.Path(path_type=Path),
        help="Certificate to show to a registry that asks for one (PEM).",
    ),
    click.option(
        "--client-key",
        type=click.Path(path_type=Path),
        help="Its key (PEM), where it is not in the same file.",
    ),
    click.option(
        "--username",
        help="User of the registry. Without it, and without --site, docker's credential files "
        "and helpers are asked.",
    ),
    click.option("--password-stdin", is_flag=True, help="Read the password from stdin."),
)


def _credentials(username: str | None, *, from_stdin: bool) -> Credentials | None:
    if username is None and not from_stdin:
        return None
    if username is None or not from_stdin:
        raise click.UsageError("--username and --password-stdin go together")
    password = _read_password()
    if not password:
        raise InvalidInput(
            "--password-stdin: stdin holds no password",
            hint="for example: … --password-stdin <FILE",
        )
    if not password.isprintable():
        raise InvalidInput(f"--password-stdin: {UNPRINTABLE}", hint=CARRIAGE_RETURN)
    return Credentials(username, password)


def _read_password() -> str:
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():  # somebody types it: nobody is to read along
        return str(click.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
