"""What real services' clients send to another server when something in between points there: nothing."""

from __future__ import annotations

import dataclasses
import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.identity import generic, v3
from keystoneauth1.session import Session

import hyperx_glance
from hyperx_glance import (
    Client,
    HyperxGlanceError,
    LaunchRequest,
    NewImage,
    NotFoundError,
    Pace,
    ServiceUnavailableError,
)
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support.clouds import PATIENT, REGION, unique
from tests.support.lossy_proxy import LossyProxy
from tests.support.portal import Portal
from tests.support.records import exists, make_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.cloud.cloud import Service
    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer

PASSWORD = "5ecre7-Passw0rd"
QUICK = dataclasses.replace(
    PATIENT,
    pace=Pace(first_interval=0.02, deadline=scaled(3000), clock=lambda: 50 * time.monotonic()),
    transfer="import",
)
"""Fifty times as fast: what is looked for in vain is looked for during a quiet time."""


@pytest.fixture
def portal() -> Iterator[Portal]:
    with Portal() as found:
        yield found


Verb = Callable[[Client, str], object]
VERBS: dict[str, tuple[Service, str, str, str, Verb]] = {
    "list": ("image", "glance", "GET", "/images", lambda client, _: list(client.images())),
    "update": ("image", "glance", "PATCH", "/images/", lambda client, image: client.update(image, name="new")),
    "delete": ("image", "glance", "DELETE", "/images/", lambda client, image: client.delete(image)),
    "upload": (
        "image",
        "glance",
        "PUT",
        "/stage$",  # with transfer="import", Glance imports files, too
        lambda client, _: client.register(NewImage(name="a", file=io.BytesIO(samples.data("disk.qcow2")))),
    ),
    "download": ("image", "glance", "GET", "/file$", lambda client, image: list(_data(client, image))),
    "launch": (
        "compute",
        "nova",
        "POST",
        "/servers$",
        lambda client, image: client.launch(
            image, LaunchRequest(name="web", flavor="m1.tiny", networks="none", user_data="#!/bin/sh\n# 5ecre7")
        ),
    ),
    "reset a password": (
        "compute",
        "nova",
        "POST",
        "/action$",
        lambda client, _: client.reset_password("00000000-0000-4000-8000-000000000000", PASSWORD),
    ),
}


def _data(client: Client, image: str) -> Iterator[bytes]:
    return client.cloud.chunks("image", f"/images/{image}/file", timeout=5)


@pytest.mark.parametrize("name", VERBS)
def test_no_verb_sends_anything_to_another_server(local_cloud: LocalCloud, portal: Portal, name: str) -> None:
    service, program, method, path, verb = VERBS[name]
    image = make_image(local_cloud)
    proxy = LossyProxy(
        local_cloud.url(program),
        ["elsewhere"] * 20,
        service=service,
        creation=path,
        method=method,
        elsewhere=portal.url,
    )
    with proxy, pytest.raises(HyperxGlanceError) as caught:
        verb(proxy.client(local_cloud.session("alice"), QUICK), image)

    assert proxy.creations
    assert portal.arrived == []
    assert isinstance(caught.value, ServiceUnavailableError)
    assert portal.url in str(caught.value)
    assert "5ecre7" not in str(caught.value)
    assert exists(local_cloud, image)


def test_an_import_sends_its_url_to_no_other_server(
    local_cloud: LocalCloud, portal: Portal, file_server: FileServer
) -> None:
    url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
    proxy = LossyProxy(
        local_cloud.url("glance"),
        ["elsewhere"] * 20,
        service="image",
        creation="/import$",
        elsewhere=portal.url,
    )
    with proxy, pytest.raises(ServiceUnavailableError, match="redirects POST to") as caught:
        proxy.client(local_cloud.session("alice"), QUICK).register(
            NewImage(name=unique("image"), url=f"{url}?sig=5ecre7")
        )

    assert portal.arrived == []
    assert "5ecre7" not in str(caught.value)


@pytest.mark.parametrize("kind", [v3.Password, generic.Password])
def test_no_login_goes_to_another_server(
    local_cloud: LocalCloud, portal: Portal, kind: type[v3.Password | generic.Password]
) -> None:
    words = local_cloud.auth("alice")
    with LossyProxy(
        local_cloud.url("keystone"),
        ["elsewhere"] * 20,
        service="identity",
        creation="/auth/tokens$",
        elsewhere=portal.url,
    ) as proxy:
        login = kind(
            proxy.url,
            username=words["username"],
            password=words["password"],
            project_name=words["project_name"],
            user_domain_id="default",
            project_domain_id="default",
        )
        session = Session(login, timeout=30)
        session.session.trust_env = False
        client = Client.from_session(session, region_name=REGION, settings=QUICK)
        with pytest.raises(ServiceUnavailableError, match="redirects the login to") as caught:
            client.delete("00000000-0000-4000-8000-000000000000")
        assert portal.arrived == []
        assert not caught.value.connected
        assert words["password"] not in str(caught.value)

        proxy.fates = ["elsewhere"]  # once, then the login gets through
        with pytest.raises(NotFoundError):
            client.delete("00000000-0000-4000-8000-000000000000")
        assert portal.arrived == []


def test_no_login_of_openstacksdk_goes_to_another_server(local_cloud: LocalCloud, portal: Portal) -> None:
    with LossyProxy(
        local_cloud.url("keystone"),
        ["elsewhere"] * 20,
        service="identity",
        creation="/auth/tokens$",
        elsewhere=portal.url,
    ) as proxy:
        words: dict[str, Any] = {**local_cloud.auth("alice"), "auth_url": proxy.url}
        with (
            hyperx_glance.connect(**words) as client,
            pytest.raises(ServiceUnavailableError, match="redirects the login to"),
        ):
            client.count()
    assert portal.arrived == []


def test_the_doctors_record_is_gone_or_named(local_cloud: LocalCloud, portal: Portal) -> None:
    """Nothing believes what a stranger answers to its deletion."""
    proxy = LossyProxy(
        local_cloud.url("glance"),
        ["elsewhere"] * 50,
        service="image",
        creation="/images/[^/]+$",
        method="DELETE",
        elsewhere=portal.url,
    )
    with proxy:
        said = repr(proxy.client(local_cloud.session("alice"), QUICK).doctor(probe=True))

    assert proxy.creations
    assert portal.arrived == []
    left = [
        image["id"]
        for image in local_cloud.session("alice")
        .get("/v2/images?os_hidden=true&limit=1000", endpoint_filter={"service_type": "image"})
        .json()["images"]
        if image["name"] == "hyperx-doctor"
    ]
    assert left
    assert all(image_id in said for image_id in left)
