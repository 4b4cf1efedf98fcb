"""Releasing an image: register it under the id of its version, publish it by one PATCH, let the names settle.

    >>> nightly = NewImage(name="Debian 13", url="https://files.example/debian-12.qcow2")
    >>> client.release(nightly, family="debian-13", version="13.1").id == client.latest("debian-13").id
    True
    >>> other = NewImage(name="Debian 13", url="https://files.example/alpine.raw")
    >>> client.release(other, family="debian-13", version="13.1")
    Traceback (most recent call last):
    hyperx_glance.errors.ConflictError: Version 13.1 of family debian-13 has other data...

The id is the lock: Glance takes an id once, so two programs that release one version make one image, and the same call
after a crash finds what the first one left. Until the switch the image is private, and in no list of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance import registration
from hyperx_glance.cloud.patching import made_for_good
from hyperx_glance.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RegistrationFailedError,
)
from hyperx_glance.families import names
from hyperx_glance.families.finding import now
from hyperx_glance.families.lifecycle import written
from hyperx_glance.families.retiring import retire
from hyperx_glance.families.same_data import Comparison
from hyperx_glance.models import mapping
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.record import GONE
from hyperx_glance.models.releases import LONGEST_TITLE, MOST_IDS, is_of, release_id, versioned_name
from hyperx_glance.models.url_text import stored_url
from hyperx_glance.registration import checking
from hyperx_glance.registration.order import Deadline
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import Category, FailureReason, Phase, glance_key
from hyperx_glance.waiting.made import MayHaveMade

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image
    from hyperx_glance.models.registering import NewImage, NewIso
    from hyperx_glance.models.results import Progress


def release(
    context: Context,
    new: NewImage | NewIso,
    *,
    family: str,
    version: str | None,
    keep: int | None,
    on_progress: Callable[[Progress], object] | None,
    timeout: float | None,
) -> Image:
    """Release an image, or continue a release that a program has left; a version that is released is returned."""
    version = version or f"{now():%Y%m%d.%H%M%S}"
    _check(new, version)
    end = Deadline.after(context.settings.pace, timeout)
    releasing = _Releasing(context, new, family=family, version=version, on_progress=on_progress, end=end)
    # 1. and 2. A private image under the id of the version, ready and verified.
    image = releasing.ready()
    # 3. The switch.
    with MayHaveMade(image_id=image.id):
        image = releasing.published(image)
    with _Released(image, version):
        # 4. Names settle.
        image = names.settle(context, image.owner, family).get(image.id, image)
        # 5. Older releases retire.
        if keep is not None:
            retire(context, family, owner=image.owner, keep=keep)
    return image


def _check(new: NewImage | NewIso, version: str) -> None:
    if new.id is not None:
        raise InvalidRequestError(say("wrong-field", field=field_name("id"), problem=say("release-has-its-own-id")))
    if len(new.name) + len(version) > LONGEST_TITLE:
        problem = say("name-and-version-too-long", most=LONGEST_TITLE)
        raise InvalidRequestError(say("wrong-field", field=field_name("name"), problem=problem))


class _Released(MayHaveMade):
    """A block after the switch: whatever fails there, the version is released, and every exception says so."""

    def __init__(self, image: Image, version: str) -> None:
        super().__init__(image_id=image.id)
        self._note = say("version-is-released", image=image.id, version=version)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        if error is not None:
            error.add_note(self._note)


class _Releasing:
    """The release of one version."""

    def __init__(
        self,
        context: Context,
        new: NewImage | NewIso,
        *,
        family: str,
        version: str,
        on_progress: Callable[[Progress], object] | None,
        end: Deadline,
    ) -> None:
        self._context = context
        self._new = new
        self._family = family
        self._version = version
        self._on_progress = on_progress
        self._end = end
        order = checking.asked(context, new, keep_failed=False)
        self._owner_id = order.department.id
        self._comparison = Comparison(context, new, order)

    # ------------------------------------------------------------- 1. and 2. the image

    def ready(self) -> Image:
        """Return the image of this version, ready and verified; register it, or follow who does."""
        for number in range(MOST_IDS):
            image_id = release_id(self._owner_id, self._family, self._version, number)
            image = self._existing(image_id)
            if image is None:
                if (registered := self._registered(image_id)) is not None:
                    return registered
                image = self._existing(image_id)
            # None: the id was used up by an image that was deleted. Or it was taken by a stranger, since it can be
            # guessed: by another department, or for another version.
            if image is None or not is_of(image, self._owner_id, self._family, self._version):
                continue
            if (image := self._continued(image)) is not None:
                return image
        raise ConflictError(
            say("version-has-no-id-left", version=self._version, family=self._family),
            hint=say("choose-another-version"),
        )

    def _existing(self, image_id: str) -> Image | None:
        try:
            image = self._context.cloud.image(image_id)
        except NotFoundError:
            return None
        return None if image.glance_status in GONE else image

    def _registered(self, image_id: str) -> Image | None:
        """Register the image privately; return None if its id is taken."""
        rows = {"family": self._family, "version": self._version, "release_name": self._new.name}
        private = self._new.model_copy(
            update={
                "id": image_id,
                "name": versioned_name(self._new.name, self._version),
                "category": Category.PRIVATE,
                "properties": {**self._new.properties, **{glance_key(name): value for name, value in rows.items()}},
            }
        )
        try:
            return registration.register(
                self._context, private, on_progress=self._on_progress, timeout=self._end.left, keep_failed=False
            )
        except ConflictError as error:
            if error.code != "id-is-taken":
                raise
            return None

    def _continued(self, image: Image) -> Image | None:
        """Return an existing record of this version when it is ready; None if the version needs another id."""
        self._check_data(image, decided=False)
        if image.released_at is not None:
            self._check_data(image, decided=True)
            return image
        if image.failure:
            registration.cancel_registration(self._context, image)
            return None
        try:
            image = self._followed(image)
        except RegistrationFailedError as error:
            # Whoever registers it has deleted it; or its import had failed before, and nobody was there to see it.
            if error.reason is FailureReason.DELETED or image.phase is Phase.FAILED:
                return None
            raise
        self._check_data(image, decided=True)
        return image

    def _followed(self, image: Image) -> Image:
        url = self._new.url
        found = registration.resume_registration(
            self._context,
            image,
            url=url if url is not None and stored_url(url).url == image.url else None,
            file=None if image.url else self._new.file,
            keep_failed=False,
        )
        return found.wait(on_progress=self._on_progress, timeout=self._end.left)

    def _check_data(self, image: Image, *, decided: bool) -> None:
        same = self._comparison.agrees(image)
        if same is False or (decided and same is None):
            raise ConflictError(
                say("version-has-other-data", version=self._version, family=self._family, image=image.id),
                hint=say("choose-another-version"),
            )

    # ------------------------------------------------------------- 3. the switch

    def published(self, image: Image) -> Image:
        """Publish the image under its plain name by one PATCH: columns and properties are one transaction."""
        if image.released_at is not None:
            return image
        category = ImageChanges(category=self._new.category)
        named = ImageChanges(category=self._new.category, name=self._new.name)
        settings, time = self._context.settings, written(now())

        def wanted(each: Image) -> list[mapping.Edit]:
            # Once it is released, its name is that of `names`.
            changes = named if each.released_at is None else category
            edits = mapping.edit_patch(each, changes, public_visibility=settings.public_visibility)
            released = mapping.Edit("released_at", glance_key("released_at"), time)
            return edits if each.released_at is not None else [*edits, released]

        return made_for_good(self._context.cloud, settings.pace, image, wanted)
