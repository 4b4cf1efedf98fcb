"""HYPERX image management on OpenStack: browse, register, edit, launch, delete, within departments and quotas.

>>> from hyperx_glance import ImageQuery
>>> ImageQuery(view="featured", formats=["qcow2"], search="debian 12").view
<View.FEATURED: 'featured'>

Names are imported from their modules when they are first used, so that ``import hyperx_glance`` itself costs nothing.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from hyperx_glance import deployment
    from hyperx_glance.client import Client, connect
    from hyperx_glance.departments import Department
    from hyperx_glance.errors import (
        AmbiguousNameError,
        AuthenticationError,
        ChecksumMismatchError,
        ConflictError,
        FlavorTooSmallError,
        HyperxGlanceError,
        ImageNotActiveError,
        ImmutableFieldError,
        InUseError,
        InvalidRequestError,
        LaunchFailedError,
        NotAllowedError,
        NotFoundError,
        PasswordResetError,
        ProtectedError,
        QuotaExceededError,
        RegistrationFailedError,
        ServiceUnavailableError,
        UrlRejectedError,
        WaitTimeoutError,
    )
    from hyperx_glance.launching import Launch
    from hyperx_glance.models.browsing import ImageCriteria, ImageQuery
    from hyperx_glance.models.editing import ImageChanges, ImageFields
    from hyperx_glance.models.image import Image
    from hyperx_glance.models.launching import LaunchRequest
    from hyperx_glance.models.quotas import DepartmentQuota, QuotaLimits, Usage
    from hyperx_glance.models.registering import NewImage, NewIso
    from hyperx_glance.models.results import (
        AvailabilityZone,
        Deletion,
        Finding,
        FlavorChoice,
        KeyPair,
        LaunchProgress,
        NetworkChoice,
        Progress,
        Server,
        ServerRef,
        Summary,
        UrlReport,
    )
    from hyperx_glance.models.urls import UrlPolicy
    from hyperx_glance.registration import Registration
    from hyperx_glance.settings import Settings
    from hyperx_glance.vocabulary import Action, Category, Kind, Phase, State, UrlProblem, View
    from hyperx_glance.waiting import Pace

__all__ = [
    "Action",
    "AmbiguousNameError",
    "AuthenticationError",
    "AvailabilityZone",
    "Category",
    "ChecksumMismatchError",
    "Client",
    "ConflictError",
    "Deletion",
    "Department",
    "DepartmentQuota",
    "Finding",
    "FlavorChoice",
    "FlavorTooSmallError",
    "HyperxGlanceError",
    "Image",
    "ImageChanges",
    "ImageCriteria",
    "ImageFields",
    "ImageNotActiveError",
    "ImageQuery",
    "ImmutableFieldError",
    "InUseError",
    "InvalidRequestError",
    "KeyPair",
    "Kind",
    "Launch",
    "LaunchFailedError",
    "LaunchProgress",
    "LaunchRequest",
    "NetworkChoice",
    "NewImage",
    "NewIso",
    "NotAllowedError",
    "NotFoundError",
    "Pace",
    "PasswordResetError",
    "Phase",
    "Progress",
    "ProtectedError",
    "QuotaExceededError",
    "QuotaLimits",
    "Registration",
    "RegistrationFailedError",
    "Server",
    "ServerRef",
    "ServiceUnavailableError",
    "Settings",
    "State",
    "Summary",
    "UrlPolicy",
    "UrlProblem",
    "UrlRejectedError",
    "UrlReport",
    "Usage",
    "View",
    "WaitTimeoutError",
    "connect",
    "deployment",
]

_HOMES = {
    "client": (
        "Client",
        "connect",
    ),
    "departments": ("Department",),
    "errors": (
        "AmbiguousNameError",
        "AuthenticationError",
        "ChecksumMismatchError",
        "ConflictError",
        "FlavorTooSmallError",
        "HyperxGlanceError",
        "ImageNotActiveError",
        "ImmutableFieldError",
        "InUseError",
        "InvalidRequestError",
        "LaunchFailedError",
        "NotAllowedError",
        "NotFoundError",
        "PasswordResetError",
        "ProtectedError",
        "QuotaExceededError",
        "RegistrationFailedError",
        "ServiceUnavailableError",
        "UrlRejectedError",
        "WaitTimeoutError",
    ),
    "launching": ("Launch",),
    "models.browsing": (
        "ImageCriteria",
        "ImageQuery",
    ),
    "models.editing": (
        "ImageChanges",
        "ImageFields",
    ),
    "models.image": ("Image",),
    "models.launching": ("LaunchRequest",),
    "models.quotas": (
        "DepartmentQuota",
        "QuotaLimits",
        "Usage",
    ),
    "models.registering": (
        "NewImage",
        "NewIso",
    ),
    "models.results": (
        "AvailabilityZone",
        "Deletion",
        "Finding",
        "FlavorChoice",
        "KeyPair",
        "LaunchProgress",
        "NetworkChoice",
        "Progress",
        "Server",
        "ServerRef",
        "Summary",
        "UrlReport",
    ),
    "models.urls": ("UrlPolicy",),
    "registration": ("Registration",),
    "settings": ("Settings",),
    "vocabulary": (
        "Action",
        "Category",
        "Kind",
        "Phase",
        "State",
        "UrlProblem",
        "View",
    ),
    "waiting": ("Pace",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

if not typing.TYPE_CHECKING:  # or every misspelt name would pass the type checker

    def __getattr__(name: str) -> object:
        """Import a public name from its module, once."""
        if name == "deployment":
            return importlib.import_module("hyperx_glance.deployment")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"hyperx_glance.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Show the public names, imported or not."""
    return sorted({*globals(), *__all__})
