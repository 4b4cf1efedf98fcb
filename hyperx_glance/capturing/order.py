"""What a capture is to become, and how that travels with what it makes: whoever finds it can finish it.

>>> from hyperx_glance.capturing.order import Order
>>> from hyperx_glance.models.capturing import NewCapture
>>> order = Order(capture_id="8c1e5f2a", server_id="81f", user_id="u1", new=NewCapture(name="web", tags=["nginx"]))
>>> sorted(order.texts())
['hyperx_capture_id', 'hyperx_capture_order_0', 'hyperx_captured_from', 'hyperx_created_by']
>>> Order.read(order.texts()) == order
True

Pure: no request is made here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pydantic

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.errors import ConflictError, InvalidRequestError
from hyperx_glance.models.capturing import NewCapture
from hyperx_glance.vocabulary import CAPTURE_ORDER_PREFIX, glance_key

CAPTURE_KEY = glance_key("capture_id")
SERVER_KEY = glance_key("captured_from")
USER_KEY = glance_key("created_by")
_LONGEST_PIECE = 255
"""What Nova and Cinder take for a value (nova/api/validation/parameter_types.py, metadata; cinder's extra_specs)."""
_MOST_PIECES = 40
"""Glance keeps 128 properties of an image (its option image_property_quota); most are for what is inherited."""


class _Travelling(Shape):
    user_id: str
    disk_gib: int | None
    new: NewCapture


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Say what a capture is to become.

    ``disk_gib`` is the size of the volume that the server runs on; None where Nova keeps its disk.
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
        """Give the name until the end, when Glance takes any.

        Nova takes none that begins or ends with blanks (nova/api/validation/parameter_types.py, name).
        """
        name = self.new.name
        return name if name.isprintable() and name == name.strip() else f"capture {self.capture_id}"

    def texts(self) -> dict[str, str]:
        """Give the properties with which the record begins; ASCII, whatever the database of a service takes.

        Raise `InvalidRequestError` where the services would not carry so much.
        """
        fields = self.new.model_dump(mode="json", exclude_unset=True, exclude={"capture_id"})
        whole = json.dumps({"user_id": self.user_id, "disk_gib": self.disk_gib, "new": fields}, separators=(",", ":"))
        pieces = [whole[begin : begin + _LONGEST_PIECE] for begin in range(0, len(whole), _LONGEST_PIECE)]
        if len(pieces) > _MOST_PIECES:
            raise InvalidRequestError(
                f"These fields make {len(whole)} characters; a capture carries {_LONGEST_PIECE * _MOST_PIECES}.",
                hint="Capture with shorter texts, and change the image afterwards: update(image, description=...).",
            )
        return {
            CAPTURE_KEY: self.capture_id,
            SERVER_KEY: self.server_id,
            USER_KEY: self.user_id,
            **{f"{CAPTURE_ORDER_PREFIX}{number}": piece for number, piece in enumerate(pieces)},
        }

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> Order:
        """Read an order out of properties or metadata; `ConflictError` where somebody has changed them."""
        pieces = {
            key.removeprefix(CAPTURE_ORDER_PREFIX): text
            for key, text in texts.items()
            if key.startswith(CAPTURE_ORDER_PREFIX)
        }
        whole = "".join(pieces.get(str(number), "") for number in range(len(pieces)))
        try:
            told = _Travelling.model_validate_json(whole)
        except pydantic.ValidationError:
            raise ConflictError(
                f"What capture {texts.get(CAPTURE_KEY)} was to become cannot be read any more.",
                hint="Somebody has changed it: delete the record, and capture anew.",
            ) from None
        return cls(
            capture_id=texts.get(CAPTURE_KEY, ""),
            server_id=texts.get(SERVER_KEY, ""),
            user_id=told.user_id,
            new=told.new,
            disk_gib=told.disk_gib,
        )
