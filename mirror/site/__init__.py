"""The site file: `model` is what it says, `parse` reads it, `file` and `edit` keep it on disk."""

from mirror.site.model import (
    Application,
    Cluster,
    DockerConfig,
    Login,
    LoginSource,
    Rbac,
    Site,
    SiteRegistry,
    Waits,
    by_namespace,
    puller_of,
)
from mirror.site.parse import parse_site

__all__ = [
    "Application",
    "Cluster",
    "DockerConfig",
    "Login",
    "LoginSource",
    "Rbac",
    "Site",
    "SiteRegistry",
    "Waits",
    "by_namespace",
    "parse_site",
    "puller_of",
]
