"""Requests for captures.

>>> from hyperx_glance.models.capturing import NewCapture
>>> NewCapture(name="web with nginx", tags=["web"]).category
<Category.PRIVATE: 'private'>
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Required, Unpack

import pydantic
from pydantic import Field

from hyperx_glance.models.describing import DescribingFields, OnlyGiven
from hyperx_glance.models.fields import (
    AnyCaseImageFormat,
    ChangeableKey,
    Switch,
    Value,
    made_new,
)
from hyperx_glance.models.request import CHOSEN_ID_PATTERN
from hyperx_glance.vocabulary import ImageFormatWord


class CaptureFields(DescribingFields, total=False):
    """The keywords of `NewCapture`."""

    name: Required[str]
    password_enabled: bool | None
    admin_user: str | None
    disk_format: ImageFormatWord | None
    capture_id: str | None


class NewCapture(OnlyGiven):
    """A request for an image of a server's disk.

    A field that is not given, or None, comes from the image that the server was made from; a string, even an empty
    one, replaces it. ``min_disk_gib`` is never less than the disk needs. ``disk_format`` is for servers on volumes; for
    other servers, Nova chooses the format. With a ``capture_id`` that the caller chose, `Client.find_capture` finds the
    capture even if the caller's program dies.
    """

    password_enabled: Switch = False
    admin_user: Value = ""
    properties: Annotated[dict[ChangeableKey, Value], Field(max_length=128), pydantic.AfterValidator(made_new)] = {}
    disk_format: AnyCaseImageFormat | None = None
    capture_id: Annotated[str, Field(pattern=CHOSEN_ID_PATTERN, strict=True)] | None = None

    if TYPE_CHECKING:  # type checkers would accept the types of the fields only, not other types that work, too

        def __init__(self, /, **fields: Unpack[CaptureFields]) -> None: ...

    @pydantic.model_validator(mode="before")
    @classmethod
    def _leave_out(cls, fields: object) -> object:
        if not isinstance(fields, Mapping):
            return fields
        return {name: value for name, value in fields.items() if value is not None}
