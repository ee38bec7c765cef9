"""What plans, scripts and runbooks say of files whose content was made with the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from shlex import quote
from typing import Any

from mirror.operation.writing import Rewrite, WriteFile
from transfer.text import counted

_END = "END_OF_FILE"


def written(change: WriteFile | Rewrite) -> str:
    """What happens to the file, as a sentence."""
    if isinstance(change, WriteFile):
        return f"Write it, {counted(change.lines, 'line')}, for its owner only ({change.digest})."
    what = counted(len(change.exchanges), "image reference")
    like = "anew" if change.before else f"as {' and '.join(change.files)}"
    return f"Write it {like}, with {what} exchanged ({change.digest})."


def as_data(change: WriteFile | Rewrite) -> dict[str, Any]:
    """What a program gets besides the sentence; of a rewritten file, not the rest of it."""
    if isinstance(change, WriteFile):
        return {"content": change.content}
    return {"exchanges": [asdict(one) for one in change.exchanges]}


def write_by_hand(path: str, change: WriteFile | Rewrite) -> str:
    """Paragraphs. Each exchange in words: to paste, its arrow would write to a file."""
    check = quote(f"{change.digest.removeprefix('sha256:')}  {path}")
    proof = f"This tells whether it is so:\n\n  echo {check} | sha256sum -c"
    if isinstance(change, WriteFile):
        return f"Write {path} with these lines and nothing else, for its owner only. {proof}"
    like = "anew" if change.before else f"as {' and '.join(change.files)}"
    start = f"Write {path} {like}"
    also = ", one after the other as documents of one file," if len(change.files) > 1 else ""
    what = f"{start}{also} with these names in place of others, and leave all else as it is."
    said = (
        f"{one.file}, line {one.line}: {one.new} instead of {one.old}" for one in change.exchanges
    )
    return "\n\n".join((what, *said, proof))


def script_lines(path: str, change: WriteFile | Rewrite, ask: str) -> Iterator[str]:
    """What a script does; `ask` has a person do it."""
    if isinstance(change, WriteFile):
        end = _end_of(change.content)
        manner = "anew" if change.replaces else "once"
        yield f"write {quote(path)} {manner} <<'{end}'\n{change.content}{end}"
        return
    names = dict.fromkeys(one.new for one in change.exchanges)
    if not names:
        yield from (ask, f"has {quote(path)}")
        return
    lines = change.text.splitlines()
    given = " ".join(f"{sum(name in line for line in lines)} {quote(name)}" for name in names)
    yield f"has_names {quote(path)} {given} || {ask}"
    yield f"has_names {quote(path)} {given} ||"
    yield f"    stop 11 {quote(f'{path}: does not have the new names yet')} 'write them there'"


def _end_of(content: str) -> str:
    """A word that ends the content, and is no line of it."""
    lines = set(content.splitlines())
    end = _END
    while end in lines:
        end += "_"
    return end
