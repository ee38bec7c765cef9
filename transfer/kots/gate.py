"""Which admin console a release can run under, as the release itself says.

KOTS compares only once it has the whole archive: pkg/kotsutil, IsKotsVersionCompatibleWithApp.
"""

from __future__ import annotations

from transfer.contents import ReleaseRecord
from transfer.kots.finding import Finding, Rule
from transfer.kots.version import is_older


def version_gate(slug: str, release: ReleaseRecord, kots: str, *, install: bool) -> Finding | None:
    """What KOTS would refuse later; None where it would not.

    Args:
        slug: The application's.
        release: The release.
        kots: The version of the admin console that will run; "" if it is not known.
        install: Whether the release is installed; an upgrade may run under any newer console.
    """
    needed, target = release.min_kots_version, release.target_kots_version
    subject = f"{slug} {release.version_label}"
    if is_older(kots, needed):
        return Finding(
            rule=Rule.KOTS_TOO_OLD,
            subject=subject,
            message=f"{subject} needs KOTS {needed} or newer; the admin console is {kots}",
            hint=f"carry kotsadm.tar.gz and kubectl-kots of KOTS {needed} or newer across",
            wanted_kots=needed,
        )
    if install and is_older(target, kots):
        return Finding(
            rule=Rule.KOTS_TOO_NEW,
            subject=subject,
            message=f"{subject} can be installed with KOTS up to {target}; "
            f"the admin console is {kots}",
            hint=f"carry kotsadm.tar.gz and kubectl-kots of KOTS {target} across instead",
            wanted_kots=target,
        )
    return None
