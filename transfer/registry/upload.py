"""Uploads of blobs to one repository.

`session` brings a blob whose content can be read again; a stream that can be read once is sent
while it is made; and what another repository holds is taken over without sending it.
Source: distribution-spec, "Pushing a blob in chunks", "Mounting a blob from another repository".
"""

from __future__ import annotations

import threading
from http import HTTPStatus

from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import AccessDenied, InvalidInput, NotFound, Unavailable
from transfer.http.answers import Answer
from transfer.outlet import Making
from transfer.registry.asking import Asking
from transfer.registry.connection import Connection
from transfer.registry.session import Session
from transfer.store import OpenContent

_MOUNTED_OR_OPENED = (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)


class Uploads:
    """The uploads into one repository."""

    def __init__(self, connection: Connection, path: str, name: str) -> None:
        self._connection = connection
        self._asking = Asking(connection, path, name)
        self._begun: dict[Digest, Answer] = {}
        """Uploads that the registry opened where a mount was asked for."""
        self._is_closed = False
        self._lock = threading.Lock()

    def push(self, blob: Descriptor, content: OpenContent) -> None:
        """Upload a blob; see `session` for what happens on the way.

        Raises:
            TransferError: as the registry refuses, or as `content` fails.
        """
        with self._connection.upload():
            with self._lock:
                begun = self._begun.pop(blob.digest, None)
            Session(self._asking, blob, content, begun).send()

    def close(self) -> bool:
        """Cancel what was begun for a blob that will not be pushed any more.

        A mount that is under way right now takes back itself what it is given instead.

        Returns:
            False where nobody answers, so that others need not be tried.
        """
        with self._lock:
            self._is_closed = True
            begun, self._begun = self._begun, {}
        return all(self._take_back(answer) for answer in begun.values())

    def stream(self, blob: Making) -> None:
        """Upload a blob while it is being made: its digest is told at the end.

        Tried once, as the content can be read once. The one PATCH of unknown length is what
        docker and podman push by.

        Raises:
            TransferError: as the registry refuses, or as making it fails.
        """
        what = f"{self._asking.name}: upload of a layer"
        with self._connection.upload():
            location = self._asking.location(self._asking.start(what), what)
            try:
                self._stream(blob, location, what)
            except BaseException:  # Ctrl-C too leaves nothing behind
                self._asking.cancel(location, what)
                raise

    def _stream(self, blob: Making, location: str, what: str) -> None:
        all_of_it = self._asking.stream(location, blob, what)
        taken = self._connection.exchange(all_of_it, (HTTPStatus.ACCEPTED,))
        location = self._asking.location(taken, what)
        if blob.digest is None:
            raise Unavailable(f"{what}: the registry answered before all of it was sent")
        end = self._asking.put(location, blob.digest, b"", what)
        stored = self._connection.exchange(end, (HTTPStatus.CREATED,))
        stored.check_digest(blob.digest, what)

    def mount(self, blob: Descriptor, origin: str) -> bool:
        """Take over a blob from the repository with path `origin`; False if that can't be.

        What forbids it is not told: uploading the blob instead will tell, or work. Where mounts
        never work, none is tried any more.

        Raises:
            Unavailable: no answer, after all retries.
        """
        manners = self._connection.manners
        if not manners.mounts:
            return False
        try:
            with self._connection.upload():
                return self._connection.retried(lambda: self._mount(blob, origin))
        except (AccessDenied, NotFound, InvalidInput):
            manners.mounted(works=False)
            return False

    def _mount(self, blob: Descriptor, origin: str) -> bool:
        what = f"{self._asking.name}: mount of blob {blob.digest} from {origin}"
        answer = self._asking.start(
            what,
            {"mount": str(blob.digest), "from": origin},
            (f"repository:{origin}:pull",),
            _MOUNTED_OR_OPENED,
        )
        if answer.status == HTTPStatus.ACCEPTED:  # an upload is open instead: it will be used
            self._keep(blob, answer)
            return False
        answer.check_digest(blob.digest, what)
        self._connection.manners.mounted(works=True)
        return True

    def _keep(self, blob: Descriptor, begun: Answer) -> None:
        with self._lock:
            unused = begun if self._is_closed else self._begun.get(blob.digest)
            if not self._is_closed:
                self._begun[blob.digest] = begun
        if unused is not None:
            self._take_back(unused)

    def _take_back(self, begun: Answer) -> bool:
        what = f"{self._asking.name}: upload"
        return begun.location is None or self._asking.cancel(begun.location, what)
