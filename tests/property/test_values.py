"""What is written down is read back as it was, and nothing else is read as something."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.values import digests, locks, references, repositories
from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.fields import dump_json
from transfer.lock import BundleLock
from transfer.reference import Reference, Repository, parse_endpoint
from transfer.yamlfile import read_yaml


@given(digests())
def test_a_digest_is_read_back(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


@given(references)
def test_a_reference_is_read_back(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@given(repositories)
def test_an_endpoint_is_read_back(endpoint: Repository) -> None:
    assert parse_endpoint(str(endpoint)) == endpoint


@given(locks)
def test_a_lock_is_read_back_and_its_text_is_stable(lock: BundleLock) -> None:
    text = lock.dump()
    found = BundleLock.parse(text, "x.lock.json")
    assert found == lock
    assert found.dump() == text


@given(locks, st.randoms())
def test_a_lock_does_not_depend_on_the_order_of_keys(lock: BundleLock, random: Random) -> None:
    text = lock.dump()
    shuffled = json.dumps(shuffle(json.loads(text), random))
    assert BundleLock.parse(shuffled, "x.lock.json").dump() == text


def shuffle(value: object, random: Random) -> object:
    """The same JSON value with its keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffle(value[key], random) for key in keys}
    return [shuffle(item, random) for item in value] if isinstance(value, list) else value


PARSERS: list[Callable[[str], object]] = [
    Digest.parse,
    Reference.parse,
    parse_endpoint,
    lambda text: BundleLock.parse(text, "x.lock.json"),
    lambda text: read_yaml(text, "x.yaml"),
]


@pytest.mark.parametrize("parse", PARSERS, ids=["digest", "reference", "endpoint", "lock", "yaml"])
@given(text=st.text() | st.text("abc012.:/@-_\n[]{}!&*?|>%<=\"'# \t", max_size=40))
def test_any_text_is_read_or_refused_as_invalid(parse: Callable[[str], object], text: str) -> None:
    with suppress(InvalidInput):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below),
    max_leaves=10,
)


@given(locks, st.data())
def test_a_lock_with_any_value_changed_is_read_or_refused_as_invalid(
    lock: BundleLock, data: st.DataObject
) -> None:
    value = json.loads(lock.dump())
    below = value
    while isinstance(below, dict | list) and below:
        keys = list(below) if isinstance(below, dict) else list(range(len(below)))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()):
            below[key] = data.draw(JSON)
            break
        below = below[key]
    with suppress(InvalidInput):
        found = BundleLock.parse(dump_json(value), "x.lock.json")
        assert BundleLock.parse(found.dump(), "x.lock.json") == found
