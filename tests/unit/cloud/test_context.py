"""A context holds what every verb needs, and stays as it was made."""

import dataclasses

import pytest

from hyperx_glance import Client, Settings
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Departments
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import sent


def test_the_verbs_of_a_client_use_its_settings_and_its_steward() -> None:
    fake = InMemoryCloud()
    for _ in range(2):
        fake.glance.add_image(owner="dept-b", visibility="community")
    client = Client.from_session(fake.session("alice"), steward=fake.session("admin"), settings=Settings(page_size=1))

    assert {client.owner_name(image) for image in client.images()} == {"dept-b"}

    lists = [request for request in sent(fake) if request.path == "/v2/images"]
    assert lists[0].query["limit"] == ["1"]
    assert {request.user for request in sent(fake)} == {"alice", "admin"}


def test_a_context_needs_no_steward_and_cannot_be_changed() -> None:
    cloud = Cloud.from_session(InMemoryCloud().session("alice"))
    departments, settings = Departments(cloud), Settings()
    context = Context(cloud, departments, settings)

    assert context == Context(cloud, departments, settings, steward=None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.settings = Settings()  # type: ignore[misc]  # what it is about
