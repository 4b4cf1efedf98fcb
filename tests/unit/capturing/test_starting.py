"""What becomes of an order whose answer is lost, while looking for what it has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, NewCapture, ServiceUnavailableError

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud

NEW = NewCapture(name="captured", capture_id="capture-0001")


def test_a_look_that_is_refused_is_no_answer_to_the_order(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    cloud.before(
        "cinder",
        "POST",
        "/volumes$",
        lambda: cloud.fail("cinder", "GET", "/volumes/detail", status=400, times=None),
        times=1,
    )
    cloud.cut("cinder", "POST", "/volumes$")

    with pytest.raises(ServiceUnavailableError) as caught:
        alice.capture(on_volume, NEW)

    assert caught.value.capture_id == NEW.capture_id
    assert str(NEW.capture_id) in str(caught.value)
    assert "Looking for what it has made failed" in caught.value.__notes__[0]
