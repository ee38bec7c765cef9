"""`airgap-mirror serve`: the registry of a site that has no other."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mirror.cli.options import examples
from mirror.serve import (
    Passwords,
    Service,
    open_library,
    parse_listen,
    serving,
    signals_held,
    tls_context,
)
from mirror.serve.settings import Settings, settings_files
from transfer.console import emit, output_option, quiet_option, say_for
from transfer.reference import parse_endpoint

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - asked for by name


@click.command(
    short_help="Serve a store or a bundle as a read-only registry.",
    epilog=examples(
        "serve /srv/store --listen 0.0.0.0:5000 --tls-cert tls.pem --tls-key tls.key",
        "serve /srv/store --htpasswd /etc/airgap/htpasswd --print-config",
        "serve /media/usb/harness --namespace harness",
    ),
)
@click.argument("folder", metavar="DIR|BUNDLE", type=click.Path(path_type=Path))
@click.option(
    "--listen",
    default="127.0.0.1:5000",
    show_default=True,
    help="HOST:PORT; port 0 takes one that is free.",
)
@click.option("--namespace", default="", help="Goes before the path of every repository.")
@click.option(
    "--tls-cert", type=click.Path(path_type=Path), help="Speak HTTPS with this certificate (PEM)."
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="The certificate's key (PEM).")
@click.option(
    "--htpasswd",
    type=click.Path(path_type=Path),
    help="Let in only whom this file names; made with htpasswd -B.",
)
@click.option(
    "--print-config",
    is_flag=True,
    help="Print a systemd unit, and what containerd and K3s are told of this registry; end.",
)
@click.option(
    "--endpoint",
    metavar="HOST:PORT",
    default="",
    help="For --print-config: what clients call this registry, if not as in --listen.",
)
@quiet_option
@output_option
def serve(
    *,
    folder: Path,
    listen: str,
    namespace: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    htpasswd: Path | None,
    print_config: bool,
    endpoint: str,
    quiet: bool,
    output: str,
) -> None:
    """Serve a site store or a bundle as a registry that can only be read.

    The first line on stdout is the address, once it listens; each request is a line on stderr, in
    the common log format. Ctrl-C or SIGTERM ends it, after the answers that are under way.
    """
    host, port = parse_listen(listen)
    library, tls = open_library(folder, namespace), tls_context(tls_cert, tls_key)
    passwords = Passwords.read(htpasswd) if htpasswd else None
    if print_config:
        settings = Settings(
            program=_program(),
            folder=folder.absolute(),
            listen=listen,
            endpoint=_endpoint(endpoint, host, port),
            hosts=library.hosts(),
            namespace=namespace,
            certificate=tls_cert.absolute() if tls_cert else None,
            key=tls_key.absolute() if tls_key else None,
            htpasswd=htpasswd.absolute() if htpasswd else None,
        )
        files = settings_files(settings)
        emit(output, "\n".join(f"### {path}\n{text}" for path, text in files.items()), files)
        return
    if passwords and not tls and host not in ("127.0.0.1", "::1", "localhost"):
        click.echo("warning: without TLS, anybody in between reads the passwords", err=True)
    _allow_many_connections()
    service = Service(files=library, say=say_for(quiet=quiet), tls=tls, passwords=passwords)
    with signals_held() as wait, serving(service, host, port) as address:
        emit(output, address, {"address": address})
        wait()


def _program() -> Sequence[str]:
    """This program, as it can be started again from anywhere."""
    started = Path(sys.argv[0]).absolute()
    return [sys.executable, "-m", "mirror"] if started.name == "__main__.py" else [str(started)]


def _endpoint(given: str, host: str, port: int) -> str:
    """What clients call the registry: as given, or the address that it listens at."""
    if given:
        endpoint = parse_endpoint(given)
        if endpoint.path:
            raise click.UsageError("--endpoint is HOST:PORT alone; what follows is --namespace")
        return endpoint.registry
    if not port:
        raise click.UsageError("--print-config needs a port: name one in --listen")
    name = os.uname().nodename if host in _EVERYWHERE else host
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _allow_many_connections() -> None:
    """Two files for each: the socket and what is read for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
