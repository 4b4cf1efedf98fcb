"""What the in-memory Placement shows of Nova's host and servers (the tour compares the words)."""

from __future__ import annotations

from typing import Any

import pytest
from keystoneauth1.exceptions import EndpointNotFound

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import active_image, ask, boot, nova


def placement(cloud: InMemoryCloud, path: str, user: str = "admin", version: str = "1.39") -> Any:  # noqa: ANN401 - JSON
    headers = {"OpenStack-API-Version": f"placement {version}"}
    answer = ask(cloud, user, "GET", "placement", path, headers=headers)
    assert answer.status_code < 400, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
def provider(cloud: InMemoryCloud) -> str:
    """Return the path of the only resource provider."""
    return f"/resource_providers/{placement(cloud, '/resource_providers')['resource_providers'][0]['uuid']}"


def test_the_provider_is_the_hypervisor(cloud: InMemoryCloud, provider: str) -> None:
    hypervisor = nova(cloud, "admin", "GET", "/os-hypervisors/detail", version="2.87").json()["hypervisors"][0]
    inventories = placement(cloud, f"{provider}/inventories")["inventories"]

    assert provider.endswith(hypervisor["id"])
    assert inventories["VCPU"]["total"] == hypervisor["vcpus"]
    assert inventories["MEMORY_MB"]["total"] == hypervisor["memory_mb"]


def test_usages_are_those_of_the_servers(cloud: InMemoryCloud, provider: str) -> None:
    project = cloud.departments["dept-a"]
    assert placement(cloud, f"{provider}/usages")["usages"]["VCPU"] == 0
    server = boot(cloud, imageRef=active_image(cloud)).json()["server"]["id"]

    used = placement(cloud, f"{provider}/usages")["usages"]
    assert used["VCPU"] == 1
    assert placement(cloud, f"/usages?project_id={project}", version="1.9")["usages"] == used
    newest = placement(cloud, f"/usages?project_id={project}", "alice")["usages"]
    assert newest == {"INSTANCE": {**used, "consumer_count": 1}}
    assert list(placement(cloud, f"{provider}/allocations")["allocations"]) == [server]
    assert placement(cloud, f"/allocations/{server}")["project_id"] == project


@pytest.mark.parametrize(
    "path", ["/resource_providers", "/resource_classes", "/traits", "/usages?project_id=other", "/allocations/x"]
)
def test_members_see_no_more_than_their_own_usages(cloud: InMemoryCloud, path: str) -> None:
    headers = {"OpenStack-API-Version": "placement 1.39"}

    assert ask(cloud, "alice", "GET", "placement", path, headers=headers).status_code == 403


def test_servers_and_other_consumers_share_the_host(cloud: InMemoryCloud, provider: str) -> None:
    boot(cloud, imageRef=active_image(cloud))
    project, consumer = cloud.departments["dept-a"], "22222222-2222-4222-8222-222222222222"
    body = {
        "allocations": {provider.rpartition("/")[2]: {"resources": {"VCPU": 3}}},
        "project_id": project,
        "user_id": "someone",
        "consumer_generation": None,
        "consumer_type": "MIGRATION",
    }
    headers = {"OpenStack-API-Version": "placement 1.39"}
    answer = ask(cloud, "admin", "PUT", "placement", f"/allocations/{consumer}", body, headers=headers)

    assert answer.status_code == 204, answer.text
    assert placement(cloud, f"{provider}/usages")["usages"]["VCPU"] == 4
    usages = placement(cloud, f"/usages?project_id={project}", "alice")["usages"]
    assert {kind: used["VCPU"] for kind, used in usages.items()} == {"INSTANCE": 1, "MIGRATION": 3}


def test_traits_that_are_written_to_the_host_are_those_of_the_cloud(cloud: InMemoryCloud, provider: str) -> None:
    generation = placement(cloud, provider)["generation"]
    body = {"traits": ["COMPUTE_NODE"], "resource_provider_generation": generation}
    headers = {"OpenStack-API-Version": "placement 1.39"}
    ask(cloud, "admin", "PUT", "placement", f"{provider}/traits", body, headers=headers)

    assert cloud.placement.traits == ["COMPUTE_NODE"]
    assert placement(cloud, provider)["generation"] == generation + 1


def test_a_provider_has_one_inventory_of_a_class(cloud: InMemoryCloud, provider: str) -> None:
    headers = {"OpenStack-API-Version": "placement 1.39"}
    body = {"resource_class": "VCPU", "total": 4}
    answer = ask(cloud, "admin", "POST", "placement", f"{provider}/inventories", body, headers=headers)

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "placement.concurrent_update"


def test_every_class_and_trait_that_is_listed_is_shown(cloud: InMemoryCloud) -> None:
    for each in placement(cloud, "/resource_classes")["resource_classes"]:
        assert placement(cloud, f"/resource_classes/{each['name']}")["name"] == each["name"]
    for trait in placement(cloud, "/traits")["traits"]:
        assert placement(cloud, f"/traits/{trait}") is None


def test_a_cloud_without_placement_has_none_in_its_catalogue(cloud: InMemoryCloud) -> None:
    cloud.placement.present = False

    with pytest.raises(EndpointNotFound):
        cloud.session("alice").get("/", endpoint_filter={"service_type": "placement"})
