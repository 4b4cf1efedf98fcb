"""The client, which has every verb: connect, then browse, register, edit, launch, delete.

    >>> with hyperx_cloud, hyperx_glance.connect(**hyperx_cloud.auth("alice")) as client:
    ...     [image.name for image in client.images(view="featured")]
    []

The client has no state except caches, sends no request before the first verb, and can be shared by threads. The first
call of a verb imports the verb and its models, so code that is not used costs no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from hyperx_glance.arguments import (
    callback,
    checked,
    choice,
    department,
    filled_text,
    flag,
    instance,
    model,
    optional,
    page_size,
    reference,
    seconds,
    text,
)
from hyperx_glance.cloud.connected import Connected
from hyperx_glance.cloud.connecting import is_steward, open_connection
from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.models.fields import is_file, is_format, is_password, is_target, is_url
from hyperx_glance.models.image import is_image
from hyperx_glance.settings import Settings
from hyperx_glance.vocabulary import Action, ActionWord

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from keystoneauth1.session import Session
    from openstack.connection import Connection
    from pydantic import SecretStr

    from hyperx_glance.capturing import Capture
    from hyperx_glance.launching import Launch
    from hyperx_glance.models.browsing import ImageCriteria, ImageQuery
    from hyperx_glance.models.capturing import NewCapture
    from hyperx_glance.models.editing import ImageChanges, ImageFields
    from hyperx_glance.models.image import Image
    from hyperx_glance.models.launching import LaunchRequest
    from hyperx_glance.models.quotas import DepartmentQuota, QuotaLimits
    from hyperx_glance.models.registering import NewImage, NewIso
    from hyperx_glance.models.results import (
        AvailabilityZone,
        Deletion,
        Departure,
        Finding,
        FlavorChoice,
        ImagePage,
        KeyPair,
        LaunchProgress,
        NetworkChoice,
        Progress,
        ServerRef,
        Summary,
        UrlReport,
    )
    from hyperx_glance.registration import Registration


@checked(
    cloud=optional(filled_text),
    region_name=optional(text),
    steward=optional(is_steward),
    settings=optional(instance(Settings)),
)
def connect(
    cloud: str | None = None,
    *,
    region_name: str | None = None,
    steward: Session | Connection | None = None,
    settings: Settings | None = None,
    **auth: object,
) -> Client:
    """Connect as ``openstack.connect`` does: from clouds.yaml, ``OS_*`` variables and keywords.

    ``steward`` is a second session, with the role admin. It is used only to edit public images of other departments,
    and to read the names of departments that own images. No request is sent yet.
    """
    if region_name is not None:
        auth["region_name"] = region_name
    connection = open_connection(cloud, auth)
    client = Client.from_connection(connection, steward=steward, settings=settings)
    client.on_close = connection.close
    return client


class Client(Connected):
    """HYPERX's image management on one OpenStack cloud, as one user."""

    # ------------------------------------------------------------- browsing

    @checked(query=optional(model("ImageQuery")))
    def images(self, query: ImageQuery | None = None, /, **criteria: Unpack[ImageCriteria]) -> Iterator[Image]:
        """Iterate over images, in constant memory; each page is read only when it is needed."""
        from hyperx_glance.browsing import catalogue

        return catalogue.images(self._context, _query(query, criteria))

    @checked(query=optional(model("ImageQuery")), size=page_size, cursor=optional(filled_text))
    def page(
        self,
        query: ImageQuery | None = None,
        /,
        *,
        size: int = 20,
        cursor: str | None = None,
        **criteria: Unpack[ImageCriteria],
    ) -> ImagePage:
        """Return one page of a list, with the cursors of the next and the previous page.

        A cursor works in any process, does not expire, and works with any ``size`` up to 1000. Without a cursor, the
        first page is returned. A cursor is refused with criteria or an order other than those of its page.
        """
        from hyperx_glance.browsing import paging

        return paging.page(self._context, _query(query, criteria), size=size, cursor=cursor)

    @checked(name_or_id=filled_text)
    def image(self, name_or_id: str, /) -> Image:
        """Return the image with this id or exact name; raise `NotFoundError` or `AmbiguousNameError`."""
        from hyperx_glance.browsing import catalogue

        return catalogue.image(self._context, name_or_id)

    @checked(query=optional(model("ImageQuery")))
    def count(self, query: ImageQuery | None = None, /, **criteria: Unpack[ImageCriteria]) -> int:
        """Return the number of matching images."""
        from hyperx_glance.browsing import catalogue

        return catalogue.count(self._context, _query(query, criteria))

    @checked(query=optional(model("ImageQuery")))
    def summary(self, query: ImageQuery | None = None, /, **criteria: Unpack[ImageCriteria]) -> Summary:
        """Count images by category, kind, state, format, operating system, tag and owner, in one pass."""
        from hyperx_glance.browsing import catalogue

        return catalogue.summary(self._context, _query(query, criteria))

    def tags(self) -> dict[str, int]:
        """Return every tag in the view "all", with the number of images that carry it."""
        from hyperx_glance.browsing import catalogue

        return catalogue.tags(self._context)

    @checked(image=is_image)
    def owner_name(self, image: Image | str, /) -> str:
        """Return the name of the department that owns an image, or its id if Keystone does not show the name.

        One request reads all names, with the steward if there is one, else with the caller's own login. The names are
        kept for a minute.
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.owner_name(self._context, image)

    @checked(image=model("Image"))
    def allowed(self, image: Image, /) -> frozenset[Action]:
        """Return what the caller may do with an image, as it was read, without a request."""
        from hyperx_glance import permissions

        return permissions.allowed(self._context, image)

    @checked(image=model("Image"), action=choice(*Action))
    def why_not(self, image: Image, action: Action | ActionWord, /) -> str:
        """Return one sentence with the reason why the caller may not do this, and a way out; "" if the caller may."""
        from hyperx_glance import permissions

        return permissions.why_not(self._context, image, Action(action))

    # ------------------------------------------------------------- registering

    @checked(
        new=model("NewImage", "NewIso"), on_progress=optional(callback), timeout=optional(seconds), keep_failed=flag
    )
    def register(
        self,
        new: NewImage | NewIso,
        /,
        *,
        on_progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        keep_failed: bool = False,
    ) -> Image:
        """Register an image or ISO from its URL or file, and return it when it is ready."""
        from hyperx_glance import registration

        return registration.register(
            self._context,
            new,
            on_progress=on_progress,
            timeout=timeout,
            keep_failed=keep_failed,
        )

    @checked(new=model("NewImage", "NewIso"), keep_failed=flag)
    def start_registration(self, new: NewImage | NewIso, /, *, keep_failed: bool = False) -> Registration:
        """Start to register an image or ISO, and return a handle with which to follow it."""
        from hyperx_glance import registration

        return registration.start_registration(self._context, new, keep_failed=keep_failed)

    @checked(image=is_image, url=optional(is_url), file=optional(is_file), keep_failed=flag)
    def resume_registration(
        self,
        image: Image | str,
        /,
        *,
        url: str | None = None,
        file: str | os.PathLike[str] | BinaryIO | None = None,
        keep_failed: bool = False,
    ) -> Registration:
        """Continue a registration whose program died; pass the file again if the data came from a file."""
        from hyperx_glance import registration

        return registration.resume_registration(self._context, image, url=url, file=file, keep_failed=keep_failed)

    @checked(image=is_image)
    def cancel_registration(self, image: Image | str, /) -> None:
        """Cancel a registration that is not ready, regardless of who started it, and delete its record; read no URL."""
        from hyperx_glance import registration

        registration.cancel_registration(self._context, image)

    @checked(image=is_image)
    def progress(self, image: Image | str, /) -> Progress:
        """Return the progress of a registration or a capture, regardless of who started it; start nothing."""
        from hyperx_glance import registration

        return registration.progress(self._context, image)

    @checked(older_than_seconds=seconds)
    def unfinished_registrations(self, *, older_than_seconds: float = 0) -> Iterator[Image]:
        """Iterate over the caller's registrations in the connected department that are not finished."""
        from hyperx_glance import registration

        return registration.unfinished_registrations(self._context, older_than_seconds=older_than_seconds)

    @checked(image=is_image, path_or_file=is_target, on_progress=optional(callback))
    def download(
        self,
        image: Image | str,
        path_or_file: str | os.PathLike[str] | BinaryIO,
        /,
        *,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Image:
        """Save the data of an image under a path, or write it into a binary file object, and verify it.

        A file gets its name only when it is complete and verified. If a download is interrupted, the next call
        continues it.
        """
        from hyperx_glance import downloading

        return downloading.download(self._context, image, path_or_file, on_progress=on_progress)

    @checked(url=text, disk_format=optional(is_format))
    def check_url(self, url: str, /, *, disk_format: str | None = None) -> UrlReport:
        """Read the first bytes at a URL, and report what a registration would find there."""
        from hyperx_glance import registration

        return registration.check_url(self._context, url, disk_format=disk_format and disk_format.lower())

    # ------------------------------------------------------------- editing, enabling, deleting

    @checked(image=is_image, changes=optional(model("ImageChanges")))
    def update(
        self, image: Image | str, changes: ImageChanges | None = None, /, **fields: Unpack[ImageFields]
    ) -> Image:
        """Change the named fields of an image, with the smallest possible patch, and return the image."""
        from hyperx_glance import editing

        return editing.update(self._context, image, editing.changes(changes, fields))

    @checked(image=is_image)
    def disable(self, image: Image | str, /) -> Image:
        """Make an image INACTIVE without deleting its data."""
        from hyperx_glance import editing

        return editing.disable(self._context, image)

    @checked(image=is_image)
    def enable(self, image: Image | str, /) -> Image:
        """Make a disabled image ACTIVE again."""
        from hyperx_glance import editing

        return editing.enable(self._context, image)

    @checked(image=is_image, missing_ok=flag, report_servers=flag)
    def delete(self, image: Image | str, /, *, missing_ok: bool = False, report_servers: bool = False) -> Deletion:
        """Delete an image for good; servers made from it keep running."""
        from hyperx_glance import deletion

        return deletion.delete(self._context, image, missing_ok=missing_ok, report_servers=report_servers)

    @checked(image=is_image)
    def servers_using(self, image: Image | str, /) -> list[ServerRef]:
        """List the servers that were made from an image and that the caller can see."""
        from hyperx_glance import deletion

        return deletion.servers_using(self._context, image)

    # ------------------------------------------------------------- lists for a form

    @checked(image=optional(is_image))
    def flavors(self, image: Image | str | None = None, /) -> list[FlavorChoice]:
        """List flavors, the smallest first, with one request; with an image, those that fit the image come first.

        A flavor fits if the image can be launched in its default layout; quota and hosts are not considered. If you
        pass an id, the image is read first, with one more request.
        """
        from hyperx_glance import launching

        return launching.flavors(self._context, image)

    def networks(self) -> list[NetworkChoice]:
        """List the networks into which the caller can launch servers, ordered by name, with one request."""
        from hyperx_glance import launching

        return launching.networks(self._context)

    def key_pairs(self) -> list[KeyPair]:
        """List the caller's own key pairs, ordered by name, with one request."""
        from hyperx_glance import launching

        return launching.key_pairs(self._context)

    def availability_zones(self) -> list[AvailabilityZone]:
        """List availability zones, ordered by name, with one request."""
        from hyperx_glance import launching

        return launching.availability_zones(self._context)

    def departments(self) -> list[Department]:
        """List the departments that the caller may see, ordered by name: own departments, or all for an administrator.

        This sends one request, and keeps the answer for a minute.
        """
        return self._context.departments.known()

    def regions(self) -> tuple[str, ...]:
        """List the regions that have images, in the order of the token's catalogue, without a request."""
        return self.cloud.regions()

    # ------------------------------------------------------------- launching

    @checked(
        image=is_image,
        request=model("LaunchRequest"),
        wait=flag,
        on_progress=optional(callback),
        timeout=optional(seconds),
    )
    def launch(
        self,
        image: Image | str,
        request: LaunchRequest,
        /,
        *,
        wait: bool = True,
        on_progress: Callable[[LaunchProgress], object] | None = None,
        timeout: float | None = None,
    ) -> Launch:
        """Launch one or many servers from an image or ISO."""
        from hyperx_glance import launching

        return launching.launch(
            self._context,
            image,
            request,
            wait=wait,
            on_progress=on_progress,
            timeout=timeout,
        )

    @checked(launch_id=reference)
    def find_launch(self, launch_id: str, /) -> Launch:
        """Find a launch by its id, for example after the program that started it has died.

        If the id is unknown, search for ten seconds, since Nova may still be creating the servers. An id that
        `Client.launch` generated contains its time; if it is older than ten minutes, one search is enough.
        """
        from hyperx_glance import launching

        return launching.find_launch(self._context, launch_id)

    def launches(self) -> list[Launch]:
        """List the launches of the connected department that have servers, the newest first.

        This sends one request, and one more for each further thousand servers. It does not wait for servers.
        """
        from hyperx_glance import launching

        return launching.launches(self._context)

    @checked(server_id=reference, password=optional(is_password))
    def reset_password(self, server_id: str, /, password: str | SecretStr | None = None) -> SecretStr:
        """Set the administrator's password of a running server, and return it; None generates a password.

        If an error occurs after which the server may have the password, the error has it as ``admin_password``.
        """
        from hyperx_glance import launching

        return launching.reset_password(self._context, server_id, password)

    # ------------------------------------------------------------- capturing

    @checked(server_id=reference, new=model("NewCapture"), on_progress=optional(callback), timeout=optional(seconds))
    def capture(
        self,
        server_id: str,
        new: NewCapture,
        /,
        *,
        on_progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
    ) -> Image:
        """Make an image of a server's disk, and return it when it is ready; the server keeps running."""
        from hyperx_glance import capturing

        return capturing.capture(self._context, server_id, new, on_progress=on_progress, timeout=timeout)

    @checked(server_id=reference, new=model("NewCapture"))
    def start_capture(self, server_id: str, new: NewCapture, /) -> Capture:
        """Start to capture a server, and return a handle with which to finish the capture."""
        from hyperx_glance import capturing

        return capturing.start_capture(self._context, server_id, new)

    @checked(capture_id=reference)
    def find_capture(self, capture_id: str, /) -> Capture:
        """Find a capture by its id, for example after the program that started it has died.

        If the id is unknown, search for ten seconds, since the services may still be working. An id that
        `Client.capture` generated contains its time; if it is older than ten minutes, one search is enough.
        """
        from hyperx_glance import capturing

        return capturing.find_capture(self._context, capture_id)

    # ------------------------------------------------------------- quotas and deployment

    @checked(department=optional(department))
    def quota(self, department: str | None = None, /) -> DepartmentQuota:
        """Return what a department uses and may use; only administrators may name other departments than their own."""
        from hyperx_glance.quotas.reading import quota

        return quota(self._context, department)

    @checked(department=department)
    def set_quota(self, department: str, /, **limits: Unpack[QuotaLimits]) -> DepartmentQuota:
        """Set limits of a department: -1 means unlimited, None the default. Only administrators may do this."""
        from hyperx_glance.quotas.setting import set_quota

        return set_quota(self._context, department, limits)

    @checked(probe=flag)
    def doctor(self, *, probe: bool = False) -> list[Finding]:
        """Check that this deployment can do what HYPERX needs; with ``probe``, also try it on a scratch record."""
        from hyperx_glance import deployment

        return deployment.doctor(self._context, probe=probe)

    def install_metadefs(self) -> None:
        """Write the metadata namespace ``OS::HyperX::Image`` as this release has it; only administrators may do this.

        Only differences are written, and properties that this release does not have are removed. A second run writes
        nothing.
        """
        from hyperx_glance import deployment

        deployment.install_metadefs(self._context)

    @checked(department=optional(department), dry_run=flag)
    def leave(self, *, department: str | None = None, dry_run: bool = False) -> list[Departure]:
        """Remove the properties that HYPERX wrote on images, so that they are ordinary images; change nothing else.

        Every image is listed first. An administrator leaves for all departments, or for ``department``; a member for
        the connected department. With ``dry_run``, nothing is removed. Images of which a registration, a capture or a
        launch is under way are skipped. The result has every image that had such properties, and says what is left
        of them and why. After an interruption, call it again: it goes on with what is left.
        """
        from hyperx_glance import deployment

        return deployment.leave(self._context, department=department, dry_run=dry_run)


def _query(query: ImageQuery | None, criteria: ImageCriteria) -> ImageQuery:
    if query is not None and criteria:
        raise InvalidRequestError("images: give a query or keywords, not both")
    from hyperx_glance.models.browsing import ImageQuery

    return ImageQuery.model_validate(criteria) if query is None else query
