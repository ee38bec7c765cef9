"""Registries that want blobs otherwise: in pieces, in smaller ones, from where they stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, Action, Exchange, close_after, header, status
from tests.fakes.registry import FakeRegistry, keep
from tests.servers import docker_registry, nginx
from tests.transfer.memory import Watch
from tests.transfer.registry.support import AT_ONCE, Content, noise
from transfer.errors import IntegrityError, InvalidInput, StorageError, Unavailable
from transfer.habits import UNKNOWN, Habits
from transfer.registry import RegistryClient, RegistryRepository
from transfer.registry.manners import MIB, PIECE, Manners

CONTENT = noise(3 * MIB + 5)
UPLOADS = r"/blobs/uploads/"


@pytest.fixture
def content() -> Content:
    return Content(CONTENT)


def arrived(fake: FakeRegistry, content: Content) -> bool:
    return (
        fake.blobs == {("a/b", str(content.blob.digest)): content.content} and not fake.open_uploads
    )


def methods(fake: FakeRegistry) -> list[str]:
    return [seen.method for seen in fake.requests]


def ranges(fake: FakeRegistry) -> list[str]:
    return [seen.headers["content-range"] for seen in fake.requests if seen.method == "PATCH"]


def larger_than(limit: int, action: Action) -> Action:
    """`action` for bodies of more than `limit` bytes; what is shorter passes."""

    def act(exchange: Exchange) -> bool:
        return int(exchange.headers.get("Content-Length") or 0) > limit and action(exchange)

    return act


@contextmanager
def known(
    fake: FakeRegistry, habits: Habits = UNKNOWN, said: Watch | None = None
) -> Iterator[RegistryRepository]:
    """A repository of a registry that was probed."""
    with RegistryClient.connect(
        fake.host, plain_http=True, retry=AT_ONCE, habits=habits, progress=said or Watch()
    ) as client:
        yield client.repository("a/b")


WHOLE_REFUSED = {
    "405": status(405),
    "411": status(411),
    "415": status(415),
    "416": status(416),
    "501": status(501),
    "unsupported": status(400, error=("UNSUPPORTED", "no monolithic upload")),
    "invalid": status(400, error=("BLOB_UPLOAD_INVALID", "not so")),
}


@pytest.mark.parametrize("action", WHOLE_REFUSED.values(), ids=WHOLE_REFUSED)
def test_a_blob_that_may_not_come_whole_comes_in_pieces_and_so_do_the_next(
    fake: FakeRegistry, repository: RegistryRepository, content: Content, action: Action
) -> None:
    fake.fail("PUT", UPLOADS, FOREVER, larger_than(0, action))
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert methods(fake) == ["POST", "PUT", "GET", "PATCH", "PUT"]
    assert ranges(fake) == [f"0-{len(CONTENT) - 1}"]
    fake.requests.clear()
    other = Content(noise(9))
    repository.push_blob(other.blob, other.open)
    assert methods(fake) == ["POST", "PATCH", "PUT"]


@pytest.mark.parametrize("code", [404, 405, 416, 501])
def test_pieces_that_are_refused_come_whole_again(
    fake: FakeRegistry, content: Content, code: int
) -> None:
    error = ("UNSUPPORTED", "no chunks") if code == 404 else None
    fake.fail("PATCH", UPLOADS, FOREVER, status(code, error=error))
    with known(fake, Habits(whole=False)) as repository:
        repository.push_blob(content.blob, content.open)
        assert arrived(fake, content)
        assert methods(fake) == ["POST", "PATCH", "GET", "PUT"]


def test_a_registry_that_takes_blobs_in_no_way_is_asked_each_way_once(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    fake.fail("PUT", UPLOADS, FOREVER, status(501))
    fake.fail("PATCH", UPLOADS, FOREVER, status(501))
    with pytest.raises(InvalidInput, match="answered 501"):
        repository.push_blob(content.blob, content.open)
    assert (fake.count("PUT"), fake.count("PATCH")) == (1, 1)
    assert not fake.open_uploads


@pytest.mark.parametrize("unread", [False, True], ids=["read", "unread"])
def test_a_body_too_large_for_a_proxy_comes_in_smaller_ones(
    fake: FakeRegistry, content: Content, *, unread: bool
) -> None:
    for method in ("PUT", "PATCH"):
        fake.fail(method, UPLOADS, FOREVER, larger_than(MIB, status(413, unread=unread)))
    said = Watch()
    with known(fake, said=said) as repository:
        repository.push_blob(content.blob, content.open)
        assert arrived(fake, content)
        assert ranges(fake) == [
            "0-1048575",
            "1048576-2097151",
            "2097152-3145727",
            "3145728-3145732",
        ]
        assert fake.count("PUT") == 2
        assert said.lines == [
            f"127.0.0.1: bodies of {len(CONTENT)} bytes are refused: going on with {MIB} at a time"
        ]
        fake.requests.clear()
        small = Content(noise(MIB))
        repository.push_blob(small.blob, small.open)
        assert methods(fake) == ["POST", "PUT"]


def test_a_limit_that_is_known_is_kept_from_the_start(fake: FakeRegistry, content: Content) -> None:
    with known(fake, Habits(largest_body=2 * MIB)) as repository:
        repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert ranges(fake) == ["0-2097151", f"2097152-{len(CONTENT) - 1}"]
    assert methods(fake) == ["POST", "PATCH", "PATCH", "PUT"]


def test_a_limit_that_nobody_can_mean_is_not_kept(fake: FakeRegistry, content: Content) -> None:
    with known(fake, Habits(largest_body=1)) as repository:
        repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert fake.count("PATCH") == 4


def test_a_limit_that_has_become_lower_is_learnt(fake: FakeRegistry, content: Content) -> None:
    fake.fail("PATCH", UPLOADS, FOREVER, larger_than(MIB, status(413)))
    with known(fake, Habits(largest_body=2 * MIB)) as repository:
        repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)


def test_a_layer_that_is_too_large_in_any_way_is_told_with_its_size(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    for method in ("PUT", "PATCH"):
        fake.fail(method, UPLOADS, FOREVER, status(413))
    with pytest.raises(StorageError, match=f"the blob has {len(CONTENT)} bytes") as caught:
        repository.push_blob(content.blob, content.open)
    assert "limit" in (caught.value.hint or "")
    assert fake.count("PATCH") == 1, "nothing smaller than 1 MiB is tried"


@pytest.mark.parametrize("told", [None, 5 * MIB])
def test_pieces_are_as_large_as_the_registry_wants(fake: FakeRegistry, told: int | None) -> None:
    least = PIECE + 7
    if told is None:
        fake.fail("POST", UPLOADS, FOREVER, header("OCI-Chunk-Min-Length", str(least)))
    content = Content(bytes(PIECE + 9))
    with known(fake, Habits(whole=False, least_piece=told or 0)) as repository:
        repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    size = PIECE if told else least
    assert ranges(fake) == [f"0-{size - 1}", f"{size}-{PIECE + 8}"]


def test_an_upload_that_broke_goes_on_where_the_registry_says(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    fake.fail("PUT", UPLOADS, 1, keep(MIB))
    fake.fail("PATCH", UPLOADS, 1, keep(MIB // 2))
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert methods(fake) == ["POST", "PUT", "GET", "PATCH", "GET", "PATCH", "PUT"]
    assert ranges(fake) == ["1048576-3145732", "1572864-3145732"]
    assert content.opened == 3, "each time verified from its first byte"


def test_an_upload_that_comes_further_each_time_is_not_given_up(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    fake.fail("PUT", UPLOADS, 1, keep(1000))
    fake.fail("PATCH", UPLOADS, 5, keep(1000))
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert fake.count("PATCH") == 6  # of three attempts in all, had none come further


def test_all_but_the_answer_arrived(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    fake.fail("PUT", UPLOADS, 1, keep(len(CONTENT)))
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert methods(fake) == ["POST", "PUT", "GET", "PUT"], "no byte is sent twice"


def test_a_blob_that_was_stored_when_the_answer_was_lost_is_not_sent_again(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    def store_and_hang_up(exchange: Exchange) -> bool:
        fake.blobs["a/b", str(content.blob.digest)] = exchange.read_body()
        fake.open_uploads.clear()
        exchange.close_connection = True
        return True

    fake.fail("PUT", UPLOADS, 1, store_and_hang_up)
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert methods(fake) == ["POST", "PUT", "GET", "HEAD"]


def test_a_blob_that_takes_its_place_while_it_is_asked_for_is_not_sent_again(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    """The answer is late, and the registry done only when it was asked how far it came."""

    def store_it(exchange: Exchange) -> bool:
        (session,) = fake.open_uploads
        fake.blobs["a/b", str(content.blob.digest)] = fake.arrived.pop(session)
        fake.open_uploads.clear()
        return exchange.forgetful

    fake.fail("PUT", UPLOADS, 1, keep(len(CONTENT)))
    fake.fail("PUT", UPLOADS, 1, store_it)
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert fake.count("POST") == 1
    assert [
        int(seen.headers["content-length"]) for seen in fake.requests if seen.method == "PUT"
    ] == [
        len(CONTENT),
        0,
    ]


@pytest.mark.parametrize("told", ["0-9999999", "soon", None])
def test_a_place_that_cannot_be_is_none(
    fake: FakeRegistry, repository: RegistryRepository, content: Content, told: str | None
) -> None:
    fake.fail("PUT", UPLOADS, 1, keep(MIB))
    fake.fail("GET", UPLOADS, 1, header("Range", told))
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    asked = [method for method in methods(fake) if method != "HEAD"]  # if all of it had left us
    assert asked == ["POST", "PUT", "GET", "DELETE", "POST", "PUT"]


def test_a_place_that_is_wrong_is_found_out_and_all_of_it_sent_again(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    def lose_some(exchange: Exchange) -> bool:
        for session, held in fake.arrived.items():
            fake.arrived[session] = held[:-1] + b"?"
        return exchange.forgetful

    fake.fail("PUT", UPLOADS, 1, keep(MIB))
    fake.fail("GET", UPLOADS, 1, lose_some)
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert methods(fake) == [*("POST", "PUT", "GET", "PATCH", "PUT"), "DELETE", "POST", "PUT"]


def test_a_registry_that_takes_less_than_was_sent_gets_the_rest(
    fake: FakeRegistry, content: Content
) -> None:
    def take_half(exchange: Exchange) -> bool:
        (session,) = fake.open_uploads
        fake.arrived[session] = exchange.read_body()[:MIB]
        exchange.answer(202, {"Location": exchange.path, "Range": f"0-{MIB - 1}"})
        return True

    fake.fail("PATCH", UPLOADS, 1, take_half)
    with known(fake, Habits(whole=False)) as repository:
        repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert ranges(fake) == ["0-3145732", "1048576-3145732"]


def test_an_upload_that_the_registry_forgot_is_begun_again(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    def forget_it(exchange: Exchange) -> bool:
        fake.open_uploads.clear()
        return exchange.forgetful

    fake.fail("PUT", UPLOADS, 1, forget_it)
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert fake.count("POST") == 2


def test_a_large_blob_that_breaks_again_and_again_comes_in_pieces(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    content = Content(bytes(PIECE + 9))
    fake.fail("PUT", UPLOADS, FOREVER, larger_than(PIECE, close_after(100)))
    repository.push_blob(content.blob, content.open)
    assert arrived(fake, content)
    assert methods(fake) == ["POST", "PUT", "GET", "PUT", "GET", "PATCH", "PATCH", "PUT"]
    fake.requests.clear()
    for size, asked in ((PIECE + 10, ["POST", "PATCH", "PATCH", "PUT"]), (9, ["POST", "PUT"])):
        other = Content(bytes(size))
        repository.push_blob(other.blob, other.open)
        assert methods(fake) == asked
        fake.requests.clear()


def test_an_upload_at_another_host_is_begun_again_after_a_break(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    with FakeRegistry() as elsewhere:
        fake.fail(
            "POST", UPLOADS, 1, header("Location", f"http://{elsewhere.host}/x/blobs/uploads/7")
        )
        elsewhere.fail("PUT", UPLOADS, 1, close_after(10))
        elsewhere.fail("DELETE", UPLOADS, 1, status(204))
        repository.push_blob(content.blob, content.open)
        assert methods(elsewhere) == ["PUT", "DELETE"]
    assert fake.blobs["a/b", str(content.blob.digest)] == CONTENT


def test_content_that_is_wrong_is_refused_after_a_break_too(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    content = Content(CONTENT, promised=CONTENT[:-1] + b"?")
    fake.fail("PUT", UPLOADS, 1, keep(MIB))
    with pytest.raises(IntegrityError, match="test content: expected"):
        repository.push_blob(content.blob, content.open)
    assert not fake.blobs
    assert not fake.open_uploads


def test_mounts_that_never_work_are_not_tried_for_ever(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.fail("POST", "mount=", FOREVER, status(401))
    origin = client.repository("other/place")
    for number in range(9):
        blob = Content(noise(number)).blob
        assert not client.repository("a/b").mount_blob(blob, origin)
    assert fake.count("POST", "mount=") == 3


def test_once_a_mount_worked_others_are_tried(fake: FakeRegistry, client: RegistryClient) -> None:
    contents = [Content(noise(number)) for number in range(9)]
    origin, target = client.repository("other/place"), client.repository("a/b")
    origin.push_blob(contents[0].blob, contents[0].open)
    assert target.mount_blob(contents[0].blob, origin)
    fake.fail("POST", "mount=", FOREVER, status(404))
    for content in contents[1:]:
        assert not target.mount_blob(content.blob, origin)
    assert fake.count("POST", "mount=") == 9


def test_a_mount_that_is_known_to_be_refused_is_not_tried(
    fake: FakeRegistry, content: Content
) -> None:
    with known(fake, Habits(mounts=False)) as repository:
        fake.blobs["a/b", str(content.blob.digest)] = CONTENT
        assert not repository.mount_blob(content.blob, repository)
    assert not fake.requests


def speak_http_1_0(exchange: Exchange) -> bool:
    """Answer as HTTP/1.0 does; refuse a body of unknown length."""
    exchange.protocol_version = "HTTP/1.0"
    exchange.close_connection = True
    if "Transfer-Encoding" in exchange.headers:
        exchange.answer(411)
        return True
    return False


def test_a_proxy_that_speaks_http_1_0(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH"):
        fake.fail(method, "", FOREVER, speak_http_1_0)
    assert not repository.has_blob(content.blob)
    repository.push_blob(content.blob, content.open)
    assert repository.has_blob(content.blob)
    assert arrived(fake, content)
    assert fake.connections == len(fake.requests) == 4


@pytest.mark.real
@pytest.mark.parametrize("limit", ["1m", "20m"])
def test_a_real_registry_behind_a_real_proxy_with_a_limit(tmp_path: Path, limit: str) -> None:
    content = Content(noise(23 * MIB))
    with docker_registry(tmp_path / "registry") as registry:
        snippet = (
            f"client_max_body_size {limit};\n"
            "location /v2/ { proxy_pass http://%s; proxy_set_header Host $http_host; }"
        )
        with nginx(tmp_path / "nginx", tmp_path, snippet % registry.host) as proxy:
            with RegistryClient.connect(proxy.host, plain_http=True, retry=AT_ONCE) as client:
                client.repository("a/b").push_blob(content.blob, content.open)
                assert client.repository("a/b").has_blob(content.blob)
            refused = [one for one in proxy.requests() if one.status == 413]
        assert registry.blob(str(content.blob.digest)).read_bytes() == content.content
    assert 0 < len(refused) <= 3


def test_a_registry_that_hangs_up_for_ever_is_given_up(
    fake: FakeRegistry, repository: RegistryRepository, content: Content
) -> None:
    fake.fail("PUT", UPLOADS, FOREVER, keep(0))
    with pytest.raises(Unavailable, match="tried 3 times"):
        repository.push_blob(content.blob, content.open)
    assert not fake.open_uploads


def test_pieces_are_tried_where_bodies_are_too_large_whatever_was_known_of_them() -> None:
    manners = Manners(Habits(pieces=False), lambda _told: None)
    blob = 100 * MIB
    assert manners.piece(blob, 0, careful=False) is None
    assert manners.body_refused(blob)
    assert manners.piece(blob, 0, careful=False) == 64 * MIB


def test_a_large_limit_makes_no_large_pieces() -> None:
    manners = Manners(Habits(largest_body=4096 * MIB), lambda _told: None)
    assert manners.piece(3000 * MIB, 0, careful=True) == PIECE
