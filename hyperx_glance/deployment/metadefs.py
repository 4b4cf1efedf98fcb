"""The metadata definitions that explain our image properties to Horizon and the command line.

    >>> admin = hyperx_glance.Client.from_session(hyperx_cloud.session("admin"))
    >>> admin.install_metadefs()
    >>> admin.install_metadefs()  # changes nothing

They are generated from the vocabulary. Glance keeps one string as a title, so it has both languages: "Featured / 精选".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import Field, JsonValue

from hyperx_glance import vocabulary
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.errors import NotFoundError
from hyperx_glance.waiting.pace import attempts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperx_glance.cloud.cloud import Cloud, Json
    from hyperx_glance.cloud.context import Context

NAMESPACE = "OS::HyperX::Image"
_RESOURCE_TYPE = "OS::Glance::Image"
_NAMESPACE_PATH = f"/metadefs/namespaces/{quote(NAMESPACE, safe='')}"
_HEAD: Mapping[str, Json] = {
    "namespace": NAMESPACE,
    "display_name": "HYPERX image / HYPERX 镜像",
    "description": "What HYPERX image management keeps on images and ISOs. HYPERX 镜像管理在镜像和 ISO 上保存的属性。",
    "visibility": "public",
    # Glance refuses to delete a property of a protected namespace (glance/common/exception.py,
    # ProtectedMetadefNamespacePropDelete), and ours come and go with the vocabulary.
    "protected": False,
}


class _Association(Shape):
    name: str


class _Namespace(Shape):
    """Glance's version of the namespace: the keys of `_HEAD`, and the objects that belong to it."""

    namespace: str
    display_name: str | None = None
    description: str | None = None
    visibility: str | None = None
    protected: bool | None = None
    resource_type_associations: tuple[_Association, ...] = ()
    properties: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)


def install_metadefs(context: Context) -> None:
    """Write the metadata namespace ``OS::HyperX::Image`` as this release has it; only administrators may do this.

    Only differences are written, and properties that this release does not have are removed. A second run writes
    nothing. So if no response arrives, the namespace is read again, and the missing parts are written.
    """
    for attempt in attempts(context.settings.pace):
        with attempt:
            _install(context.cloud)


def _install(cloud: Cloud) -> None:
    properties = {field.key: _definition(field) for field in vocabulary.FIELDS if field.own}
    try:
        there = cloud.get_parsed(_Namespace, "image", _NAMESPACE_PATH)
    except NotFoundError:
        association: Json = [{"name": _RESOURCE_TYPE}]
        body = {**_HEAD, "properties": properties, "resource_type_associations": association}
        cloud.post("image", "/metadefs/namespaces", json=body)
        return
    if there.model_dump(include=set(_HEAD)) != _HEAD:
        cloud.put("image", _NAMESPACE_PATH, json=_HEAD)
    if all(association.name != _RESOURCE_TYPE for association in there.resource_type_associations):
        cloud.post("image", f"{_NAMESPACE_PATH}/resource_types", json={"name": _RESOURCE_TYPE})
    _replace_properties(cloud, there.properties, properties)


def _replace_properties(
    cloud: Cloud, there: Mapping[str, Mapping[str, JsonValue]], wanted: Mapping[str, Mapping[str, Json]]
) -> None:
    path = f"{_NAMESPACE_PATH}/properties"
    for key, definition in wanted.items():
        if key not in there:
            cloud.post("image", path, json={"name": key, **definition})
        # Glance repeats the name in a property that did not come with its namespace.
        elif {name: value for name, value in there[key].items() if name != "name"} != definition:
            cloud.put("image", f"{path}/{key}", json={"name": key, **definition})
    for key in there:
        if key.startswith(vocabulary.OWN_PREFIX) and key not in wanted:
            cloud.delete("image", f"{path}/{quote(key, safe='')}")


def _definition(field: vocabulary.Field) -> dict[str, Json]:
    definition: dict[str, Json] = {
        "title": f"{field.title} / {field.title_zh}" if field.title != field.title_zh else field.title,
        "description": f"{field.description} {field.description_zh}",
        "type": "string",
    }
    if field.stored is vocabulary.Stored.FLAG:
        definition["enum"] = ["true", "false"]
    return definition
