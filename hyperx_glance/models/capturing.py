"""What is asked for by a capture.

>>> from hyperx_glance.models.capturing import NewCapture
>>> NewCapture(name="web with nginx", tags=["web"]).category
<Category.PRIVATE: 'private'>
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Required, TypedDict, Unpack

from pydantic import Field

from hyperx_glance.models.fields import (
    AnyCaseImageFormat,
    ChangeableKey,
    Count,
    Name,
    Some,
    Switch,
    Tags,
    Value,
)
from hyperx_glance.models.request import LAUNCH_ID_PATTERN, Request
from hyperx_glance.vocabulary import Category, CategoryWord, ImageFormatWord


class CaptureFields(TypedDict, total=False):
    """Name the keywords of `NewCapture`."""

    name: Required[str]
    description: str | None
    category: Category | CategoryWord
    password_enabled: bool | None
    admin_user: str | None
    os_name: str | None
    os_distro: str | None
    os_version: str | None
    os_type: str | None
    architecture: str | None
    tags: Some | None
    min_disk_gib: int | None
    min_ram_mib: int | None
    protected: bool
    properties: Mapping[str, str]
    disk_format: ImageFormatWord | None
    capture_id: str | None


class NewCapture(Request):
    """Ask for an image of a server's disk.

    None means what the image says that the server was made of; a text, also the empty one, replaces that.
    ``min_disk_gib`` is never less than the disk needs. ``disk_format`` is for servers on volumes: of others Nova
    chooses it. A ``capture_id`` of the caller's own lets `Client.find_capture` find the capture after the caller died.
    """

    name: Name
    description: Value | None = None
    category: Category = Category.PRIVATE
    password_enabled: Switch | None = None
    admin_user: Value | None = None
    os_name: Value | None = None
    os_distro: Value | None = None
    os_version: Value | None = None
    os_type: Value | None = None
    architecture: Value | None = None
    tags: Tags | None = None
    min_disk_gib: Count | None = None
    min_ram_mib: Count | None = None
    protected: Switch = False
    properties: Annotated[dict[ChangeableKey, Value], Field(max_length=128)] = {}
    disk_format: AnyCaseImageFormat | None = None
    capture_id: Annotated[str, Field(pattern=LAUNCH_ID_PATTERN, strict=True)] | None = None

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **fields: Unpack[CaptureFields]) -> None: ...
