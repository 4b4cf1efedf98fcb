"""Queries: which images to list, and in which order.

>>> from hyperx_glance.models.browsing import ImageQuery
>>> sorted(ImageQuery(view="featured", formats=["QCOW2", "raw"]).formats)
['qcow2', 'raw']
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self, TypedDict, Unpack

import pydantic
import pydantic_core
from pydantic import Field

from hyperx_glance import arguments
from hyperx_glance.arguments import LARGEST_PAGE, USUAL_PAGE
from hyperx_glance.models.fields import (
    STRICT,
    AnyCaseDiskFormat,
    AwareTime,
    DepartmentReference,
    Limit,
    Many,
    Size,
    Some,
    String,
    no_boolean,
    valid,
)
from hyperx_glance.models.request import Request
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import (
    DiskFormatWord,
    Kind,
    KindWord,
    Lifecycle,
    LifecycleWord,
    State,
    StateWord,
    View,
    ViewWord,
)

_SORT_COLUMNS = ("name", "disk_format", "container_format", "glance_status", "id", "created_at", "updated_at")


def _sortable(column: str) -> str:
    if column.removeprefix("-") not in _SORT_COLUMNS:
        raise ValueError(say("cannot-sort", column=column, columns=_SORT_COLUMNS))
    return column


class ImageQuery(Request):
    """A list of images to request, and its order.

    Sizes are bytes and inclusive, times aware and inclusive. ``search`` is the console's quick search. ``hidden`` None
    means both. ``sort`` is a list of columns, with "-" for descending.
    """

    view: View = View.ALL
    kind: Kind | None = None
    state: State | None = None
    formats: frozenset[AnyCaseDiskFormat] | None = None
    tags: frozenset[String] = frozenset()
    any_tags: frozenset[String] = frozenset()
    no_tags: frozenset[String] = frozenset()
    search: String = ""
    name: String | None = None
    os_distro: String | None = None
    os_version: String | None = None
    os_type: String | None = None
    hypervisor: String | None = None
    architecture: String | None = None
    owner: DepartmentReference | None = None
    created_by: String | None = None
    family: String | None = None
    lifecycle: Lifecycle | None = None
    properties: dict[String, String] = {}
    name_contains: String = ""
    description_contains: String = ""
    os_name_contains: String = ""
    password_enabled: bool | None = None
    bootable: bool | None = None
    protected: bool | None = None
    hidden: bool | None = False
    min_size: Size | None = None
    max_size: Size | None = None
    created_after: AwareTime | None = None
    created_before: AwareTime | None = None
    updated_after: AwareTime | None = None
    updated_before: AwareTime | None = None
    sort: tuple[Annotated[str, STRICT, valid(arguments.text), pydantic.AfterValidator(_sortable)], ...] = (
        "-created_at",
        "id",
    )
    limit: Limit | None = None

    if TYPE_CHECKING:  # type checkers would accept the types of the fields only, not other types that work, too

        def __init__(self, /, **criteria: Unpack["ImageCriteria"]) -> None: ...

    @pydantic.model_validator(mode="after")
    def _ask_for_something(self) -> Self:
        for least, most in _RANGES:
            low, high = getattr(self, least), getattr(self, most)
            if low is not None and high is not None and low > high:
                raise ValueError(say("must-not-be-greater", field=field_name(least), other=field_name(most)))
        return self


_RANGES = (("min_size", "max_size"), ("created_after", "created_before"), ("updated_after", "updated_before"))


class ImageCriteria(TypedDict, total=False):
    """The keywords of `Client.images` and `Client.count`: the fields of `ImageQuery`."""

    view: View | ViewWord
    kind: Kind | KindWord | None
    state: State | StateWord | None
    formats: frozenset[DiskFormatWord] | set[DiskFormatWord] | tuple[DiskFormatWord, ...] | list[DiskFormatWord] | None
    tags: Some
    any_tags: Some
    no_tags: Some
    search: str
    name: str | None
    os_distro: str | None
    os_version: str | None
    os_type: str | None
    hypervisor: str | None
    architecture: str | None
    owner: str | None
    created_by: str | None
    family: str | None
    lifecycle: Lifecycle | LifecycleWord | None
    properties: Mapping[str, str]
    name_contains: str
    description_contains: str
    os_name_contains: str
    password_enabled: bool | None
    bootable: bool | None
    protected: bool | None
    hidden: bool | None
    min_size: int | None
    max_size: int | None
    created_after: datetime | None
    created_before: datetime | None
    updated_after: datetime | None
    updated_before: datetime | None
    sort: Many
    limit: int | None


def _from_address(value: object) -> object:
    """Read a string as JSON: the query of an address has no dictionaries."""
    if not isinstance(value, str):
        return value
    try:
        return pydantic_core.from_json(value)
    except (TypeError, ValueError):  # a TypeError for half a surrogate pair
        raise ValueError(say("must-be-a-dictionary-or-json", example='{"hw_disk_bus": "virtio"}')) from None


class PageQuery(ImageQuery):
    """A page of a list to ask for: the fields of `ImageQuery`, and the size and place of the page.

    It can be the query of an address: numbers and flags may be strings, ``properties`` may be a dictionary in JSON, and
    an empty ``hidden`` means both. A page has a ``size``, so there is no ``limit``.
    """

    properties: Annotated[dict[String, String], pydantic.BeforeValidator(_from_address)] = {}
    hidden: Annotated[bool | None, pydantic.BeforeValidator(lambda value: None if value == "" else value)] = False
    limit: None = None
    cursor: Annotated[String, Field(min_length=1)] | None = None
    size: Annotated[int, Field(ge=1, le=LARGEST_PAGE), pydantic.BeforeValidator(no_boolean)] = USUAL_PAGE

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **criteria: Unpack["PageCriteria"]) -> None: ...


class PageCriteria(ImageCriteria, total=False):
    """The keywords of `PageQuery`."""

    cursor: str | None
    size: int
