"""A container registry as a place to copy from and to.

Speaks the OCI distribution-spec over HTTPS (plain HTTP only when named). Guarantees: after a
break a body goes on where the registry says it stopped, or from its first byte, content counts as
uploaded only when the registry said so for all of it, credentials reach only the registry and its
token server, and whatever goes wrong comes out as one of `transfer.errors`. What it reads is not
verified here: `copy` does.

From the outside in: `client`, `repository` with `upload` and `download`; `session`, which brings
one blob by what is `asking`, with the `manners` that the registry wants; `connection` with `auth`,
which has `tokens` from their server and `credentials` from docker's and podman's files and
`helpers`, and with `creation` of what a push needs; below them `transfer.http`. `refusals` says
what an unwelcome answer means.
"""

from transfer.http.retry import RetryPolicy
from transfer.http.trust import Identity
from transfer.registry.client import RegistryClient
from transfer.registry.credentials import Credentials
from transfer.registry.repository import RegistryRepository

__all__ = [
    "Credentials",
    "Identity",
    "RegistryClient",
    "RegistryRepository",
    "RetryPolicy",
]
