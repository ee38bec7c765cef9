"""What the vendor's guide has to say of answers, and the file in which they are written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mirror.config.advice import ADVICE, advice_on, advise
from mirror.config.template import compose, emptied
from tests.mirror.test_config_commands import ASKED, values_text
from transfer.kots.config import Config, ConfigItem
from transfer.kots.values import ConfigValues, check_values
from transfer.yamlfile import load_texts

CONFIG = Config.read(load_texts(ASKED))


def values(**answers: str) -> ConfigValues:
    return ConfigValues.parse(values_text(**answers), "values.yaml")


GOOD: dict[str, str] = {"app_url": "https://h.example", "scheme": "https"}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"app_url": "http://h.example", "log_backend": "s3"}, []),
        ({"app_url": "h.example", "log_backend": "s3"}, ["app_url: starts with neither"]),
        ({"app_url": "https://h.example", "log_backend": "s3"}, ["app_url: has another scheme"]),
        ({"app_url": "repl{{ x }}", "log_backend": "s3"}, []),
        ({"app_url": "http://h"}, ["log_backend: Log service backend: Minio needs"]),
        ({"app_url": "http://h", "log_backend": "s3", "node_port": "29999"}, ["node_port: not in"]),
        ({"app_url": "http://h", "log_backend": "s3", "node_port": "30000"}, []),
        ({"app_url": "http://h", "log_backend": "s3", "node_port": "32767"}, []),
        ({"app_url": "http://h", "log_backend": "s3", "node_port": "32768"}, ["node_port: not in"]),
        ({"app_url": "http://h", "log_backend": "s3", "node_port": "x"}, ["node_port: not in"]),
        (
            {"app_url": "http://h", "log_backend": "s3", "lb_address": "h"},
            ["lb_address: not an IP"],
        ),
        ({"app_url": "http://h", "log_backend": "s3", "lb_address": "192.0.2.1"}, []),
        ({"app_url": "http://h", "log_backend": "s3", "install_nginx": "0"}, ["install_nginx: an"]),
        (
            {**GOOD, "log_backend": "s3"},
            ["grpc_target: no value, and", "grpc_authority: no value, and"],
        ),
        (
            {
                **GOOD,
                "log_backend": "s3",
                "grpc_target": "h.example",
                "grpc_authority": "manager-grpc-h.example",
            },
            [],
        ),
        (
            {
                **GOOD,
                "log_backend": "s3",
                "grpc_target": "grpc.example",
                "grpc_authority": "grpc.example",
            },
            [],
        ),
        (
            {
                **GOOD,
                "log_backend": "s3",
                "grpc_target": "h.example",
                "grpc_authority": "grpc.h.example",
            },
            ["grpc_authority: does not fit"],
        ),
        (
            {
                **GOOD,
                "log_backend": "s3",
                "grpc_target": "grpc.example",
                "grpc_authority": "manager-grpc-grpc.example",
            },
            ["grpc_target: with HTTP2 on port 443"],
        ),
    ],
)
def test_what_the_guide_advises(answers: dict[str, str], said: list[str]) -> None:
    notes = list(advise(values(**answers), CONFIG))
    assert len(notes) == len(said)
    for note, start in zip(notes, said, strict=True):
        assert note.startswith(start)


def test_an_empty_answer_hides_what_the_release_says() -> None:
    given_values = values(mode="", session_key="", lb_address="", app_url="", node_port="32501")
    notes = list(emptied(given_values, CONFIG))
    assert [note.partition(":")[0] for note in notes] == ["mode", "session_key"]


def test_the_guide_has_nothing_to_say_of_other_applications() -> None:
    other = Config(items=(ConfigItem(name="nodeport", type="text"),))
    assert list(advise(values(nodeport="80"), other)) == []
    assert advice_on(other.items[0], other) == ""


def test_each_advice_belongs_to_an_item_of_the_guide() -> None:
    advised = {advice_on(item, CONFIG) for item in CONFIG.items} - {""}
    assert advised == set(ADVICE.values())


_any = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_name = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12
)
_items = st.builds(
    ConfigItem,
    name=_name,
    type=st.sampled_from(["", "text", "password", "label", "select_many", "file"]),
    title=_any,
    help=_any,
    default=_any,
    when=_any,
    group=_any,
    is_required=st.booleans(),
    is_hidden=st.booleans(),
    is_repeatable=st.booleans(),
)


@given(st.lists(_items, max_size=5, unique_by=lambda item: item.name))
def test_nothing_that_a_release_says_leaves_its_comment(items: list[ConfigItem]) -> None:
    asked = Config(items=tuple(items))
    text = compose(asked, "harness", "harness 1")
    read = ConfigValues.parse(text, "x")
    answered = [
        item.name
        for item in items
        if not (item.is_repeatable or item.is_hidden or item.default or item.type == "label")
    ]
    assert list(read.answers) == answered
    assert list(emptied(read, asked)) == []
    assert all(not answer.fields for answer in read.answers.values())
    assert list(check_values(read, [("harness 1", asked)])) == []
    assert yaml.safe_load(text)["metadata"] == {"name": "harness"}
