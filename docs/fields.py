"""What each field of the public models means, added to its entry in the reference."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from sphinx.pycode import ModuleAnalyzer

import hyperx_glance
from hyperx_glance.models.meanings import meaning

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(_: Sphinx) -> dict[str, bool]:
    """Give them to autodoc, as if they stood below the fields in the source."""
    for name in hyperx_glance.__all__:
        model = getattr(hyperx_glance, name)
        fields = getattr(
            model, "model_fields", getattr(model, "__dataclass_fields__", getattr(model, "__annotations__", {}))
        )
        if not isinstance(model, type) or issubclass(model, Exception | Enum):
            continue
        source = ModuleAnalyzer.for_module(model.__module__)
        source.analyze()
        for field in fields:
            if text := meaning(name, field):
                source.attr_docs.setdefault((model.__qualname__, field), [text, ""])
    return {"parallel_read_safe": True}
