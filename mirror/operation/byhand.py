"""What a person does where nobody can run airgap-mirror: each step that is no command, as text."""

from __future__ import annotations

from shlex import quote

from mirror.audit import PUSH_AGAIN
from mirror.operation.model import (
    Assemble,
    Change,
    CopyFile,
    Edit,
    InstallPlugin,
    Look,
    MergeValues,
    Person,
    RemoveFile,
    RemoveFolder,
    RemoveItem,
    Step,
)
from mirror.operation.words import PUSH_FIRST
from mirror.operation.writing import Rewrite, WriteFile
from mirror.operation.writingwords import write_by_hand


def by_hand(step: Step) -> str:
    """Paragraphs; lines that begin with blanks are commands to paste. "" for a command."""
    match step.action:
        case Look(images=images, pushed=pushed, named=named):
            instead = PUSH_AGAIN if pushed or named else PUSH_FIRST
            return (
                f"See that the registry holds each of these {len(images)} images under its name, "
                "with this digest, and has everything below it. airgap-mirror audit looks for all "
                "of it. Where there is no airgap-mirror, this tells the digest of one:\n\n"
                "  skopeo inspect --raw docker://NAME | sha256sum\n\n"
                f"Otherwise {instead}."
            )
        case Assemble(archive=archive, path=path):
            return (
                f"Put the vendor's {archive.record.file_name}, whole and with its images, at "
                f"{path}. It has {archive.record.size} bytes and {archive.record.digest}; a bundle "
                "that was built with --keep-archives holds it."
            )
        case Edit(path=path, change=change):
            return _edit(path, change)
        case Person(instructions=text):
            return text
        case _:
            return ""


def _edit(path: str, change: Change) -> str:
    match change:
        case RemoveItem(key=key, item=item):
            return f"In {path}, take {item} out of the list {key}."
        case RemoveFile() | RemoveFolder():
            is_folder = isinstance(change, RemoveFolder)
            what, how = (" with everything in it", "-rf") if is_folder else ("", "-f")
            return f"Delete {path}{what}:\n\n  rm {how} -- {quote(path)}"
        case CopyFile(source=source):
            return f"Put {source} in place of {path}:\n\n  cp -- {quote(source)} {quote(path)}"
        case InstallPlugin(archive=archive, digest=digest, member=member):
            folder = path.rpartition("/")[0] or "/"
            check = quote(f"{digest.removeprefix('sha256:')}  {archive}")
            return (
                f"Put the program {member} at {path}:\n\n"
                f"  echo {check} | sha256sum -c &&\n"
                f"  mkdir -p -- {quote(folder)} &&\n"
                f"  tar -xzOf {quote(archive)} {quote(member)} > {quote(f'{path}.new')} &&\n"
                f"  chmod 755 {quote(f'{path}.new')} &&\n"
                f"  mv -f -- {quote(f'{path}.new')} {quote(path)}"
            )
        case MergeValues(source=source, own=own, keys=keys):
            mine = f"what {own} has, and for what it leaves out, " if own else ""
            which = f", of these items alone: {', '.join(keys)}" if keys is not None else ""
            return (
                f"Write {path}, a KOTS ConfigValues file: {mine}the values of {source}{which}. "
                "Nobody else may read it."
            )
        case WriteFile() | Rewrite():
            return write_by_hand(path, change)
