"""What a site answers to the questions of the vendor's guide that its cluster has to fit.

Vendor's install guide, "Step 3: Configure Harness". The items are known by the titles that the
guide gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from mirror.config.advice import answers_by_title, is_in_guide
from transfer.kots.config import Config
from transfer.kots.values import ConfigValues

NODE_PORT = 32500
"""What Harness takes without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Answers to questions of the guide: None where a release has no such question.

    "" stands for no answer, and for one that only KOTS can work out.
    """

    mode: str | None = None
    node_port: str | None = None
    url: str | None = None
    balancer: str | None = None
    storage_class: str | None = None
    scheme: str | None = None
    grpc_target: str | None = None
    grpc_authority: str | None = None
    log_backend: str | None = None
    is_in_guide: bool = False
    """Whether the release is one of those that the guide is about."""

    @classmethod
    def read(cls, values: ConfigValues, config: Config) -> Self:
        """The answers that count: the site's, or else the release's own."""
        given = answers_by_title(values, config)
        return cls(
            mode=given.get("mode"),
            node_port=given.get("nodeport"),
            url=given.get("applicationurl"),
            balancer=_first(given, "externalloadbalancer", "loadbalanceripaddress"),
            storage_class=given.get("storageclass"),
            scheme=given.get("scheme"),
            grpc_target=given.get("grpctarget"),
            grpc_authority=given.get("grpcauthority"),
            log_backend=given.get("logservicebackend"),
            is_in_guide=is_in_guide(config),
        )

    @property
    def host(self) -> str:
        """The host that users enter; "" where it is not known."""
        try:
            return urlsplit(self.url or "").hostname or ""
        except ValueError:
            return ""

    @property
    def is_demo(self) -> bool:
        """Whether Harness runs in demo mode, which needs less."""
        return "demo" in (self.mode or "").casefold()

    @property
    def uses_minio(self) -> bool:
        """Whether the log service keeps its logs in Minio, which has a port of its own."""
        return "minio" in (self.log_backend or "").casefold()

    @property
    def uses_grpc_port(self) -> bool:
        """Whether gRPC has a port of its own: no HTTP2 on port 443 of the load balancer."""
        secure = (self.scheme or "").casefold() == "https"
        return secure and bool(self.grpc_target) and self.grpc_target == self.grpc_authority


def _first(given: Mapping[str, str], *titles: str) -> str | None:
    return next((given[title] for title in titles if title in given), None)
