"""The JSON Schema of `registry.habits`, which a probe writes into a site file."""

from __future__ import annotations

from transfer.schema.words import Schema, choice, mapping, number, several, text

_TAKEN = ("accepted", "refused")


def habits_schema() -> Schema:
    """What a probe found out about a registry."""
    words = {
        "login": choice(
            "What is asked of whoever comes without credentials.",
            *("none", "basic", "bearer", "unknown"),
        ),
        "location": choice("Where an upload goes on.", *("absolute", "relative", "other-host")),
        "chunks": choice("Whether a blob may come in pieces.", *_TAKEN),
        "resume": choice("How a broken upload goes on.", "by-offset", "from-start"),
        "digests": choice(
            "Whether content under a wrong digest is refused.", "checked", "unchecked"
        ),
        "cancel": choice("Whether an upload can be taken back.", "possible", "refused"),
        "whole": choice("Whether a blob may come whole.", *_TAKEN),
        "singlePost": choice("The same, by POST alone.", "accepted", "ignored", "refused"),
        "mount": choice(
            "Whether blobs can be taken over from other repositories.",
            *("works", "refused", "unknown"),
        ),
        "mountMissing": choice(
            "The answer where a blob cannot be taken over.", "upload", "refused"
        ),
        "head": choice("Whether HEAD of a tag tells its digest.", "digest", "no-digest", "unknown"),
        "delete": choice("Whether images can be deleted.", "possible", "refused"),
        "referrers": choice("Whether it lists what is about an image.", "listed", "unlisted"),
    }
    limit = number("Bytes that a request's body may have.", 104857600)
    return mapping(
        "What `airgap-mirror probe --write` found out about the registry. A push makes use of it; "
        "what is wrong or old costs it a request or two.",
        optional={
            "probed": text(
                "When it was found out.", "2026-11-22", pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
            ),
            **words,
            "chunkMinimum": number("Bytes that a piece must have.", 5242880),
            "bodyLimit": {**limit, "minimum": 1},
            "refusedTypes": several(
                "Types of manifests that it does not take.",
                text("The end of a media type.", "oci.image.index.v1+json"),
            ),
        },
    )
