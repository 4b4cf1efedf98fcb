"""Launches that are refused before anything is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import sent
from tests.support.launches import ask, nothing_was_created
from tests.support.readers import assert_told

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize("version", ["2.1", "2.25", "2.51", "2.66"])
def test_a_nova_too_old_for_tags_is_refused_with_that_reason(
    cloud: InMemoryCloud, alice: Client, image: str, version: str
) -> None:
    cloud.nova.max_microversion = version
    with pytest.raises(ServiceUnavailableError, match=r"too old for server tags.*2\.67 is required") as caught:
        alice.launch(image, ask())
    assert version in str(caught.value)
    assert "Stein" in caught.value.hint
    assert nothing_was_created(cloud)
    with pytest.raises(ServiceUnavailableError, match="too old"):
        alice.find_launch("launch-of-mine")


def test_a_nova_that_ignores_the_microversion_is_refused(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.fail("nova", "GET", "/flavors/detail", status=200, body={"flavors": []})
    with pytest.raises(ServiceUnavailableError, match="it answered with no microversion"):
        alice.launch(image, ask())


def test_without_cinder_an_iso_can_be_booted_live(cloud: InMemoryCloud, alice: Client, iso: str, image: str) -> None:
    cloud.keystone.services.remove(cloud.cinder)
    with pytest.raises(ServiceUnavailableError, match="no volumes") as caught:
        alice.launch(iso, ask())
    assert 'layout="live"' in caught.value.hint
    with pytest.raises(ServiceUnavailableError, match="boot_volume_gib") as caught:
        alice.launch(image, ask(boot_volume_gib=2))
    assert nothing_was_created(cloud)
    assert alice.launch(iso, ask(layout="live")).servers[0].status == "ACTIVE"


@pytest.mark.parametrize(
    ("limits", "exceeded"),
    [
        ({"instances": 2}, ("instances",)),
        ({"cores": 2}, ("cores",)),
        ({"ram": 1024}, ("ram_mib",)),
        (
            {"instances": 2, "volumes": 5, "gigabytes": 5},
            ("instances", "volumes", "volume_gib"),
        ),
        ({"volumes": 5}, ("volumes",)),
        ({"gigabytes": 5}, ("volume_gib",)),
    ],
)
def test_the_whole_count_must_fit_the_quota(
    cloud: InMemoryCloud,
    alice: Client,
    iso: str,
    limits: dict[str, int],
    exceeded: tuple[str, ...],
) -> None:
    for key, limit in limits.items():
        (cloud.cinder if key in ("volumes", "gigabytes") else cloud.nova).set_quota("dept-a", **{key: limit})
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(iso, ask(count=3))
    error = caught.value
    assert (error.department, error.resource, error.used, error.exceeded) == ("dept-a", exceeded[0], 0, exceeded)
    assert nothing_was_created(cloud)


def test_a_launch_id_is_used_once(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(launch_id="launch-of-mine"))
    with pytest.raises(ConflictError, match="launch-of-mine already exists"):
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert len(cloud.nova.servers) == 1


@pytest.mark.parametrize("image_id", ["", "no-such-image"])
def test_an_image_that_does_not_exist(cloud: InMemoryCloud, alice: Client, image_id: str) -> None:
    with pytest.raises(NotFoundError if image_id else InvalidRequestError):
        alice.launch(image_id, ask())
    assert nothing_was_created(cloud)


def test_a_reader_may_not_launch(cloud: InMemoryCloud, image: str) -> None:
    rita = Client.from_session(cloud.session("rita"))
    with pytest.raises(NotAllowedError):
        rita.launch(image, ask())
    assert not cloud.nova.servers


def test_an_unknown_zone_is_refused_before_anything_is_created_with_those_that_exist(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    with pytest.raises(NotFoundError, match=r"There is no availability zone east") as caught:
        alice.launch(image, ask(availability_zone="east:host1"))
    assert "nova" in caught.value.hint
    assert_told(caught.value)
    assert sent(cloud, "POST", "/servers") == []
    cloud.fail("nova", "GET", "/os-availability-zone", status=403)
    with pytest.raises(InvalidRequestError, match="zone is not available"):
        alice.launch(image, ask(availability_zone="east"))
