"""What the vendor's install guide says of the items of its own releases.

The guide names them by their titles, under "Step 3: Configure Harness"; a release that asks for a
NodePort and an Application URL, both of which the guide requires, is taken for one of those that it
is about. Advice stops nobody: what KOTS demands is in `transfer.kots.values`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from transfer.kots.config import Config, ConfigItem
from transfer.kots.values import ConfigValues

NODE_PORTS = range(30000, 32768)
_TEMPLATES = ("repl{{", "{{repl")
_NODE_PORT, _URL, _SCHEME = "nodeport", "applicationurl", "scheme"
_TARGET, _AUTHORITY = "grpctarget", "grpcauthority"
_BALANCERS = ("externalloadbalancer", "loadbalanceripaddress")
_LOGS, _NGINX = "logservicebackend", "installnginxingresscontroller"
_OFF = ("0", "false")

ADVICE: Mapping[str, str] = {
    "mode": "Mode: Demo to try it out, Production HA for production.",
    _NODE_PORT: "NodePort: any port from 30000 to 32767; without one it is 32500.",
    _URL: "Application URL: what users enter, as in https://harness.example; the name is mapped "
    "to the load balancer's address.",
    "storageclass": "Storage class: a name from kubectl get storageclass; without one it is "
    "`default`.",
    _SCHEME: "gRPC and load balancer settings: HTTPS needs GRPC Target and GRPC Authority too.",
    _TARGET: "gRPC and load balancer settings: the host name of the load balancer (of the one "
    "for port 9879 or node port 32510, where the first takes TLS on one port only).",
    _AUTHORITY: "gRPC and load balancer settings: manager-grpc-<host name> if the load balancer "
    "speaks HTTP2 on port 443; otherwise the same as GRPC Target, and the load balancer's port "
    "9879 goes to port 9879 or node port 32510 of the ingress controller.",
    _LOGS: "Log service backend: Minio needs a load balancer to port 9000 or node port 32507 of "
    "the ingress controller; Amazon S3 needs the settings of the bucket.",
    _NGINX: "Ingress service type: nginx is installed by default; off if you deploy it yourself.",
    **dict.fromkeys(_BALANCERS, "External Loadbalancer: the IP address of the load balancer."),
}
"""By the title of an item without blanks; each starts with the section of the guide."""


def advice_on(item: ConfigItem, config: Config) -> str:
    """What the guide says of an item; "" where it says nothing."""
    return ADVICE.get(_key(item), "") if is_in_guide(config) else ""


def advise(values: ConfigValues, config: Config) -> Iterator[str]:
    """What the guide has to say to some answers; none of them is repeated."""
    yield from object_to(values, config)
    yield from remind(values, config)


def object_to(values: ConfigValues, config: Config) -> Iterator[str]:
    """What the guide has against some answers."""
    if is_in_guide(config):
        items, given = _by_title(config), answers_by_title(values, config)
        yield from _on_addresses(items, given)
        yield from _on_grpc(items, given)


def remind(values: ConfigValues, config: Config) -> Iterator[str]:
    """What some answers need outside of the cluster, where nobody here can see it."""
    if not is_in_guide(config):
        return
    items, given = _by_title(config), answers_by_title(values, config)
    if "minio" in given.get(_LOGS, "").casefold():
        yield _note(items[_LOGS], ADVICE[_LOGS])
    if given.get(_NGINX) in _OFF:
        yield _note(items[_NGINX], "an ingress controller of your own has to be there")


def answers_by_title(values: ConfigValues, config: Config) -> dict[str, str]:
    """What counts for each item, by its title in small letters without blanks.

    The site's answer, or else the release's own; "" where there is none, or only KOTS can tell.
    """
    return {title: _answer(item, values) for title, item in _by_title(config).items()}


def differing(one: ConfigValues, other: ConfigValues) -> list[str]:
    """The items that both files answer, each in its own way.

    Vendor's install guide, "Install NextGen on existing FirstGen cluster": the second application
    gets the exact same configuration as the first.
    """
    return [
        name
        for name, answer in one.answers.items()
        if name in other.answers and other.answers[name].fields != answer.fields
    ]


def _on_addresses(
    items: Mapping[str, ConfigItem], given: Mapping[str, str | None]
) -> Iterator[str]:
    port, url, scheme = given.get(_NODE_PORT), given.get(_URL), given.get(_SCHEME)
    if port and not (port.isdecimal() and int(port) in NODE_PORTS):
        yield _note(items[_NODE_PORT], f"not in the range. {ADVICE[_NODE_PORT]}")
    if url:
        used = _split(url)[0]
        if used not in ("http", "https"):
            yield _note(items[_URL], f"starts with neither http:// nor https://. {ADVICE[_URL]}")
        elif scheme and scheme.casefold() in ("http", "https") and scheme.casefold() != used:
            yield _note(items[_URL], f"has another scheme than {items[_SCHEME].name}")
    for key in _BALANCERS:
        if (address := given.get(key)) and not _is_address(address):
            yield _note(items[key], f"not an IP address. {ADVICE[key]}")


def _on_grpc(items: Mapping[str, ConfigItem], given: Mapping[str, str | None]) -> Iterator[str]:
    if (given.get(_SCHEME) or "").casefold() != "https":
        return
    target, authority = given.get(_TARGET), given.get(_AUTHORITY)
    for key in (_TARGET, _AUTHORITY):
        if key in items and given[key] == "":
            yield _note(items[key], f"no value, and the scheme is HTTPS. {ADVICE[key]}")
    if not target or not authority:
        return
    if authority not in (target, f"manager-grpc-{target}"):
        yield _note(items[_AUTHORITY], f"does not fit GRPC Target. {ADVICE[_AUTHORITY]}")
    host = _split(given.get(_URL) or "")[1]
    if authority != target and host and host != target:
        yield _note(items[_TARGET], "with HTTP2 on port 443 it is the host of Application URL")


def is_in_guide(config: Config) -> bool:
    """Whether a release is one of those that the guide is about."""
    return {_NODE_PORT, _URL} <= {_key(item) for item in config.items}


def _by_title(config: Config) -> dict[str, ConfigItem]:
    return {_key(item): item for item in reversed(config.items)}


def _key(item: ConfigItem) -> str:
    """A title as the guide writes it, or as near as vendors come to it."""
    return "".join(c for c in (item.title or item.name).casefold() if c.isalnum())


def _answer(item: ConfigItem, values: ConfigValues) -> str:
    answer = values.answers.get(item.name)
    fields = answer.fields if answer else {}
    text = fields.get("value") or fields.get("valuePlaintext") or item.preset or item.default
    return text if not any(mark in text for mark in _TEMPLATES) else ""


def _split(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _note(item: ConfigItem, text: str) -> str:
    return f"{item.name}: {text}"
