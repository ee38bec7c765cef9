"""The API of a local engine: which one is asked, and what is said when it does not help."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import FakeEngine, Saved, fake_engine, short_folder
from transfer.engine import Engine
from transfer.errors import AccessDenied, InvalidInput, NotFound, ToolError

IMAGE = Saved.of("base")


@pytest.fixture
def fake() -> Iterator[FakeEngine]:
    with fake_engine() as engine:
        yield engine


def test_an_image_as_the_engine_knows_it(fake: FakeEngine) -> None:
    image_id = fake.hold("agent:v1", IMAGE)
    with Engine.connect(fake.address, {}) as engine:
        image = engine.inspect("agent:v1")
        assert engine.inspect(str(image_id)) == image
        assert b"".join(engine.save(image_id)) == IMAGE.tar()
    assert (image.id, image.diff_ids) == (IMAGE.id, tuple(IMAGE.diff_ids))
    assert image.size == sum(map(len, IMAGE.layers))


def test_docker_host_names_the_engine(fake: FakeEngine) -> None:
    fake.hold("agent:v1", IMAGE)
    with Engine.connect("", {"DOCKER_HOST": fake.address}) as engine:
        assert engine.description == f"engine {fake.address}"
        engine.inspect("agent:v1")


def test_no_proxy_stands_before_a_socket(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    fake.hold("agent:v1", IMAGE)
    with Engine.connect(fake.address, {}) as engine:
        engine.inspect("agent:v1")


def test_an_address_goes_before_docker_host(fake: FakeEngine) -> None:
    with Engine.connect(fake.address, {"DOCKER_HOST": "unix:///nowhere"}) as engine:
        assert engine.description == f"engine {fake.address}"


def test_podman_of_the_user_is_found_without_being_named() -> None:
    with short_folder() as folder:
        (folder / "podman").mkdir()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(folder / "podman" / "podman.sock"))
            with pytest.raises(ToolError, match=f"engine unix://{folder}/podman/podman.sock: "):
                Engine.connect("", {"XDG_RUNTIME_DIR": str(folder)})


def test_where_no_engine_is_the_places_are_named() -> None:
    if any(Path(place).exists() for place in ("/var/run/docker.sock", "/run/podman/podman.sock")):
        pytest.skip("this machine has an engine")
    with pytest.raises(NotFound, match="no container engine: DOCKER_HOST is not set") as caught:
        Engine.connect("", {"XDG_RUNTIME_DIR": "/run/user/7"})
    for place in ("/var/run/docker.sock", "/run/user/7/podman/podman.sock", "/run/podman/"):
        assert place in caught.value.message
    assert "systemctl start" in (caught.value.hint or "")


@pytest.mark.parametrize("address", ["ssh://host", "npipe:////./pipe/docker", "podman"])
def test_addresses_that_are_not_supported(address: str) -> None:
    for given, environ in ((address, {}), ("", {"DOCKER_HOST": address})):
        with pytest.raises(InvalidInput, match="expected one of unix://"):
            Engine.connect(given, environ)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"engine unix:///nowhere\.sock: nothing listens") as caught:
        Engine.connect("unix:///nowhere.sock", {})
    assert "systemctl start" in (caught.value.hint or "")
    with short_folder() as folder:
        with socket.socket(socket.AF_UNIX) as closed:
            closed.bind(str(folder / "s"))
        with pytest.raises(ToolError, match="nothing listens there"):
            Engine.connect(f"unix://{folder}/s", {})


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    environ = {
        "DOCKER_HOST": "tcp://127.0.0.1:1",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    with pytest.raises(ToolError, match=r"DOCKER_HOST: .*TLS"):
        Engine.connect("", environ)


def test_what_is_not_there(fake: FakeEngine) -> None:
    with Engine.connect(fake.address, {}) as engine:
        with pytest.raises(NotFound, match=f"engine {fake.address}: image agent:v1: not there"):
            engine.inspect("agent:v1")
        with pytest.raises(NotFound, match="saving image"):
            list(engine.save(IMAGE.id))


def test_an_engine_that_fails(fake: FakeEngine) -> None:
    fake.status = 500
    with Engine.connect(fake.address, {}) as engine:
        with pytest.raises(ToolError, match="image agent:v1: scripted"):
            engine.inspect("agent:v1")
        with pytest.raises(ToolError, match=r"saving image .*: scripted"):
            list(engine.save(IMAGE.id))


def test_an_answer_that_describes_no_image(fake: FakeEngine) -> None:
    good = {"Id": str(IMAGE.id), "Size": 1, "RootFS": {"Layers": ["sha256:x"]}}
    odd = [{**good, "Id": "x"}, {**good, "Size": None}, {**good, "RootFS": None}, {}]
    with Engine.connect(fake.address, {}) as engine:
        for answer in odd:
            fake.images["agent:v1"] = answer
            with pytest.raises(ToolError, match="the answer describes no image"):
                engine.inspect("agent:v1")


def test_an_engine_that_this_user_may_not_use(fake: FakeEngine) -> None:
    Path(fake.address.removeprefix("unix://")).chmod(0)
    before = os.geteuid()
    if not before:
        os.seteuid(65534)  # root may use every socket
    try:
        with pytest.raises(AccessDenied, match="may not use its socket") as caught:
            Engine.connect(fake.address, {})
    finally:
        os.seteuid(before)
    assert "group" in (caught.value.hint or "")
