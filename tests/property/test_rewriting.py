"""Whatever a file of Kubernetes YAML looks like, rewriting changes images, and images alone."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mirror.holdings import Holdings
from mirror.rewriting import rewrite
from tests.transfer.images import image, layer
from transfer.contents import ImageRecord
from transfer.naming import Naming
from transfer.reference import parse_endpoint
from transfer.relocate import SourceImage

SITE = "r.example:5000/ns"
NAMES = ("harness/delegate:1", "docker.io/library/mongo:6", "quay.io/a/b/c:latest")
HOLDINGS = Holdings(
    [
        SourceImage(
            record=ImageRecord(name=name, root=image(layer(name)).root),
            naming=Naming.KOTS,
            origin="a.airgap",
        )
        for name in NAMES
    ],
    parse_endpoint(SITE),
)

_keys = st.sampled_from(["containers", "initContainers", "image", "name", "env", "spec", "x"])
_texts = st.one_of(st.sampled_from(NAMES), st.text(max_size=12), st.integers(), st.none())
_containers = st.lists(
    st.fixed_dictionaries({"image": st.sampled_from(NAMES)}, optional={"name": _texts}), max_size=2
)
_values = st.recursive(
    _texts,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_keys.filter(lambda key: "ontainers" not in key), inner, max_size=3),
        st.fixed_dictionaries({"containers": _containers}, optional={"spec": inner}),
    ),
    max_leaves=12,
)
_styles = st.fixed_dictionaries(
    {
        "default_style": st.sampled_from([None, "'", '"', "|", ">"]),
        "default_flow_style": st.sampled_from([None, True, False]),
        "explicit_start": st.booleans(),
        "allow_unicode": st.booleans(),
        "line_break": st.sampled_from(["\n", "\r\n"]),
        "width": st.sampled_from([20, 80, 1000]),
    }
)


def relocated(value: Any) -> Any:  # noqa: ANN401 - YAML
    """The value with the containers' images renamed."""
    if isinstance(value, list):
        return [relocated(one) for one in value]
    if not isinstance(value, dict):
        return value
    value = {key: relocated(one) for key, one in value.items()}
    for container in value.get("containers", []):
        container["image"] = f"{SITE}/{container['image'].rpartition('/')[2]}"
    return value


@given(
    st.lists(st.dictionaries(_keys.filter(lambda k: "ontain" not in k), _values), max_size=3),
    _styles,
)
def test_the_meaning_changes_at_images_alone(
    documents: list[dict[str, Any]], style: dict[str, Any]
) -> None:
    text = yaml.safe_dump_all(documents, **style)
    meant = list(yaml.safe_load_all(text))  # not always the documents: U+0085 becomes a space
    done = rewrite(text, "f", HOLDINGS)
    assert list(yaml.safe_load_all(done.text)) == relocated(meant)
    changed = sum(len(one.new) - len(one.old) for one in done.replacements)
    assert len(done.text) - len(text) == changed


_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)
_comment = _text.map(lambda text: "".join(c for c in text if c not in "@\u2028\u2029\ufeff"))
_line_end = st.sampled_from(["\n", "\r\n"])
_quote = st.sampled_from(["", "'", '"'])
_images = st.sampled_from(NAMES)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, str]:
    """A file with a pod in each document, and the same after the rewriting, put together apart."""
    end, before, after = draw(_line_end), [], []
    for _ in range(draw(st.integers(0, 4))):
        name, quote = draw(_images), draw(_quote)
        comment, blanks = draw(_comment), " " * draw(st.integers(1, 3))
        lines = [
            f"# {comment}",
            "kind: Pod",
            f"note: {json.dumps(draw(_comment), ensure_ascii=False)}",
            "spec:",
            "  containers:",
            f"  -{blanks}image:{blanks}{quote}@@{quote}{blanks}# {comment}",
            "---",
        ]
        document = end.join(lines) + end
        before.append(document.replace("@@", name))
        after.append(document.replace("@@", f"{SITE}/{name.rpartition('/')[2]}"))
    return "".join(before), "".join(after)


@given(_files())
def test_any_file_stays_but_for_its_references(files: tuple[str, str]) -> None:
    before, after = files
    assert rewrite(before, "f", HOLDINGS).text == after
