"""What becomes of an order if its response is lost, and the search for what it made fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, NewCapture, ServiceUnavailableError
from tests.support.clouds import sent

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import ServiceName

NEW = NewCapture(name="captured", capture_id="capture-0001")
ORDERS: dict[str, tuple[ServiceName, str, ServiceName, str]] = {
    "server": ("nova", "/action$", "glance", "/images$"),
    "on_volume": ("cinder", "/volumes$", "cinder", "/volumes/detail"),
}
"""Of each kind of server: the request that orders its copy, and the one that searches for the copy."""


@pytest.mark.parametrize("status", [400, 403, 404, 413, 500])
@pytest.mark.parametrize("captured", ORDERS)
def test_a_refused_search_is_not_a_refusal_of_the_order(
    cloud: InMemoryCloud, alice: Client, request: pytest.FixtureRequest, captured: str, status: int
) -> None:
    server_id = request.getfixturevalue(captured)
    service, path, searched, listing = ORDERS[captured]
    cloud.before(
        service, "POST", path, lambda: cloud.fail(searched, "GET", listing, status=status, times=None), times=1
    )
    cloud.cut(service, "POST", path)

    with pytest.raises(ServiceUnavailableError) as caught:
        alice.capture(server_id, NEW)

    assert caught.value.capture_id == NEW.capture_id
    assert f"These may still exist: capture {NEW.capture_id}" in str(caught.value)
    assert "The search for what it made failed" in caught.value.__notes__[0]
    assert not sent(cloud, "DELETE")


def test_a_copy_found_after_a_lost_response_is_captured_without_ordering_another(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    cloud.cut("nova", "POST", "/action$")
    assert alice.capture(server, NEW).id in cloud.glance.images
    assert len(sent(cloud, "POST", "/action")) == 1
