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
from hyperx_glance.cloud.patching import apply, lasting, made
from hyperx_glance.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RegistrationFailedError,
)
from hyperx_glance.families import names
from hyperx_glance.families.finding import now, shown_of_owner
from hyperx_glance.families.lifecycle import written
from hyperx_glance.families.retiring import retire
from hyperx_glance.families.same_data import Comparison
from hyperx_glance.models import mapping
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.record import GONE
from hyperx_glance.models.releases import (
    LONGEST_TITLE,
    MOST_IDS,
    greatest_of,
    is_of,
    release_id,
    versioned_name,
)
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
    with MayHaveMade(image_id=image.id):
        # 3. The switch.
        publishing = _Publishing(context, new, image)
        if image.released_at is None:
            publishing.switch()
    with _Released(image, version):
        # 4. Names settle.
        image = publishing.settled()
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


class _Publishing:
    """The publication of one image that is ready: the switch, and the names around it."""

    def __init__(self, context: Context, new: NewImage | NewIso, image: Image) -> None:
        self._context = context
        self._image = image
        self._switched = False
        self._category = ImageChanges(category=new.category)
        self._changes = ImageChanges(category=new.category, name=new.name)
        self._time = now()

    def switch(self) -> None:
        """Publish the image by one PATCH: Glance writes columns and properties in one transaction.

        The latest release takes the plain name here, and the one before loses it by the very next request: whoever
        looks by name finds two for one round trip, and never none.
        """
        context, image = self._context, self._image
        shown = {each.id: each for each in shown_of_owner(context, image.owner, image.family)}
        image = shown.pop(image.id, image)  # another program may have switched it meanwhile
        released = image.model_copy(update={"released_at": self._time})
        is_latest = greatest_of([*shown.values(), released], self._time) is released
        if not is_latest:
            name = versioned_name(self._changes.name, image.version)
            self._changes = ImageChanges(category=self._changes.category, name=name, hidden=True)
        cloud, pace = context.cloud, context.settings.pace
        made(cloud, pace, image, lambda each: apply(cloud, pace, each, self._lacking))
        self._switched = True
        if is_latest:
            with _Released(image, image.version):
                names.hide(context, shown.values())

    def settled(self) -> Image:
        """Let the names settle, and look again whether the switch has lasted; return the image."""
        context, image = self._context, self._image
        changed = names.settle(context, image.owner, image.family)
        if not self._switched:
            return changed.get(image.id, image)
        lost = []

        def lacking(each: Image) -> list[mapping.Edit]:
            lost.extend(self._lacking(each))
            return self._lacking(each)

        image = lasting(context.cloud, context.settings.pace, image, lacking)
        if lost:
            image = names.settle(context, image.owner, image.family).get(image.id, image)
        return image

    def _lacking(self, image: Image) -> list[mapping.Edit]:
        # Once it is released, its name is that of `names`.
        changes = self._changes if image.released_at is None else self._category
        edits = mapping.edit_patch(image, changes, public_visibility=self._context.settings.public_visibility)
        if image.released_at is not None:
            return edits
        return [*edits, mapping.Edit("released_at", glance_key("released_at"), written(self._time))]
