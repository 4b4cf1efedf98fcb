"""Trials of what a member may do, on a scratch record that is deleted afterwards.

    >>> from hyperx_glance.deployment.scratch_record import try_on_scratch_record
    >>> trials = try_on_scratch_record(client.cloud, client.settings.pace)
    >>> trials.flag.outcome, trials.publicize.outcome, trials.communitize.outcome, trials.removal.outcome
    ('refused', 'refused', 'done', 'done')

Policies and property protections are not part of Glance's API: only a trial shows them.
"""

from __future__ import annotations

import contextlib
import functools
import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from hyperx_glance import removal, vocabulary
from hyperx_glance.cloud import hidden, pages, refusals
from hyperx_glance.cloud.cloud import image_of, image_path
from hyperx_glance.cloud.formats import CONTAINER_FORMAT, Formats, formats
from hyperx_glance.cloud.tasks import newest_import
from hyperx_glance.deployment.facts import words_of_service
from hyperx_glance.errors import ConflictError, HyperxGlanceError, InvalidRequestError, NotAllowedError, NotFoundError
from hyperx_glance.models.releases import MARKS
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import ISO_FORMAT
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import attempts, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hyperx_glance.cloud.cloud import Cloud, Json, Service
    from hyperx_glance.waiting.pace import Pace

FLAG = vocabulary.glance_key("featured_flag")
CREATOR = vocabulary.glance_key("created_by")
ORDINARY = {field.key: "false" for field in vocabulary.FIELDS if field.own and field.key not in (FLAG, CREATOR)} | {
    "description": "A scratch record of the HYPERX doctor; delete it if you find it.",
    "hyperx_doctor": "a property that no protections file can name",
}
"""The properties that must stay writable while the flag is protected."""
REMOVED = tuple(map(vocabulary.glance_key, MARKS))
"""The properties that its department must be able to remove."""


class Attempt(NamedTuple):
    """The outcome of a trial; ``reason`` says why it failed or was omitted, ``explanation`` what the service said."""

    outcome: Literal["done", "refused", "failed", "omitted"]
    reason: Text = NO_TEXT
    explanation: str = ""
    status: int | None = None


_HEADER = struct.pack(">4sIQIIQ", b"QFI\xfb", 2, 512, 9, 16, 1 << 20)
_DANGEROUS = _HEADER.ljust(512, b"\0") + b"/dev/null".ljust(512, b"\0")
"""A qcow2 of version 2 that names a backing file at byte 512."""
_HYBRID = b"".join(
    [
        bytes(446) + struct.pack("<B3BB3BII", 0x80, 0, 1, 0, 0x17, 0, 1, 0, 0, 68) + bytes(48) + b"\x55\xaa",
        bytes(32768 - 512) + b"\x01CD001\x01".ljust(2048, b"\0"),
    ]
)
"""An ISO without files whose first block is also a partition table."""
_NAME = "hyperx-doctor"
_IN_USE = timedelta(minutes=10)
"""The time after which no doctor uses its scratch record any more."""
_IMPORT_SECONDS = 10.0
_UPLOAD_SECONDS = 30.0
OMITTED = Attempt("omitted")
MANY_TAGS = 20
FORMAT_NOT_TAKEN = "probe-format-not-taken"
"""The code of the reason for trials that need a format that Glance does not take."""


@dataclass(slots=True)
class Trials:
    """The trials on one scratch record."""

    image_id: str
    creation: Attempt = OMITTED
    ordinary: Attempt = OMITTED
    hidden: tuple[str, ...] = ()
    """Properties that were written, and that Glance does not show to the caller."""
    removable: Attempt = OMITTED
    """The removal of properties that `Client.reinstate` removes."""
    flag: Attempt = OMITTED
    creator: Attempt = OMITTED
    rights: tuple[Attempt, ...] = ()
    """Requests that change nothing, because the record has no data: only policies refuse them in their own words."""
    volume: Attempt = OMITTED
    """A volume of the record: only a policy refuses it otherwise than because the record has no data."""
    tags: Attempt = OMITTED
    """Many tags at once, which are removed again."""
    communitize: Attempt = OMITTED
    publicize: Attempt = OMITTED
    port: Attempt = OMITTED
    host: Attempt = OMITTED
    imported: Attempt = OMITTED
    """Whether the import that Glance took has ended."""
    data: Attempt = OMITTED
    """Dangerous data: "refused" has Glance's explanation, if it gave one; "done" means that it accepted the data."""
    hybrid: Attempt = OMITTED
    """An ISO with a partition table, tried on a second record."""
    store: Attempt = OMITTED
    """The data that Glance had no reason to refuse."""
    url: str = ""
    removal: Attempt = OMITTED

    @property
    def left(self) -> str | None:
        """The id of a record that could not be removed."""
        return None if self.removal.outcome == "done" else self.image_id


