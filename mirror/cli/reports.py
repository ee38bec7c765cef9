"""Results as a person reads them, and as a program does."""

from __future__ import annotations

from typing import Any

from mirror.audit import Audit, Finding
from mirror.plan import PushPlan, State
from mirror.push import Pushed
from transfer.delivery import Outcome
from transfer.text import counted, human_bytes, table


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
                **image.relocation.to_json(),
                "state": image.state.value,
                **({"held": str(image.held)} if image.state is State.CONFLICT else {}),
            }
            for image in plan.images
        ],
        "blobsToSend": len(plan.to_send),
        "bytesToSend": plan.bytes_to_send,
        "blobsPresent": len(plan.present),
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
            *(_read(pushed.read_back) if pushed.read_back else ()),
        ]
    )


def _read(audit: Audit) -> tuple[str, ...]:
    """What a deep audit read, if it did."""
    blobs = counted(audit.blobs_read, "blob")
    size = human_bytes(audit.bytes_read)
    return (f"read back: {blobs}, {size}, each compared with its digest",)


def pushed_json(pushed: Pushed) -> dict[str, Any]:
    """The same for a program."""
    copied = pushed.copied
    return {
        "target": pushed.receipt.target,
        "images": [
            {
                **relocation.to_json(),
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
        **(_read_json(pushed.read_back) if pushed.read_back else {}),
    }


def _read_json(audit: Audit) -> dict[str, Any]:
    return {"blobsRead": audit.blobs_read, "bytesRead": audit.bytes_read}


def audit_text(audit: Audit) -> str:
    """One line an image, what is wrong below it, and the counts."""
    lines = []
    for image in audit.images:
        lines.append(f"{image.finding.value:9}  {image.relocation.destination}")
        lines += [f"{'':11}{detail}" for detail in image.details]
    lines += [f"extra      {reference}" for reference in audit.extra]
    if audit.unlisted:
        lines.append(f"extra names are not known: {audit.unlisted}")
    findings = ", ".join(f"{audit.count(finding)} {finding.value}" for finding in Finding)
    extra = "" if audit.unlisted else f"; {counted(len(audit.extra), 'extra name')}"
    counts = f"{counted(len(audit.images), 'image')}: {findings}{extra}"
    return "\n".join([*lines, "", *(_read(audit) if audit.blobs_read else ()), counts])


def audit_json(audit: Audit) -> dict[str, Any]:
    """The same for a program."""
    return {
        "images": [
            {
                **image.relocation.to_json(),
                "finding": image.finding.value,
                **({"details": list(image.details)} if image.details else {}),
            }
            for image in audit.images
        ],
        **{finding.value: audit.count(finding) for finding in Finding},
        "extra": [str(reference) for reference in audit.extra],
        **({"extraUnknown": audit.unlisted} if audit.unlisted else {}),
        **(_read_json(audit) if audit.blobs_read else {}),
    }
