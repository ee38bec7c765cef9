"""Results as a person reads them, and as a program does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mirror.audit import Audit, Finding
from mirror.plan import PushPlan, State
from mirror.push import Pushed
from transfer.console import human_bytes
from transfer.contents import ArchiveRecord, ImageRecord
from transfer.delivery import Outcome
from transfer.relocate import Relocation
from transfer.sources import OpenSource
from transfer.verify import Verified


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they must be, two blanks between them."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def counted(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plan_text(plan: PushPlan) -> str:
    """One line an image, conflicts with what they hold, and what would be sent."""
    rows = [("STATE", "SOURCE", "DESTINATION")]
    for image in plan.images:
        held = f" (holds {image.held})" if image.state is State.CONFLICT else ""
        where = f"{image.relocation.destination}{held}"
        rows.append((image.state.value, image.relocation.source, where))
    states = [image.state for image in plan.images]
    summary = ", ".join(f"{states.count(state)} {state.value}" for state in State)
    return "\n".join(
        [
            *table(rows),
            "",
            f"{counted(len(states), 'image')}: {summary}",
            f"to send: {counted(len(plan.to_send), 'blob')}, {human_bytes(plan.bytes_to_send)}",
            f"there already: {counted(len(plan.present), 'blob')}",
        ]
    )


def plan_json(plan: PushPlan) -> dict[str, Any]:
    """The same for a program."""
    return {
        "images": [
            {
                **relocation_json(image.relocation),
                "state": image.state.value,
                **({"held": str(image.held)} if image.state is State.CONFLICT else {}),
            }
            for image in plan.images
        ],
        "blobsToSend": len(plan.to_send),
        "bytesToSend": plan.bytes_to_send,
        "blobsPresent": len(plan.present),
    }


def relocation_json(relocation: Relocation) -> dict[str, Any]:
    """One image: its two names and its digest."""
    return {
        "source": relocation.source,
        "destination": str(relocation.destination),
        "digest": str(relocation.root.digest),
    }


def pushed_text(pushed: Pushed) -> str:
    """One line an image, and what it took."""
    rows = [
        (delivery.outcome.value, str(relocation.destination), str(relocation.root.digest))
        for relocation, delivery in pushed.pairs()
    ]
    copied = pushed.copied
    blobs = (
        f"{copied.blobs_sent} sent, {copied.blobs_mounted} mounted, {copied.blobs_present} present"
    )
    outcomes = ", ".join(f"{pushed.count(outcome)} {outcome.value}" for outcome in Outcome)
    return "\n".join(
        [
            *table(rows),
            "",
            f"{counted(len(rows), 'image')}: {outcomes}",
            f"blobs: {blobs}",
            f"sent {human_bytes(copied.bytes_sent)} in {pushed.seconds:.1f} s",
        ]
    )


def pushed_json(pushed: Pushed) -> dict[str, Any]:
    """The same for a program."""
    copied = pushed.copied
    return {
        "target": pushed.receipt.target,
        "images": [
            {
                **relocation_json(relocation),
                "outcome": delivery.outcome.value,
                **({"error": delivery.error.message} if delivery.error else {}),
            }
            for relocation, delivery in pushed.pairs()
        ],
        "imagesCopied": pushed.count(Outcome.COPIED),
        "imagesPresent": pushed.count(Outcome.PRESENT),
        "imagesFailed": pushed.count(Outcome.FAILED),
        "blobsSent": copied.blobs_sent,
        "bytesSent": copied.bytes_sent,
        "blobsMounted": copied.blobs_mounted,
        "blobsPresent": copied.blobs_present,
        "seconds": round(pushed.seconds, 3),
    }


def audit_text(audit: Audit) -> str:
    """One line an image, what is wrong below it, and the counts."""
    lines = []
    for image in audit.images:
        lines.append(f"{image.finding.value:9}  {image.relocation.destination}")
        lines += [f"{'':11}{detail}" for detail in image.details]
    findings = ", ".join(f"{audit.count(finding)} {finding.value}" for finding in Finding)
    return "\n".join([*lines, "", f"{counted(len(audit.images), 'image')}: {findings}"])


def audit_json(audit: Audit) -> dict[str, Any]:
    """The same for a program."""
    return {
        "images": [
            {
                **relocation_json(image.relocation),
                "finding": image.finding.value,
                **({"details": list(image.details)} if image.details else {}),
            }
            for image in audit.images
        ],
        **{finding.value: audit.count(finding) for finding in Finding},
    }


def verified_text(verified: Sequence[Verified]) -> str:
    """One line a source."""
    return "\n".join(
        f"{one.source.description}: {counted(one.images, 'image')}, "
        f"{human_bytes(one.size)} read and proven ({one.source.applied.fingerprint})"
        for one in verified
    )


def verified_json(verified: Sequence[Verified]) -> list[dict[str, Any]]:
    """The same for a program."""
    return [
        {
            "kind": one.source.applied.kind.value,
            "name": one.source.applied.name,
            "fingerprint": str(one.source.applied.fingerprint),
            "images": one.images,
            "bytes": one.size,
        }
        for one in verified
    ]


def shown_text(source: OpenSource) -> str:
    """What is in a source: its archives, images and files."""
    contents = source.contents
    blocks = [[f"{source.description}: {contents.name} {contents.version}".rstrip()]]
    blocks += [_archive_lines(archive) for archive in contents.archives]
    if contents.images:
        blocks.append(["single images", *_image_lines(contents.images)])
    files = [("", file.path, human_bytes(file.size)) for file in contents.all_files()]
    if files:
        blocks.append(["files", *table(files)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _archive_lines(archive: ArchiveRecord) -> list[str]:
    release = archive.release
    about = [
        archive.kind.value,
        release.app_slug,
        release.version_label,
        f"cursor {release.update_cursor}" if release.update_cursor else "",
        f"channel {release.channel_name}" if release.channel_name else "",
        f"KOTS {release.min_kots_version} or newer" if release.min_kots_version else "",
    ]
    head = f"{archive.file_name} ({human_bytes(archive.size)}): {', '.join(filter(None, about))}"
    required = [f"  requires {one.version_label} first" for one in release.required_releases]
    return [head, *required, *_image_lines(archive.images)]


def _image_lines(images: Sequence[ImageRecord]) -> list[str]:
    return table([("", image.name, str(image.root.digest)) for image in images])
