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
    duration,
    filled_text,
    flag,
    instance,
    model,
    moment,
    number,
    optional,
    page_size,
    reference,
    require,
    seconds,
    text,
)
from hyperx_glance.cloud.connected import Connected
from hyperx_glance.cloud.connecting import is_steward, open_connection
from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.models.fields import is_file, is_format, is_password, is_target, is_url
from hyperx_glance.models.image import is_image
from hyperx_glance.models.releases import is_release_word
from hyperx_glance.settings import Settings
from hyperx_glance.texts import Text, say
from hyperx_glance.vocabulary import Action, ActionWord

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta
    from typing import BinaryIO

    from keystoneauth1.session import Session
    from openstack.connection import Connection
    from pydantic import SecretStr

    from hyperx_glance.capturing import Capture
    from hyperx_glance.cloud.context import Context
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
        Family,
        Finding,
        FlavorChoice,
        ImagePage,
        KeyPair,
        LaunchProgress,
        ListedServer,
        NetworkChoice,
        Progress,
        Retirement,
        ServersUsing,
        Share,
        Summary,
        UrlReport,
    )
    from hyperx_glance.registration import Registration


def _is_count(value: object) -> Text:
    return number(value, least=1, most=2**31 - 1, whole=True)


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

    No request is sent yet. `Client.close`, or leaving a ``with`` block, closes the connection.

    :param cloud: a name in clouds.yaml; None takes ``OS_CLOUD``, other ``OS_*`` variables or the keywords
    :param region_name: the region; None is the only one, or the first of the catalogue
    :param steward: a second session or connection, with the role admin. It is used only to edit public images of other
        departments, to read the names of departments, and, with the setting ``share_acceptance`` "steward", to accept
        images that the caller has just shared
    :param settings: choices of the deployment and the caller; None is all defaults
    :param auth: keywords of ``openstack.connect``, such as ``auth_url``, ``username``, ``password``, ``project_name``
    :raises InvalidRequestError: a keyword is unknown, a credential is missing, or there is no cloud of that name
    """
    if region_name is not None:
        auth["region_name"] = region_name
    connection = open_connection(cloud, auth)
    client = Client.from_connection(connection, steward=steward, settings=settings)
    client.on_close = connection.close
    return client


class Client(Connected):
    """HYPERX's image management on one OpenStack cloud, as one user; threads may share it.

    An argument ``image`` is an `Image` or its id. Times are seconds and sizes are bytes, unless a name ends in another
    unit. Every error is a `HyperxGlanceError`. Beside the errors that its description names, every verb may raise

    - `InvalidRequestError`, before any request, if an argument is wrong or the process was forked;
    - `AuthenticationError`, if the session has ended or the credentials are wrong;
    - `NotAllowedError`, if the caller lacks the right;
    - `ServiceUnavailableError`, if a service is missing, cannot be reached, fails, or sends a response that cannot be
      read.
    """

    # ------------------------------------------------------------- browsing

    @checked(query=optional(model("ImageQuery")))
    def images(self, query: ImageQuery | None = None, **criteria: Unpack[ImageCriteria]) -> Iterator[Image]:
        """Iterate over images, in constant memory; each page is read only when it is needed.

        :param query: an `ImageQuery`; or else
        :param criteria: its fields as keywords, see `ImageCriteria`; sizes are bytes, times have a zone
        :raises NotAllowedError: ``view="everything"``, and the caller is no administrator
        :raises InvalidRequestError: a criterion is wrong, or both a query and keywords are given
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.images(self._context, query_of(query, criteria))

    @checked(query=optional(model("ImageQuery")), size=page_size, cursor=optional(filled_text))
    def page(
        self,
        query: ImageQuery | None = None,
        *,
        size: int = 20,
        cursor: str | None = None,
        **criteria: Unpack[ImageCriteria],
    ) -> ImagePage:
        """Return one page of a list, with the cursors of the next and the previous page.

        A cursor works in any process, does not expire, and works with any ``size``. It is refused with criteria or an
        order other than those of its page.

        :param query: an `ImageQuery`, or a `PageQuery`, which has its own size and cursor; or else
        :param size: the number of images on a page, 1 to 1000
        :param cursor: ``next`` or ``previous`` of another page; None is the first page
        :param criteria: the fields of `ImageQuery` as keywords, see `ImageCriteria`
        :raises InvalidRequestError: the cursor belongs to another list, or a criterion is wrong
        :raises NotAllowedError: ``view="everything"``, and the caller is no administrator
        """
        from hyperx_glance.browsing import paging

        return paging.page(self._context, paging.asked(query_of(query, criteria), size=size, cursor=cursor))

    @checked(name_or_id=filled_text)
    def image(self, name_or_id: str) -> Image:
        """Return the image with this id or exact name.

        :param name_or_id: an id, or an exact name in the view "all"
        :raises NotFoundError: there is no such image, or the caller may not know of it
        :raises AmbiguousNameError: several images have the name; ``matches`` has their ids
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.image(self._context, name_or_id)

    @checked(query=optional(model("ImageQuery")))
    def count(self, query: ImageQuery | None = None, **criteria: Unpack[ImageCriteria]) -> int:
        """Return the number of matching images.

        :param query: an `ImageQuery`; or else
        :param criteria: its fields as keywords, see `ImageCriteria`
        :raises NotAllowedError: ``view="everything"``, and the caller is no administrator
        :raises InvalidRequestError: a criterion is wrong, or both a query and keywords are given
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.count(self._context, query_of(query, criteria))

    @checked(query=optional(model("ImageQuery")))
    def summary(self, query: ImageQuery | None = None, **criteria: Unpack[ImageCriteria]) -> Summary:
        """Count images by category, kind, state, format, operating system, tag and owner, in one pass.

        :param query: an `ImageQuery`; or else
        :param criteria: its fields as keywords, see `ImageCriteria`
        :raises NotAllowedError: ``view="everything"``, and the caller is no administrator
        :raises InvalidRequestError: a criterion is wrong, or both a query and keywords are given
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.summary(self._context, query_of(query, criteria))

    def tags(self) -> dict[str, int]:
        """Return every tag in the view "all", with the number of images that carry it.

        :raises ServiceUnavailableError: Glance cannot be reached, or fails
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.tags(self._context)

    @checked(image=is_image)
    def owner_name(self, image: Image | str) -> str:
        """Return the name of the department that owns an image, or its id if Keystone does not show the name.

        One request reads all names, with the steward if there is one, else with the caller's own login. The names are
        kept for a minute.

        :param image: the image, or its id, which is then read first
        :raises NotFoundError: there is no such image
        :raises NotAllowedError: the steward cannot log in
        """
        from hyperx_glance.browsing import catalogue

        return catalogue.owner_name(self._context, image)

    @checked(image=model("Image"))
    def allowed(self, image: Image) -> frozenset[Action]:
        """Return the actions that would change something for the caller, without a request.

        The image is judged as it was read. Launches and downloads, which change no image, must succeed. A service may
        still decide otherwise: see `Action` for what each action is.

        :param image: an `Image`, not its id
        :raises InvalidRequestError: it is not an `Image`
        :raises AuthenticationError: the session has ended
        """
        from hyperx_glance import permissions

        return permissions.allowed(self._context, image)

    @checked(image=model("Image"), action=choice(*Action))
    def why_not(self, image: Image, action: Action | ActionWord) -> Text:
        """Return one sentence that says why the caller may not do this, and a way out, or what is already so.

        It is "" if the action is allowed. No request is sent.

        :param image: an `Image`, not its id
        :param action: an `Action`, or its word
        :raises InvalidRequestError: there is no such action, or it is not an `Image`
        """
        from hyperx_glance import permissions

        return permissions.why_not(self._context, image, Action(action))

    # ------------------------------------------------------------- registering

    @checked(
        new=model("NewImage", "NewIso"), on_progress=optional(callback), timeout=optional(seconds), keep_failed=flag
    )
    def register(
        self,
        new: NewImage | NewIso,
        *,
        on_progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        keep_failed: bool = False,
    ) -> Image:
        """Register an image or ISO from its URL or file, and return it when it is ready and verified.

        After a failure nothing is left, unless ``keep_failed`` is set. If a service is out of reach, the record stays,
        and `resume_registration` continues with the ``image_id`` of the error.

        :param new: what to register: a `NewImage` or a `NewIso`
        :param on_progress: called with a `Progress` at each look, in this thread; if it raises an error, the
            registration is cancelled and its record deleted, as after Ctrl-C
        :param timeout: seconds for the whole registration; None is ``Settings.pace.deadline``, an hour by default.
            After it, the record is deleted and `WaitTimeoutError` raised
        :param keep_failed: keep the record of a failed registration, INACTIVE, with the reason as ``failure``; one that
            failed for its quota or its timeout is never kept
        :raises UrlRejectedError: the URL cannot become an image; ``reason`` is a `UrlProblem`, and nothing was created
        :raises LocalFileError: the file cannot become an image; nothing was created
        :raises QuotaExceededError: the owner's department has no room
        :raises ConflictError: the id of ``new`` is taken
        :raises RegistrationFailedError: the registration failed after the record was created
        :raises ChecksumMismatchError: the data does not have the promised checksum
        :raises WaitTimeoutError: ``timeout`` has passed
        """
        from hyperx_glance import registration

        return registration.register(
            self._context,
            new,
            on_progress=on_progress,
            timeout=timeout,
            keep_failed=keep_failed,
        )

    @checked(new=model("NewImage", "NewIso"), keep_failed=flag)
    def start_registration(self, new: NewImage | NewIso, *, keep_failed: bool = False) -> Registration:
        """Start to register an image or ISO, and return a handle with which to follow it.

        It returns when Glance has begun to import. Data that must be streamed is transferred by `Registration.wait`. A
        registration continues until it is ready or cancelled, even if nobody follows it.

        :param new: what to register: a `NewImage` or a `NewIso`
        :param keep_failed: as for `register`
        :raises UrlRejectedError: the URL cannot become an image; nothing was created
        :raises LocalFileError: the file cannot become an image; nothing was created
        :raises QuotaExceededError: the owner's department has no room
        :raises ConflictError: the id of ``new`` is taken
        :raises RegistrationFailedError: Glance refused to import
        """
        from hyperx_glance import registration

        return registration.start_registration(self._context, new, keep_failed=keep_failed)

    @checked(image=is_image, url=optional(is_url), file=optional(is_file), keep_failed=flag)
    def resume_registration(
        self,
        image: Image | str,
        *,
        url: str | None = None,
        file: str | os.PathLike[str] | BinaryIO | None = None,
        keep_failed: bool = False,
    ) -> Registration:
        """Continue a registration whose program died, and return its handle.

        :param image: the record that the program left
        :param url: the URL again, if the stored URL has lost a secret, or if the record belongs to another department
        :param file: the file again, if the data came from a file: a path or a binary file object
        :param keep_failed: as for `register`
        :raises NotFoundError: the record is gone
        :raises ConflictError: it never was a registration, it has failed, or another import holds the record
        :raises InvalidRequestError: the URL or the file is missing, or is another one
        :raises QuotaExceededError: the owner's department has no room; the record is deleted
        :raises UrlRejectedError: `UrlPolicy` refuses the URL, or the certificate of its server; the record stays
        :raises LocalFileError: the file does not fit; the record stays
        :raises RegistrationFailedError: the data is not there any more, or Glance refused to import
        """
        from hyperx_glance import registration

        return registration.resume_registration(self._context, image, url=url, file=file, keep_failed=keep_failed)

    @checked(image=is_image)
    def cancel_registration(self, image: Image | str) -> None:
        """Cancel a registration that is not ready, regardless of who started it, and delete its record.

        No URL is read, but Glance may read the URL to its end. If the image was to be protected, the protection is
        taken off first.

        :param image: the record of a registration that is not ready, or has failed
        :raises NotFoundError: there is no such record
        :raises ConflictError: the image is ready (`delete` deletes images), or it was made from a server
        :raises PlaceLostError: the record is deleted, but its quota may still count it
        """
        from hyperx_glance import registration

        registration.cancel_registration(self._context, image)

    @checked(image=is_image)
    def progress(self, image: Image | str) -> Progress:
        """Return the progress of a registration or a capture, regardless of who started it; start nothing.

        It needs one request, and one more if the record looks failed or stalled.

        :param image: the image that is being registered or captured
        :raises NotFoundError: the record is gone
        """
        from hyperx_glance import registration

        return registration.progress(self._context, image)

    @checked(older_than_seconds=seconds)
    def unfinished_registrations(self, *, older_than_seconds: float = 0) -> Iterator[Image]:
        """Iterate over the caller's registrations in the connected department that are not finished, the oldest first.

        :param older_than_seconds: leave out records that are younger
        :raises ServiceUnavailableError: Glance cannot be reached, or fails
        """
        from hyperx_glance import registration

        return registration.unfinished_registrations(self._context, older_than_seconds=older_than_seconds)

    @checked(image=is_image, path_or_file=is_target, on_progress=optional(callback))
    def download(
        self,
        image: Image | str,
        path_or_file: str | os.PathLike[str] | BinaryIO,
        *,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Image:
        """Save the data of an image under a path, or write it into a binary file object, and verify it.

        A file gets its name only when it is complete and verified. If a download is interrupted, the next call
        continues it.

        :param image: the image whose data is saved
        :param path_or_file: a path; or a binary file object, which is written to at once
        :param on_progress: called with a `Progress` after each piece, in this thread; if it raises an error, the
            download ends
        :raises LocalFileError: the path cannot be written
        :raises ChecksumMismatchError: the data does not match Glance's checksum
        :raises ImageNotActiveError: the image has no data that may be read
        :raises ConflictError: another download writes to the same file
        :raises NotFoundError: there is no such image
        """
        from hyperx_glance import downloading

        return downloading.download(self._context, image, path_or_file, on_progress=on_progress)

    @checked(url=text, disk_format=optional(is_format))
    def check_url(self, url: str, *, disk_format: str | None = None) -> UrlReport:
        """Read the first bytes at a URL, and report what a registration would find there.

        Nothing is created, and OpenStack is not asked. What is wrong with the data is in the report (``problem``).

        :param url: where the data is: http or https
        :param disk_format: the format of the data, if its first bytes do not tell it
        :raises UrlRejectedError: the URL may not be read, or no server responds
        """
        from hyperx_glance import registration

        return registration.check_url(self._context, url, disk_format=disk_format and disk_format.lower())

    # ------------------------------------------------------------- editing, enabling, deleting

    @checked(image=is_image, changes=optional(model("ImageChanges")))
    def update(self, image: Image | str, changes: ImageChanges | None = None, **fields: Unpack[ImageFields]) -> Image:
        """Change the named fields of an image, with the smallest possible patch, and return the image.

        :param image: the image that is changed
        :param changes: an `ImageChanges`; or else
        :param fields: its fields as keywords, see `ImageFields`; fields that are not named stay as they are
        :raises ImmutableFieldError: a field that never changes
        :raises NotFoundError: there is no such image
        :raises NotAllowedError: another department's image, and there is no steward or the image is not public; or a
            member features an image
        :raises ConflictError: the image's state forbids it, or Glance did not take a field
        """
        from hyperx_glance import editing

        return editing.update(self._context, image, editing.changes(changes, fields))

    @checked(image=is_image)
    def disable(self, image: Image | str) -> Image:
        """Make an image INACTIVE without deleting its data; an image that is disabled stays so.

        :param image: the image that is taken out of use
        :raises NotFoundError: there is no such image
        :raises ConflictError: its data never arrived
        """
        from hyperx_glance import editing

        return editing.disable(self._context, image)

    @checked(image=is_image)
    def enable(self, image: Image | str) -> Image:
        """Make a disabled image ACTIVE again; an image that is ACTIVE stays so.

        :param image: the image that is brought back
        :raises NotFoundError: there is no such image
        :raises ConflictError: its data never arrived
        """
        from hyperx_glance import editing

        return editing.enable(self._context, image)

    @checked(image=is_image, missing_ok=flag, report_servers=flag)
    def delete(self, image: Image | str, *, missing_ok: bool = False, report_servers: bool = False) -> Deletion:
        """Delete an image for good; servers made from it keep running.

        :param image: the image that is deleted
        :param missing_ok: it is no error if there is no such image
        :param report_servers: also list the servers that were made from it, which takes more requests; if services
            cannot be asked, the image is deleted nevertheless, and ``not_looked_at`` of the result names them
        :raises NotFoundError: there is no such image, unless ``missing_ok`` is set
        :raises ProtectedError: the image is protected
        :raises InUseError: the store keeps the data, since something depends on it
        :raises PlaceLostError: the image is deleted, but its quota may still count it
        """
        from hyperx_glance import deletion

        return deletion.delete(self._context, image, missing_ok=missing_ok, report_servers=report_servers)

    @checked(image=is_image)
    def servers_using(self, image: Image | str) -> ServersUsing:
        """List the servers that were made from an image and that the caller can see.

        If Cinder cannot be asked, servers that run on volumes are missing, and ``not_looked_at`` of the result says so.

        :param image: the image from which the servers were made; it may be deleted
        :raises ServiceUnavailableError: Nova cannot be reached, or fails
        """
        from hyperx_glance import deletion

        return deletion.servers_using(self._context, image)

    # ------------------------------------------------------------- sharing with other departments

    @checked(image=is_image, department=department, accept=flag)
    def share(self, image: Image | str, department: str, *more: str, accept: bool = False) -> tuple[Share, ...]:
        """Share an image with other departments, and return all departments with which it is shared.

        They can read and launch it at once; in their lists it is when they have accepted it. A private image becomes
        shared, without the departments that had it before. Call it again after an error: nothing is done twice.

        :param image: a private or shared image of the caller's department; administrators share those of others, too
        :param department: a name or an id. Without a steward, only administrators and the department's own members may
            use its name
        :param more: more departments; if one of them is unknown, nothing is written
        :param accept: also accept for them, as an administrator. With the setting ``share_acceptance`` "steward", this
            is done for every caller
        :raises NotFoundError: there is no such image or department
        :raises NotAllowedError: it is another department's image, or the caller may not use a department's name
        :raises ConflictError: everybody sees the image, or it is no image of its own, or somebody ends the sharing
        :raises QuotaExceededError: Glance shares an image with 128 departments at most; ``limit`` says with how many
        :raises WaitTimeoutError: former members came back each time they were removed
        """
        from hyperx_glance import sharing

        return sharing.share(self._context, image, _departments(department, *more), accept=accept)

    @checked(image=is_image, everyone=flag)
    def unshare(self, image: Image | str, *departments: str, everyone: bool = False) -> tuple[Share, ...]:
        """Take an image back from departments for good, and return those with which it is still shared.

        Servers that they made keep running. An image that is not shared is no error.

        :param image: an image of the caller's department; administrators name any
        :param departments: names or ids, also ids of departments that no longer exist; or else
        :param everyone: take it back from all of them
        :raises NotFoundError: there is no such image or department
        :raises NotAllowedError: it is another department's image, or the caller may not use a department's name
        :raises WaitTimeoutError: somebody came back each time
        """
        from hyperx_glance import sharing

        return sharing.unshare(self._context, image, _departments(*departments), everyone=everyone)

    @checked(image=is_image)
    def shares(self, image: Image | str) -> tuple[Share, ...]:
        """List the departments with which an image is shared, by name.

        The owner and administrators see all of them, another department itself. It needs one request, and one for the
        names, which are kept for a minute.

        :param image: the image; one that is not shared has no shares
        :raises NotFoundError: there is no such image
        """
        from hyperx_glance import sharing

        return sharing.shares(self._context, image)

    @checked(image=is_image)
    def accept(self, image: Image | str) -> Image:
        """Accept an image that another department shares: from then on it is in the lists of this department.

        :param image: an image of the view "offered", or one that was declined
        :raises NotFoundError: there is no such image, or it is not shared with this department
        :raises NotAllowedError: it is the department's own, or the caller lacks the role member or is an administrator
        :raises ConflictError: it is not shared
        """
        from hyperx_glance import sharing

        return sharing.accept(self._context, image)

    @checked(image=is_image)
    def decline(self, image: Image | str) -> None:
        """Take an image that another department shares out of the lists of this department.

        Only its owner ends the access: who knows its id can still launch it, and `accept` still works.

        :param image: an image that is offered or accepted
        :raises NotFoundError: there is no such image, or it is not shared with this department
        :raises NotAllowedError: it is the department's own, or the caller lacks the role member or is an administrator
        :raises ConflictError: it is not shared
        """
        from hyperx_glance import sharing

        sharing.decline(self._context, image)

    # ------------------------------------------------------------- families

    @checked(
        new=model("NewImage", "NewIso"),
        family=is_release_word,
        version=optional(is_release_word),
        keep=optional(_is_count),
        on_progress=optional(callback),
        timeout=optional(seconds),
    )
    def release(
        self,
        new: NewImage | NewIso,
        *,
        family: str,
        version: str | None = None,
        keep: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
    ) -> Image:
        """Release an image or ISO as a version of a family, and return it when it is published.

        The image is registered privately, and published when it is ready and verified. The latest version of the family
        then has the name of ``new``; older ones are hidden, and have their versions in their names. After a crash, the
        same call continues; a version that is released is returned as it is.

        :param new: what to register: a `NewImage` or a `NewIso`, without an id
        :param family: the name of the family: up to 64 letters, digits and "._+~-", a letter or a digit first
        :param version: the version, of the same form; None is the time in UTC, such as 20261130.124530. Digits are
            ordered as numbers, and "~" comes before everything: 1.0~rc1, 1.0, 1.9, 1.10
        :param keep: deprecate current releases beyond so many, as `retire` does; None keeps all
        :param on_progress: called with a `Progress` at each look while the image is registered
        :param timeout: seconds for the registration; None is ``Settings.pace.deadline``, an hour by default. After it,
            the record is deleted and `WaitTimeoutError` raised
        :raises ConflictError: the version exists with other data, or no id is left for it
        :raises UrlRejectedError: the URL cannot become an image; nothing was created
        :raises LocalFileError: the file cannot become an image; nothing was created
        :raises QuotaExceededError: the owner's department has no room
        :raises RegistrationFailedError: the registration failed; nothing was published
        :raises ChecksumMismatchError: the data does not have the promised checksum; nothing was published
        :raises WaitTimeoutError: ``timeout`` has passed; nothing was published
        """
        from hyperx_glance import families

        return families.release(
            self._context,
            new,
            family=family,
            version=version,
            keep=keep,
            on_progress=on_progress,
            timeout=timeout,
        )

    @checked(family=is_release_word, owner=optional(department))
    def latest(self, family: str, *, owner: str | None = None) -> Image:
        """Return the latest release of a family: the greatest version that is current and ACTIVE.

        Only releases of the caller's department and featured ones count. Those of another department count if it is
        named: anybody may publish an image that claims to be of a family.

        :param family: the name of the family
        :param owner: the id or the name of the department; None is the caller's own, and featured images of others
        :raises NotFoundError: there is no such family, or none of its releases is current
        :raises AmbiguousNameError: several departments have such a family; ``matches`` has the ids of their images
        """
        from hyperx_glance import families

        return families.latest(self._context, family, owner=owner)

    @checked(family=is_release_word, owner=optional(department))
    def releases(self, family: str, *, owner: str | None = None) -> list[Image]:
        """Return the releases of a family, the newest first, hidden and deprecated ones too.

        :param family: the name of the family
        :param owner: as for `latest`
        :raises ServiceUnavailableError: Glance cannot be reached, or fails
        """
        from hyperx_glance import families

        return families.releases(self._context, family, owner=owner)

    def families(self) -> list[Family]:
        """Return the families of the caller's department and those of featured images, ordered by name.

        All these images are read, since Glance does not list images by the presence of a property.

        :raises ServiceUnavailableError: Glance cannot be reached, or fails
        """
        from hyperx_glance import families

        return families.families(self._context)

    @checked(image=is_image, at=optional(moment), obsolete_at=optional(moment), replacement=optional(is_image))
    def deprecate(
        self,
        image: Image | str,
        *,
        at: datetime | None = None,
        obsolete_at: datetime | None = None,
        replacement: Image | str | None = None,
    ) -> Image:
        """No longer recommend an image: it is hidden, can still be launched, and is not the latest of its family.

        The release before it becomes the latest at once. An image that is deprecated stays so.

        :param image: the image that is deprecated
        :param at: from when on; None is now
        :param obsolete_at: from when on launches refuse it; None never
        :param replacement: the image that people should use instead
        :raises NotFoundError: there is no such image
        :raises NotAllowedError: another department's image
        :raises InvalidRequestError: a time has no zone, or ``obsolete_at`` is before ``at``
        """
        from hyperx_glance import families

        return families.deprecate(self._context, image, at=at, obsolete_at=obsolete_at, replacement=replacement)

    @checked(image=is_image)
    def reinstate(self, image: Image | str) -> Image:
        """Recommend an image again that is deprecated or obsolete, and enable it if it is disabled.

        :param image: the image; one that is recommended stays as it is
        :raises NotFoundError: there is no such image
        :raises NotAllowedError: another department's image
        """
        from hyperx_glance import families

        return families.reinstate(self._context, image)

    @checked(
        family=is_release_word,
        owner=optional(department),
        keep=_is_count,
        obsolete_after=optional(duration),
        delete_after=optional(duration),
        delete=flag,
        dry_run=flag,
    )
    def retire(
        self,
        family: str,
        *,
        owner: str | None = None,
        keep: int = 3,
        obsolete_after: timedelta | None = None,
        delete_after: timedelta | None = None,
        delete: bool = False,
        dry_run: bool = False,
    ) -> list[Retirement]:
        """Take old releases of a family out of use, each one step further: deprecated, disabled, deleted.

        The latest release is never touched. A release that is protected or in use, or that others may use, is not
        deleted; nor is one whose servers cannot be listed.

        :param family: the name of the family
        :param owner: the id or the name of another department, for administrators; None is the caller's own
        :param keep: how many current releases stay so, 1 or more
        :param obsolete_after: disable a release when so much time has passed since it was deprecated; None never
        :param delete_after: delete it when so much time has passed since it was deprecated; None as soon as it is
            disabled, or deprecated if ``obsolete_after`` is None
        :param delete: whether releases are deleted at all
        :param dry_run: change nothing, and return what would be done
        :raises NotFoundError: there is no such department
        :raises NotAllowedError: another department's family, and the caller is no administrator
        """
        from hyperx_glance import families

        return families.retire(
            self._context,
            family,
            owner=owner,
            keep=keep,
            obsolete_after=obsolete_after,
            delete_after=delete_after,
            delete=delete,
            dry_run=dry_run,
        )

    # ------------------------------------------------------------- lists for a form

    @checked(image=optional(is_image))
    def flavors(self, image: Image | str | None = None) -> list[FlavorChoice]:
        """List flavors, the smallest first, with one request; with an image, those that fit the image come first.

        A flavor fits if the image can be launched in its default layout; quota and hosts are not considered. If you
        pass an id, the image is read first, with one more request.

        :param image: the image that the flavors should fit; None lets every flavor fit
        :raises NotFoundError: there is no such image
        """
        from hyperx_glance import launching

        return launching.flavors(self._context, image)

    def networks(self) -> list[NetworkChoice]:
        """List the networks into which the caller can launch servers, ordered by name, with one request.

        :raises ServiceUnavailableError: Neutron cannot be reached, or fails
        """
        from hyperx_glance import launching

        return launching.networks(self._context)

    def key_pairs(self) -> list[KeyPair]:
        """List the caller's own key pairs, ordered by name, with one request.

        :raises ServiceUnavailableError: Nova cannot be reached, or fails
        """
        from hyperx_glance import launching

        return launching.key_pairs(self._context)

    def availability_zones(self) -> list[AvailabilityZone]:
        """List availability zones, ordered by name, with one request.

        :raises ServiceUnavailableError: Nova cannot be reached, or fails
        """
        from hyperx_glance import launching

        return launching.availability_zones(self._context)

    def departments(self) -> list[Department]:
        """List the departments that the caller may see, ordered by name: own departments, or all for an administrator.

        This sends one request, and keeps the answer for a minute.

        :raises ServiceUnavailableError: Keystone cannot be reached, or fails, or shows only a part of the departments
        """
        return self._context.departments.known()

    def regions(self) -> tuple[str, ...]:
        """List the regions that have images, in the order of the token's catalogue, without a request.

        :raises AuthenticationError: the session has ended, and the login fails
        """
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
        *,
        wait: bool = True,
        on_progress: Callable[[LaunchProgress], object] | None = None,
        timeout: float | None = None,
    ) -> Launch:
        """Launch one or many servers from an image or ISO.

        :param image: the image from which the servers are made
        :param request: a `LaunchRequest`; memory and disk are those of its flavor, volumes are GiB
        :param wait: True returns when all servers are ACTIVE, False as soon as Nova has accepted the request
        :param on_progress: called with a `LaunchProgress` at each look, in this thread; if it raises an error, the
            waiting ends and the launch continues
        :param timeout: seconds for the waiting; None is ``Settings.pace.deadline``, an hour by default. After it, the
            launch continues
        :raises ImageNotActiveError: the image is INACTIVE
        :raises FlavorTooSmallError: the memory or the disk is too small
        :raises NotFoundError: there is no image, flavor, network or server group of that name
        :raises QuotaExceededError: there is no room for all servers
        :raises ConflictError: the launch's id was used before
        :raises LaunchFailedError: servers ended in ERROR; ``servers`` has them
        :raises WaitTimeoutError: ``timeout`` has passed; ``launch_id`` finds the launch again
        """
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
    def find_launch(self, launch_id: str) -> Launch:
        """Find a launch by its id, for example after the program that started it has died.

        If the id is unknown, search for ten seconds, since Nova may still be creating the servers. An id that `launch`
        generated contains its time; if it is older than ten minutes, one search is enough.

        :param launch_id: the ``launch_id`` of a `Launch` or an exception, or your own
        :raises NotFoundError: no server and no volume belongs to this launch
        """
        from hyperx_glance import launching

        return launching.find_launch(self._context, launch_id)

    def launches(self) -> list[Launch]:
        """List the launches of the connected department that have servers, the newest first.

        This sends one request, and one more for each further thousand servers. It does not wait for servers.

        :raises ServiceUnavailableError: Nova cannot be reached, or fails
        """
        from hyperx_glance import launching

        return launching.launches(self._context)

    # ------------------------------------------------------------- servers

    @checked(name_contains=text, after=optional(reference), limit=optional(_is_count))
    def servers(
        self, *, name_contains: str = "", after: str | None = None, limit: int | None = None
    ) -> Iterator[ListedServer]:
        """Iterate over the servers of the connected department, whoever launched them, the newest first.

        Each page is read only when it is needed. To show a list page by page, pass the id of the last server of a page
        as ``after`` of the next. A server says why it cannot be captured, or its password not be set, as far as Nova's
        record of the server shows. A service may still decide otherwise.

        :param name_contains: a part of the name, without regard to case; "" is every server
        :param after: the id of a server; the list begins behind it
        :param limit: the number of servers at most; None is all
        :raises NotFoundError: Nova does not know the server ``after``
        """
        from hyperx_glance import servers

        return servers.servers(self._context, name_contains=name_contains, after=after, limit=limit)

    @checked(server_id=reference, password=optional(is_password))
    def reset_password(self, server_id: str, password: str | SecretStr | None = None) -> SecretStr:
        """Set the administrator's password of a running server, and return it.

        :param server_id: the id of a running server
        :param password: the new password; None generates one of 20 characters
        :raises PasswordResetError: the server did not take the password; the error says what is missing. If the server
            may have it nevertheless, the error has it as ``admin_password``
        :raises NotFoundError: there is no such server
        """
        from hyperx_glance import launching

        return launching.reset_password(self._context, server_id, password)

    # ------------------------------------------------------------- capturing

    @checked(server_id=reference, new=model("NewCapture"), on_progress=optional(callback), timeout=optional(seconds))
    def capture(
        self,
        server_id: str,
        new: NewCapture,
        *,
        on_progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
    ) -> Image:
        """Make an image of a server's disk, and return it when it is ready; the server keeps running.

        :param server_id: the id of the server whose disk becomes an image
        :param new: a `NewCapture`: the name and other fields of the image
        :param on_progress: called with a `Progress` at each look, in this thread; if it raises an error, what was begun
            is deleted, as after Ctrl-C
        :param timeout: seconds for the whole capture; None is ``Settings.pace.deadline``, an hour by default. After it,
            what was begun is deleted
        :raises NotFoundError: there is no such server
        :raises ConflictError: the server is busy, or has no disk that can be captured
        :raises QuotaExceededError: there is no room for the image, or for the copy of the volume
        :raises CaptureFailedError: the capture made no image; what it made is deleted
        :raises WaitTimeoutError: ``timeout`` has passed
        """
        from hyperx_glance import capturing

        return capturing.capture(self._context, server_id, new, on_progress=on_progress, timeout=timeout)

    @checked(server_id=reference, new=model("NewCapture"))
    def start_capture(self, server_id: str, new: NewCapture) -> Capture:
        """Start to capture a server, and return a handle with which to finish the capture.

        `Capture.wait` must be called in the end, here or on the handle that `find_capture` returns.

        :param server_id: the id of the server whose disk becomes an image
        :param new: a `NewCapture`: the name and other fields of the image
        :raises NotFoundError: there is no such server
        :raises ConflictError: the server is busy, or has no disk that can be captured
        :raises QuotaExceededError: there is no room for the image, or for the copy of the volume
        """
        from hyperx_glance import capturing

        return capturing.start_capture(self._context, server_id, new)

    @checked(capture_id=reference)
    def find_capture(self, capture_id: str) -> Capture:
        """Find a capture by its id, for example after the program that started it has died.

        If the id is unknown, search for ten seconds, since the services may still be working. An id that `capture`
        generated contains its time; if it is older than ten minutes, one search is enough.

        :param capture_id: the ``capture_id`` of a `Capture` or an exception, or your own
        :raises NotFoundError: nothing is left of the capture, and it made no image
        """
        from hyperx_glance import capturing

        return capturing.find_capture(self._context, capture_id)

    # ------------------------------------------------------------- quotas and deployment

    @checked(department=optional(department))
    def quota(self, department: str | None = None) -> DepartmentQuota:
        """Return what a department uses and may use; only administrators may name other departments than their own.

        The figures of a service that does not answer are None, and ``not_looked_at`` of the result names it. If none
        answers, this is an error.

        :param department: a name or an id; None is the caller's
        :raises NotFoundError: there is no such department
        :raises NotAllowedError: it is another department's, and the caller is no administrator
        """
        from hyperx_glance.quotas.reading import quota

        return quota(self._context, department)

    @checked(department=department)
    def set_quota(self, department: str, **limits: Unpack[QuotaLimits]) -> DepartmentQuota:
        """Set limits of a department, and return its quota. Only administrators may do this.

        If a service whose limits are given does not answer, nothing is written. After an error, notes on it say which
        limits were restored, and which could not be.

        :param department: a name or an id
        :param limits: fields of `DepartmentQuota` as keywords, see `QuotaLimits`, in the same units; -1 is unlimited,
            None the default
        :raises NotAllowedError: the caller is no administrator
        :raises NotFoundError: there is no such department
        :raises ConflictError: a service said yes but changed nothing, or cannot limit this
        :raises ServiceUnavailableError: a service whose limits are given does not answer
        """
        from hyperx_glance.quotas.setting import set_quota

        return set_quota(self._context, department, limits)

    @checked(probe=flag)
    def doctor(self, *, probe: bool = False) -> list[Finding]:
        """Check that this deployment can do what HYPERX needs, and return what was found.

        :param probe: also try things, on a hidden scratch record that is removed at the end
        :raises ServiceUnavailableError: Keystone or Glance cannot be reached; other failures are findings
        """
        from hyperx_glance import deployment

        return deployment.doctor(self._context, probe=probe)

    def install_metadefs(self) -> None:
        """Write the metadata namespace ``OS::HyperX::Image`` as this release has it; only administrators may do this.

        Only differences are written, and properties that this release does not have are removed. A second run writes
        nothing.

        :raises NotAllowedError: the caller is no administrator
        """
        from hyperx_glance import deployment

        deployment.install_metadefs(self._context)

    @checked(department=optional(department), dry_run=flag)
    def leave(self, *, department: str | None = None, dry_run: bool = False) -> list[Departure]:
        """Remove the properties that HYPERX wrote on images, so that they are ordinary images; change nothing else.

        Every image is listed first. An administrator leaves for all departments, or for ``department``; a member for
        the connected department. With ``dry_run``, nothing is removed. Images of which a registration, a capture or a
        launch is under way are skipped. The result has every image that had such properties, and says what is left
        of them and why. After an interruption, call it again: it continues with what is left.

        :param department: a name or an id; None is all departments for an administrator, and the member's own
        :param dry_run: list what would be removed, and change nothing
        :raises NotAllowedError: a member names another department
        :raises NotFoundError: there is no such department
        :raises AuthenticationError: the session has ended
        :raises ServiceUnavailableError: the list cannot be read
        """
        from hyperx_glance import deployment

        return deployment.leave(self._context, department=department, dry_run=dry_run)


def _departments(*departments: str) -> tuple[str, ...]:
    require((("department", each) for each in departments), {"department": department})
    return departments


def query_of(query: ImageQuery | None, criteria: ImageCriteria) -> ImageQuery:
    """Return the query, or make one of keywords; raise if both are given."""
    if query is not None and criteria:
        raise InvalidRequestError(say("query-and-keywords"))
    from hyperx_glance.models.browsing import ImageQuery

    return ImageQuery.model_validate(criteria) if query is None else query


def context_of(client: Client) -> Context:
    """Return what the verbs take, for parts of this library that ask in the name of a client."""
    return client._context  # noqa: SLF001  # it is no part of the interface
