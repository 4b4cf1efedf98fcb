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
    from hyperx_glance.models import (
        AvailabilityZone,
        Deletion,
        DepartmentQuota,
        Finding,
        FlavorChoice,
        Image,
        ImageChanges,
        ImageCriteria,
        ImageFields,
        ImageQuery,
        KeyPair,
        LaunchProgress,
        LaunchRequest,
        NetworkChoice,
        NewImage,
        NewIso,
        Progress,
        QuotaLimits,
        Server,
        ServerRef,
        Summary,
        UrlPolicy,
        UrlReport,
        Usage,
    )
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
    "models": (
        "AvailabilityZone",
        "Deletion",
        "DepartmentQuota",
        "Finding",
        "FlavorChoice",
        "Image",
        "ImageChanges",
        "ImageCriteria",
        "ImageFields",
        "ImageQuery",
        "KeyPair",
        "LaunchProgress",
        "LaunchRequest",
        "NetworkChoice",
        "NewImage",
        "NewIso",
        "Progress",
        "QuotaLimits",
        "Server",
        "ServerRef",
        "Summary",
        "UrlPolicy",
        "UrlReport",
        "Usage",
    ),
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
