"""Large responses are read at once, even if the connection breaks, debug logs are on, or the response is compressed."""

from __future__ import annotations

import gzip
import logging
from typing import TYPE_CHECKING

import pytest
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.errors import NotFoundError, ServiceUnavailableError
from hyperx_glance.waiting.pace import Pace
from tests.support.file_server import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.file_server import FileServer

BODY = b'{"images": [' + b" " * 300_000 + b"]}"


@pytest.fixture
def session(file_server: FileServer) -> Iterator[Session]:
    session = Session(auth=Token(file_server.url("").rstrip("/"), "token"))
    yield session
    session.session.close()


@pytest.fixture
def cloud(session: Session) -> Cloud:
    return Cloud.from_session(session, pace=Pace(first_interval=0))


def test_a_body_comes_whole_and_the_connection_is_used_again(file_server: FileServer, session: Session) -> None:
    file_server.reply("/v2/images", Reply(BODY))
    cloud = Cloud.from_session(session)

    assert [cloud.read("image", "/images", params={"limit": 5}) for _ in range(3)] == [BODY] * 3
    pools = session.session.get_adapter(file_server.url("")).poolmanager.pools  # type: ignore[attr-defined]  # an HTTPAdapter
    (pool,) = (pools[key] for key in pools.keys())  # noqa: SIM118  # it is not a mapping
    assert (pool.num_connections, pool.num_requests) == (1, 3)


def test_a_packed_body_is_unpacked(file_server: FileServer, cloud: Cloud) -> None:
    file_server.reply("/v2/images", Reply(gzip.compress(BODY), headers={"Content-Encoding": "gzip"}))

    assert cloud.read("image", "/images") == BODY


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_breaks_off_is_asked_for_again_and_then_an_error(
    file_server: FileServer, cloud: Cloud, *, chunked: bool
) -> None:
    file_server.cut("/v2/images", BODY, after=100_000, chunked=chunked)

    with pytest.raises(ServiceUnavailableError, match="No response from the image service") as raised:
        cloud.read("image", "/images")
    assert raised.value.connected
    # See "How many requests" in the guide: reading is sent up to three times.
    assert len(file_server.requested("/v2/images")) == 3


@pytest.mark.parametrize("chunked", [False, True])
def test_pieces_that_break_off_are_an_error(file_server: FileServer, cloud: Cloud, *, chunked: bool) -> None:
    file_server.cut("/v2/images/a/file", BODY, after=100_000, chunked=chunked)

    with pytest.raises(ServiceUnavailableError, match="No response from the image service"):
        list(cloud.chunks("image", "/images/a/file", timeout=5))
    # The download itself continues where this broke off.
    assert len(file_server.requests) == 1


def test_a_refusal_is_explained(file_server: FileServer, cloud: Cloud) -> None:
    file_server.fail("/v2/images", 404, message="No such list")

    with pytest.raises(NotFoundError, match="No such list"):
        cloud.read("image", "/images")


def test_a_body_that_was_logged_is_there_all_the_same(
    file_server: FileServer, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    file_server.reply("/v2/images", Reply(BODY, headers={"Content-Type": "application/json"}))

    with caplog.at_level(logging.DEBUG):
        assert cloud.read("image", "/images") == BODY
    assert any("RESP BODY" in entry.getMessage() for entry in caplog.records)
