"""The doctor on what launches lack, and on policies that refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.texts import say
from tests.unit.deployment.examining import examine, levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud


def without_flavors(fake: InMemoryCloud) -> None:
    fake.nova.flavors.clear()


def without_hosts(fake: InMemoryCloud) -> None:
    fake.nova.availability_zones, fake.nova.unavailable_zones = [], fake.nova.availability_zones


def without_networks(fake: InMemoryCloud) -> None:
    fake.neutron.networks.clear()


def with_an_external_network(fake: InMemoryCloud) -> None:
    fake.neutron.networks.clear()
    fake.neutron.add_network("outside", project_id=fake.keystone.project_id("dept-a"), external=True)


def with_a_network_without_addresses(fake: InMemoryCloud) -> None:
    fake.neutron.networks.clear()
    fake.neutron.add_network("outside", shared=True, subnets=0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_a_network_without_addresses, "networks-without-subnets"),
        (without_flavors, "no-flavor-is-shown"),
        (without_hosts, "no-zone-is-available"),
        (without_networks, "no-network-is-shown"),
        (with_an_external_network, "only-external-networks"),
    ],
)
def test_what_launches_lack_is_an_error(
    fake: InMemoryCloud, change: Callable[[InMemoryCloud], None], code: str
) -> None:
    assert examine(fake)["launch-choices"].level == "ok"
    change(fake)

    findings = examine(fake)

    assert levels(findings) == {"launch-choices": "error"}
    assert str(say(code, networks=["outside"])) in findings["launch-choices"].message


@pytest.mark.parametrize("path", ["/flavors", "/os-availability-zone", "/networks"])
def test_choices_that_a_policy_hides_are_left_to_the_check_of_policies(fake: InMemoryCloud, path: str) -> None:
    fake.fail("neutron" if path == "/networks" else "nova", "GET", path, status=403, times=None)

    findings = examine(fake)

    assert findings["launch-choices"].level == "ok"
    assert path in findings["policies"].message


@pytest.mark.parametrize(("times", "level"), [(1, "warning"), (None, "error")])
def test_launches_that_policies_refuse_are_told(fake: InMemoryCloud, times: int | None, level: str) -> None:
    words = "Policy doesn't allow os_compute_api:servers:create:attach_volume to be performed."
    fake.fail("nova", "POST", "/servers$", status=403, body={"forbidden": {"message": words, "code": 403}}, times=times)

    found = examine(fake, probe=True)["launch-rights"]

    assert found.level == level
    assert "create:attach_volume" in found.explanation
    assert "create:attach_volume" in found.remedy
    assert fake.nova.servers == {}


def test_a_lost_answer_hides_no_refusal_of_launches(fake: InMemoryCloud) -> None:
    refusal = {"forbidden": {"message": "Policy doesn't allow it to be performed.", "code": 403}}
    fake.fail("nova", "POST", "/servers$", status=504)
    fake.fail("nova", "POST", "/servers$", status=403, body=refusal, times=None, skip=1)

    assert examine(fake, probe=True)["launch-rights"].level == "error"
