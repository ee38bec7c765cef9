"""Brings one file: asks for what is missing, and again, until all of it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundler.downloads.address import Address
from bundler.downloads.answers import EXPIRED, Meaning, Offer, refusal, understand
from bundler.downloads.crew import Crew
from bundler.downloads.journal import Content
from bundler.downloads.limits import Trickle
from bundler.downloads.means import Means
from bundler.downloads.part import Part
from bundler.downloads.pieces import Piece, Pieces
from bundler.downloads.stop import Stop
from bundler.downloads.tally import Tally
from bundler.downloads.values import Download
from transfer.digest import Digest
from transfer.errors import InvalidInput, SizeMismatch, Unavailable
from transfer.http.messages import Reply, Request
from transfer.http.retry import GivenUp

BLOCK = 1 << 20
"""Bytes read in one go, if that many have come."""

_STEP = 32 << 20
"""Bytes after which the disk is looked at, where no server says how many come."""
_RESERVE = 256 << 20
"""Bytes that have to be free then: other downloads and programs write there too."""

_PACKED = (".gz", ".tgz", ".airgap")
"""Files that are gzip themselves: of these many servers say that they have encoded them."""

_PROVE = "give its sha256 in the spec"
_NETWORK = "check the network"
_CONTINUES = "then run the same command: the download continues"


class Fetching:
    """One file on its way into its part."""

    def __init__(self, wanted: Download, part: Part, means: Means, tally: Tally) -> None:
        """Nothing is asked yet."""
        self._wanted = wanted
        self._part = part
        self._means = means
        self._tally = tally
        self._address = Address(wanted, means.pace.renewals)
        self._pieces = Pieces(part, means.pace.smallest)
        self._crew = Crew(means, self._help)

    def bring(self) -> Digest:
        """Every byte; what they hash to is for the caller to judge.

        Raises:
            SizeMismatch: there are more than were promised; none was kept.
            AccessDenied, NotFound, InvalidInput: as the server refuses.
            Unavailable: no byte arrived, as often as it was tried.
            StorageError: the cache cannot be written.
            Stopped: somebody wants the file no more.
        """
        try:
            self._means.retry.run(self._work, self._tally, reached=lambda: self._part.most)
        except GivenUp as error:
            hint = f"{error.hint or _NETWORK}; {_CONTINUES}"
            raise Unavailable(error.message, hint=hint, retry_after=error.retry_after) from error
        finally:
            self._crew.dismiss()
        return self._part.digest()

    def _work(self) -> None:
        """The first connection: for as long as something is missing."""
        self._forget_what_cannot_be_continued()
        while not self._part.complete:
            self._means.stop.check()
            with self._pieces.take() as piece:
                if piece:
                    self._fetch(piece)
            if piece is None:
                self._pieces.wait(self._means.stop)

    def _help(self) -> None:
        """A further connection: until nothing is left that is worth it."""
        while True:
            with self._pieces.take() as piece:
                if piece is None:
                    return
                self._fetch_range(piece)

    @property
    def _provable(self) -> bool:
        """Whether something tells that two ranges belong to the same content."""
        wanted = self._wanted
        return bool(self._part.content.validator or wanted.digest or wanted.pinned)

    def _forget_what_cannot_be_continued(self) -> None:
        part, promised = self._part, self._wanted.size
        of_another_size = (
            None not in (promised, part.content.size) and part.content.size != promised
        )
        if of_another_size or (part.here and not self._provable):
            part.begin(Content())

    def _fetch(self, piece: Piece) -> None:
        stop = self._means.stop
        with self._ask(piece, stop) as reply:
            offer = understand(reply.answer, piece.at, self._part.content, self._part.what)
            self._accept(offer, piece)
            if offer.meaning is not Meaning.NOTHING:
                self._receive(reply, piece, stop)

    def _fetch_range(self, piece: Piece) -> None:
        stop = self._crew.stop
        with self._ask(piece, stop) as reply:
            offer = understand(reply.answer, piece.at, self._part.content, self._part.what)
            if offer.meaning is not Meaning.RANGE:
                raise Unavailable(f"{self._part.what}: no range came")
            self._receive(reply, piece, stop)

    @contextmanager
    def _ask(self, piece: Piece, stop: Stop) -> Iterator[Reply]:
        """Send the request; by another address where the first has expired."""
        while True:
            stop.check()
            location = self._address.current()
            request = Request(
                method="GET",
                url=location.url,
                what=self._part.what,
                headers=self._headers(piece),
                credentials=location.headers,
                read_timeout=self._means.pace.stall,
            )
            with self._means.transport.send(request) as reply, stop.reading(reply):
                if reply.answer.status not in EXPIRED:
                    yield reply
                    return
                refused = refusal(reply.answer, self._part.what, location.refused)
            self._address.renew(location, refused, self._part.most)

    def _headers(self, piece: Piece) -> dict[str, str]:
        size, validator = self._part.content.size, self._part.content.validator
        to_the_end = piece.end is None or piece.end == size
        if not piece.at and to_the_end:
            return {}
        last = "" if to_the_end or piece.end is None else piece.end - 1
        # Without a validator the digest at the end decides.
        condition = {"If-Range": validator.if_range} if validator else {}
        return {"Range": f"bytes={piece.at}-{last}", **condition}

    def _accept(self, offer: Offer, piece: Piece) -> None:
        """Make ready for what comes."""
        if offer.meaning is Meaning.RANGE:
            if self._part.content.size is None and offer.size is not None:
                self._learn(offer.size)
            piece.end = piece.end or offer.size
        elif offer.meaning is Meaning.NOTHING:
            self._learn(piece.at)
        else:
            self._start_over(offer)
            piece.at, piece.end = 0, offer.size
        self._crew.possible = offer.ranges and self._provable

    def _start_over(self, offer: Offer) -> None:
        part = self._part
        self._crew.dismiss()
        self._crew = Crew(self._means, self._help)
        if offer.meaning is Meaning.OTHER:
            part.begin(Content())
            raise Unavailable(f"{part.what}: it is another file now, starting over")
        if self._wanted.digest is None:
            self._refuse_unprovable(offer)
        self._check_size(offer.size)
        if part.here:
            self._tally.say(f"{part.what}: the server sends all of it again; starting over")
        part.begin(
            Content(
                what=part.what,
                file_name=self._wanted.file_name,
                size=offer.size,
                validator=offer.validator,
            )
        )
        self._expect(offer.size)

    def _learn(self, size: int) -> None:
        """The whole has this size."""
        self._check_size(size)
        self._part.learn(size)
        self._expect(size)

    def _expect(self, size: int | None) -> None:
        if size is not None:
            self._tally.told(size)
            if self._wanted.size is None:  # otherwise there was seen to it before
                self._means.require_room(self._part.what, size - self._part.here)

    def _receive(self, reply: Reply, piece: Piece, stop: Stop) -> None:
        means, part = self._means, self._part
        trickle = Trickle(part.what, means.pace.trickle, means.pace.stall)
        block_size = means.limiter.block(BLOCK)
        while piece.end is None or piece.at < piece.end:
            block = reply.read_some(block_size)
            stop.check()  # what comes after that is no content
            if not block:
                break
            self._keep(block, piece)
            pause = means.limiter.take(len(block))
            trickle.excuse(pause)
            trickle.came(len(block))
            if pause > 0 and stop.wait(pause):
                stop.check()
            if stop is means.stop:
                self._crew.consider(part.arrived)
        if piece.end is None:
            self._learn(piece.at)
        elif piece.at < piece.end:
            raise Unavailable(f"{part.what}: ended before its end")

    def _keep(self, block: bytes, piece: Piece) -> None:
        count = piece.room(len(block))
        if piece.end is None:
            self._refuse_more(piece.at + count)
            if (piece.at + count) // _STEP > piece.at // _STEP:
                self._leave_room()
        self._part.write(piece.at, block if count == len(block) else block[:count])
        piece.at += count

    def _leave_room(self) -> None:
        """A body that never ends must not fill the disk."""
        if self._wanted.size is None:
            subject = f"{self._part.what}, whose size the server does not say"
            self._means.require_room(subject, _RESERVE)

    def _check_size(self, size: int | None) -> None:
        promised = self._wanted.size
        if size is None or promised is None:
            return
        self._refuse_more(size)
        if size < promised:
            raise Unavailable(
                f"{self._part.what}: the server has {size} bytes of it, expected {promised}",
                hint="it may not have all of it yet; or the size in the lock is that of another "
                "file: ask the vendor",
            )

    def _refuse_more(self, size: int) -> None:
        promised = self._wanted.size
        if promised is not None and size > promised:
            self._crew.dismiss()
            self._part.remove()
            raise SizeMismatch(
                f"{self._part.what}: the server has {size} bytes or more, expected {promised}; "
                "nothing of it was kept",
                hint="another file is there now: compare size and SHA-256 with what the vendor "
                "says, then update the lock",
            )

    def _refuse_unprovable(self, offer: Offer) -> None:
        """Without a digest nobody would notice later that these are not the file's bytes."""
        wanted, what = self._wanted, self._part.what
        if not offer.framed and wanted.size is None:
            raise InvalidInput(
                f"{what}: the server does not say how long it is, so that a cut would not be "
                "noticed",
                hint=_PROVE,
            )
        if offer.encoding and not wanted.file_name.lower().endswith(_PACKED):
            raise InvalidInput(
                f"{what}: comes encoded ({offer.encoding}), and not as the file itself",
                hint=_PROVE,
            )
