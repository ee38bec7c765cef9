from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest
from requests.structures import CaseInsensitiveDict

from transfer.errors import (
    AccessDenied,
    Conflict,
    IntegrityError,
    InvalidInput,
    NotFound,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.http.answers import Answer, printable
from transfer.registry.refusals import refusal

TABLE: list[tuple[int, type[TransferError]]] = [
    (400, InvalidInput),
    (401, AccessDenied),
    (403, AccessDenied),
    (404, NotFound),
    (405, AccessDenied),
    (408, Unavailable),
    (409, Conflict),
    (412, Conflict),
    (413, StorageError),
    (415, InvalidInput),
    (418, InvalidInput),
    (425, Unavailable),
    (429, Unavailable),
    (500, Unavailable),
    (501, InvalidInput),
    (502, Unavailable),
    (503, Unavailable),
    (504, Unavailable),
    (505, InvalidInput),
    (507, StorageError),
    (599, Unavailable),
    (200, InvalidInput),
    (301, InvalidInput),
]


def answer(status: int = 400, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = "https://registry.example/v2/a/manifests/1?_state=secret"
    return Answer(status=status, headers=CaseInsensitiveDict(named), body=body, url=url)


def told(unwelcome: Answer) -> str:
    return refusal(unwelcome, "registry.example/a", access_hint="").message


@pytest.mark.parametrize(("status", "kind"), TABLE)
def test_each_status_has_its_error(status: int, kind: type[TransferError]) -> None:
    error = refusal(answer(status), "registry.example/a: tag 1", access_hint="log in")
    assert type(error) is kind
    assert error.message.startswith(f"registry.example/a: tag 1: answered {status}")
    assert error.hint


@pytest.mark.parametrize("code", ["DIGEST_INVALID", "SIZE_INVALID"])
def test_content_that_the_registry_found_wrong(code: str) -> None:
    body = json.dumps({"errors": [{"code": code, "message": "it does not match"}]}).encode()
    error = refusal(answer(400, body), "x", access_hint="")
    assert type(error) is IntegrityError
    assert error.message == f"x: answered 400 Bad Request ({code}: it does not match)"


def test_a_refusal_quotes_the_registry() -> None:
    errors = [{"code": "DENIED", "message": "quota\nexceeded\x1b[31m"}, {"code": "UNKNOWN"}, "?"]
    quoted = told(answer(403, json.dumps({"errors": errors}).encode()))
    assert (
        quoted
        == "registry.example/a: answered 403 Forbidden (DENIED: quota exceeded [31m; UNKNOWN)"
    )


def test_a_quotation_is_not_long() -> None:
    body = json.dumps({"errors": [{"code": "X", "message": "long " * 1000}]}).encode()
    assert len(told(answer(400, body))) < 400


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[]", b'{"errors": 7}', b'{"errors": [7]}', b"[" * 99999]
)
def test_a_body_that_says_nothing_is_not_quoted(body: bytes) -> None:
    assert told(answer(502, body)) == "registry.example/a: answered 502 Bad Gateway"


def test_plain_text_is_quoted() -> None:
    plain = answer(503, b"no backend\n", Content_Type="text/plain; charset=utf-8")
    assert told(plain) == "registry.example/a: answered 503 Service Unavailable (no backend)"


def test_who_writes_is_told_to_create_and_who_reads_to_check() -> None:
    written = refusal(answer(404), "x", access_hint="", writing=True)
    read = refusal(answer(404), "x", access_hint="")
    assert "created" in (written.hint or "")
    assert "name" in (read.hint or "")


def test_a_registry_that_moved_says_where() -> None:
    moved = answer(308, Location="https://ann:pw@new.example/v2/?token=secret")
    error = refusal(moved, "x", access_hint="")
    assert (
        error.hint
        == "it has moved to https://new.example/v2/; give the address where the registry is"
    )


def test_retry_after_in_seconds() -> None:
    error = refusal(answer(429, Retry_After="17"), "x", access_hint="")
    assert isinstance(error, Unavailable)
    assert error.retry_after == 17.0


def test_retry_after_as_a_date() -> None:
    soon = formatdate(time.time() + 3600, usegmt=True)
    wait = answer(429, Retry_After=soon).retry_after
    assert wait is not None
    assert 3500 < wait <= 3600
    assert answer(429, Retry_After=formatdate(0, usegmt=True)).retry_after == 0.0


@pytest.mark.parametrize("text", ["", "soon", "-1", "²"])
def test_retry_after_that_means_nothing(text: str) -> None:
    assert answer(429, Retry_After=text).retry_after is None


@pytest.mark.parametrize("text", ["", "http://[::1", "ftp://x/y", "http://h:0/"])
def test_a_location_that_leads_nowhere(text: str) -> None:
    assert answer(202, Location=text).location is None


def test_a_location_may_be_relative() -> None:
    found = answer(202, Location="/v2/a/blobs/uploads/7?_state=x").location
    assert found == "https://registry.example/v2/a/blobs/uploads/7?_state=x"


def test_a_digest_that_is_none_is_an_integrity_error() -> None:
    with pytest.raises(IntegrityError, match="not a digest") as caught:
        _ = answer(200, Docker_Content_Digest="sha256:abc").digest
    assert "secret" not in caught.value.message


def test_an_address_is_printed_without_what_may_be_secret() -> None:
    assert (
        printable("https://ann:pw@h.example:5/v2/?X-Amz-Signature=1#f") == "https://h.example:5/v2/"
    )
