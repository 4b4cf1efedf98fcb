"""How the tests of the in-memory cloud ask its services, past this library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    pass


URL = "http://files.example.org/disk.raw"
RAW = {"name": "disk", "disk_format": "raw", "container_format": "bare"}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def ask(  # noqa: PLR0917 - read as a sentence: which user asks which service for what
    cloud: InMemoryCloud, user: str, method: str, service: str, path: str, body: object = None, **options: object
) -> requests.Response:
    """Send one request past this library."""
    if body is not None:
        options["json"] = body
    options |= {"endpoint_filter": {"service_type": service}, "raise_exc": False}
    return cloud.session(user).request(path, method, **options)  # type: ignore[arg-type]  # as the test says


def image(
    cloud: InMemoryCloud, user: str, method: str, path: str, body: object = None, **options: object
) -> requests.Response:
    return ask(cloud, user, method, "image", f"/v2{path}", body, **options)


def new_image(cloud: InMemoryCloud, user: str = "alice", **fields: object) -> str:
    answer = image(cloud, user, "POST", "/images", {**RAW, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def start_import(cloud: InMemoryCloud, image_id: str, url: str = URL, user: str = "alice", **more: object) -> int:
    body = {"method": {"name": "web-download", "uri": url}, **more}
    return image(cloud, user, "POST", f"/images/{image_id}/import", body).status_code


def shown(cloud: InMemoryCloud, image_id: str, user: str = "alice") -> dict[str, Any]:
    record: dict[str, Any] = image(cloud, user, "GET", f"/images/{image_id}").json()
    return record


def names(cloud: InMemoryCloud, query: str = "", user: str = "alice") -> list[str]:
    answer = image(cloud, user, "GET", f"/images?{query}")
    assert answer.status_code == 200, answer.text
    return [record["name"] for record in answer.json()["images"]]


def nova(
    cloud: InMemoryCloud, user: str, method: str, path: str, body: object = None, *, version: str = "2.96"
) -> requests.Response:
    return ask(cloud, user, method, "compute", path, body, microversion=version)


def boot(cloud: InMemoryCloud, **fields: object) -> requests.Response:
    flavor = next(flavor.id for flavor in cloud.nova.flavors.values() if flavor.name == "m1.tiny")
    body = {"name": "web", "flavorRef": flavor, "networks": "auto", **fields}
    return nova(cloud, "alice", "POST", "/servers", {"server": body})


def active_image(cloud: InMemoryCloud, **fields: object) -> str:
    return cloud.glance.add_image(**{**RAW, "status": "active", "size": 1000, **fields})  # type: ignore[arg-type]


def patched(cloud: InMemoryCloud, image_id: str, *operations: tuple[object, ...], user: str = "alice") -> int:
    body = [dict(zip(("op", "path", "value"), operation, strict=False)) for operation in operations]
    return image(cloud, user, "PATCH", f"/images/{image_id}", body, headers=PATCH).status_code


def upload(cloud: InMemoryCloud, image_id: str, data: object, **headers: str) -> int:
    named = {"Content-Type": "application/octet-stream", **headers}
    return image(cloud, "alice", "PUT", f"/images/{image_id}/file", data=data, headers=named).status_code
