"""What `app.tar.gz` says of the KOTS versions that a release needs."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.transfer.archive.forge import Forge
from transfer.archive import AirgapArchive

KOTS = b"apiVersion: kots.io/v1beta1\nkind: Application\nspec: {minKotsVersion: 1.10}\n"
OTHER = b"apiVersion: app.k8s.io/v1beta1\nkind: Application\nspec: {minKotsVersion: 9}\n"
TEMPLATE = b"kind: Application\n{{repl if true }}\n  - a: [\n"
CONFIG = b"apiVersion: kots.io/v1beta1\nkind: Config\nspec: {minKotsVersion: 9}\n"


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"a.yaml": KOTS}, "1.10"),
        ({"charts/templates/a.yml": KOTS}, "1.10"),
        ({"a.yaml": b"---\n" + CONFIG + b"---\n" + KOTS}, "1.10"),
        ({"a.yaml": OTHER, "b.yaml": TEMPLATE, "c.yaml": KOTS}, "1.10"),
        ({"a.yaml": OTHER, "b.yaml": CONFIG}, ""),
        ({"a.yaml": b"apiVersion: kots.io/v1beta1\nkind: Application\n"}, ""),
        ({"a.txt": KOTS}, ""),
    ],
)
def test_the_version_is_the_one_of_the_application_kind_of_kots(
    application: Path, tmp_path: Path, members: dict[str, bytes], found: str
) -> None:
    forge = Forge.open(application)
    forge.members["app.tar.gz"] = gzip.compress(Forge(members).tar())
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert archive.record.release.min_kots_version == found
        assert archive.record.release.target_kots_version == ""


def test_app_archive_hands_out_the_file_itself(application: Path) -> None:
    expected = Forge.open(application).members["app.tar.gz"]
    with AirgapArchive.read(application) as archive:
        app = archive.app_archive()
        assert app is not None
        with app as content:
            assert content.size == len(expected)
            assert content.read() == expected
