"""The first three steps of a registration: every check before anything is created.

>>> client.register(NewImage(name="debian", url="https://files.example/debian-12.qcow2", category="featured"))
Traceback (most recent call last):
hyperx_glance.errors.NotAllowedError: Only administrators can register featured images...
>>> client.count()
0
"""

import contextlib
import dataclasses
import uuid
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from pydantic import Field

from hyperx_glance.cloud import versions
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import InvalidRequestError, NotAllowedError, NotFoundError, UrlRejectedError
from hyperx_glance.models.quotas import Usage
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.quotas.reading import image_quota
from hyperx_glance.quotas.room import check_images
from hyperx_glance.registration import staging
from hyperx_glance.registration.order import RegistrationOrder, Way, in_mib, open_ways
from hyperx_glance.sources import urls
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.opening import open_source
from hyperx_glance.sources.published import published_checksum
from hyperx_glance.sources.urls import Found, check as check_source
from hyperx_glance.texts import NO_TEXT, Text, field_name, say
from hyperx_glance.vocabulary import Category, UrlProblem


class _Store(Shape):
    id: str
    read_only: str = Field("", alias="read-only")


class _Stores(Shape):
    stores: tuple[_Store, ...]


def asked(context: Context, new: NewImage | NewIso, *, keep_failed: bool) -> RegistrationOrder:
    """Return the order if its caller may place it, and if there is a way for its data."""
    department = _owner(context, new)
    if new.category is Category.FEATURED and not context.cloud.is_administrator:
        raise NotAllowedError(say("only-administrators-register-featured"), hint=say("choose-public"))
    order = RegistrationOrder(
        image_id=new.id or str(uuid.uuid4()),
        url=new.url,
        file=None if new.file is None else LocalFile(new.file),
        disk_format=new.disk_format or "",
        department=department,
        checksum=new.checksum,
        stores=new.stores,
        keep_failed=keep_failed,
    )
    open_ways(order, context.settings.transfer)
    if order.stores:
        _check_stores(context.cloud, order.stores)
    return order


def _check_stores(cloud: Cloud, stores: Sequence[str]) -> None:
    """Refuse stores into which nobody can write: Glance does so only after the record was created."""
    try:
        existing = cloud.get_parsed(_Stores, "image", "/info/stores").stores
    except NotAllowedError:
        return
    except NotFoundError:  # glance/api/v2/discovery.py, get_stores
        problem = say("single-store")
    else:
        writable = [store.id for store in existing if store.read_only != "true"]
        unknown = [store for store in stores if store not in writable]
        if not unknown:
            return
        problem = say("no-such-stores", stores=unknown, existing=writable)
    raise InvalidRequestError(say("wrong-field", field=field_name("stores"), problem=problem))


def _owner(context: Context, new: NewImage | NewIso) -> Department:
    own = context.departments.own()
    if new.owner is None or new.owner == own.id:
        return own
    department = context.departments.resolve(new.owner)
    if department.id != own.id and not context.cloud.is_administrator:
        raise NotAllowedError(
            say("only-administrators-register-for-others", department=new.owner),
            hint=say("connect-to-that-department"),
        )
    return department


def checksum(context: Context, order: RegistrationOrder, checksum_url: str | None) -> str | None:
    """Return the checksum that was given, or the one that is published for the data at ``checksum_url``."""
    if checksum_url is None:
        return order.checksum
    path = unquote(urlsplit(order.url).path) if order.url is not None else order.file.path if order.file else ""
    if not path:
        problem = say("data-has-no-file-name")
        raise InvalidRequestError(say("wrong-field", field=field_name("checksum_url"), problem=problem))
    settings = context.settings
    try:
        return published_checksum(checksum_url, path, settings.url_policy, network=settings.network)
    except UrlRejectedError as error:
        error.field = "checksum_url"
        raise


def ways(context: Context, order: RegistrationOrder, found: Found) -> tuple[Way, ...]:
    """Return the ways that are open for the data that was found."""
    obstacle = say("glance-does-not-unpack") if found.packed else _obstacle(context, order, found)
    possible = open_ways(order, context.settings.transfer, obstacle=obstacle)
    if possible == (Way.STAGE,):
        staging.check_offered(context.cloud)
    return possible


def _obstacle(context: Context, order: RegistrationOrder, found: Found) -> Text:
    """Return why this cloud's Glance must not import the data that was found; no text if it may.

    An old Glance can be made to read from the cloud's own network, or to accept a disk that refers to a file of the
    host.
    """
    looked = context.settings.url_policy.preflight
    if order.file is not None or context.settings.transfer == "stream" or (looked and not found.redirected):
        return NO_TEXT
    version = versions.newest(context.cloud, "image")
    if not version or version >= versions.CAREFUL_GLANCE:
        return NO_TEXT
    if found.redirected:
        return say("glance-follows-redirects")
    return say("glance-does-not-inspect")


def look(context: Context, order: RegistrationOrder, *, declared: str | None, packed: str | None) -> Found:
    """Read the first bytes of the URL or file; without preflight, only check the address of the URL."""
    policy, network = context.settings.url_policy, context.settings.network
    if policy.preflight or order.file is not None:
        opened = open_source(order.url, order.file, policy, packed=packed, network=network)
        with contextlib.closing(opened) as source:
            redirected = isinstance(source, urls.Source) and bool(source.redirects)
            return dataclasses.replace(check_source(source, declared), redirected=redirected)
    assert order.url is not None  # otherwise there is a file
    if declared is None:
        problem = say("required-without-preflight")
        raise InvalidRequestError(say("wrong-field", field=field_name("disk_format"), problem=problem))
    if policy.ca_file is not None:
        urls.tls_context(policy)  # fail now, not when the data is streamed; the system's authorities take 50 ms to load
    try:
        urls.destination(order.url, policy, seconds=policy.timeout_seconds, network=network)
    except UrlRejectedError as error:
        # preflight=False is for names that only Glance can resolve.
        if error.reason not in (UrlProblem.NAME_NOT_FOUND, UrlProblem.TIMEOUT):
            raise
    return Found(declared, None, packed=packed or "")


def room(context: Context, order: RegistrationOrder, found: Found) -> Usage | None:
    """Check the department's quota, and return the usage of its image storage, None if unknown."""
    quota = image_quota(context, order.department)
    check_images(quota, size_mib=None if found.size is None else in_mib(found.size) * max(1, len(order.stores)))
    return quota.image_size_mib
