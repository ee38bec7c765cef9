"""Registries that want a project or repository to be created before anything is pushed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, Exchange, status
from tests.fakes.owners import EcrApi, FakeEcr, FakeHarbor, basic
from tests.fakes.registry import FakeRegistry
from tests.fakes.tokens import token_server
from tests.transfer import images
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import AT_ONCE, Content, noise
from transfer.copy import copy
from transfer.delivery import Copied, ImageCopy
from transfer.errors import AccessDenied, CreateFirst, InvalidInput
from transfer.http.messages import Request
from transfer.registry import Credentials, RegistryClient
from transfer.registry.ecr import Keys, create_repository, sign

ANN = Credentials("ann", "secret-7")
CONTENT = noise(1000)


def client_of(
    registry: FakeRegistry, *, create: bool, environ: dict[str, str] | None = None
) -> RegistryClient:
    return RegistryClient.connect(
        registry.host,
        plain_http=True,
        retry=AT_ONCE,
        credentials=None if environ else ANN,
        environ=environ,
        create_missing=create,
    )


def push_to(client: RegistryClient, *paths: str) -> Copied:
    """Push the same image to several repositories."""
    tree = images.image(images.layer("x"), images.layer("y"))
    return copy(
        [
            ImageCopy(
                root=tree.root, source=MemoryStore(tree), target=client.repository(path), name="1"
            )
            for path in paths
        ],
        jobs=2,
    )


@pytest.fixture
def harbor() -> Iterator[FakeHarbor]:
    with FakeHarbor(owner=ANN.basic()) as fake:
        yield fake


def test_projects_that_are_missing_are_one_list(harbor: FakeHarbor) -> None:
    harbor.projects = {"here"}
    with client_of(harbor, create=False) as client:
        copied = push_to(client, "harness/ui", "here/ui", "harness/api", "other/x")
    with pytest.raises(Exception, match="3 of 4 images were not delivered") as caught:
        copied.raise_for_failures()
    assert [fault.message for fault in getattr(caught.value, "faults", ())] == [
        f"{harbor.host}: project {name} does not exist, and a push does not create it (answered "
        f"401 Unauthorized (UNAUTHORIZED: project {name} not found: project {name} not found))"
        for name in ("harness", "other")
    ]
    assert "or let --create-missing do it" in getattr(caught.value, "hint", "")
    assert ("here/ui", "1") in harbor.tags, "the others went on"


def test_missing_repositories_are_one_list_and_one_kind_of_error(fake: FakeRegistry) -> None:
    fake.fail("POST", "uploads", FOREVER, status(404, error=("NAME_UNKNOWN", "no repository")))
    with client_of(fake, create=True) as client, pytest.raises(CreateFirst) as caught:
        push_to(client, "harness/ui", "harness/api").raise_for_failures()
    assert {fault.message.partition(" does not exist")[0] for fault in caught.value.faults} == {
        f"{fake.host}: repository harness/{name}" for name in ("ui", "api")
    }
    assert caught.value.exit_code == 5
    assert fake.count("POST", "^/(?!v2)") == 0, "nobody knows how to create anything there"


def test_a_project_is_created_once_where_that_is_allowed(harbor: FakeHarbor) -> None:
    with client_of(harbor, create=True) as client:
        push_to(client, "harness/ui", "harness/api", "harness/db").raise_for_failures()
    assert harbor.asked == [{"project_name": "harness", "metadata": {"public": "false"}}]
    assert set(harbor.tags) == {(f"harness/{name}", "1") for name in ("ui", "api", "db")}


def test_a_project_is_asked_for_again_after_a_hiccup(harbor: FakeHarbor) -> None:
    harbor.fail("POST", "/api/v2.0/projects", 1, status(503))
    with client_of(harbor, create=True) as client:
        push_to(client, "harness/ui").raise_for_failures()
    assert set(harbor.tags) == {("harness/ui", "1")}


def test_a_token_from_before_a_project_was_there_is_not_used_for_it(
    harbor: FakeHarbor, tmp_path: Path
) -> None:
    with token_server(tmp_path, users={"ann": "secret-7"}) as tokens:
        bearer = {"WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="harbor-registry"'}
        harbor.fail("GET", "^/v2/$", 1, status(401, bearer))
        with client_of(harbor, create=True) as client:
            client.ping()
            push_to(client, "harness/ui", "harness/api").raise_for_failures()
    assert harbor.projects == {"harness"}
    assert harbor.tokens


@pytest.mark.parametrize("kind", ["blobs", "manifests"])
def test_a_project_that_is_created_between_two_questions(harbor: FakeHarbor, kind: str) -> None:
    def create(exchange: Exchange) -> bool:
        harbor.projects.add("harness")
        return exchange.forgetful

    harbor.fail("GET", f"/{kind}/", 1, create)
    with client_of(harbor, create=True) as client:
        repository = client.repository("harness/ui")
        found = repository.resolve("1") if kind == "manifests" else None
        assert found is None
        if kind == "blobs":
            assert not repository.has_blob(Content(CONTENT).blob)
    assert [seen.method for seen in harbor.requests] == ["HEAD", "GET", "HEAD"]


def test_a_token_that_another_thread_has_replaced_is_not_the_last_word(
    harbor: FakeHarbor, tmp_path: Path
) -> None:
    harbor.projects = {"harness"}
    with token_server(tmp_path, users={"ann": "secret-7"}) as tokens:
        bearer = {"WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="harbor-registry"'}
        harbor.fail("GET", "^/v2/$", 1, status(401, bearer))
        content = Content(CONTENT)
        with client_of(harbor, create=True) as client:
            client.ping()

            def replace_it(exchange: Exchange) -> bool:
                client._connection._authenticator.forget()  # noqa: SLF001 - as a creation does
                return status(401, {"WWW-Authenticate": ""})(exchange)

            harbor.fail("POST", "/uploads/", 1, replace_it)
            client.repository("harness/ui").push_blob(content.blob, content.open)
    assert harbor.count("POST", "/uploads/") == 2
    assert harbor.blobs


def test_a_project_that_somebody_else_creates_at_the_same_time(harbor: FakeHarbor) -> None:
    harbor.fail("POST", "^/api/", 1, status(409))
    content = Content(CONTENT)
    with client_of(harbor, create=True) as client:
        repository = client.repository("harness/ui")
        with pytest.raises(CreateFirst):
            repository.push_blob(content.blob, content.open)
    harbor.projects.add("harness")
    with client_of(harbor, create=True) as client:
        client.repository("harness/ui").push_blob(content.blob, content.open)
    assert harbor.blobs


def test_a_project_that_one_may_not_create(harbor: FakeHarbor) -> None:
    harbor.owner = basic("admin", "x")
    with client_of(harbor, create=True) as client:
        copied = push_to(client, "harness/ui", "harness/api")
    with pytest.raises(AccessDenied, match="2 of 2 images") as caught:
        copied.raise_for_failures()
    (fault,) = caught.value.faults
    assert f"{harbor.host}: creation of project harness: answered 401" in fault.message
    assert "used user 'ann'" in (fault.hint or "")
    assert "secret-7" not in f"{fault} {fault.hint}"
    assert harbor.count("POST", "^/api/") == 1


def test_a_project_cannot_be_created_without_credentials(harbor: FakeHarbor) -> None:
    content = Content(CONTENT)
    with (
        client_of(harbor, create=True, environ={"X": "y"}) as client,
        pytest.raises(AccessDenied, match="needs a user name and a password"),
    ):
        client.repository("harness/ui").push_blob(content.blob, content.open)


HELPER = """#!/bin/sh
read host
echo "$host $AWS_ACCESS_KEY_ID" >>"$0.asked"
echo "{\\"Username\\": \\"AWS\\", \\"Secret\\": \\"$(cat "$0.token")\\"}"
"""


class EcrLogin:
    """docker's file that names a helper, and the helper, which has a token of AWS."""

    def __init__(self, folder: Path, host: str) -> None:
        self.path = folder / "docker-credential-ecr-login"
        self.path.write_text(HELPER)
        self.path.chmod(0o755)
        self.issue("token-1")
        (folder / "config.json").write_text(json.dumps({"credHelpers": {host: "ecr-login"}}))
        self.environ = {"DOCKER_CONFIG": str(folder)}

    def issue(self, token: str) -> None:
        self.path.with_suffix(".token").write_text(token)

    @property
    def asked(self) -> list[str]:
        return self.path.with_suffix(".asked").read_text().splitlines()


