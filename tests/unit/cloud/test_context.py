import dataclasses

import pytest

from hyperx_glance import Client, Pace, Settings
from hyperx_glance.cloud.context import Context
from hyperx_glance.testing import InMemoryCloud


def test_a_client_gives_all_its_verbs_one_context() -> None:
    fake = InMemoryCloud()
    settings = Settings(pace=Pace(deadline=60))
    client = Client.from_session(fake.session("alice"), steward=fake.session("admin"), settings=settings)

    context = client._context

    assert (context.cloud, context.settings) == (client.cloud, settings)
    assert context.steward is not None
    assert context.steward.is_administrator
    assert context.departments.own().name == "dept-a"
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.settings = Settings()  # type: ignore[misc]  # what it is about


def test_a_context_needs_no_steward() -> None:
    fake = InMemoryCloud()
    given = Client.from_session(fake.session("alice"))._context

    assert Context(given.cloud, given.departments, given.settings) == given
