"""Whether the ports are free that Harness and its admin console take."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.config.advice import NODE_PORTS
from mirror.config.settings import NODE_PORT
from mirror.kube.cluster import NodePort
from mirror.preflight.finding import Found, failed, passed, warned
from mirror.preflight.model import Member, Seen

GRPC_PORT, MINIO_PORT = 32510, 32507
"""Node ports of the ingress for the ports 9879 and 9000 of a load balancer."""
CONSOLE_PORT = 8800
"""Where `kubectl kots admin-console` is reached, on the machine that runs it."""

_RANGE = f"{NODE_PORTS.start} to {NODE_PORTS.stop - 1}"


def check_node_port(seen: Seen, member: Member) -> Iterator[Found]:
    """The NodePort is one, and no service of anybody else has it."""
    answer = member.settings().node_port
    if answer is None:
        return
    text = answer or str(NODE_PORT)
    port = int(text) if text.isdecimal() else 0
    if port not in NODE_PORTS:
        hint = f"correct NodePort in the configuration values of {member.slug}"
        yield failed(member.slug, text, _RANGE, hint=hint)
    elif holder := _taken(seen, port):
        needed = "free in the cluster"
        hint = f"choose another from {_RANGE}, here and in the load balancer"
        yield failed(member.slug, f"{port}, taken by {holder}", needed, hint=hint)
    else:
        yield passed(member.slug, str(port), f"{_RANGE}, free in the cluster")


def check_ports(seen: Seen, member: Member) -> Iterator[Found]:
    """The two other node ports of the ingress: gRPC without HTTP2 on 443, and Minio's."""
    settings = member.settings()
    if not settings.is_in_guide:
        return
    for port, of_balancer, needed in (
        (GRPC_PORT, 9879, settings.uses_grpc_port),
        (MINIO_PORT, 9000, settings.uses_minio),
    ):
        unused = "" if needed else "; not used with this configuration"
        use = f"free, for port {of_balancer} of the load balancer{unused}"
        if holder := _taken(seen, port):
            judge = failed if needed else warned
            hint = "free it, or ask the vendor how to use another"
            yield judge(member.slug, f"{port}, taken by {holder}", use, hint=hint)
        else:
            yield passed(member.slug, str(port), use)


def check_console_port(seen: Seen) -> Iterator[Found]:
    """Nothing listens here on the port of the admin console."""
    if seen.machine.console_port_busy.get():
        hint = "end what listens there, or open the console with another --port"
        yield warned("this machine", f"{CONSOLE_PORT} is taken", "free", hint=hint)
    else:
        yield passed("this machine", f"{CONSOLE_PORT} is free", "free, for the admin console")


def _taken(seen: Seen, port: int) -> NodePort | None:
    """Who has a node port; what the site's own applications have is free for them."""
    own = seen.case.namespaces
    others = (one for one in seen.cluster.node_ports.get() if one.namespace not in own)
    return next((one for one in others if one.port == port), None)
