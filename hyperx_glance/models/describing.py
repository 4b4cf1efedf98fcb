"""Fields and keywords that describe an image at its creation and in later changes, each of them once.

>>> from hyperx_glance.models.describing import Describing
>>> list(Describing.model_fields)[:3]
['name', 'description', 'category']
"""

from collections.abc import Mapping
from typing import TypedDict

from hyperx_glance.models.fields import Count, Name, Some, Switch, Tags, Value
from hyperx_glance.models.request import Request
from hyperx_glance.vocabulary import Category, CategoryWord


class Describing(Request):
    """The fields that `NewImage`, `NewIso`, `NewCapture` and `ImageChanges` have in common."""

    name: Name
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


class DescribingFields(TypedDict, total=False):
    """The keywords of `Describing`."""

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
    properties: Mapping[str, str]
