"""Quotas and usage of departments.

>>> from hyperx_glance.models.quotas import Usage
>>> Usage(used=3, limit=5).remaining
2
"""

from typing import TypedDict

from pydantic import BaseModel, ConfigDict, computed_field


class Usage(BaseModel):
    """The usage of one resource; ``limit`` None means unlimited."""

    model_config = ConfigDict(frozen=True)

    used: int
    limit: int | None

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know a decorated property
    @property
    def remaining(self) -> int | None:
        """The amount that is left: negative if the limit is below the current usage, None if there is no limit."""
        return None if self.limit is None else self.limit - self.used


class DepartmentQuota(BaseModel):
    """What a department uses and may use; a field is None if this cloud does not report it.

    Units: ``image_size_mib`` and ``staging_mib`` MiB, ``ram_mib`` MiB, ``volume_gib`` GiB, the others counts. Source:
    Keystone's unified limits and Glance for images, Nova for servers, Cinder for volumes.
    """

    model_config = ConfigDict(frozen=True)

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
