"""What is asked for by a registration.

>>> from hyperx_glance.models.registering import NewIso
>>> NewIso(name="installer", url="http://files.example/installer.iso").disk_format
'iso'
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Required, TypedDict, Unpack

from hyperx_glance.models.fields import (
    AnyCaseImageFormat,
    Checksum,
    Count,
    DepartmentReference,
    Id,
    Many,
    Name,
    Properties,
    Reference,
    Some,
    Switch,
    Tags,
    Url,
    Value,
)
from hyperx_glance.models.request import Request
from hyperx_glance.vocabulary import Category, CategoryWord, ImageFormatWord, Kind


class _New(Request):
    name: Name
    url: Url
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
    checksum: Checksum | None = None
    owner: DepartmentReference | None = None
    properties: Properties = {}
    stores: tuple[Reference, ...] = ()
    id: Id | None = None


class NewFields(TypedDict, total=False):
    """Name the keywords that `NewImage` and `NewIso` share."""

    name: Required[str]
    url: Required[str]
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
    checksum: str | None
    owner: str | None
    properties: Mapping[str, str]
    stores: Many
    id: str | None


class NewImageFields(NewFields, total=False):
    """Name the keywords of `NewImage`."""

    disk_format: ImageFormatWord | None
    password_enabled: bool
    admin_user: str | None
    hypervisor: str


class NewIsoFields(NewFields, total=False):
    """Name the keywords of `NewIso`."""

    bootable: bool


class NewImage(_New):
    """Ask for a disk image from a URL.

    ``disk_format`` None takes what the first bytes say. ``checksum`` is "sha256:<hex>", "sha512:<hex>" or "md5:<hex>".
    ``owner`` is another department's id or name, for administrators. ``id`` is a UUID of the caller's own, else the
    library draws one. ``admin_user`` is the account that the password switch is about.
    """

    kind: ClassVar[Kind] = Kind.IMAGE
    disk_format: AnyCaseImageFormat | None = None
    password_enabled: Switch = False
    admin_user: Value | None = None
    hypervisor: Value = ""

    if TYPE_CHECKING:  # type checkers would ask for the types of the fields, where these are taken too

        def __init__(self, /, **fields: Unpack[NewImageFields]) -> None: ...


class NewIso(_New):
    """Ask for an installation disc from a URL; the fields are those of `NewImage` but format, password, hypervisor."""

    kind: ClassVar[Kind] = Kind.ISO
    disk_format: ClassVar[Literal["iso"]] = "iso"
    bootable: Switch = True

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **fields: Unpack[NewIsoFields]) -> None: ...
