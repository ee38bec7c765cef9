"""What a copy says of itself when it is over."""

from __future__ import annotations

import pytest

from tests.transfer.images import image
from tests.transfer.memory import MemoryStore, faults_of
from transfer.delivery import Copied, Delivery, ImageCopy, NotTried, Outcome
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    Incomplete,
    NotFound,
    SizeMismatch,
    TransferError,
    Unavailable,
)

TREE = image()


def copied(*errors: TransferError | None) -> Copied:
    store = MemoryStore(TREE)
    one = ImageCopy(root=TREE.root, source=store, target=store, name="1")
    deliveries = tuple(
        Delivery(image=one, outcome=Outcome.FAILED if error else Outcome.COPIED, error=error)
        for error in errors
    )
    return Copied(
        deliveries=deliveries, blobs_sent=0, bytes_sent=0, blobs_mounted=0, blobs_present=0
    )


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([NotFound("a")], NotFound),
        ([NotFound("a"), NotFound("b")], NotFound),
        ([NotFound("a"), None], Incomplete),
        ([NotFound("a"), AccessDenied("b")], Incomplete),
        ([DigestMismatch("a"), SizeMismatch("b")], Incomplete),
        ([Unavailable("a"), NotTried("b")], Unavailable),
        ([Unavailable("a"), NotTried("b"), None], Incomplete),
        ([NotTried("b")], Incomplete),
    ],
)
def test_failures_are_of_their_own_class_only_if_all_failed_alike(
    errors: list[TransferError | None], kind: type[TransferError]
) -> None:
    with pytest.raises(kind) as caught:
        copied(*errors).raise_for_failures()
    assert type(caught.value) is kind
    assert faults_of(caught.value) == [str(error) for error in errors if error]
    failed = sum(error is not None for error in errors)
    assert caught.value.message == f"{failed} of {len(errors)} images were not delivered"
    assert "same command" in str(caught.value.hint)


def test_one_fault_of_many_images_is_told_once() -> None:
    shared = DigestMismatch("blob 1 is damaged")
    with pytest.raises(Incomplete) as caught:
        copied(shared, NotFound("image 2"), shared, None).raise_for_failures()
    assert caught.value.message == "3 of 4 images were not delivered"
    assert faults_of(caught.value) == ["blob 1 is damaged", "image 2"]


def test_what_was_not_tried_comes_after_its_causes() -> None:
    with pytest.raises(Unavailable) as caught:
        copied(NotTried("b"), Unavailable("a"), NotTried("b")).raise_for_failures()
    assert faults_of(caught.value) == ["a", "b"]


def test_no_failure_raises_nothing() -> None:
    copied(None, None).raise_for_failures()


@pytest.mark.parametrize(
    ("name", "text"),
    [("v1", "site/redis:v1"), (str(TREE.root.digest), f"site/redis@{TREE.root.digest}")],
)
def test_an_image_is_named_as_it_is_pulled(name: str, text: str) -> None:
    store = MemoryStore(description="site/redis")
    assert str(ImageCopy(root=TREE.root, source=store, target=store, name=name)) == text
