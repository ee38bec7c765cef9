"""Dry runs as they are kept, in `tests/data/golden/`: as text, as a script and as a runbook.

python -m tests.mirror.golden        write the files anew; review the difference
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mirror.deploy import Order
from mirror.kots import Engine
from mirror.operation import Plan, as_runbook, as_script, as_text
from mirror.operation.script import common, part
from mirror.operation.scriptreads import parts_of
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    MONTHLY,
    OLD_KOTS,
    SITE,
    console,
    dry_plan,
    install_order,
    namespace,
    offered,
    read_site,
    running,
    upgrade_order,
)
from transfer.contents import ArchiveRecord
from transfer.kots.licence import Licence

FOLDER = Path(__file__).resolve().parents[1] / "data" / "golden"
SITE_FOLDER, BUNDLE, WORK = "/etc/airgap", "/media/usb/harness", "/var/tmp/airgap"  # noqa: S108 - shown, not written

PULL = SITE.replace(
    "cluster:", "  pullCredentials: {username: harness-pull, passwordFile: pull-password}\ncluster:"
)
OPENSHIFT = (
    SITE.replace("context: dc-north", "context: dc-north, openshift: true")
    .replace("  caFile: dc-north.pem\n", "  plainHttp: true\n")
    .replace("{usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}", "{dockerConfig: true}")
    .replace("license.yaml\n", "license.yaml\n    serviceAccounts: [default, harness-default]\n")
)


ANSWERS = """\
apiVersion: kots.io/v1beta1
kind: ConfigValues
spec:
  values:
    app_url:
      default: ""
      value: http://harness.dc-north.example
    scheme:
      default: http
      value: http
    smtp_password:
      value: RU5DUllQVEVE
    unanswered:
      value: ""
"""
LAST_YEAR = ("pusher", "the password of last year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One dry run, and the state of a cluster in which its commands make sense."""

    order: Order
    records: Sequence[ArchiveRecord] = FIRST
    site: str = SITE
    vendor: bool = False
    """The sources are the vendor's own files instead of a bundle."""
    stated: Mapping[str, str] = field(default_factory=dict)
    licences: Mapping[str, Licence | None] | None = None
    renew: bool = False
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    """What is deployed in the end."""

    def plan(self, site_folder: str = SITE_FOLDER, bundle: str = BUNDLE) -> Plan:
        """The plan, with the site file and the sources in these folders."""
        return dry_plan(
            self.order,
            offered(self.records, bundle, vendor=self.vendor),
            site=read_site(self.site, site_folder),
            stated=self.stated,
            known=self.licences,
            renew=self.renew,
        )


_OLD = {"harness": namespace(OLD_KOTS, harness=running("79915", 412))}
_BOTH = {
    "harness": namespace(
        OLD_KOTS, harness=running("79915", 412), harness_ng=running("500", 91, "harness-ng")
    )
}

_LAST_YEAR = namespace(login=LAST_YEAR, harness=running("79915", 412))
_LAST_YEAR["secrets"] |= {"harness-registry": _LAST_YEAR["secrets"]["kotsadm-private-registry"]}

CASES: Mapping[str, Case] = {
    "install-first": Case(
        order=install_order(),
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "install-firstgen": Case(
        order=install_order(only="harness"), site=PULL, after={"harness": "79915"}
    ),
    "install-nextgen-on-top": Case(
        order=install_order(only="harness-ng", skip_console=True),
        before={"harness": namespace(KOTS, harness=running("79915", 412))},
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "install-nextgen-configured-as-firstgen": Case(
        order=install_order(only="harness-ng", take_from="harness", folder=SITE_FOLDER),
        before={"harness": namespace(KOTS, harness=running("79915", 412, config=ANSWERS))},
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "install-legacy": Case(
        order=install_order(legacy=True, take_from="harness", folder=SITE_FOLDER),
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "install-vendor-files": Case(
        order=install_order(only="harness"), vendor=True, after={"harness": "79915"}
    ),
    "install-openshift": Case(
        order=install_order(),
        site=OPENSHIFT.replace("    serviceAccounts: [default, harness-default]\n", ""),
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "install-openshift-without-licence": Case(
        order=install_order(only="harness"),
        site=OPENSHIFT,
        licences={},
        after={"harness": "79915"},
    ),
    "install-nominio": Case(
        order=install_order(only="harness"),
        records=(console(minio=False), *FIRST[1:]),
        after={"harness": "79915"},
    ),
    "install-engine-kots": Case(
        order=install_order(engine=Engine.KOTS, work_dir=WORK),
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "install-engine-kots-vendor-files-and-pull-user": Case(
        order=install_order(engine=Engine.KOTS, only="harness"),
        site=PULL,
        vendor=True,
        after={"harness": "79915"},
    ),
    "upgrade-firstgen": Case(
        order=upgrade_order(only="harness"),
        records=MONTHLY,
        stated={"harness": "79915", "kotsadm": OLD_KOTS},
        before=_OLD,
        after={"harness": "80307"},
    ),
    "upgrade-nextgen": Case(
        order=upgrade_order(only="harness-ng"),
        records=MONTHLY,
        stated={"harness-ng": "500", "kotsadm": KOTS},
        before={"harness": namespace(KOTS, harness_ng=running("500", 91, "harness-ng"))},
        after={"harness-ng": "520"},
    ),
    "upgrade-all-unstated": Case(
        order=upgrade_order(),
        records=MONTHLY,
        before=_BOTH,
        after={"harness": "80307", "harness-ng": "520"},
    ),
    "upgrade-console-only": Case(
        order=upgrade_order(console_only=True),
        records=MONTHLY,
        before=_BOTH,
        after={"harness": "79915", "harness-ng": "500"},
    ),
    "upgrade-engine-kots": Case(
        order=upgrade_order(engine=Engine.KOTS, only="harness", work_dir=WORK),
        records=MONTHLY,
        stated={"harness": "79915"},
        before=_OLD,
        after={"harness": "80307"},
    ),
    "upgrade-new-password": Case(
        order=upgrade_order(only="harness"),
        records=MONTHLY,
        stated={"harness": "79915", "kotsadm": KOTS},
        renew=True,
        before={"harness": _LAST_YEAR},
        after={"harness": "80307"},
    ),
    "upgrade-done": Case(
        order=upgrade_order(only="harness"),
        records=MONTHLY,
        stated={"harness": "80307", "kotsadm": KOTS},
        before={"harness": namespace(KOTS, harness=running("80307", 418))},
        after={"harness": "80307"},
    ),
}


CUT = "# … mirror/operation/shell/*.sh …\n"
"""What stands in a kept script for what all of them have."""


def shown(planned: Plan) -> dict[str, str]:
    """A plan as it is kept, by the ending of its file."""
    script = as_script(planned).replace(common(), CUT)
    for one in parts_of(planned):
        script = script.replace(part(one).rstrip("\n"), f"# … mirror/operation/shell/{one}.sh …")
    return {
        "txt": as_text(planned),
        "sh": script,
        "md": as_runbook(planned),
    }


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        for ending, text in shown(case.plan()).items():
            (FOLDER / f"{name}.{ending}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
