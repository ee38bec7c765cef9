"""Whatever is answered stands in the spec that is written, as it was answered."""

from __future__ import annotations

import re

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bundler.init import Answers, Application, compose
from bundler.init.scalar import scalar
from tests.property.values import references, texts

_LIKE_YAML = st.from_regex(r"[-.~!&*?|>%@`'\"#0-9a-z:/+_ ]{1,12}", fullmatch=True)
_WORDS = st.sampled_from(
    ["null", "No", "1e3", "0x1f", "2026-11-22", ".5", "./a", "1:30", "a:", "="]
)
answers = st.one_of(texts, _LIKE_YAML, _WORDS)


@given(answers)
def test_a_text_is_read_back(text: str) -> None:
    assert yaml.safe_load(f"key: {scalar(text)}\nlist:\n  - {scalar(text)}\n") == {
        "key": text,
        "list": [text],
    }


@given(
    name=answers,
    version=answers,
    installed=answers,
    paths=st.lists(answers.filter(lambda text: ":" not in text), min_size=1),
    images=st.lists(references.map(str)),
)
def test_answers_are_read_back(
    name: str, version: str, installed: str, paths: list[str], images: list[str]
) -> None:
    application = Application(slug="harness", releases=tuple(paths), installed=installed)
    written = Answers(name=name, version=version, applications=(application,), images=tuple(images))
    value = yaml.safe_load(compose(written, "spec.yaml"))
    assert (value["name"], value["version"]) == (name, version)
    (found,) = value["applications"]
    assert found["installed"] == installed
    assert [release["archive"]["path"] for release in found["releases"]] == paths
    assert value.get("images", []) == images


@given(name=answers, version=answers)
def test_no_line_of_a_spec_comes_from_an_answer(name: str, version: str) -> None:
    plain = compose(Answers(name="a", version="b"), "spec.yaml").splitlines()
    written = compose(Answers(name=name, version=version), "spec.yaml").splitlines()
    changed = [line for line in written if line not in plain]
    assert len(written) == len(plain)
    assert all(re.match(r"(name|version): |# {3}airgap-bundler ", line) for line in changed)
