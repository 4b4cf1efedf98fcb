"""The index as consoles use it: pages, counts, summaries and tags like those of `Client`, for any user's client.

>>> with CatalogueIndex(client) as index:
...     index.count(client, search="nothing")
0
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import sqlite3
import tempfile
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from pydantic import ValidationError

from hyperx_glance.arguments import checked, filled_text, instance, model, optional, page_size, seconds
from hyperx_glance.browsing import catalogue, filters, lists, paging
from hyperx_glance.browsing.cursors import Place
from hyperx_glance.browsing.matching import Test
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.client import Client, context_of, query_of
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.forks import this_process
from hyperx_glance.errors import HyperxGlanceError, ServiceUnavailableError
from hyperx_glance.index import filling, selection
from hyperx_glance.index.store import Facts, IndexState, Store, is_damage, moment
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from types import TracebackType

    from hyperx_glance.browsing.summary import Counted
    from hyperx_glance.models.browsing import ImageCriteria
    from hyperx_glance.models.results import ImagePage, Summary

LOG = logging.getLogger(__name__)

ROUNDS = 3
"""How often images of a page are read again, because some were gone, before the page is read from Glance alone."""
_BROKEN = (sqlite3.Error, OSError, zlib.error, ValidationError)
_Answer = TypeVar("_Answer")


class CatalogueIndex:
    """An index of the public and community images of one Glance, which any user's client may ask.

    It is refreshed when it is used, and rebuilt in a thread of its own. Until it is complete, and whenever its file
    cannot be used, the answers are those of the user's client. Threads may share an index, and all workers of a back
    end the file. Make it after the fork, since a session works in one process only.
    """

    @checked(client=instance(Client), path=optional(instance(str, Path)), refresh_after=seconds, rebuild_after=seconds)
    def __init__(
        self,
        client: Client,
        /,
        *,
        path: str | Path | None = None,
        refresh_after: float = 15.0,
        rebuild_after: float = 3600.0,
    ) -> None:
        """Make an index; no request is sent.

        :param client: the client that fills it. A user with the role reader in any project will do
        :param path: the file, about 100 MB for 100,000 images, which all workers of a back end may share; None is a
            temporary file of this process
        :param refresh_after: seconds after which changes are read. A page may lack an image for so long
        :param rebuild_after: seconds after which every image is read again. Counts may contain images that are gone
            for so long; after it, an index that cannot be refreshed raises an error
        :raises InvalidRequestError: an argument is wrong
        """
        self._cloud = client.cloud
        self._clock = client.settings.pace.clock
        self._refresh_after = refresh_after
        self._rebuild_after = rebuild_after
        self._path = path
        self._store: Store | None = None
        self._temporary: weakref.finalize[..., CatalogueIndex] | None = None
        self._locks: dict[int, threading.Lock] = {}
        self._rebuilding: threading.Thread | None = None
        self._error: HyperxGlanceError | None = None
        self._failed_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for a rebuild to end, and close the file. A temporary file is deleted."""
        rebuilding = self._rebuilding
        if rebuilding is not None:
            rebuilding.join()
        if self._store is not None:
            self._store.close()
        if self._temporary is not None:
            self._temporary()
            self._temporary = self._store = None

    # ------------------------------------------------------------- asking

    @checked(user=instance(Client), query=optional(model("ImageQuery")), size=page_size, cursor=optional(filled_text))
    def page(
        self,
        user: Client,
        query: ImageQuery | None = None,
        *,
        size: int = 20,
        cursor: str | None = None,
        **criteria: Unpack[ImageCriteria],
    ) -> ImagePage:
        """Return one page of a list, as `Client.page` does; each reads the other's cursors.

        The index is used if Glance cannot filter by the criteria. Then every image of the page is read again by the
        user, so none is stale. The user's private and shared images are always listed live.

        :param user: the client of the user who sees the page; the other parameters are those of `Client.page`
        :param query: an `ImageQuery`, or a `PageQuery`; or else
        :param size: the number of images on a page, 1 to 1000
        :param cursor: ``next`` or ``previous`` of another page; None is the first page
        :param criteria: the fields of `ImageQuery` as keywords, see `ImageCriteria`
        :raises InvalidRequestError: the cursor belongs to another list, or a criterion is wrong
        :raises NotAllowedError: ``view="everything"``, and the user is no administrator
        :raises ServiceUnavailableError: Glance cannot be reached, or the index could not be refreshed for
            ``rebuild_after``
        """
        context = context_of(user)
        asked = paging.asked(query_of(query, criteria), size=size, cursor=cursor)
        return self._answered(
            lambda: paging.page(context, asked, reader=self._behind),
            lambda: paging.page(context, asked),
            helps=filters.an_index_helps(asked.query),
        )

    @checked(user=instance(Client), query=optional(model("ImageQuery")))
    def count(self, user: Client, query: ImageQuery | None = None, **criteria: Unpack[ImageCriteria]) -> int:
        """Return the number of matching images, as `Client.count` does; it may contain images that are gone.

        :param user: the client of the user who sees the number
        :param query: an `ImageQuery`; or else
        :param criteria: its fields as keywords, see `ImageCriteria`
        :raises InvalidRequestError: a criterion is wrong, or both a query and keywords are given
        :raises ServiceUnavailableError: as for `page`
        """
        context, asked = context_of(user), query_of(query, criteria)
        return self._answered(
            lambda: self._count(context, asked),
            lambda: catalogue.count(context, asked),
            helps=filters.an_index_knows(asked),
        )

    @checked(user=instance(Client), query=optional(model("ImageQuery")))
    def summary(self, user: Client, query: ImageQuery | None = None, **criteria: Unpack[ImageCriteria]) -> Summary:
        """Count images by their fields, as `Client.summary` does; the counts may contain images that are gone.

        :param user: the client of the user who sees the numbers
        :param query: an `ImageQuery`; or else
        :param criteria: its fields as keywords, see `ImageCriteria`
        :raises InvalidRequestError: a criterion is wrong, or both a query and keywords are given
        :raises ServiceUnavailableError: as for `page`
        """
        from hyperx_glance.browsing.summary import summarized  # noqa: PLC0415  # models that only this needs

        context, asked = context_of(user), query_of(query, criteria)
        return self._answered(
            lambda: summarized(self._counted(context, asked)),
            lambda: catalogue.summary(context, asked),
            helps=filters.an_index_knows(asked),
        )

    @checked(user=instance(Client))
    def tags(self, user: Client) -> dict[str, int]:
        """Return every tag in the view "all", as `Client.tags` does; the numbers may contain images that are gone.

        :param user: the client of the user who sees the tags
        :raises ServiceUnavailableError: as for `page`
        """
        context = context_of(user)
        return self._answered(
            lambda: catalogue.counted_tags(self._counted(context, ImageQuery())),
            lambda: catalogue.tags(context),
            helps=True,
        )

    # ------------------------------------------------------------- refreshing

    def refresh(self) -> IndexState:
        """Read what has changed, or everything if that is due, and return the state.

        If another process is reading, or the file cannot be used, nothing is read; ``error`` says why. A back end need
        not call this: asking refreshes.
        """
        facts = self._facts() or self._facts()  # again, if it was damaged and a new one is begun
        if facts is not None:
            self._fill(rebuild=self._is_due(facts.rebuilt, self._rebuild_after))
        return self.state

    @property
    def state(self) -> IndexState:
        """The state of the index; no request is sent."""
        facts = self._facts() or Facts()
        try:
            images = self._opened().count() if facts.rebuilt is not None else 0
        except _BROKEN as error:
            self._failed(error)
            images = 0
        age = None if facts.refreshed is None else max(0.0, self._clock() - facts.refreshed)
        rebuilt_at = None if facts.rebuilt is None else moment(facts.offset + facts.rebuilt)
        return IndexState(images, age, rebuilt_at, self._error)

    def _answered(self, indexed: Callable[[], _Answer], live: Callable[[], _Answer], *, helps: bool) -> _Answer:
        """Return the answer of the index, or if that cannot be had, of Glance."""
        if helps and self._is_ready():
            try:
                return indexed()
            except _BROKEN as error:
                self._failed(error)
        return live()

    def _is_ready(self) -> bool:
        """Refresh the index if that is due, and check whether it is complete."""
        facts = self._facts()
        if facts is None or self._is_due(facts.rebuilt, self._rebuild_after):
            self._rebuild_meanwhile()
        if facts is None or facts.rebuilt is None:
            return False
        if self._is_due(facts.refreshed, self._refresh_after):
            with self._lock:  # threads that come meanwhile wait for its two requests
                facts = self._facts()
                if facts is None:
                    return False
                if self._is_due(facts.refreshed, self._refresh_after) and self._is_due(
                    self._failed_at, self._refresh_after
                ):
                    self._fill(rebuild=False)
            facts = self._facts()
        if facts is None or facts.rebuilt is None:
            return False
        if self._error is not None and self._is_due(facts.refreshed, self._rebuild_after):
            raise ServiceUnavailableError(
                say("index-not-refreshed", problem=self._error.message),
                hint=say("renew-the-login-of-the-index"),
                service="image",
            ) from self._error
        return True

    @property
    def _lock(self) -> threading.Lock:
        """The lock of this process: after a fork, the parent's may never be released."""
        return self._locks.setdefault(this_process(), threading.Lock())

    def _is_due(self, last: float | None, after: float) -> bool:
        # A time in the future is of before a restart of this machine.
        return last is None or not 0 <= self._clock() - last <= after

    def _rebuild_meanwhile(self) -> None:
        """Rebuild in a thread, unless one does, or a try has just failed."""
        with self._lock:
            running = self._rebuilding is not None and self._rebuilding.is_alive()
            if running or (self._error is not None and not self._is_due(self._failed_at, self._refresh_after)):
                return
            self._rebuilding = threading.Thread(
                target=self._fill, kwargs={"rebuild": True}, name="rebuild of the image index", daemon=True
            )
            self._rebuilding.start()

    def _fill(self, *, rebuild: bool) -> None:
        """Read from Glance, unless another process does; note an error."""
        lease: filling.Lease = "rebuilding_until" if rebuild else "refreshing_until"
        work = filling.rebuild if rebuild else filling.refresh
        try:
            store = self._opened()
            if not filling.lease(store, self._clock, lease):
                return
            try:
                work(self._cloud, store, self._clock)
            finally:
                with contextlib.suppress(*_BROKEN):
                    filling.release(store, lease)
        except HyperxGlanceError as error:
            self._not_filled(error)
        except _BROKEN as error:
            self._failed(error)
        else:
            self._error = self._failed_at = None

    def _not_filled(self, error: HyperxGlanceError) -> None:
        LOG.warning("the index of images could not be filled: %s", error)
        self._error, self._failed_at = error, self._clock()

    # ------------------------------------------------------------- the file

    def _opened(self) -> Store:
        if self._store is None:
            path = self._path
            if path is None:
                handle, name = tempfile.mkstemp(prefix="image-index-", suffix=".sqlite")
                os.close(handle)
                path = name
                self._temporary = weakref.finalize(self, _delete, Path(name), os.getpid())
            self._store = Store(Path(path), self._cloud.base("image"))
        return self._store

    def _facts(self) -> Facts | None:
        """Return the facts of the file; None if it cannot be used, or it is not known which Glance it is about."""
        if self._store is None and not self._is_due(self._failed_at, self._refresh_after):
            return None
        try:
            return self._opened().facts()
        except HyperxGlanceError as error:  # the login of the index, which is none of the user's business
            self._not_filled(error)
        except _BROKEN as error:
            self._failed(error)
        return None

    def _failed(self, error: Exception) -> None:
        """Note what is wrong with the file, and begin a new one if this one is damaged."""
        LOG.warning("the index of images cannot use its file: %s", error)
        self._error = ServiceUnavailableError(say("index-file-unusable"), explanation=str(error))
        self._failed_at = self._clock()
        if self._store is not None and is_damage(error):
            with contextlib.suppress(OSError):
                self._store.set_aside()

    # ------------------------------------------------------------- reading

    def _behind(
        self,
        context: Context,
        query: ImageQuery,
        order: Sorting,
        place: Place | None,
        /,
        *,
        amount: int,
        ended: set[int] | None,
    ) -> list[Image]:
        """Read ``amount`` images behind a place: private ones from Glance, the others from the index, and again."""
        names, matches = _tested(context, query)
        private = paging.behind(context, query, order, place, amount=amount, ended=None, private=True)
        own = {image.id for image in private}
        store = self._opened()
        rows = store.images(*selection.selected(query, names, order, place, store.few))
        known = (image for image in rows if matches(image) and image.id not in own)
        merged = heapq.merge(private, known, key=order.key)
        found: list[Image] = []
        for _ in range(ROUNDS):
            some = list(itertools.islice(merged, amount - len(found)))
            seen = self._seen(context.cloud, [image.id for image in some if image.id not in own])
            for image in some:
                now = image if image.id in own else seen.get(image.id)
                if now is not None and (now is image or (matches(now) and order.key(now) == order.key(image))):
                    found.append(now)
            if len(found) == amount or not some:
                return found
        if next(merged, None) is None:
            return found
        return paging.behind(context, query, order, place, amount=amount, ended=ended)

    def _seen(self, cloud: Cloud, ids: list[str]) -> dict[str, Image]:
        """Read images as a user sees them now; those that are gone for the user are doubted."""
        found: dict[str, Image] = {}
        for start in range(0, len(ids), filling.AT_ONCE):
            found |= {image.id: image for image in filling.by_ids(cloud, ids[start : start + filling.AT_ONCE])}
        gone = [image_id for image_id in ids if image_id not in found]
        if gone:
            with contextlib.suppress(sqlite3.OperationalError), self._opened().writing(wait=False) as write:
                write.doubt(gone)
        return found

    def _count(self, context: Context, query: ImageQuery) -> int:
        """Count the images of a query, in the file alone if it decides."""
        if not selection.decides(query):
            return sum(1 for _ in self._counted(context, query))
        names, _ = _tested(context, query)
        own = {image.id for image in lists.unordered(context, query, private=True)}
        store = self._opened()
        return len(own) + store.amount(*selection.selected(query, names, None, None, store.few), without=own)

    def _counted(self, context: Context, query: ImageQuery) -> Iterator[Image | Counted]:
        """Iterate over what is counted of all images of a query, in no order."""
        names, matches = _tested(context, query)
        own = set()
        for image in lists.unordered(context, query, private=True):
            own.add(image.id)
            yield image
        store = self._opened()
        selected = selection.selected(query, names, None, None, store.few)
        if selection.decides(query):
            yield from store.counted(*selected, without=own)
            return
        for image in store.unordered(*selected):
            if matches(image) and image.id not in own:
                yield image


def _tested(context: Context, query: ImageQuery) -> tuple[Mapping[str, str], Test]:
    """Return the names of departments that a query looks at, and its test of an image; raise if it may not be asked."""
    lists.check(context, query)
    names = lists.names(context, query)
    return names, filters.in_index(query, names, owners=lists.owners_of(context, query))


def _delete(path: Path, process: int) -> None:
    """Delete a temporary file, but not in a child of its process."""
    if os.getpid() == process:
        for end in ("", "-wal", "-shm", ".damaged"):
            Path(f"{path}{end}").unlink(missing_ok=True)
