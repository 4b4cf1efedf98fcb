"""The choice between uploading and staging, and what becomes of refusals."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    NewImage,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlProblem,
)
from hyperx_glance.cloud.departments import Department
from hyperx_glance.registration.order import RegistrationOrder, Way, open_ways
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.texts import NO_TEXT, Text
from tests import samples
from tests.support.clouds import ClientFactory, sent
from tests.support.interference import Interference

if TYPE_CHECKING:
    from hyperx_glance.registration.order import Transfer
    from hyperx_glance.testing import InMemoryCloud

BOTH = ("fast", "slow")
URL = "https://files.example/disk.qcow2"
OBSTACLE = Text("Glance cannot")
OVER = "Project 1 is over a limit for [Resource image_size_total is over limit of 5 due to current usage 6 and delta 0]"


def staged(**fields: object) -> NewImage:
    file = io.BytesIO(samples.data("disk.qcow2"))
    return NewImage.model_validate({"name": "a", "file": file, "stores": BOTH, **fields})


@pytest.mark.parametrize(
    ("transfer", "obstacle", "stores", "of_url", "of_file"),
    [
        ("auto", NO_TEXT, (), (Way.IMPORT, Way.STREAM), (Way.STREAM,)),
        ("auto", NO_TEXT, ("slow",), (Way.IMPORT, Way.STREAM), (Way.STREAM,)),
        ("auto", NO_TEXT, BOTH, (Way.IMPORT, Way.STAGE), (Way.STAGE,)),
        ("auto", OBSTACLE, (), (Way.STREAM,), (Way.STREAM,)),
        ("auto", OBSTACLE, BOTH, (Way.STAGE,), (Way.STAGE,)),
        ("stream", NO_TEXT, (), (Way.STREAM,), (Way.STREAM,)),
        ("stream", NO_TEXT, BOTH, (Way.STAGE,), (Way.STAGE,)),
        ("import", NO_TEXT, (), (Way.IMPORT,), (Way.STAGE, Way.STREAM)),
        ("import", NO_TEXT, BOTH, (Way.IMPORT,), (Way.STAGE,)),
    ],
)
def test_each_transfer_has_its_ways(
    transfer: Transfer, obstacle: Text, stores: tuple[str, ...], of_url: tuple[Way, ...], of_file: tuple[Way, ...]
) -> None:
    asked = {"image_id": "7c1", "disk_format": "qcow2", "department": Department("1", "a"), "stores": stores}
    url = RegistrationOrder(url=URL, **asked)  # type: ignore[arg-type]  # as above
    file = RegistrationOrder(url=None, file=LocalFile(io.BytesIO(b"")), **asked)  # type: ignore[arg-type]  # as above

    assert open_ways(url, transfer, obstacle=obstacle) == of_url
    assert open_ways(file, transfer, obstacle=NO_TEXT) == of_file


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (413, "Image storage media is full: There is not enough disk space on the image storage media.", "glance"),
        (413, "The incoming image is too large: The provided image is too large.", UrlProblem.TOO_LARGE),
        (403, "You are not authorized to complete modify_image action.", "glance"),
        (404, "'glance-direct' method is not available at this site.", "glance"),
        (409, "The image 7c1 has data on staging", "glance"),
        (410, "Error in store configuration.", "glance"),
    ],
)
def test_what_glance_refuses_to_stage(
    cloud: InMemoryCloud, client: ClientFactory, status: int, text: str, reason: str
) -> None:
    cloud.fail("glance", "PUT", "/stage", status=status, body=text, times=None)

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").register(staged())

    assert (caught.value.reason, caught.value.status) == (reason, status)
    assert not cloud.glance.image(caught.value.image_id)
    assert not sent(cloud, "POST", "/import")


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (413, OVER, QuotaExceededError),
        (409, "Store for identifier slow not found", RegistrationFailedError),
        (400, "Unknown import method name 'glance-direct'.", RegistrationFailedError),
        (403, "You are not authorized to complete modify_image action.", RegistrationFailedError),
    ],
)
def test_what_glance_refuses_to_import(
    cloud: InMemoryCloud, client: ClientFactory, status: int, text: str, kind: type[Exception]
) -> None:
    cloud.fail("glance", "POST", "/import", status=status, body=text, times=None)

    with pytest.raises(kind) as caught:
        client("alice").register(staged())

    assert not cloud.glance.image(caught.value.image_id)  # type: ignore[attr-defined]  # both kinds have it
    assert len(sent(cloud, "PUT", "/stage")) == 1


def test_a_record_that_vanishes_is_named(client: ClientFactory) -> None:
    for method, path in (("PUT", "/stage$"), ("POST", "/import$")):
        alice, bob = client("alice"), client("alice")
        registration = alice.start_registration(staged())
        Interference(alice).before(method, path, lambda: bob.delete(registration.image_id))  # noqa: B023  # at once

        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()

        assert caught.value.reason == "deleted"


def test_a_glance_that_cannot_stage_keeps_the_record(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("glance", "PUT", "/stage", status=500, times=1)

    with pytest.raises(ServiceUnavailableError) as caught:
        client("alice").register(staged())

    file = io.BytesIO(samples.data("disk.qcow2"))
    assert client("alice").resume_registration(str(caught.value.image_id), file=file).wait().state == "ACTIVE"


@pytest.mark.parametrize("refusal", [403, 404])
def test_a_glance_that_does_not_say_what_it_imports_streams(
    cloud: InMemoryCloud, client: ClientFactory, refusal: int
) -> None:
    """The record that is resumed has no list of methods, which the answer to its creation had."""
    registration = client("alice").start_registration(staged(stores=()))
    cloud.fail("glance", "GET", "/info/import", status=refusal, times=None)
    file = io.BytesIO(samples.data("disk.qcow2"))

    image = client("alice", transfer="import").resume_registration(registration.image_id, file=file).wait()

    assert image.state == "ACTIVE"
    assert (len(sent(cloud, "PUT", "/stage")), len(sent(cloud, "PUT", "/file"))) == (0, 1)


def test_each_store_counts_while_data_of_unknown_size_is_staged(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_size_total", "dept-a", 1)
    data = io.BytesIO(samples.data("partitioned.raw") + bytes(600 << 10))

    with pytest.raises(QuotaExceededError) as caught:
        client("alice").register(staged(file=data))

    assert (caught.value.resource, caught.value.requested) == ("image_size_mib", 4)


def test_staging_needs_no_search_where_it_is_asked_for(cloud: InMemoryCloud, client: ClientFactory) -> None:
    client("alice").register(staged())
    client("alice", transfer="import").register(staged(stores=()))
    assert not sent(cloud, "GET", "hyperx_converted_from")
    client("alice").register(staged(stores=()))
    (request,) = [each for each in cloud.requests if "hyperx_converted_from" in str(each)]
    assert request.status == 200


@pytest.mark.parametrize("owner", ["dept-a", "dept-b"])
def test_the_image_of_another_department_shows_nothing(cloud: InMemoryCloud, client: ClientFactory, owner: str) -> None:
    note = {"hyperx_converted_from": "qcow2"}
    cloud.glance.add_image(owner=owner, status="active", disk_format="raw", visibility="public", **note)

    client("alice").register(staged(stores=()))

    assert len(sent(cloud, "PUT", "/stage")) == (1 if owner == "dept-a" else 0)


def test_a_list_that_is_refused_shows_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("glance", "GET", "/images$", status=403, times=None)

    assert client("alice").register(staged(stores=())).state == "ACTIVE"
