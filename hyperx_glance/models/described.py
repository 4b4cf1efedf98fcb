"""The base class of all public models: frozen, with a title and a description of each field in JSON Schema.

>>> from hyperx_glance.models.described import Described
>>> class Usage(Described):
...     ram_mib: int
>>> Usage.model_json_schema()["properties"]["ram_mib"]
{'description': 'MiB of memory.', 'title': 'Ram (MiB)', 'type': 'integer'}
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from hyperx_glance.models.meanings import meaning, title

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them


class Described(BaseModel):
    """A frozen model whose fields have titles and descriptions: those of its author, or else those of the table."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        for name, field in cls.model_fields.items():
            field.title = field.title or title(cls.__name__, name)
            field.description = field.description or meaning(cls.__name__, name) or None

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler(core_schema)
        fields = cls.model_fields
        names = {field.validation_alias: name for name, field in fields.items() if handler.mode == "validation"}
        for key, entry in handler.resolve_ref_schema(shown).get("properties", {}).items():
            name = names.get(key, key)
            field = fields.get(name)
            entry["title"] = field.title if field else title(cls.__name__, name)
            if text := field.description if field else meaning(cls.__name__, name):
                entry["description"] = text
        return shown
