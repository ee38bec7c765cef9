"""Runbooks: what is in them, and that nothing from outside gets out of its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from mirror.operation import Plan, as_runbook
from mirror.operation.markdown import block, code, points, prose
from mirror.operation.model import (
    Ask,
    Await,
    Edit,
    InstallPlugin,
    Judge,
    MergeValues,
    Person,
    RemoveFolder,
    RemoveItem,
    Run,
    Save,
)
from mirror.operation.show import laid_out
from mirror.operation.wanted import IsDeployed, PluginIs
from mirror.secret import FromEnvironment, FromFile
from tests.mirror.operations import OPERATIONS
from tests.mirror.shells import kubectl, plan_of, step
from tests.mirror.test_script import VERY_HOSTILE

MARKUP = [
    "```\n# out",
    "````sh\n````",
    "<script>alert(1)</script>",
    "<!--",
    "[x](https://example.org)",
    "![x](y)",
    "# heading",
    "- [ ] box",
    "1. one",
    "+ plus",
    "---",
    "===",
    "> quote",
    "a | b",
    "&lt;b&gt;",
    "*strong* __strong__ ~~gone~~ `code`",
    "    indented",
    "`",
    "``` `` `",
]


def blocks(text: str) -> Iterator[str]:
    """The blocks of code, found as CommonMark finds them."""
    fence, lines = "", list[str]()
    for line in text.split("\n"):
        found = re.fullmatch(r"(`{3,})([^`]*)", line)
        if not fence and found:
            fence, lines = found[1], []
        elif fence and found and len(found[1]) >= len(fence) and not found[2].strip():
            yield "\n".join(lines)
            fence = ""
        elif fence:
            lines.append(line)
    assert not fence


def outside(text: str) -> str:
    """What is not in blocks of code."""
    for found in blocks(text):
        text = text.replace(found, "")
    return text


@pytest.mark.parametrize("word", [*MARKUP, *VERY_HOSTILE])
def test_whatever_words_hold_commands_stay_whole_and_text_stays_text(word: str) -> None:
    command = kubectl(word, f"--x={word}", environment=(("KOTS_X", word),))
    plan = Plan(
        title=f"try {word}",
        steps=(step(Run(command=command), name=f"n{word}", why=word, undo=word),),
        assumptions=(word,),
        notes=(word,),
    )
    text = as_runbook(plan)
    assert laid_out(command) in blocks(text)
    plain = outside(text).replace('<a id="step-1"></a>', "")
    assert not re.search(r"(?<!\\)<", plain)
    headings = [line for line in plain.split("\n") if line.startswith("#")]
    assert len(headings) == 7 + bool(word), headings
    assert not re.search(r"(?<!\\)\](?:\((?!#)|[^(\]\s])", plain.replace("[ ]", ""))
    assert "\x1b" not in plain


@pytest.mark.parametrize("word", [*MARKUP, *VERY_HOSTILE])
def test_code_in_a_line_ends_where_it_ends(word: str) -> None:
    shown = code(word)
    fence = re.match(r"`+", shown)
    assert fence is not None
    assert shown.endswith(fence[0])
    inner = shown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall(r"`+", inner)
    assert "\n" not in shown


def test_paragraphs_commands_and_points() -> None:
    assert prose("1.  two\nlines") == "&#49;. two lines"
    assert prose("v1.131.4 is there: a_b") == "v1.131.4 is there: a\\_b"
    text = "Do this:\n\n  kubectl get x\n  kubectl get y\n\nThen that."
    assert points([text, "x"]) == (
        "- Do this:\n  \n  ```sh\n  kubectl get x\n  kubectl get y\n  ```\n  \n  Then that.\n- x"
    )
    assert block("a") == "```\na\n```"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_step_has_its_place(name: str) -> None:
    plan = OPERATIONS[name].shown()
    text = as_runbook(plan)
    numbers = [str(number) for number in range(1, len(plan.steps) + 1)]
    steps = text.partition("\n## Steps\n")[2].partition('\n<a id="step-1">')[0]
    assert re.findall(r"(?m)^- \[ \] \[\d+\. \S+\]\(#step-(\d+)\): ", steps) == numbers
    assert re.findall(r'<a id="step-(\d+)"></a>\n\n## \1\. ', text) == numbers
    assert text.count("**It has worked when** ") == text.count("**If not,** ") == len(numbers)
    for found in plan.steps:
        if found.command:
            assert f"```sh\n{laid_out(found.command)}\n```" in text or isinstance(
                found.action, Save
            )
    undone = [found for found in plan.steps if found.undo]
    assert text.count("**To go back:** ") == len(undone)
    for link in re.findall(r"\]\(#([a-z0-9-]+)\)", text):
        assert f'id="{link}"' in text or f"\n## {link.replace('-', ' ').capitalize()}\n" in text


def test_secrets_are_named_and_not_typed_into_commands() -> None:
    environment = (("KOTS_A", FromEnvironment("PASS")), ("KOTS_B", FromFile("/etc/a b")))
    text = as_runbook(plan_of(step(Run(command=kubectl("x", environment=environment)))))
    assert "- [ ] the variable `PASS` in the shell of these steps: `stty -echo; IFS= read" in text
    assert "- [ ] the file `/etc/a b`, one line, for its owner only" in text
    assert 'KOTS_A="$PASS" KOTS_B="$(cat \'/etc/a b\')" kubectl x' in text


def test_how_each_kind_of_step_is_seen_to_have_worked() -> None:
    goal = IsDeployed(slug="h", version="2")
    plan = plan_of(
        step(Ask(command=kubectl("a"), expected=(PluginIs(version="v1"),)), name="a"),
        step(Ask(command=kubectl("b")), name="b"),
        step(Run(command=kubectl("c"), judge=Judge.ANSWER), name="c"),
        step(Await(command=kubectl("d"), goal=goal, seconds=90), name="d"),
        step(Await(command=kubectl("e"), goal=goal, seconds=0), name="e"),
        step(Save(command=kubectl("f"), path="/x y"), name="f"),
        step(Person(instructions="Do it.\n\n  kubectl g"), name="g"),
        step(Edit(path="/k", change=RemoveItem(key="patches", item="a.yaml")), name="h"),
        step(Edit(path="/l m", change=RemoveFolder()), name="i"),
        step(
            Edit(path="/bin/kots", change=InstallPlugin(archive="/a b", digest="sha256:00")),
            name="j",
        ),
        step(Edit(path="/v", change=MergeValues(source="/s", own="/o", keys=("a", "b"))), name="k"),
    )
    text = as_runbook(plan)
    where = '"status" is "deployed" where "versionLabel" is "2"'
    assert re.findall(r"\*\*It has worked when\*\* (.*)", text) == [
        'the answer says that the plugin is v1: "version" is "v1", with or without the v.',
        "it ends with exit code 0.",
        (
            'the JSON at the end of its output has `"success":true` and no `"error"`; its exit '
            "code is 0 in any case."
        ),
        f"the answer says that h 2 is deployed: {where}; ask again every 5 s, for 90 s at most.",
        f"the answer says that h 2 is deployed: {where}.",
        "it ends with exit code 0, and `/x y` is not empty.",
        "it is done.",
        "`/k` is as it says above.",
        "`/l m` is gone.",
        "`/bin/kots` is as it says above.",
        "`/v` is as it says above.",
    ]
    assert list(blocks(text))[5:] == [
        "(umask 077; kubectl f > '/x y')",
        "kubectl g",
        "rm -rf -- '/l m'",
        (
            "echo '00  /a b' | sha256sum -c &&\nmkdir -p -- /bin &&\n"
            "tar -xzOf '/a b' kots > /bin/kots.new &&\nchmod 755 /bin/kots.new &&\n"
            "mv -f -- /bin/kots.new /bin/kots"
        ),
    ]
    assert (
        "what /o has, and for what it leaves out, the values of /s, of these items alone: a, b."
        in text
    )