def try_on_scratch_record(cloud: Cloud, pace: Pace) -> Trials:
    """Create a scratch record, try on it what HYPERX requires or forbids, and always remove the record.

    If the record cannot be removed after an interruption, the exception names it.
    """
    trials = Trials(str(uuid.uuid4()))
    if (earlier := _left_by_another_run(cloud)) is not None:
        trials.removal = _attempt(lambda: cloud.delete_image(earlier))
        if trials.removal.outcome != "done":
            # What cannot be deleted is not made again.
            trials.image_id, trials.creation = earlier, Attempt("omitted", say("scratch-record-of-another-run"))
            return trials
    taken = _formats(cloud)
    usual = "qcow2" if taken.takes("qcow2") else taken.disk[0]
    with _removed(cloud, pace, trials):
        trials.creation = _attempt(lambda: _create(cloud, pace, trials, usual))
        if trials.creation.outcome == "done":
            _try_rights(cloud, pace, trials)
            _try_volume(cloud, pace, trials)
            _try_changes(cloud, pace, trials)
            _try_import(cloud, pace, trials)
            if usual == "qcow2":
                _try_data(cloud, pace, trials)
            else:
                trials.data = Attempt("omitted", say(FORMAT_NOT_TAKEN, format="qcow2"))
    if trials.removal.outcome == "done" and trials.data.outcome == "refused":
        if not taken.takes(ISO_FORMAT):
            trials.hybrid = Attempt("omitted", say(FORMAT_NOT_TAKEN, format=ISO_FORMAT))
            return trials
        # Glance keeps refused data in its store, so the record accepts no other data.
        trials.image_id = str(uuid.uuid4())
        with _removed(cloud, pace, trials):
            trials.hybrid = _attempt(lambda: _create(cloud, pace, trials, ISO_FORMAT))
            if trials.hybrid.outcome == "done":
                trials.hybrid = _upload(cloud, pace, trials.image_id, _HYBRID)
            if trials.hybrid.outcome != "refused":
                trials.store = trials.hybrid
    return trials


def _left_by_another_run(cloud: Cloud) -> str | None:
    """Return the id of a scratch record of this department that is no longer in use."""
    asked = {"name": _NAME, "owner": cloud.project_id, "os_hidden": "true", "visibility": "private"}
    with contextlib.suppress(HyperxGlanceError):
        for image in pages.read(cloud, list(asked.items())):
            if image.created_at is not None and datetime.now(UTC) - image.created_at > _IN_USE:
                return image.id
    return None


def _formats(cloud: Cloud) -> Formats:
    try:
        return formats(cloud)
    except HyperxGlanceError:
        return Formats()  # the creation shows what is wrong


@contextlib.contextmanager
def _removed(cloud: Cloud, pace: Pace, trials: Trials) -> Iterator[None]:
    with MayHaveMade(image_id=trials.image_id) as made:
        try:
            yield
        finally:
            # Also after a failed or interrupted creation: Glance may still have created the record.
            trials.removal = _attempt(lambda: _remove(cloud, pace, trials.image_id, made))


