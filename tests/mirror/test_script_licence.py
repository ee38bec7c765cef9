"""What a script makes of two licences: KOTS writes one its own way, the other is the vendor's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mirror.operation.model import Await
from mirror.operation.wanted import HasLicence
from tests.mirror.shells import SHELLS, Shell, kubectl, plan_of, step
from tests.mirror.test_licences import ID, LATER, SIGNATURE, text

WRITTEN = text(end=LATER, sequence=4)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path / "at", SHELLS[request.param])


@pytest.mark.parametrize(
    ("kept", "same"),
    [
        (yaml.safe_dump(yaml.safe_load(WRITTEN)), True),
        (WRITTEN.replace(f"licenseID: {ID}", f'licenseID: "{ID}"'), True),
        (text(end=LATER, sequence=3), False),
        (text(end=LATER, sequence=4, identity="another"), False),
        (text(end=LATER, sequence=4, signature="b3RoZXI="), False),
        (text(end=LATER, sequence=None, identity="", signature=""), False),
        ("kind: License\n", False),
    ],
)
def test_they_are_compared_and_nothing_of_them_is_shown(
    kept: str, shell: Shell, *, same: bool
) -> None:
    path, file = shell.folder / "license.yaml", shell.folder / "renewed.yaml"
    path.write_text(kept)
    file.write_text(WRITTEN)
    goal = HasLicence(slug="harness", path=str(path), file=str(file))
    done = shell.run(plan_of(step(Await(command=kubectl("get"), goal=goal, seconds=0))))
    assert done.returncode == (0 if same else 10), done.stdout + done.stderr
    assert same or "another licence; expected: harness runs with" in done.stderr
    for secret in (ID, SIGNATURE, "another\n", "b3RoZXI="):
        assert secret not in done.stdout + done.stderr
