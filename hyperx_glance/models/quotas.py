"""Quotas and usage of departments.

>>> from hyperx_glance.models.quotas import Usage
>>> Usage(used=3, limit=5).remaining
2
"""

from collections.abc import Mapping
from typing import Any, Self, TypedDict

from pydantic import ValidatorFunctionWrapHandler, computed_field, model_validator

from hyperx_glance.errors import QuotaExceededError
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

    ``not_looked_at`` names the services that did not answer, or do not show their figures to the caller: "image",
    "compute" or "block-storage". Their fields are None, too, and ``notes`` says why.

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
    not_looked_at: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()

    def check_room(self, **requested: int) -> None:
        """Raise if there is no room for these amounts, named and counted as the fields; what is not known has room.

        >>> quota = DepartmentQuota(department="dept-a", images=Usage(used=3, limit=3))
        >>> quota.check_room(image_size_mib=100)
        >>> quota.check_room(images=1, image_size_mib=100)
        Traceback (most recent call last):
        hyperx_glance.errors.QuotaExceededError: Department dept-a has no room for 1 more image: 3 of 3 used...

        Raises:
            QuotaExceededError: there is no room; the error has the figures of the first exceeded resource.
        """
        usages: list[tuple[str, Usage | None]] = [
            (field, getattr(self, field)) for field in type(self).model_fields if field in requested
        ]
        exceeded = [
            (field, usage)
            for field, usage in usages
            if usage is not None and usage.remaining is not None and requested[field] > usage.remaining
        ]
        if exceeded:
            field, usage = exceeded[0]
            raise QuotaExceededError(
                department=self.department,
                resource=field,
                limit=usage.limit,
                used=usage.used,
                requested=requested[field],
                exceeded=[name for name, _ in exceeded],
            )


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
