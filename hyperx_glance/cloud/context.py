"""What every verb needs: the cloud as the caller sees it, the departments, and the caller's settings.

    >>> from hyperx_glance import Settings
    >>> from hyperx_glance.cloud.context import Context
    >>> from hyperx_glance.cloud.departments import Departments
    >>> context = Context(cloud, Departments(cloud), Settings())
    >>> context.departments.own().name
    'dept-a'

A client has one, and passes it to each verb.
"""

from dataclasses import dataclass

from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.departments import Departments
from hyperx_glance.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The shared context of all verbs; ``steward`` is a second connection, with rights on every project."""

    cloud: Cloud
    departments: Departments
    settings: Settings
    steward: Cloud | None = None
