"""Requests for registrations.

>>> from hyperx_glance.models.registering import NewIso
>>> NewIso(name="installer", url="http://files.example/installer.iso").disk_format
'iso'
"""

import os
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Literal, Required, Self, Unpack

import pydantic

from hyperx_glance.models.describing import Describing, DescribingFields
from hyperx_glance.models.fields import (
    AnyCaseImageFormat,
    Checksum,
    DepartmentReference,
    Id,
    Many,
    ModelFile,
    OptionalUrl,
    Properties,
    Stores,
    Switch,
    Value,
)
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import ImageFormatWord, Kind


class _New(Describing):
    usual: ClassVar[tuple[str, ...]] = ("url",)
    url: OptionalUrl = None
    file: ModelFile = None
    unpack: Literal["auto", False] = "auto"
    checksum: Checksum | None = None
    checksum_url: OptionalUrl = None
    owner: DepartmentReference | None = None
    properties: Properties = {}
    stores: Stores = ()
    id: Id | None = None

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.url is None) == (self.file is None):
            if self.url is None:
                raise ValueError(say("one-of-two-fields-required", field=field_name("url"), other=field_name("file")))
            raise ValueError(say("only-one-of-two-fields", fields=[field_name("url"), field_name("file")]))
        if self.checksum is not None and self.checksum_url is not None:
            raise ValueError(say("only-one-of-two-fields", fields=[field_name("checksum"), field_name("checksum_url")]))
        return self


class NewFields(DescribingFields, total=False):
    """The keywords that `NewImage` and `NewIso` share."""

    name: Required[str]
    url: str | None
    file: os.PathLike[str] | BinaryIO | None
    unpack: Literal["auto", False]
    checksum: str | None
    checksum_url: str | None
    owner: str | None
    stores: Many
    id: str | None


class NewImageFields(NewFields, total=False):
    """The keywords of `NewImage`."""

    disk_format: ImageFormatWord | None
    password_enabled: bool
    admin_user: str | None
    hypervisor: str


class NewIsoFields(NewFields, total=False):
    """The keywords of `NewIso`."""

    bootable: bool


class NewImage(_New):
    """A request for a disk image from a URL or from a file.

    ``file`` is a ``pathlib.Path`` or a binary file object, which is read from its first byte. A string is refused,
    since requests are filled from the input of other people. ``unpack`` "auto" unpacks xz, gzip, bzip2 and zstd on the
    way, False refuses packed data. ``disk_format`` None means the format that the first bytes show. ``checksum`` is
    "sha256:<hex>", "sha512:<hex>" or "md5:<hex>". ``checksum_url`` is the URL of the publisher's file of checksums:
    SHA256SUMS, SHA512SUMS, MD5SUMS, or a file of one digest. Both are for the data of the URL or file before unpacking.
    ``owner`` is another department's id or name, for administrators. ``id`` is a UUID that the caller chose; None lets
    the library draw one. ``admin_user`` is the account that gets the administrator's password.
    """

    kind: ClassVar[Kind] = Kind.IMAGE
    disk_format: AnyCaseImageFormat | None = None
    password_enabled: Switch = False
    admin_user: Value | None = None
    hypervisor: Value = ""

    if TYPE_CHECKING:  # type checkers would accept the types of the fields only, not other types that work, too

        def __init__(self, /, **fields: Unpack[NewImageFields]) -> None: ...


class NewIso(_New):
    """A request for an installation disc from a URL or from a file.

    The fields are those of `NewImage` without format, password and hypervisor.
    """

    kind: ClassVar[Kind] = Kind.ISO
    disk_format: ClassVar[Literal["iso"]] = "iso"
    bootable: Switch = True

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **fields: Unpack[NewIsoFields]) -> None: ...
