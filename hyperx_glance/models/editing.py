"""Changes of an image: fields that are not named stay as they are.

>>> from hyperx_glance.models.editing import ImageChanges
>>> ImageChanges(description="").given()
{'description': ''}
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, Unpack

import pydantic
from pydantic import Field

from hyperx_glance import texts, vocabulary
from hyperx_glance.models.describing import DescribingFields, OnlyGiven
from hyperx_glance.models.fields import IMMUTABLE_FIELDS, ChangeableKey, Name, Some, Switch, Value
from hyperx_glance.models.request import ImmutableValueError
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import Category

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them


class ImageChanges(OnlyGiven):
    """Changes to an image; a field that is not given stays as it is, "" or an empty set clears it.

    ``properties`` are added to those that exist, ``remove_properties`` are removed, ``tags`` replaces all tags.
    """

    name: Name = ""
    password_enabled: Switch = False
    admin_user: Value = ""
    bootable: Switch = True
    hidden: Switch = False
    properties: Annotated[dict[ChangeableKey, Value], Field(max_length=128)] = {}
    remove_properties: frozenset[ChangeableKey] = frozenset()

    if TYPE_CHECKING:  # type checkers would accept the types of the fields only, not other types that work, too

        def __init__(self, /, **fields: Unpack["ImageFields"]) -> None: ...

    @pydantic.model_validator(mode="before")
    @classmethod
    def _keep_what_never_changes(cls, fields: Any) -> Any:
        named = [field for field in IMMUTABLE_FIELDS if isinstance(fields, Mapping) and field in fields]
        if named:
            raise ImmutableValueError(say("fields-never-change", fields=[texts.field_name(name) for name in named]))
        return fields

    @pydantic.model_validator(mode="after")
    def _decide_on_each_property(self) -> Self:
        twice = sorted(self.remove_properties & self.properties.keys())
        if twice:
            raise ValueError(
                say(
                    "property-set-and-removed",
                    field=texts.field_name("properties"),
                    other=texts.field_name("remove_properties"),
                    keys=twice,
                )
            )
        snapshot = self.properties.get(vocabulary.SNAPSHOT_KEY) == vocabulary.SNAPSHOT_VALUE
        if snapshot and "category" in self.model_fields_set and self.category is not Category.PRIVATE:
            raise ValueError(
                say("category-of-a-snapshot", field=texts.field_name("category"), mark=vocabulary.SNAPSHOT_VALUE)
            )
        return self

    def given(self) -> dict[str, Any]:
        """Return the fields that the caller named, with their values."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class ImageFields(DescribingFields, total=False):
    """The keywords of `Client.update`: the fields of `ImageChanges`."""

    name: str
    password_enabled: bool
    admin_user: str
    bootable: bool
    hidden: bool
    remove_properties: Some
