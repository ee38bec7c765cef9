"""Whether the name that users enter leads to the load balancer."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from mirror.preflight.finding import Found, failed, failed_by, passed, warned
from mirror.preflight.model import Member, Seen, is_address
from transfer.errors import TransferError


def check_dns(seen: Seen, member: Member) -> Iterator[Found]:
    """Vendor's guide, "Set up DNS": the name resolves to the address of the load balancer."""
    settings = member.settings()
    if settings.url is None:
        return
    host, balancer = settings.host, _address(settings.balancer or "")
    needed = f"the load balancer's {balancer}" if balancer else "an address"
    if not host:
        hint = "give the Application URL in the configuration values, as in https://harness.example"
        yield warned(member.slug, "no Application URL to look up", needed, hint=hint)
        return
    try:
        found = [_address(host)] if is_address(host) else seen.machine.addresses[host].get()
    except TransferError as error:
        yield failed_by(f"{member.slug}: {host}", error, needed)
        return
    told = ", ".join(found)
    if balancer and balancer not in found:
        hint = "correct the DNS entry, or External Loadbalancer in the configuration values"
        yield failed(f"{member.slug}: {host}", told, needed, hint=hint)
    else:
        yield passed(f"{member.slug}: {host}", told, needed)


def check_balancer(_seen: Seen, member: Member) -> Iterator[Found]:
    """Vendor's guide, "External Loadbalancer": its IP address is given."""
    balancer = member.settings().balancer
    if balancer is None:
        return
    needed = "the IP address of the load balancer"
    if not balancer:
        hint = "give External Loadbalancer in the configuration values"
        yield warned(member.slug, "none is given", needed, hint=hint)
    elif not _address(balancer):
        hint = "give its IP address: the vendor's guide knows no names here"
        yield warned(member.slug, balancer, needed, hint=hint)
    else:
        yield passed(member.slug, balancer, needed)


def _address(text: str) -> str:
    """An IP address as it is usually written; "" for anything else."""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
