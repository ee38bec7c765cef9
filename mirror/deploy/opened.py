"""How a person gets to the pages of the admin console."""

from __future__ import annotations

from mirror.kots.daily import CONSOLE_PORT, open_console
from mirror.site import Site


def opened(site: Site, namespace: str) -> str:
    """Instructions; a command among them that runs until the person is done."""
    line = open_console(site, namespace, CONSOLE_PORT).shell_line()
    return (
        "Open a way to the admin console in another terminal, and leave it open:\n\n"
        f"  {line}\n\n"
        f"Log in at http://localhost:{CONSOLE_PORT}, or where that command says."
    )
