"""Names that are looked up are those of a push: one relocation for both."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.holdings import Holdings
from tests.mirror.supply import make_bundle
from tests.transfer.images import image, layer
from transfer.errors import Conflict
from transfer.reference import Reference, parse_endpoint
from transfer.relocate import relocate
from transfer.sources import images_of, open_sources


@pytest.mark.parametrize("to", ["r.example/ns", "r.example:5000", "r.example:5000/a/b"])
def test_each_image_is_found_where_a_push_puts_it(tmp_path: Path, to: str) -> None:
    endpoint = parse_endpoint(to)
    with open_sources([make_bundle(tmp_path / "bundle").path]) as opened:
        images = list(images_of(opened))
        planned = relocate(images, endpoint).relocations
        holdings = Holdings(images, endpoint)
    assert len(planned) == len(images)
    for one in planned:
        source = Reference.parse(one.source)
        assert holdings.find(source) == one.destination
        pinned = holdings.find(source.pin(one.root.digest))
        assert pinned == one.destination.pin(one.root.digest)
        assert one.destination in holdings
        assert pinned in holdings


def test_what_a_push_refuses_is_refused(tmp_path: Path) -> None:
    trees = {f"{host}.example/x/ui:1": image(layer(host)) for host in ("a", "b")}
    bundle = make_bundle(tmp_path / "bundle", trees, {}).path
    with open_sources([bundle]) as opened, pytest.raises(Conflict):
        Holdings(images_of(opened), parse_endpoint("r.example/ns"))
