"""What the services themselves say, asked as the administrator and past the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keystoneauth1.exceptions import ClientException

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud

_NEWEST = {"OpenStack-API-Version": "compute 2.96", "X-OpenStack-Nova-API-Version": "2.96"}


class Oracle:
    """Questions to Glance, Nova, Cinder and Keystone, at their own addresses and not those of the catalogue."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._session = cloud.session("admin")

    def ask(self, service: str, path: str, **headers: str) -> Any:  # noqa: ANN401  # JSON
        """Return an answer, or None if the thing is not there."""
        answer = self._session.get(self._cloud.url(service) + path, headers=headers, raise_exc=False)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, f"{service} answered {answer.status_code} to {path}"
        return answer.json()

    def image(self, image_id: str) -> dict[str, Any] | None:
        """Return a record."""
        record: dict[str, Any] | None = self.ask("glance", f"/v2/images/{image_id}")
        return record

    def data(self, image_id: str) -> bytes:
        """Return the data of an image."""
        content: bytes = self._session.get(f"{self._cloud.url('glance')}/v2/images/{image_id}/file").content
        return content

    def images(self, owner: str = "") -> list[dict[str, Any]]:
        """List the records of a department or of all, in as many pages as Glance makes of them."""
        whose = f"&owner={owner}" if owner else ""
        return [
            record
            for hidden in ("false", "true")
            for record in self._pages("glance", f"/v2/images?os_hidden={hidden}&visibility=all{whose}", "images")
        ]

    def servers(self, project_id: str = "", *, deleted: bool = False) -> list[dict[str, Any]]:
        """List the servers of a department or of all; with ``deleted``, those that Nova keeps for a while."""
        status = "&deleted=true&status=soft_deleted" if deleted else ""
        found = self._pages("nova", f"/v2.1/servers/detail?all_tenants=1{status}", "servers", **_NEWEST)
        return [each for each in found if project_id in ("", each["tenant_id"])]

    def volumes(self, project_id: str = "") -> list[dict[str, Any]]:
        """List the volumes of a department or of all."""
        found = self._pages("cinder", "/v3/volumes/detail?all_tenants=1", "volumes")
        return [each for each in found if project_id in ("", each["os-vol-tenant-attr:tenant_id"])]

    def captured(self, capture_id: str) -> list[dict[str, Any]]:
        """List the records of a capture."""
        return [each for each in self.images() if each.get("hyperx_capture_id") == capture_id]

    def launched(self, launch_id: str) -> list[dict[str, Any]]:
        """List the servers of a launch."""
        return [each for each in self.servers() if f"hyperx-launch:{launch_id}" in each["tags"]]

    def project_id(self, name: str) -> str:
        """Return the id of a department."""
        return str(self.ask("keystone", f"/v3/projects?name={name}&domain_id=default")["projects"][0]["id"])

    def everything(self) -> dict[str, str]:
        """Return the ids of all images, servers and free volumes, and what each is; a dead service has none."""
        found: dict[str, str] = {}
        for kind, look in (("image", self.images), ("server", self.servers), ("volume", self.volumes)):
            try:
                found |= {each["id"]: kind for each in look() if not each.get("attachments")}
            except ClientException:
                continue
        return found

    def delete(self, thing_id: str, kind: str) -> None:
        """Delete something past the library."""
        service, path = {
            "image": ("glance", f"/v2/images/{thing_id}"),
            "server": ("nova", f"/v2.1/servers/{thing_id}"),
            "volume": ("cinder", f"/v3/volumes/{thing_id}"),
        }[kind]
        url = self._cloud.url(service) + path
        if kind == "image":
            patch = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
            change = [{"op": "replace", "path": "/protected", "value": False}]
            self._session.patch(url, json=change, headers=patch, raise_exc=False)
        if kind == "server":
            self._session.post(f"{url}/action", json={"forceDelete": None}, raise_exc=False)
        self._session.delete(url, raise_exc=False)

    def _pages(self, service: str, path: str, key: str, **headers: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end: Glance names the next page in "next", Nova and Cinder in links."""
        following: str | None = self._cloud.url(service) + path
        while following:
            page = self._session.get(following, headers=headers).json()
            yield from page[key]
            links = {link["rel"]: link["href"] for link in page.get(f"{key}_links", ())}
            following = links.get("next") or page.get("next")
            if following and following.startswith("/"):
                following = self._cloud.url(service) + following
