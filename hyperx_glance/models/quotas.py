"""Quotas and usage of departments.

>>> from hyperx_glance.models.quotas import Usage
>>> Usage(used=3, limit=5).remaining
2
"""

from collections.abc import Mapping
from typing import Any, Self, TypedDict

from pydantic import ValidatorFunctionWrapHandler, computed_field, model_validator

from hyperx_glance.models.described import Described
from hyperx_glance.texts import Text

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them


class Usage(Described):
    """The usage of one resource; ``limit`` None means unlimited."""

    used: int
    limit: int | None

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know a decorated property
    @property
    def remaining(self) -> int | None:
        """The amount that is left: negative if the limit is below the current usage, None if there is no limit."""
        return None if self.limit is None else self.limit - self.used

    @model_validator(mode="wrap")
    @classmethod
    def _agree(cls, given: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        usage: Self = handler(given)
        if isinstance(given, Mapping) and given.get("remaining", usage.remaining) != usage.remaining:
            raise ValueError("remaining: does not follow from used and limit")
        return usage


class DepartmentQuota(Described):
    """What a department uses and may use; a field is None if this cloud does not report it.

    ``notes`` says why fields are None that a service has, but does not show to the caller.

    Units: ``image_size_mib`` and ``staging_mib`` MiB, ``ram_mib`` MiB, ``volume_gib`` GiB, the others counts. Source:
    Keystone's unified limits and Glance for images, Nova for servers, Cinder for volumes.
    """

    department: str
    images: Usage | None = None
    image_size_mib: Usage | None = None
    staging_mib: Usage | None = None
    uploading: Usage | None = None
    instances: Usage | None = None
    cores: Usage | None = None
    ram_mib: Usage | None = None
    volumes: Usage | None = None
    volume_gib: Usage | None = None
    notes: tuple[Text, ...] = ()


class QuotaLimits(TypedDict, total=False):
    """The keywords of `Client.set_quota`: -1 means unlimited, None the default again."""

    images: int | None
    image_size_mib: int | None
    staging_mib: int | None
    uploading: int | None
    instances: int | None
    cores: int | None
    ram_mib: int | None
    volumes: int | None
    volume_gib: int | None
