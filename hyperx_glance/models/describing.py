"""Fields and keywords that describe an image at its creation and in later changes, each of them once.

>>> from hyperx_glance.models.describing import Describing
>>> list(Describing.model_fields)[:3]
['name', 'description', 'category']
"""

from collections.abc import Mapping
from typing import Any, TypedDict

import pydantic

from hyperx_glance.models.fields import Count, Name, Some, Switch, Tags, Value
from hyperx_glance.models.request import Request
from hyperx_glance.vocabulary import Category, CategoryWord


class Describing(Request):
    """The fields that `NewImage`, `NewIso`, `NewCapture` and `ImageChanges` have in common."""

    name: Name
    description: Value = ""
    category: Category = Category.PRIVATE
    os_name: Value = ""
    os_distro: Value = ""
    os_version: Value = ""
    os_type: Value = ""
    architecture: Value = ""
    tags: Tags = frozenset()
    min_disk_gib: Count = 0
    min_ram_mib: Count = 0
    protected: Switch = False


class OnlyGiven(Describing):  # noqa: PLW1641  # pydantic gives frozen models a hash
    """The base class of requests in which a field that is not given means something else than its default.

    So a dump has the given fields only, and two requests are equal if the same fields are given.
    """

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OnlyGiven):
            return NotImplemented
        return super().__eq__(other) and self.model_fields_set == other.model_fields_set

    @pydantic.model_serializer(mode="wrap")
    def _dump(self, handler: pydantic.SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]  # noqa: ANN202  # a type would become the JSON Schema
        dumped: dict[str, Any] = handler(self)
        return {name: value for name, value in dumped.items() if name in self.model_fields_set}


class DescribingFields(TypedDict, total=False):
    """The keywords of `Describing`."""

    description: str
    category: Category | CategoryWord
    os_name: str
    os_distro: str
    os_version: str
    os_type: str
    architecture: str
    tags: Some
    min_disk_gib: int
    min_ram_mib: int
    protected: bool
    properties: Mapping[str, str]