@pytest.fixture
def ecr() -> Iterator[FakeEcr]:
    with FakeEcr(authorization=basic("AWS", "token-1")) as fake:
        yield fake


@pytest.fixture
def login(ecr: FakeEcr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EcrLogin:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    return EcrLogin(tmp_path, ecr.host)


@pytest.fixture
def api(ecr: FakeEcr) -> Iterator[EcrApi]:
    with EcrApi(registry=ecr, secret="wJalr/secret") as fake:
        yield fake


def keys(api: EcrApi, **more: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_ECR": f"http://{api.host}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalr/secret",
        **more,
    }


def test_ecr_takes_the_token_that_its_helper_exchanged(ecr: FakeEcr, login: EcrLogin) -> None:
    ecr.repositories = {"harness/ui"}
    with client_of(ecr, create=False, environ=login.environ) as client:
        push_to(client, "harness/ui").raise_for_failures()
    assert ("harness/ui", "1") in ecr.tags
    assert login.asked == [f"{ecr.host} AKIDEXAMPLE"]


def test_a_token_of_ecr_that_ended_is_exchanged_anew(ecr: FakeEcr, login: EcrLogin) -> None:
    ecr.repositories = {"harness/ui"}
    content = Content(CONTENT)
    with client_of(ecr, create=False, environ=login.environ) as client:
        client.ping()
        login.issue("token-2")
        ecr.authorization = basic("AWS", "token-2")
        client.repository("harness/ui").push_blob(content.blob, content.open)
        assert len(login.asked) == 2
        ecr.authorization = basic("AWS", "token-3")
        with pytest.raises(AccessDenied, match="answered 401") as caught:
            client.repository("harness/ui").resolve("1")
    assert "token-2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("session", ["", "session-token"])
def test_repositories_of_an_ecr_are_created_one_by_one(
    ecr: FakeEcr, api: EcrApi, login: EcrLogin, session: str
) -> None:
    environ = {**login.environ, **keys(api, AWS_SESSION_TOKEN=session)}
    ecr.repositories = {"harness/ui"}
    with client_of(ecr, create=True, environ=environ) as client:
        push_to(client, "harness/ui", "harness/api", "db").raise_for_failures()
    assert ecr.repositories == {"harness/ui", "harness/api", "db"}
    assert api.count("POST") == 2
    assert {seen.headers.get("x-amz-security-token", "") for seen in api.requests} == {session}
    assert all("token-1" not in str(seen.headers) for seen in api.requests)


def test_a_repository_that_somebody_else_creates_at_the_same_time(
    ecr: FakeEcr, api: EcrApi, login: EcrLogin
) -> None:
    ecr.fail("POST", "uploads", 1, status(404, error=("NAME_UNKNOWN", "none")))
    ecr.repositories = {"harness/ui"}
    content = Content(CONTENT)
    with client_of(ecr, create=True, environ={**login.environ, **keys(api)}) as client:
        client.repository("harness/ui").push_blob(content.blob, content.open)
    assert api.count("POST") == 1
    assert ecr.blobs


@pytest.mark.parametrize("wrong", ["denied", "signature"])
def test_keys_that_may_not_create(ecr: FakeEcr, api: EcrApi, login: EcrLogin, wrong: str) -> None:
    api.denies, api.secret = wrong == "denied", "x" if wrong == "signature" else api.secret
    content = Content(CONTENT)
    with (
        client_of(ecr, create=True, environ={**login.environ, **keys(api)}) as client,
        pytest.raises(AccessDenied, match="creation of repository harness/ui") as caught,
    ):
        client.repository("harness/ui").push_blob(content.blob, content.open)
    assert "wJalr" not in f"{caught.value} {caught.value.hint}"


def test_without_keys_it_is_said_where_they_are_looked_for(
    ecr: FakeEcr, api: EcrApi, login: EcrLogin
) -> None:
    environ = {**login.environ, **keys(api, AWS_SECRET_ACCESS_KEY="")}
    content = Content(CONTENT)
    with (
        client_of(ecr, create=True, environ=environ) as client,
        pytest.raises(AccessDenied, match="nothing to show the API") as caught,
    ):
        client.repository("harness/ui").push_blob(content.blob, content.open)
    assert "AWS_SECRET_ACCESS_KEY, or create them with aws ecr" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("host", "environ", "endpoint"),
    [
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            {},
            "https://api.ecr.eu-west-1.amazonaws.com",
        ),
        (
            "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
            {},
            "https://api.ecr.us-iso-east-1.c2s.ic.gov",
        ),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            {"AWS_ENDPOINT_URL_ECR": "https://vpce.example"},
            "https://vpce.example",
        ),
        (
            "registry.example",
            {"AWS_ENDPOINT_URL_ECR": "https://e.example", "AWS_DEFAULT_REGION": "r"},
            "https://e.example",
        ),
    ],
)
def test_where_the_api_is(host: str, environ: dict[str, str], endpoint: str) -> None:
    secrets = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s-7"}
    found = Keys.find(host, {**environ, **secrets})
    assert found.endpoint == endpoint
    assert "s-7" not in repr(found)


@pytest.mark.parametrize(
    "environ",
    [{}, {"AWS_REGION": "r"}, {"AWS_ENDPOINT_URL_ECR": "http://e.example", "AWS_REGION": "r"}],
)
def test_where_nobody_says_where_the_api_is(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="nothing says where the API"):
        Keys.find("registry.example", environ)


def test_the_signature_is_that_of_the_published_example() -> None:
    """AWS's own test suite for its signatures, the case `get-vanilla`."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    lines = ("host:example.amazonaws.com", "x-amz-date:20150830T123600Z")
    canonical = "\n".join(("GET", "/", "", *lines, "", "host;x-amz-date", empty))
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    scope = "20150830/us-east-1/service/aws4_request"
    expected = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    assert sign(secret, "20150830T123600Z", scope, canonical) == expected


def test_a_request_to_create_shows_no_secret() -> None:
    found = Keys(endpoint="https://e.example", region="r", key_id="k", secret="s-7", session="t-7")
    request = create_repository(found, "h", "a/b", datetime(2026, 11, 22, tzinfo=UTC))
    assert isinstance(request, Request)
    assert "7" not in repr(request).replace("2026", "")
