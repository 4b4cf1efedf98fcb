"""The content of every cloud besides users and limits: flavors, networks, Nova's quotas; created by the public APIs.

What is there stays, so that a cloud that is started again keeps its data.

>>> [flavor.name for flavor in PROFILES["default"].flavors]
['m1.tiny', 'm1.small']
"""

import json
from collections.abc import Mapping
from typing import Any

from keystoneauth1.session import Session

from hyperx_glance.testing.local.layout import PASSWORD, Layout, packaged_file
from hyperx_glance.testing.profiles import (
    KEY_PAIR,
    PROFILES,
    PUBLIC_KEY,
    ROUTER,
    SERVER_QUOTA,
    Profile,
    ProfileName,
    small_image,
)


def provision(service: str, layout: Layout, administrator: Session, profile: ProfileName) -> None:
    """Create the content that a service lacks; the service and Keystone must be up."""
    chosen = PROFILES[profile]
    if service == "nova":
        _create_flavors(layout, administrator, chosen)
        _set_quotas(layout, administrator, chosen)
        _create_key_pairs(layout, administrator, chosen)
    if service == "neutron":
        _create_networks(layout, administrator, chosen)
    if service == "glance" and chosen.image:
        _create_image(layout, administrator, chosen.image)
    if service == "glance" and chosen.metadefs:
        _create_metadefs(layout, administrator)


def create_people(layout: Layout, administrator: Session, profile: ProfileName) -> None:
    """Create the users and departments that Keystone lacks, to whom the content of the other services belongs."""
    if profile == "default":  # whose people Keystone has made itself
        return
    chosen = PROFILES[profile]
    keystone = layout.url("keystone", "/v3")
    projects, users, roles = (
        _ids(administrator, keystone, collection) for collection in ("projects", "users", "roles")
    )
    for name, person in chosen.people.items():
        if person.department not in projects:
            body = {"project": {"name": person.department}}
            made = administrator.post(f"{keystone}/projects", json=body).json()
            projects[person.department] = made["project"]["id"]
        project_id = projects[person.department]
        if name not in users:
            body = {"user": {"name": name, "password": PASSWORD, "default_project_id": project_id}}
            users[name] = administrator.post(f"{keystone}/users", json=body).json()["user"]["id"]
        administrator.put(f"{keystone}/projects/{project_id}/users/{users[name]}/roles/{roles[person.role]}")
    for name, person in chosen.grants:
        place = f"{keystone}/projects/{projects[person.department]}/users/{users[name]}"
        administrator.put(f"{place}/roles/{roles[person.role]}")


def _create_key_pairs(layout: Layout, administrator: Session, profile: Profile) -> None:
    url = layout.url("nova", "/v2.1/os-keypairs")
    users = _ids(administrator, layout.url("keystone", "/v3"), "users")
    microversion = {"OpenStack-API-Version": "compute 2.10"}  # the first in which an administrator names the user
    for name in profile.key_pairs:
        there = administrator.get(f"{url}?user_id={users[name]}", headers=microversion).json()["keypairs"]
        if not any(each["keypair"]["name"] == KEY_PAIR for each in there):
            pair = {"name": KEY_PAIR, "public_key": PUBLIC_KEY, "user_id": users[name]}
            administrator.post(url, json={"keypair": pair}, headers=microversion)


def _create_flavors(layout: Layout, administrator: Session, profile: Profile) -> None:
    url = layout.url("nova", "/v2.1/flavors")
    there = {flavor["name"] for flavor in _get(administrator, url)["flavors"]}
    for size in profile.flavors:
        if size.name not in there:
            flavor = {"name": size.name, "ram": size.ram, "disk": size.disk, "vcpus": size.vcpus}
            more = {"OS-FLV-EXT-DATA:ephemeral": size.ephemeral} | ({"id": size.id} if size.id else {})
            administrator.post(url, json={"flavor": {**flavor, **more}})


def _create_networks(layout: Layout, administrator: Session, profile: Profile) -> None:
    url = layout.url("neutron", "/v2.0/networks")
    projects = _ids(administrator, layout.url("keystone", "/v3"), "projects")
    for number, plan in enumerate(profile.networks, 1):
        networks = _get(administrator, f"{url}?name={plan.name}")["networks"]
        if not networks:
            body = {
                "name": plan.name,
                "shared": plan.shared,
                "router:external": plan.external,
                "project_id": projects[plan.department],
            }
            networks = [administrator.post(url, json={"network": body}).json()["network"]]
        if not networks[0]["subnets"]:
            subnet = {
                "network_id": networks[0]["id"],
                "name": plan.subnet or f"subnet{number}",
                "cidr": plan.cidr,
                "project_id": projects[plan.department],
                "ip_version": 4,
            }
            administrator.post(layout.url("neutron", "/v2.0/subnets"), json={"subnet": subnet})

    _create_router(layout, administrator, profile, projects)


def _create_router(layout: Layout, administrator: Session, profile: Profile, projects: Mapping[str, str]) -> None:
    outside = next((plan.name for plan in profile.networks if plan.external), None)
    url = layout.url("neutron", "/v2.0")
    if outside is None or _get(administrator, f"{url}/routers?name={ROUTER}")["routers"]:
        return
    network = _get(administrator, f"{url}/networks?name={outside}")["networks"][0]
    inside = _get(administrator, f"{url}/networks?name={profile.networks[0].name}")["networks"][0]
    owner = projects[profile.networks[0].department]
    asked = {"name": ROUTER, "external_gateway_info": {"network_id": network["id"]}, "project_id": owner}
    router = administrator.post(f"{url}/routers", json={"router": asked}).json()["router"]
    interface = {"subnet_id": inside["subnets"][0]}
    administrator.put(f"{url}/routers/{router['id']}/add_router_interface", json=interface)


def _set_quotas(layout: Layout, administrator: Session, profile: Profile) -> None:
    projects = _get(administrator, layout.url("keystone", "/v3/projects"))["projects"]
    for project in projects:
        if project["name"] in profile.generous:
            administrator.put(
                layout.url("nova", f"/v2.1/os-quota-sets/{project['id']}"),
                json={"quota_set": dict(SERVER_QUOTA) | {"force": True}},
            )


def _create_image(layout: Layout, administrator: Session, name: str) -> None:
    url = layout.url("glance", "/v2/images")
    if not _get(administrator, f"{url}?name={name}")["images"]:
        body = {"name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": "public"}
        image = administrator.post(url, json=body).json()
        octets = {"Content-Type": "application/octet-stream"}
        administrator.put(f"{url}/{image['id']}/file", data=small_image(), headers=octets)


def _create_metadefs(layout: Layout, administrator: Session) -> None:
    url = layout.url("glance", "/v2/metadefs/namespaces")
    there = {each["namespace"] for each in _get(administrator, f"{url}?limit=1000")["namespaces"]}
    for path in sorted(packaged_file("glance/metadefs").glob("*.json")):
        namespace = json.loads(path.read_text())
        if namespace["namespace"] not in there:
            administrator.post(url, json=namespace)


def _ids(administrator: Session, keystone: str, collection: str) -> dict[str, str]:
    """Return the ids of Keystone's things by name."""
    return {each["name"]: each["id"] for each in _get(administrator, f"{keystone}/{collection}")[collection]}


def _get(administrator: Session, url: str) -> dict[str, Any]:
    answer: dict[str, Any] = administrator.get(url).json()
    return answer
