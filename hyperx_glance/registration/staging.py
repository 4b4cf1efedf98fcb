"""How this process uploads data: straight into a store, or into Glance's staging area, from which Glance imports it.

An upload (PUT .../file) fills one store, and no import plug-in of Glance sees its data. Staged data (PUT .../stage) is
imported as if Glance had downloaded it (docs/decisions/0075).

>>> from hyperx_glance.registration import staging
>>> staging.converts(cloud, "qcow2")
False
>>> _ = hyperx_cloud.glance.add_image(status="active", disk_format="raw", hyperx_converted_from="qcow2")
>>> staging.converts(cloud, "qcow2")
True
"""

from collections.abc import Collection

from pydantic import Field

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import GLANCE_DIRECT, Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import InvalidRequestError, NotAllowedError, NotFoundError
from hyperx_glance.registration.order import RegistrationOrder, Way
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import ISO_FORMAT, glance_key


class _Methods(Shape):
    value: tuple[str, ...] = ()


class _ImportInformation(Shape):
    methods: _Methods = Field(_Methods(), alias="import-methods")


class _Images(Shape):
    images: tuple[Shape, ...]


def choose(context: Context, order: RegistrationOrder, methods: Collection[str]) -> Way | None:
    """Return how this process uploads the data; None if it cannot.

    ``methods`` are the import methods that Glance offers, empty if unknown.
    """
    cloud = context.cloud
    if Way.STAGE in order.ways and is_offered(cloud, methods):
        return Way.STAGE
    if Way.STREAM not in order.ways:
        return None
    wanted = context.settings.transfer == "auto" and order.disk_format != ISO_FORMAT  # no plug-in converts ISOs
    possible = not methods or GLANCE_DIRECT in methods
    if wanted and possible and converts(cloud, order.disk_format) and is_offered(cloud, methods):
        return Way.STAGE
    return Way.STREAM


def converts(cloud: Cloud, disk_format: str) -> bool:
    """Check whether an image of the caller's department shows that Glance converts this format when it imports.

    Nothing else shows the plug-ins of a deployment. Other departments could write this into their images.
    """
    parameters = {glance_key("converted_from"): disk_format, "owner": cloud.project_id, "limit": 1}
    try:
        return bool(cloud.get_parsed(_Images, "image", "/images", params=parameters).images)
    except NotAllowedError:
        return False


def check_offered(cloud: Cloud) -> None:
    """Raise `InvalidRequestError` if data for several stores can only be streamed."""
    if not is_offered(cloud):
        raise not_offered()


def not_offered() -> InvalidRequestError:
    """Return the error of data for several stores that can only be streamed."""
    problem = say("streaming-fills-one-store")
    return InvalidRequestError(say("wrong-field", field=field_name("stores"), problem=problem))


def is_offered(cloud: Cloud, methods: Collection[str] = ()) -> bool:
    """Check whether Glance imports what was staged; ask it if ``methods`` does not say which methods it offers."""
    if methods:
        return GLANCE_DIRECT in methods
    try:
        return GLANCE_DIRECT in cloud.get_parsed(_ImportInformation, "image", "/info/import").methods.value
    except (NotAllowedError, NotFoundError):
        return False