def _try_rights(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    """Ask for what an image without data does not allow; Glance looks at its policies first (image_actions.py)."""
    path = functools.partial(image_path, trials.image_id)
    trials.rights = (
        _trial(pace, lambda: cloud.get("image", path("file")).close()),
        _trial(pace, lambda: cloud.post("image", path("actions", "deactivate")).close()),
        _trial(pace, lambda: cloud.post("image", path("actions", "reactivate")).close()),
    )


def _try_volume(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    """Ask for a volume of an image without data: Cinder looks at its policies, and makes none (create_volume.py)."""
    volume: Json = {"name": _NAME, "size": 1, "imageRef": trials.image_id}
    if cloud.has("block-storage"):
        trials.volume = _trial(pace, lambda: cloud.post("block-storage", "/volumes", json={"volume": volume}).close())


def _try_changes(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    _try_properties(cloud, pace, trials)
    if policy := refusals.policy(trials.ordinary.explanation):
        # It refuses every change, so none of these would show anything else.
        omitted = Attempt("omitted", say("changes-refused", policy=policy))
        trials.flag = trials.creator = trials.communitize = trials.publicize = trials.tags = omitted
        return
    trials.flag = _trial(pace, lambda: _patch(cloud, trials.image_id, _add(FLAG, "true")))
    trials.creator = _trial(pace, lambda: _patch(cloud, trials.image_id, _add(CREATOR, "somebody else")))
    _try_visibilities(cloud, pace, trials)
    _try_tags(cloud, pace, trials)


def _try_properties(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    path = trials.image_id
    trials.ordinary = _trial(pace, lambda: _patch(cloud, path, *[_add(key, text) for key, text in ORDINARY.items()]))
    if trials.ordinary.outcome == "done":
        with contextlib.suppress(HyperxGlanceError):
            trials.hidden = hidden.lacking([CREATOR, *ORDINARY], cloud.image(path)) or trials.hidden
        removals = [{"op": "remove", "path": f"/{key}"} for key in REMOVED]
        trials.removable = _trial(pace, lambda: _patch(cloud, path, *removals), done=ConflictError)


def _try_tags(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    path = trials.image_id
    tags = [f"hyperx-doctor-{number}" for number in range(MANY_TAGS)]
    trials.tags = _trial(pace, lambda: _patch(cloud, path, {"op": "replace", "path": "/tags", "value": tags}))
    if trials.tags.outcome == "done":
        _trial(pace, lambda: _patch(cloud, path, {"op": "replace", "path": "/tags", "value": []}))


def _try_visibilities(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    """Publish the record, which is hidden from lists, and make it private again."""
    if trials.flag.outcome == "done":
        # With the flag and visibility public, the record would be FEATURED.
        removal_of_flag = {"op": "remove", "path": f"/{FLAG}"}
        unflagged = _trial(pace, lambda: _patch(cloud, trials.image_id, removal_of_flag), done=ConflictError)
        if unflagged.outcome != "done":
            omitted = Attempt("omitted", say("flag-stays"), unflagged.explanation)
            trials.communitize = trials.publicize = omitted
            return
    trials.communitize = _trial(pace, lambda: _patch(cloud, trials.image_id, _add("visibility", "community")))
    trials.publicize = _trial(pace, lambda: _patch(cloud, trials.image_id, _add("visibility", "public")))
    _trial(pace, lambda: _patch(cloud, trials.image_id, _add("visibility", "private")))


def _try_import(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    """Ask for a download from a port other than 80 and 443.

    Glance judges the URL before it starts the task (glance/api/v2/images.py, import_image). If Glance accepts the URL,
    it reads a nonexistent path of this cloud's own API, so the task fails at once and does not block a worker.
    """
    trials.url = _odd_url(cloud)
    trials.port = _import(cloud, pace, trials.image_id, trials.url)
    if trials.port.outcome == "refused":
        parts = urlsplit(trials.url)
        trials.host = _import(cloud, pace, trials.image_id, f"{parts.scheme}://{parts.hostname}{parts.path}")


def _try_data(cloud: Cloud, pace: Pace, trials: Trials) -> None:
    """Upload a qcow2 that names another file, which Glance should refuse, after the import has ended."""

    def look() -> bool | None:
        return None if cloud.image(trials.image_id).glance_property(vocabulary.glance_key("import_task")) else True

    try:
        wait_until(pace, look, timeout=_IMPORT_SECONDS, what=f"the import of record {trials.image_id}")
    except HyperxGlanceError as error:
        trials.data = trials.imported = _failed(error)
        with contextlib.suppress(HyperxGlanceError):
            task = newest_import(cloud, trials.image_id)
            if task is not None and task.status == "pending":
                trials.data = trials.imported = Attempt("omitted", say("import-threads-busy"))
    else:
        if "done" in (trials.port.outcome, trials.host.outcome):
            trials.imported = Attempt("done")
        trials.data = _upload(cloud, pace, trials.image_id, _DANGEROUS)
        if trials.data.outcome != "refused":
            trials.store = trials.data


def _upload(cloud: Cloud, pace: Pace, image_id: str, data: bytes) -> Attempt:
    headers = {"Content-Type": "application/octet-stream"}
    try:
        cloud.upload("image", image_path(image_id, "file"), data, headers=headers, timeout=_UPLOAD_SECONDS)
    except HyperxGlanceError as error:
        refused = error.status == 415
        if not refused:
            removal.let_glance_notice(cloud, pace, image_id)
        return _refused(error) if refused else _failed(error)
    except BaseException:  # such as Ctrl-C: the record is removed next
        removal.let_glance_notice(cloud, pace, image_id)
        raise
    return Attempt("done")


def _odd_url(cloud: Cloud) -> str:
    services: tuple[Service, ...] = ("image", "identity", "compute")
    bases = [cloud.base(service) for service in services if cloud.has(service)]
    for base in bases:
        if urlsplit(base).port not in (None, 80, 443):
            return f"{base}/hyperx-doctor"
    # Every service is behind one proxy, and nothing listens on this port of it.
    parts = urlsplit(bases[0])
    return f"{parts.scheme}://{parts.hostname}:8080/hyperx-doctor"


def _import(cloud: Cloud, pace: Pace, image_id: str, url: str) -> Attempt:
    try:
        _send(pace, lambda: cloud.import_image(image_id, url), done=ConflictError)
    except InvalidRequestError as error:
        return _refused(error) if "filtering" in error.explanation else _failed(error)
    except HyperxGlanceError as error:
        return _failed(error)
    return Attempt("done")


def _create(cloud: Cloud, pace: Pace, trials: Trials, disk_format: str) -> None:
    """Create a record with one property of HYPERX, as a registration does."""
    body: dict[str, Json] = {
        "id": trials.image_id,
        CREATOR: cloud.user_id,
        "name": _NAME,
        "visibility": "private",
        "os_hidden": True,
        "disk_format": disk_format,
        "container_format": CONTAINER_FORMAT,
    }

    for attempt in attempts(pace):
        with attempt:
            try:
                answer = cloud.post("image", "/images", json=body)
                trials.hidden = hidden.lacking(body, image_of(answer, trials.image_id))
            except ConflictError:
                # Glance accepts an id once, so a second 201 and a 409 both mean that the record exists.
                if not attempt.lost:
                    raise


def _remove(cloud: Cloud, pace: Pace, image_id: str, made: MayHaveMade) -> None:
    """Delete the record, and send the request again if no response arrives: deleting twice is harmless.

    If no record is found, it was not created, or an interrupted creation may still create it.
    """
    for attempt in attempts(pace):
        with attempt:
            try:
                cloud.delete("image", image_path(image_id))
            except NotFoundError:
                if not attempt.lost:
                    return
            made.undone()


def _patch(cloud: Cloud, image_id: str, *operations: Mapping[str, object]) -> None:
    cloud.patch_image(image_id, operations)


def _add(key: str, value: str) -> Mapping[str, object]:
    return {"op": "add", "path": f"/{key}", "value": value}


def _attempt(work: Callable[[], None]) -> Attempt:
    try:
        work()
    except NotAllowedError as error:
        return _refused(error)
    except HyperxGlanceError as error:
        return _failed(error)
    return Attempt("done")


def _trial(pace: Pace, work: Callable[[], None], done: type[HyperxGlanceError] | None = None) -> Attempt:
    """Make a trial that can be repeated."""
    return _attempt(lambda: _send(pace, work, done))


def _send(pace: Pace, work: Callable[[], None], done: type[HyperxGlanceError] | None) -> None:
    """Send a request, and again if the response is lost: each leaves the record as one of them would.

    ``done`` is the error of a repetition that shows that the lost request was done.
    """
    for attempt in attempts(pace):
        with attempt:
            try:
                work()
            except HyperxGlanceError as error:
                if not (attempt.lost and done is not None and isinstance(error, done)):
                    raise


def _refused(error: HyperxGlanceError) -> Attempt:
    return Attempt("refused", explanation=words_of_service(error), status=error.status)


def _failed(error: HyperxGlanceError) -> Attempt:
    return Attempt("failed", error.message, words_of_service(error), error.status)
