"""Operations that write a file, and ask nobody, for `operations.OPERATIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.config.compare import compare_configs
from mirror.config.plans import Asked, plan_check, plan_init, plan_review
from mirror.config.template import compose
from mirror.holdings import Holdings
from mirror.operation import AskCluster, Hands, Plan
from mirror.rewriteplan import Target, digest_of, plan_rewrite
from mirror.rewriting import rewrite
from tests.mirror.golden import SITE_FOLDER
from tests.mirror.kots_site import KotsSite
from tests.mirror.test_config_commands import values_text
from tests.mirror.test_rewrite_images import DATA as DELEGATES
from tests.mirror.test_rewrite_images import ENDPOINT, TREES, held
from transfer.kots.config import Config
from transfer.kots.values import ConfigValues, check_values
from transfer.yamlfile import load_texts

if TYPE_CHECKING:
    from tests.mirror.operations import Operation

RELEASE = "harness 79915"
ASKED = Path(__file__).parents[1] / "data/config/asked.yaml"
_PRIVATE = 0o600


def asked() -> Config:
    """What the release asks."""
    return Config.read(load_texts(ASKED.read_text()))


def content() -> str:
    """The file to fill in."""
    return compose(asked(), "harness", RELEASE)


@dataclass(frozen=True, slots=True)
class Values:
    """Configuration values to fill in; with `old`, in place of other ones."""

    old: str = ""

    def shown(self) -> Plan:
        """In a folder that looks alike everywhere."""
        return self._plan(SITE_FOLDER, is_there=False)

    def stage(self, folder: Path) -> KotsSite:
        """Nothing, or another file."""
        folder.mkdir(parents=True)
        site = KotsSite(folder, ())
        if self.old:
            self._file(site).write_text(self.old)
        return site

    def dry(self, site: KotsSite) -> Plan:
        """In the folder of the site."""
        return self._plan(str(site.etc), is_there=False)

    def planned(self, site: KotsSite, _ask: AskCluster) -> Plan:
        """With what is there."""
        file = self._file(site)
        return self._plan(str(site.etc), is_there=file.exists() and file.read_text() == content())

    def check(self, site: KotsSite) -> None:
        """The file is there, for its owner only, and nothing beside it."""
        file = self._file(site)
        assert file.read_text() == content()
        assert file.stat().st_mode & 0o777 == _PRIVATE
        assert [path.name for path in site.etc.glob("new*")] == [file.name]

    def _file(self, site: KotsSite) -> Path:
        return site.etc / "new values.yaml"

    def _plan(self, folder: str, *, is_there: bool) -> Plan:
        path = f"{folder}/new values.yaml"
        replaces = bool(self.old)
        return plan_init(path, RELEASE, content(), is_there=is_there, replaces=replaces)


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a delegate's YAML, in place or into another file."""

    out: str = ""

    def shown(self) -> Plan:
        """In a folder that looks alike everywhere."""
        return self._plan(SITE_FOLDER, (DELEGATES / "vendor.yaml").read_text())

    def stage(self, folder: Path) -> KotsSite:
        """The file of the vendor."""
        folder.mkdir(parents=True)
        site = KotsSite(folder, ())
        file = site.etc / "delegate.yaml"
        file.write_bytes((DELEGATES / "vendor.yaml").read_bytes())
        file.chmod(_PRIVATE)
        return site

    def dry(self, site: KotsSite) -> Plan:
        """In the folder of the site."""
        return self._plan(str(site.etc), (site.etc / "delegate.yaml").read_text())

    def planned(self, site: KotsSite, _ask: AskCluster) -> Plan:
        """The same: the cluster has no say in it."""
        return self.dry(site)

    def check(self, site: KotsSite) -> None:
        """What was to be written is, and nothing else is changed."""
        file = site.etc / (self.out or "delegate.yaml")
        assert file.read_bytes() == (DELEGATES / "site.yaml").read_bytes()
        assert file.stat().st_mode & 0o777 == _PRIVATE
        if self.out:
            before = (DELEGATES / "vendor.yaml").read_bytes()
            assert (site.etc / "delegate.yaml").read_bytes() == before

    def _plan(self, folder: str, text: str) -> Plan:
        file = f"{folder}/delegate.yaml"
        done = rewrite(text, file, Holdings(held(*TREES), ENDPOINT))
        target = Target(path=f"{folder}/{self.out}", mode=_PRIVATE)
        if not self.out:
            target = Target(path=file, mode=_PRIVATE, before=digest_of(text))
        return plan_rewrite([file], [done], [target])


@dataclass(frozen=True, slots=True)
class Answers:
    """The site's answers, looked at."""

    def shown(self) -> Plan:
        """In a folder that looks alike everywhere."""
        return self._plan(f"{SITE_FOLDER}/values/configvalues.yaml")

    def stage(self, folder: Path) -> KotsSite:
        """A site with answers."""
        folder.mkdir(parents=True)
        site = KotsSite(folder, ())
        self._file(site).write_text(values_text(app_url="http://h", mode="demo"))
        return site

    def dry(self, site: KotsSite) -> Plan:
        """Of the site's file."""
        return self._plan(str(self._file(site)))

    def planned(self, site: KotsSite, _ask: AskCluster) -> Plan:
        """The same: the cluster has no say in it."""
        return self.dry(site)

    def read(self, site: KotsSite, _hands: Hands) -> None:
        """Judge them."""
        file = self._file(site)
        values = ConfigValues.parse(file.read_text(), str(file))
        assert not list(check_values(values, [(RELEASE, asked())]))

    def check(self, site: KotsSite) -> None:
        """Nothing is changed."""
        expected = values_text(app_url="http://h", mode="demo")
        assert self._file(site).read_text() == expected

    def _file(self, site: KotsSite) -> Path:
        return site.etc / "values/configvalues.yaml"

    def _plan(self, file: str) -> Plan:
        one = Asked(slug="harness", release=RELEASE, file=file, config=asked())
        return plan_check("dc-north", [one])


@dataclass(frozen=True, slots=True)
class Differences(Answers):
    """What another release asks, gone through; it says nothing of the answers' file."""

    def read(self, site: KotsSite, _hands: Hands) -> None:
        """See that there is something to go through."""
        (step,) = self.dry(site).steps
        assert len(getattr(step.action, "needs", ())) == 2

    def _plan(self, _file: str) -> Plan:
        now = asked()
        first, *others = now.items
        before = replace(now, items=(*others, replace(first, name="of_old")))
        found = list(compare_configs(before, now))
        return plan_review({f"{RELEASE} -> harness 80110": found})


FILES: Mapping[str, Operation] = {
    "config-check": Answers(),
    "config-diff": Differences(),
    "config-init": Values(),
    "config-init-anew": Values(old="mine\n"),
    "rewrite-images": Images(),
    "rewrite-images-to-another-file": Images(out="site delegate.yaml"),
}
