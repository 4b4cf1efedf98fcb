"""The order of a capture, and how it travels with the record and the copy, so that any process can finish it.

>>> from hyperx_glance.capturing.order import CaptureOrder
>>> from hyperx_glance.models.capturing import NewCapture
>>> order = CaptureOrder(
...     capture_id="8c1e5f2a", server_id="81f", user_id="u1", new=NewCapture(name="web", tags=["nginx"])
... )
>>> sorted(order.texts())
['hyperx_capture_id', 'hyperx_capture_order_0', 'hyperx_captured_from', 'hyperx_created_by', 'instance_uuid']
>>> CaptureOrder.read(order.texts()) == order
True

Pure: no request is made here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pydantic

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.errors import ConflictError, InvalidRequestError
from hyperx_glance.models.capturing import NewCapture
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import CAPTURE_ORDER_KEY, CAPTURE_ORDER_PREFIX, SERVER_NOTE_KEY, glance_key

CAPTURE_KEY = glance_key("capture_id")
SERVER_KEY = glance_key("captured_from")
USER_KEY = glance_key("created_by")
_LONGEST_PIECE = 255
"""The longest value of Nova and Cinder (nova/api/validation/parameter_types.py, metadata; cinder's extra_specs)."""
_MOST_PIECES = 40
"""Glance keeps 128 properties of an image (its option image_property_quota); most are for inherited properties."""
_COUNT_DIGITS = 2
"""The order begins with the number of its pieces: any further piece was copied from the server's image."""
_LONGEST = _LONGEST_PIECE * _MOST_PIECES - _COUNT_DIGITS


class _Travelling(Shape):
    user_id: str
    disk_gib: int | None
    new: NewCapture


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOrder:
    """The image that a capture is to become.

    ``disk_gib`` is the size of the volume that the server runs on; None if Nova keeps its disk.
    """

    capture_id: str
    server_id: str
    user_id: str
    new: NewCapture
    disk_gib: int | None = None

    @property
    def on_volumes(self) -> bool:
        """Whether Cinder has the server's disk."""
        return self.disk_gib is not None

    @property
    def name(self) -> str:
        """The name until the capture is finished.

        Nova refuses names that begin or end with blanks (nova/api/validation/parameter_types.py, name). Glance takes
        any, and gets the ordered name in the end.
        """
        name = self.new.name
        return name if name.isprintable() and name == name.strip() else f"capture {self.capture_id}"

    def texts(self) -> dict[str, str]:
        """Return the first properties of the record; ASCII, since a service's database may refuse other letters.

        Each replaces a property of the server's image, so that only values of this capture are read back. Raise
        `InvalidRequestError` if they are more than the services carry.
        """
        whole = self._whole()
        if len(whole) > _LONGEST:
            raise InvalidRequestError(
                say("capture-order-too-long", count=len(whole), most=_LONGEST),
                hint=say("capture-with-shorter-values"),
            )
        count = -(-(len(whole) + _COUNT_DIGITS) // _LONGEST_PIECE)
        counted = f"{count:0{_COUNT_DIGITS}}{whole}"
        pieces = [counted[begin : begin + _LONGEST_PIECE] for begin in range(0, len(counted), _LONGEST_PIECE)]
        return {
            CAPTURE_KEY: self.capture_id,
            SERVER_KEY: self.server_id,
            USER_KEY: self.user_id,
            SERVER_NOTE_KEY: self.server_id,
            **{f"{CAPTURE_ORDER_PREFIX}{number}": piece for number, piece in enumerate(pieces)},
        }

    @property
    def fits(self) -> bool:
        """Whether the services carry this order."""
        return len(self._whole()) <= _LONGEST

    def _whole(self) -> str:
        fields = self.new.model_dump(mode="json", exclude_unset=True, exclude={"capture_id"})
        return json.dumps({"user_id": self.user_id, "disk_gib": self.disk_gib, "new": fields}, separators=(",", ":"))

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> CaptureOrder:
        """Read an order from properties or metadata; raise `ConflictError` if somebody changed them."""
        digits = texts.get(CAPTURE_ORDER_KEY, "")[:_COUNT_DIGITS]
        count = int(digits) if re.fullmatch(f"[0-9]{{{_COUNT_DIGITS}}}", digits) else 0
        whole = "".join(texts.get(f"{CAPTURE_ORDER_PREFIX}{number}", "") for number in range(count))[_COUNT_DIGITS:]
        try:
            read = _Travelling.model_validate_json(whole)
        except pydantic.ValidationError:
            raise ConflictError(
                say("capture-order-unreadable", capture=texts.get(CAPTURE_KEY)), hint=say("delete-and-capture-again")
            ) from None
        return cls(
            capture_id=texts.get(CAPTURE_KEY, ""),
            server_id=texts.get(SERVER_KEY, ""),
            user_id=read.user_id,
            new=read.new,
            disk_gib=read.disk_gib,
        )
