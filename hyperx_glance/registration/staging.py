"""How this process uploads data: straight into a store, or into Glance's staging area, from which Glance imports it.

An upload (PUT .../file) fills one store, and no import plug-in of Glance sees its data. Staged data (PUT .../stage) is
imported as if Glance had downloaded it (docs/decisions/0075).
"""

from collections.abc import Collection

from pydantic import Field

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import GLANCE_DIRECT, Cloud
from hyperx_glance.errors import InvalidRequestError, NotAllowedError, NotFoundError
from hyperx_glance.registration.order import RegistrationOrder, Way
from hyperx_glance.texts import field_name, say


class _Methods(Shape):
    value: tuple[str, ...] = ()


class _ImportInformation(Shape):
    methods: _Methods = Field(_Methods(), alias="import-methods")


def choose(cloud: Cloud, order: RegistrationOrder, methods: Collection[str]) -> Way | None:
    """Return how this process uploads the data; None if it cannot.

    ``methods`` are the import methods that Glance offers, empty if unknown.
    """
    if Way.STAGE in order.ways and is_offered(cloud, methods):
        return Way.STAGE
    return Way.STREAM if Way.STREAM in order.ways else None


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
