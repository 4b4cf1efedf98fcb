"""Requests for launches.

>>> from hyperx_glance.models.launching import LaunchRequest
>>> LaunchRequest(name="web", flavor="m1.tiny", count=3).networks
'auto'
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Required, Self, TypedDict, Unpack

import pydantic
from pydantic import Field, SecretStr

from hyperx_glance.models.fields import Bytes, Gib, Many, Name, Reference, Some, String, Switch, is_password, valid
from hyperx_glance.models.request import CHOSEN_ID_PATTERN, SERVER_TAG_PATTERN, Request
from hyperx_glance.texts import field_name, say

_LONGEST_NAME = 255


class LaunchFields(TypedDict, total=False):
    """The keywords of `LaunchRequest`."""

    name: Required[str]
    flavor: Required[str]
    count: int
    networks: Literal["auto", "none"] | Many
    install_disk_gib: int | None
    layout: Literal["install", "live"]
    boot_volume_gib: int | None
    volume_type: str | None
    keep_volumes: bool
    admin_password: str | SecretStr | None
    key_name: str | None
    security_groups: Many
    user_data: str | bytes | None
    config_drive: bool | None
    availability_zone: str | None
    metadata: Mapping[str, str]
    tags: Some
    server_group: str | None
    on_failure: Literal["keep", "delete"]
    launch_id: str | None


class LaunchRequest(Request):
    """A request for one or many servers from an image or an ISO.

    ``flavor`` and ``networks`` are names or ids; ``networks`` "auto" uses the department's only network, "none" means
    no network. Disks are GiB. ``layout`` is for ISOs: "install" adds an empty disk, "live" boots the ISO itself. With a
    ``launch_id`` that the caller chose, `Client.find_launch` finds the servers even if the caller's program dies.
    """

    name: Name
    flavor: Reference
    count: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    networks: Literal["auto", "none"] | tuple[Reference, ...] = "auto"
    install_disk_gib: Gib | None = None
    layout: Literal["install", "live"] = "install"
    boot_volume_gib: Gib | None = None
    volume_type: Reference | None = None
    keep_volumes: Switch = False
    admin_password: Annotated[SecretStr, valid(is_password)] | None = None
    key_name: Reference | None = None
    security_groups: tuple[Reference, ...] = ()
    user_data: Annotated[String | Bytes | None, Field(repr=False)] = None
    config_drive: Switch | None = None
    availability_zone: Reference | None = None
    metadata: dict[
        Annotated[str, Field(min_length=1, max_length=255, strict=True)],
        Annotated[str, Field(max_length=255, strict=True)],
    ] = {}
    tags: frozenset[Annotated[str, Field(min_length=1, max_length=60, pattern=SERVER_TAG_PATTERN, strict=True)]] = (
        frozenset()
    )
    server_group: Reference | None = None
    on_failure: Literal["keep", "delete"] = "keep"
    launch_id: Annotated[str, Field(pattern=CHOSEN_ID_PATTERN, strict=True)] | None = None

    @pydantic.model_validator(mode="after")
    def _leave_room_for_numbers(self) -> Self:
        """Refuse names that Nova's database refuses only after the request (nova/db/main/models.py, display_name)."""
        longest = _LONGEST_NAME - len(f"-{self.count}")
        if self.count > 1 and len(self.name) > longest:
            raise ValueError(say("name-too-long-for-numbers", field=field_name("name"), most=longest, count=self.count))
        return self

    if TYPE_CHECKING:  # type checkers would accept the types of the fields only, not other types that work, too

        def __init__(self, /, **fields: Unpack[LaunchFields]) -> None: ...
