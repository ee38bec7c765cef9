"""A local Docker or Podman engine, by the API that both speak: images are saved and loaded.

The one place that uses the docker SDK. An engine names an image by its ID: the digest of its
configuration, or of its manifest where Docker keeps images in containerd.
Source: Docker Engine API, `ImageInspect`, `ImageGet` and `ImageLoad`; Podman answers the same.
"""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from transfer.descriptor import Platform
from transfer.digest import Digest
from transfer.errors import AccessDenied, InvalidInput, NotFound, ToolError

ANSWER_TIMEOUT = 60
"""Seconds without a byte after a question."""

SAVE_TIMEOUT = 1800
"""The same while an image is saved or loaded: Docker puts all of it on its own disk first."""

_BLOCK = 1 << 20
_DOCKER_SOCKET = "/var/run/docker.sock"
_PODMAN_SOCKET = "podman/podman.sock"
_UNIX = "unix://"
_SCHEMES = (_UNIX, "tcp://", "http://", "https://")
_START = "start it: systemctl start docker, or systemctl start podman.socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """An image as an engine knows it."""

    id: Digest
    size: int
    """Bytes of its layers, about as many as saving it gives."""
    diff_ids: tuple[str, ...]
    """The digests of its layers, uncompressed."""


class Engine:
    """An engine that answers; made by `connect`, a context manager."""

    def __init__(self, api: Any, name: str) -> None:  # noqa: ANN401 - the SDK's client
        self._api = api
        self.description = f"engine {name}"
        """How messages name this side."""

    @classmethod
    def connect(cls, address: str, environ: Mapping[str, str]) -> Self:
        """Reach an engine.

        Args:
            address: `unix:///run/podman/podman.sock`; "" for the one that DOCKER_HOST names, with
                DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or else the first socket that is there of
                Docker's, the user's own Podman's, and the system's Podman's.
            environ: Has these variables, and XDG_RUNTIME_DIR.

        Raises:
            InvalidInput: this is no address of an engine.
            NotFound: there is no engine to be found.
            AccessDenied: this user may not speak to it.
            ToolError: it does not answer.
        """
        import docker
        from docker.utils import kwargs_from_env

        settings: dict[str, Any] = {"base_url": address}
        if not address:
            with _errors("DOCKER_HOST"):
                settings |= kwargs_from_env(environment=dict(environ))
        name = settings["base_url"] = settings.get("base_url") or _first_socket(environ)
        if not name.startswith(_SCHEMES):
            raise InvalidInput(
                f"engine {name!r}: expected one of {', '.join(_SCHEMES)}",
                hint="an engine behind ssh can be reached by forwarding its socket: "
                "ssh -L /tmp/engine.sock:/var/run/docker.sock HOST",
            )
        if name.startswith(_UNIX):
            _check_socket(name.removeprefix(_UNIX), f"engine {name}")
        with _errors(f"engine {name}"):
            api = docker.APIClient(version="auto", timeout=ANSWER_TIMEOUT, **settings)
        return cls(api, name)

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the connections."""
        self._api.close()

    def inspect(self, name: str) -> EngineImage:
        """What a name, or an ID, stands for right now.

        Raises:
            NotFound: for no image.
            ToolError: the engine fails, or answers with something else.
        """
        what = f"{self.description}: image {name}"
        with _errors(what):
            value = self._api.inspect_image(name)
        try:
            return EngineImage(
                id=Digest.parse(value["Id"]),
                size=int(value["Size"]),
                diff_ids=tuple(map(str, value["RootFS"]["Layers"] or ())),
            )
        except (LookupError, TypeError, ValueError, AttributeError, InvalidInput) as error:
            raise ToolError(f"{what}: the answer describes no image") from error

    def platform(self) -> Platform:
        """What the engine runs.

        Raises:
            ToolError: it fails, or does not say.
        """
        with _errors(self.description):
            value = self._api.version()
        try:
            return Platform(os=str(value["Os"]), architecture=str(value["Arch"]))
        except (LookupError, TypeError) as error:
            raise ToolError(f"{self.description}: does not say what platform it is") from error

    def keeps_manifests(self) -> bool:
        """Whether it keeps images as they were made, and names them by their manifests.

        Docker does where its images are in containerd; elsewhere only configurations are kept.

        Raises:
            ToolError: it fails.
        """
        with _errors(self.description):
            value = self._api.info()
        status = value.get("DriverStatus") if isinstance(value, dict) else None
        return any("io.containerd.snapshotter.v1" in pair for pair in status or ())

    def load(self, archive: Iterable[bytes]) -> None:
        """Take in an archive, block by block; what came of it is for `inspect` to say.

        Raises:
            ToolError: the engine fails, or refuses it.
            TransferError: whatever the archive raised while it was made.
        """
        what = f"{self.description}: loading an image"
        self._api.timeout = SAVE_TIMEOUT
        try:
            with _errors(what):
                told = list(self._api.load_image(archive))
        finally:
            self._api.timeout = ANSWER_TIMEOUT
        refused = [one["error"] for one in told if isinstance(one, dict) and one.get("error")]
        if refused:
            raise ToolError(f"{what}: {_one_line(refused[0])}")

    def save(self, image: Digest) -> Generator[bytes, None, None]:
        """The image with this ID as a docker-save archive, block by block; not verified.

        Raises:
            NotFound: it is not there any more.
            ToolError: the engine fails.
        """
        what = f"{self.description}: saving image {image}"
        self._api.timeout = SAVE_TIMEOUT
        try:
            with _errors(what), closing(self._api.get_image(str(image), _BLOCK)) as blocks:
                yield from blocks
        finally:
            self._api.timeout = ANSWER_TIMEOUT


def _first_socket(environ: Mapping[str, str]) -> str:
    places = [Path(_DOCKER_SOCKET), Path("/run", _PODMAN_SOCKET)]
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        places.insert(1, Path(runtime, _PODMAN_SOCKET))
    for place in places:
        if place.is_socket():
            return f"{_UNIX}{place}"
    raise NotFound(
        f"no container engine: DOCKER_HOST is not set, and nothing listens at "
        f"{', '.join(map(str, places))}",
        hint=f"{_START}; or name its socket: engine: unix:///path/to.sock",
    )


@contextmanager
def _errors(what: str) -> Iterator[None]:
    """Translate what the SDK raises, and the library for HTTP below it: OSErrors, all of them."""
    from docker.errors import APIError, DockerException, ImageNotFound

    try:
        yield
    except ImageNotFound as error:
        raise NotFound(
            f"{what}: not there",
            hint="check its name: docker images, or podman images, where an image built here is "
            "localhost/NAME",
        ) from error
    except APIError as error:
        raise ToolError(f"{what}: {_one_line(error.explanation or error)}") from error
    except (DockerException, OSError) as error:
        hint = "see the engine's own log for the reason"
        raise ToolError(f"{what}: {_one_line(error)}", hint=hint) from error


def _check_socket(path: str, what: str) -> None:
    """Connect once before the SDK does, which does not say why it cannot.

    Raises:
        AccessDenied: this user may not.
        ToolError: nothing listens there.
    """
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_TIMEOUT)
            probe.connect(path)
    except PermissionError as error:
        raise AccessDenied(
            f"{what}: this user may not use its socket",
            hint="run the command as root, or as a user in the group that owns the socket",
        ) from error
    except OSError as error:
        raise ToolError(f"{what}: nothing listens there ({error})", hint=_START) from error


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
