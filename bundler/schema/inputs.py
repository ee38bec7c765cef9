"""What a schema says of the places that files come from: see `bundler.spec.inputs`."""

from __future__ import annotations

from transfer.schema.patterns import ADDRESS, NO_SLASH, SHA256
from transfer.schema.words import Schema, exactly_one, mapping, number, text


def input_keys(example: str) -> dict[str, Schema]:
    """`path`, `url` and `sha256`; the file is called like `example`."""
    return {
        "path": text("A local file; or url:.", f"downloads/{example}"),
        "url": text(
            "An http(s) address; or path:. Its query may hold a signature, which nobody repeats.",
            f"https://downloads.example.com/{example}",
            pattern=ADDRESS,
        ),
        "sha256": text(
            "The file's SHA-256, as far as somebody told it. Without it, the first use decides, "
            "and the lock keeps that.",
            pattern=SHA256,
        ),
    }


def input_rules() -> tuple[Schema, ...]:
    """Of an entry with these keys."""
    return (exactly_one("path", "url"),)


def any_input(description: str, example: str) -> Schema:
    """An entry that has nothing but a place."""
    return mapping(description, *input_rules(), optional=input_keys(example))


def release_archive() -> Schema:
    """A release's archive, which the vendor's portal may give, too."""
    portal = mapping(
        "A release in the vendor's download portal; or path:, url:.",
        exactly_one("sequence", "label"),
        optional={
            "sequence": number("Its number in the portal's list; or label:.", 412),
            "label": text("Its label there; or sequence:.", "0.1", pattern=NO_SLASH),
            "channel": text("The channel's ID, for a licence that has several."),
        },
    )
    return mapping(
        "The application's .airgap file.",
        exactly_one("path", "url", "portal"),
        optional={**input_keys("harness-79915.airgap"), "portal": portal},
    )
