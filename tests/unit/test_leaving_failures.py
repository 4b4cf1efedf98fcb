"""Leaving loses nothing if it breaks off half-way, and reads a large catalogue once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    AuthenticationError,
    ServiceUnavailableError,
)
from hyperx_glance.deployment import leaving
from tests.support.clouds import sent
from tests.support.departures import EVERY, ORDINARY, URL, add, by_id, ours, snapshot, without_ours
from tests.support.interference import interrupt

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud
    from tests.support.clouds import ClientFactory


@pytest.mark.parametrize("handled", [True, False])
def test_a_lost_response_is_looked_up(cloud: InMemoryCloud, client: ClientFactory, *, handled: bool) -> None:
    images = [add(cloud, **EVERY) for _ in range(3)]
    before = snapshot(cloud)
    cloud.cut("glance", "PATCH", f"/v2/images/{images[1]}", handled=handled)

    departures = by_id(client("admin").leave())

    assert [departures[image_id].outcome for image_id in images] == ["removed"] * 3
    assert all(departures[image_id].removed == tuple(sorted(EVERY)) for image_id in images)
    assert len(sent(cloud, "PATCH")) == (3 if handled else 4)
    assert snapshot(cloud) == without_ours(before)


def test_others_may_remove_properties_meanwhile(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id, gone = add(cloud, **EVERY), add(cloud, **EVERY)

    def meddle(request: Any, handle: Any) -> Any:  # noqa: ANN401  # an interceptor
        if request.method == "PATCH":
            cloud.glance.images[image_id].properties.pop("hyperx_url", None)
            if gone in cloud.glance.images:
                cloud.glance.remove_image(gone)
        return handle()

    cloud.intercept(meddle)
    departures = client("admin").leave()
    cloud.intercept(None)

    assert [(departure.image_id, departure.outcome) for departure in departures] == [(image_id, "removed")]
    assert ours(cloud, image_id) == set()


def test_an_image_that_is_only_said_to_be_gone_is_listed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, hyperx_url=URL)
    cloud.fail("glance", "PATCH", "/v2/images", status=404)

    (departure,) = client("admin").leave()

    assert (departure.image_id, departure.outcome, departure.left) == (image_id, "failed", ("hyperx_url",))
    assert departure.reason


def test_a_conflict_that_nobody_explains_is_a_failure(cloud: InMemoryCloud, client: ClientFactory) -> None:
    images = [add(cloud, hyperx_url=URL) for _ in range(2)]
    cloud.fail("glance", "PATCH", f"/v2/images/{images[0]}", status=409, body="Something is odd.", times=None)

    departures = by_id(client("admin").leave())

    assert (departures[images[0]].outcome, departures[images[0]].left) == ("failed", ("hyperx_url",))
    assert "odd" in departures[images[0]].explanation
    assert departures[images[1]].outcome == "removed"


def test_one_image_that_always_fails_does_not_stop_the_others(cloud: InMemoryCloud, client: ClientFactory) -> None:
    images = [add(cloud, hyperx_url=URL) for _ in range(5)]
    bad = sorted(images)[1]
    cloud.fail("glance", "PATCH", f"/v2/images/{bad}", status=500, times=None)

    departures = by_id(client("admin").leave())

    assert (departures[bad].outcome, departures[bad].left) == ("failed", ("hyperx_url",))
    assert departures[bad].reason
    assert {departures[image_id].outcome for image_id in images if image_id != bad} == {"removed"}


def test_a_service_that_dies_half_way_leaves_a_list_of_the_rest(cloud: InMemoryCloud, client: ClientFactory) -> None:
    images = [add(cloud, hyperx_url=URL) for _ in range(10)]
    before = snapshot(cloud)
    cloud.fail("glance", "PATCH", "/v2/images", status=503, times=4 * leaving.MOST_FAILURES, skip=4)
    admin = client("admin")

    departures = by_id(admin.leave())

    assert set(departures) == set(images)
    done = {image_id for image_id, departure in departures.items() if departure.outcome == "removed"}
    left = {image_id for image_id, departure in departures.items() if departure.outcome == "failed"}
    assert (len(done), len(left)) == (4, 6)
    assert all(departures[image_id].left == ("hyperx_url",) and departures[image_id].reason for image_id in left)
    assert {image_id for image_id in images if ours(cloud, image_id)} == left
    tried = {request.path for request in sent(cloud, "PATCH")}
    assert len(tried) == 4 + leaving.MOST_FAILURES, "a dead service is not asked for each image"

    assert set(by_id(admin.leave())) == left
    assert snapshot(cloud) == without_ours(before)


def test_a_login_that_expires_half_way_leaves_a_list_of_the_rest(cloud: InMemoryCloud, client: ClientFactory) -> None:
    images = [add(cloud, hyperx_url=URL) for _ in range(6)]

    def expire() -> None:
        cloud.keystone.expire_tokens()
        cloud.fail("keystone", "POST", "/auth/tokens", status=401)

    cloud.before("glance", "PATCH", "/v2/images", expire, times=1, skip=2)

    departures = by_id(client("admin").leave())

    left = {image_id for image_id in images if ours(cloud, image_id)}
    assert set(departures) == set(images)
    assert len(left) == 4
    assert {image_id for image_id, each in departures.items() if each.outcome == "failed"} == left
    assert set(by_id(client("admin").leave())) == left


def test_what_fails_before_anything_is_changed_is_an_error(cloud: InMemoryCloud, client: ClientFactory) -> None:
    for hidden in (False, True):
        add(cloud, os_hidden=hidden, hyperx_url=URL)
    before = snapshot(cloud)

    cloud.fail("glance", "GET", "/v2/images", status=503, times=4, skip=1)
    with pytest.raises(ServiceUnavailableError):
        client("admin").leave()
    cloud.keystone.expire_tokens()
    cloud.fail("keystone", "POST", "/auth/tokens", status=401)
    with pytest.raises(AuthenticationError):
        client("admin").leave()

    assert snapshot(cloud) == before


def test_a_nova_that_does_not_answer_is_an_error(cloud: InMemoryCloud, client: ClientFactory) -> None:
    add(cloud, hyperx_url=URL)
    before = snapshot(cloud)
    cloud.fail("nova", "GET", "/servers/detail", status=500, times=None)

    with pytest.raises(ServiceUnavailableError):
        client("admin").leave()

    assert snapshot(cloud) == before


@pytest.mark.parametrize("after", range(4))
def test_an_interrupted_run_is_finished_by_the_next(cloud: InMemoryCloud, client: ClientFactory, after: int) -> None:
    for _ in range(4):
        add(cloud, **EVERY)
    before = snapshot(cloud)
    admin = client("admin")
    cloud.before("glance", "PATCH", "/v2/images", interrupt, times=1, skip=after)

    with pytest.raises(KeyboardInterrupt):
        admin.leave()

    assert len(admin.leave()) == 4 - after
    assert snapshot(cloud) == without_ours(before)


# ----------------------------------------------------------------- large catalogues


def test_a_large_catalogue_is_read_page_by_page_and_nothing_is_asked_twice(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    for number in range(2300):
        add(cloud, owner=f"dept-{'ab'[number % 2]}", **({"hyperx_url": URL} if number % 100 == 0 else {"my_key": "1"}))
    before = snapshot(cloud)

    departures = client("admin").leave()

    requests = [f"{request.method} {request.path} {request.query}" for request in sent(cloud)]
    assert len(departures) == 23
    assert len(set(requests)) == len(requests)
    assert len(sent(cloud, "PATCH")) == 23
    assert len(sent(cloud, "GET", "/v2/images")) == 4, "three pages, and one of hidden images"
    assert snapshot(cloud) == without_ours(before)


def test_images_without_our_properties_cost_no_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    add(cloud, **ORDINARY)

    assert client("alice").leave() == []
    assert [request.method for request in sent(cloud)] == ["GET", "GET"]
