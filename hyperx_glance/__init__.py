"""HYPERX image management on OpenStack: browse, register, edit, launch, delete, within departments and quotas.

>>> from hyperx_glance import ImageQuery
>>> ImageQuery(view="featured", formats=["qcow2"], search="debian 12").view
<View.FEATURED: 'featured'>

Names are imported from their modules when they are first used, so that ``import hyperx_glance`` itself costs nothing.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from hyperx_glance import deployment as deployment
    from hyperx_glance.capturing import Capture as Capture
    from hyperx_glance.client import Client as Client, connect as connect
    from hyperx_glance.cloud.departments import Department as Department
    from hyperx_glance.errors import (
        AmbiguousNameError as AmbiguousNameError,
        AuthenticationError as AuthenticationError,
        CaptureFailedError as CaptureFailedError,
        ChecksumMismatchError as ChecksumMismatchError,
        ConflictError as ConflictError,
        FlavorTooSmallError as FlavorTooSmallError,
        HyperxGlanceError as HyperxGlanceError,
        ImageNotActiveError as ImageNotActiveError,
        ImmutableFieldError as ImmutableFieldError,
        InUseError as InUseError,
        InvalidRequestError as InvalidRequestError,
        LaunchFailedError as LaunchFailedError,
        LocalFileError as LocalFileError,
        NotAllowedError as NotAllowedError,
        NotFoundError as NotFoundError,
        PasswordResetError as PasswordResetError,
        PlaceLostError as PlaceLostError,
        ProtectedError as ProtectedError,
        QuotaExceededError as QuotaExceededError,
        RegistrationFailedError as RegistrationFailedError,
        ServiceUnavailableError as ServiceUnavailableError,
        UrlRejectedError as UrlRejectedError,
        WaitTimeoutError as WaitTimeoutError,
    )
    from hyperx_glance.index import CatalogueIndex as CatalogueIndex, IndexState as IndexState
    from hyperx_glance.launching import Launch as Launch
    from hyperx_glance.models.browsing import (
        ImageCriteria as ImageCriteria,
        ImageQuery as ImageQuery,
        PageQuery as PageQuery,
    )
    from hyperx_glance.models.capturing import NewCapture as NewCapture
    from hyperx_glance.models.editing import ImageChanges as ImageChanges, ImageFields as ImageFields
    from hyperx_glance.models.image import Image as Image
    from hyperx_glance.models.launching import LaunchRequest as LaunchRequest
    from hyperx_glance.models.quotas import (
        DepartmentQuota as DepartmentQuota,
        QuotaLimits as QuotaLimits,
        Usage as Usage,
    )
    from hyperx_glance.models.registering import NewImage as NewImage, NewIso as NewIso
    from hyperx_glance.models.request import invalid_request as invalid_request
    from hyperx_glance.models.results import (
        AvailabilityZone as AvailabilityZone,
        Deletion as Deletion,
        Departure as Departure,
        Family as Family,
        Finding as Finding,
        FlavorChoice as FlavorChoice,
        ImagePage as ImagePage,
        KeyPair as KeyPair,
        LaunchProgress as LaunchProgress,
        ListedServer as ListedServer,
        NetworkChoice as NetworkChoice,
        Progress as Progress,
        Retirement as Retirement,
        Server as Server,
        ServerRef as ServerRef,
        ServersUsing as ServersUsing,
        Share as Share,
        Summary as Summary,
        UrlReport as UrlReport,
    )
    from hyperx_glance.models.urls import UrlPolicy as UrlPolicy
    from hyperx_glance.registration import Registration as Registration
    from hyperx_glance.settings import Settings as Settings
    from hyperx_glance.texts import Audience as Audience, Text as Text
    from hyperx_glance.vocabulary import (
        Action as Action,
        Category as Category,
        FailureReason as FailureReason,
        Kind as Kind,
        Lifecycle as Lifecycle,
        Phase as Phase,
        ShareStatus as ShareStatus,
        State as State,
        UrlProblem as UrlProblem,
        View as View,
    )
    from hyperx_glance.waiting.cancelling import cancelling as cancelling
    from hyperx_glance.waiting.pace import Pace as Pace

_HOMES = {
    "capturing": "Capture",
    "client": "Client connect",
    "cloud.departments": "Department",
    "errors": """
        AmbiguousNameError AuthenticationError CaptureFailedError ChecksumMismatchError ConflictError
        FlavorTooSmallError HyperxGlanceError ImageNotActiveError ImmutableFieldError InUseError
        InvalidRequestError LaunchFailedError LocalFileError NotAllowedError NotFoundError PasswordResetError
        PlaceLostError ProtectedError QuotaExceededError RegistrationFailedError ServiceUnavailableError
        UrlRejectedError WaitTimeoutError
    """,
    "index": "CatalogueIndex IndexState",
    "launching": "Launch",
    "models.browsing": "ImageCriteria ImageQuery PageQuery",
    "models.capturing": "NewCapture",
    "models.editing": "ImageChanges ImageFields",
    "models.image": "Image",
    "models.launching": "LaunchRequest",
    "models.quotas": "DepartmentQuota QuotaLimits Usage",
    "models.registering": "NewImage NewIso",
    "models.request": "invalid_request",
    "models.results": """
        AvailabilityZone Deletion Departure Family Finding FlavorChoice ImagePage KeyPair LaunchProgress ListedServer
        NetworkChoice Progress Retirement Server ServerRef ServersUsing Share Summary UrlReport
    """,
    "models.urls": "UrlPolicy",
    "registration": "Registration",
    "settings": "Settings",
    "texts": "Audience Text",
    "vocabulary": "Action Category FailureReason Kind Lifecycle Phase ShareStatus State UrlProblem View",
    "waiting.cancelling": "cancelling",
    "waiting.pace": "Pace",
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted([*_MODULES, "deployment"])  # noqa: PLE0605  # type checkers read the imports above

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
