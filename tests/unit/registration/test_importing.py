"""The request that asks Glance to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    NewImage,
    RegistrationFailedError,
    UrlProblem,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import ClientFactory
from tests.support.file_server import FileServer
from tests.support.registrations import BLIND, disk

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


@pytest.mark.parametrize("methods", [["glance-direct"], []])
def test_a_glance_without_web_download(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, methods: list[str]
) -> None:
    cloud.glance.import_methods = methods

    assert client("alice").register(NewImage(name="a", url=disk(file_server))).state == "ACTIVE"
    with pytest.raises(RegistrationFailedError, match="stream") as caught:
        client("alice", transfer="import").register(NewImage(name="b", url=disk(file_server)))
    assert not cloud.glance.image(caught.value.image_id)
    several = NewImage(name="c", url=disk(file_server), stores=("fast", "slow"))
    if "glance-direct" in methods:
        assert client("alice").register(several).stores == ("fast", "slow")
        return
    with pytest.raises(RegistrationFailedError, match="one store") as caught:
        client("alice").register(several)
    assert not cloud.glance.image(caught.value.image_id)


def test_auto_streams_what_glances_filter_refuses(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.import_filter.allowed_ports = [80, 443]

    assert client("alice").register(NewImage(name="a", url=disk(file_server))).state == "ACTIVE"
    assert [request.status for request in cloud.requests if request.path.endswith("/import")] == [400]


def test_a_name_that_only_glance_fails_to_resolve_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.glance.import_filter.allowed_hosts = ["elsewhere"]

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND, transfer="import").register(
            NewImage(name="a", url="http://files.invalid/a", disk_format="qcow2")
        )

    assert caught.value.reason == UrlProblem.NAME_NOT_FOUND


def test_a_refused_import_is_told_though_an_answer_was_lost_before(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.before("glance", "POST", "/v2/images$", lambda: cloud.glance.stores.remove("slow"), times=1)
    cloud.fail("glance", "POST", "/import$", status=503)

    with pytest.raises(RegistrationFailedError, match="refused to import"):
        client("alice").register(NewImage(name="a", url=disk(file_server), stores=("slow",)))


def test_a_404_for_a_disabled_import_is_not_mistaken_for_a_deleted_record(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "POST", "/import$", status=404, times=None)

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", transfer="import").register(NewImage(name="a", url=disk(file_server)))

    assert caught.value.reason == "glance"
    assert "transfer='stream'" in caught.value.hint
