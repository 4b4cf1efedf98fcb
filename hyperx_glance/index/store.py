"""The file of the index: an SQLite database that threads and processes share. It can be lost at any time.

    >>> from hyperx_glance.index.store import Store
    >>> from hyperx_glance.models.image import Image
    >>> store = Store(folder / "images.sqlite", "http://glance.example/v2")
    >>> with store.writing() as write:
    ...     write.put([Image(id="7c1", name="debian")])
    >>> [image.name for image in store.images("SELECT number FROM images", ())]
    ['debian']
    >>> store.close()

A row has what a query can be narrowed by, and what is counted. The record itself is in a table of its own, so that a
search reads little.
"""

import contextlib
import json
import os
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json

from hyperx_glance.browsing.filters import in_index
from hyperx_glance.browsing.matching import haystack
from hyperx_glance.browsing.summary import Counted
from hyperx_glance.cloud.forks import this_process
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image, glance_form
from hyperx_glance.vocabulary import Category, Kind, State

_VERSION = 3
_APPLICATION = 0x48595058  # "HYPX"
BETWEEN_TAGS = "\x1f"
"""The character around each tag of a row."""
_ESCAPE = "\x1e"
_IS_LISTED = in_index(ImageQuery(), {})
"""The test of a query that asks for nothing: snapshots and hidden images are in the file, too."""
_BUSY_SECONDS = 5.0
_PASSES = frozenset({3, 5, 6, 7, 8, 10, 13, 14, 15})
"""Codes of SQLite that say nothing of the file's contents: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN
and PROTOCOL (https://www.sqlite.org/rescode.html)."""
_FEW = 2000
"""The most images that are looked up by their text: of more, the first ones in order are found sooner by reading."""
_TABLES = (
    """CREATE TABLE images (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, haystack TEXT NOT NULL, tags TEXT NOT NULL,
        owner TEXT NOT NULL,
        name TEXT NOT NULL, disk_format TEXT NOT NULL, container_format TEXT NOT NULL, glance_status TEXT NOT NULL,
        category TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, os_name TEXT NOT NULL,
        listed INTEGER NOT NULL, size INTEGER,
        created_at REAL NOT NULL, updated_at REAL NOT NULL, doubted INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX by_age ON images (created_at DESC, id)",
    "CREATE INDEX doubts ON images (id) WHERE doubted",
    "CREATE TABLE records (number INTEGER PRIMARY KEY, record BLOB NOT NULL)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, fact)",
    # Which images have three characters in a row, without their places: 12 MB for 100,000 images.
    """CREATE VIRTUAL TABLE trigrams USING fts5 (
        haystack, content = 'images', content_rowid = 'number', detail = none, tokenize = 'trigram case_sensitive 1'
    )""",
    """CREATE TRIGGER added AFTER INSERT ON images BEGIN
        INSERT INTO trigrams (rowid, haystack) VALUES (new.number, new.haystack);
    END""",
    """CREATE TRIGGER changed AFTER UPDATE OF haystack ON images WHEN old.haystack <> new.haystack BEGIN
        INSERT INTO trigrams (trigrams, rowid, haystack) VALUES ('delete', old.number, old.haystack);
        INSERT INTO trigrams (rowid, haystack) VALUES (new.number, new.haystack);
    END""",
    """CREATE TRIGGER removed AFTER DELETE ON images BEGIN
        INSERT INTO trigrams (trigrams, rowid, haystack) VALUES ('delete', old.number, old.haystack);
    END""",
)
_WORDS = (
    "owner", "name", "disk_format", "container_format", "glance_status", "category", "kind", "state", "os_name",
)  # fmt: skip
_COLUMNS = ("id", "haystack", "tags", *_WORDS, "listed", "size")
_PUT = f"""
INSERT INTO images ({", ".join(_COLUMNS)}, created_at, updated_at) VALUES ({", ".join("?" * (len(_COLUMNS) + 2))})
ON CONFLICT (id) DO UPDATE SET doubted = 0, created_at = excluded.created_at, updated_at = excluded.updated_at,
    {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)}
RETURNING number
"""  # noqa: S608  # names of columns above
_CATEGORIES = {str(each): each for each in Category}
_KINDS = {str(each): each for each in Kind}
_STATES = {str(each): each for each in State}
_COUNTED = "SELECT size, category, kind, state, disk_format, os_name, owner, tags FROM images"
_WITHOUT = "AND id NOT IN (SELECT value FROM json_each(?))"
_SAME = """
SELECT 1 FROM images JOIN records USING (number) WHERE id = ? AND record = ? AND NOT doubted
"""


class IndexState(NamedTuple):
    """The state of an index: how many images it holds, and how old its knowledge is.

    ``age_seconds`` is the time since the last refresh, and ``rebuilt_at`` the time of the last rebuild by Glance's
    clock; they are None before the first. ``error`` is why the last refresh of this process failed, None if it did not.
    """

    images: int
    age_seconds: float | None
    rebuilt_at: datetime | None
    error: HyperxGlanceError | None


class Facts(NamedTuple):
    """What the file says about itself. ``offset`` added to a monotonic clock is Glance's clock; times are seconds.

    Before the file is complete, ``rebuilt`` is None. The last two are leases of the process that does so.
    """

    offset: float = 0.0
    since: float = 0.0
    refreshed: float | None = None
    rebuilt: float | None = None
    refreshing_until: float | None = None
    rebuilding_until: float | None = None
    glance: str = ""


class Writing:
    """A transaction that writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, images: Iterable[Image]) -> None:
        """Add images, or replace what is known of them; write nothing of those that have not changed."""
        for image in images:
            record = zlib.compress(to_json(glance_form(image)), 1)
            if self._connection.execute(_SAME, (image.id, record)).fetchone():
                continue
            tags = BETWEEN_TAGS + "".join(escaped(each) + BETWEEN_TAGS for each in image.tags)
            words = (str(getattr(image, column)) for column in _WORDS)
            row = (image.id, haystack(image), tags, *words, _IS_LISTED(image), image.size)
            times = (seconds(image.created_at), seconds(image.updated_at))
            (number,) = self._connection.execute(_PUT, (*row, *times)).fetchone()
            self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (number, record))

    def remove(self, ids: Iterable[str]) -> None:
        """Forget images."""
        for image_id in ids:
            row = self._connection.execute("DELETE FROM images WHERE id = ? RETURNING number", (image_id,)).fetchone()
            if row is not None:
                self._connection.execute("DELETE FROM records WHERE number = ?", row)

    def doubt(self, ids: Iterable[str]) -> None:
        """Note images that a user did not find, so that the next refresh looks for them."""
        self._connection.executemany("UPDATE images SET doubted = 1 WHERE id = ?", ((each,) for each in ids))

    def note(self, **facts: float | str | None) -> None:
        """Write facts."""
        self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


class _Opened:
    """The connection of a thread, the process that opened it, and the file that it reads.

    It is closed when the thread ends.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        # One thread uses it; but another one may close it when that thread has ended.
        self.connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self.process, self.file = this_process(), _identity(path)
        self.close = weakref.finalize(self, _close, self.connection, self.process)


def _close(connection: sqlite3.Connection, process: int) -> None:
    if process == this_process():
        with contextlib.suppress(sqlite3.Error):
            connection.close()
    else:
        _OF_PARENTS.append(connection)


class _Here(threading.local):
    """What each thread has for itself."""

    opened: _Opened | None = None


_OF_PARENTS: list[sqlite3.Connection] = []
"""Connections that a fork has copied: a child must not even close them (https://www.sqlite.org/howtocorrupt.html)."""


class Store:
    """The file at ``path``, about the Glance at the URL ``glance``.

    Each thread of each process has its own connection: SQLite's may not be carried across a fork.
    """

    def __init__(self, path: Path, glance: str) -> None:
        self.path = path
        self._glance = glance
        self._here = _Here()

    # ------------------------------------------------------------- reading

    def facts(self) -> Facts:
        """Return what the file says about itself."""
        return Facts(**dict(self._connection().execute("SELECT name, fact FROM facts")))

    def count(self) -> int:
        """Return the number of images."""
        (number,) = self._connection().execute("SELECT count(*) FROM images").fetchone()
        return int(number)

    def images(self, numbers: str, values: Iterable[object]) -> Iterator[Image]:
        """Iterate over the images whose numbers a query selects, in its order."""
        connection = self._connection()
        with contextlib.closing(connection.execute(numbers, tuple(values))) as rows:
            for row in rows:
                found = connection.execute("SELECT record FROM records WHERE number = ?", row).fetchone()
                if found is not None:  # or it has been forgotten meanwhile
                    yield _image(found[0])

    def unordered(self, numbers: str, values: Iterable[object]) -> Iterator[Image]:
        """Iterate over the images whose numbers a query selects, in no order, which is faster for many."""
        wanted = f"SELECT record FROM records WHERE number IN ({numbers})"  # noqa: S608  # a query of this package
        with contextlib.closing(self._connection().execute(wanted, tuple(values))) as rows:
            for (record,) in rows:
                yield _image(record)

    def counted(self, numbers: str, values: Iterable[object], *, without: Iterable[str]) -> Iterator[Counted]:
        """Iterate over what is counted of the images that a query selects, in no order, without those of some ids."""
        wanted = f"{_COUNTED} WHERE number IN ({numbers}) {_WITHOUT}"
        with contextlib.closing(self._connection().execute(wanted, (*values, json.dumps([*without])))) as rows:
            for size, category, kind, state, disk_format, os_name, owner, tags in rows:
                try:
                    words = _CATEGORIES[category], _KINDS[kind], _STATES[state]
                except KeyError as error:
                    raise sqlite3.DatabaseError("a word that no program has written") from error
                yield Counted(size, *words, disk_format, os_name, owner, _tags(tags))

    def amount(self, numbers: str, values: Iterable[object], *, without: Iterable[str]) -> int:
        """Return how many images a query selects, without those of some ids."""
        wanted = f"SELECT count(*) FROM images WHERE number IN ({numbers}) {_WITHOUT}"  # noqa: S608  # as above
        (number,) = self._connection().execute(wanted, (*values, json.dumps([*without]))).fetchone()
        return int(number)

    def few(self, parts: Iterable[str]) -> list[int] | None:
        """Return the numbers of images, among them all whose text has these parts; None if they are many, or all."""
        trigrams = {part[start : start + 3] for part in parts for start in range(len(part) - 2)}
        if not trigrams or any("\0" in each for each in trigrams):  # at which FTS5 ends a query
            return None
        asked = " AND ".join('"{}"'.format(each.replace('"', '""')) for each in sorted(trigrams))
        found = "SELECT rowid FROM trigrams WHERE trigrams MATCH ? LIMIT ?"
        numbers = [number for (number,) in self._connection().execute(found, (asked, _FEW + 1))]
        return numbers if len(numbers) <= _FEW else None

    def ids(self) -> set[str]:
        """Return the ids of all images."""
        return {image_id for (image_id,) in self._connection().execute("SELECT id FROM images")}

    def doubted(self) -> list[str]:
        """Return the ids of images that a user did not find."""
        return [image_id for (image_id,) in self._connection().execute("SELECT id FROM images WHERE doubted")]

    # ------------------------------------------------------------- writing

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[Writing]:
        """Write in one transaction; without ``wait``, raise `sqlite3.OperationalError` if another process writes."""
        connection = self._connection()
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000) if wait else 0}")
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(connection)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # SQLite has rolled back by itself if the disk is full
                    connection.execute("ROLLBACK")
                raise
        finally:
            with contextlib.suppress(sqlite3.Error):
                connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")

    def set_aside(self) -> None:
        """Begin with an empty file; the file that cannot be used is kept beside it.

        If another process has already begun a new file, that one is used.
        """
        opened = self._here.opened
        self.close()
        with contextlib.suppress(FileNotFoundError):
            if opened is None or opened.file == _identity(self.path):
                self.path.replace(f"{self.path}.damaged")
                for end in ("-wal", "-shm"):
                    Path(f"{self.path}{end}").unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connection of this thread."""
        if self._here.opened is not None:
            self._here.opened.close()
        self._here.opened = None

    def _connection(self) -> sqlite3.Connection:
        opened = self._here.opened
        if opened is not None and opened.process == this_process() and opened.file == _identity(self.path):
            return opened.connection
        self.close()
        opened = self._here.opened = _Opened(self.path)
        self._prepare(opened.connection)
        return opened.connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # what a crash of the machine damages is made anew
        connection.execute("PRAGMA journal_size_limit = 0")
        connection.execute("PRAGMA cache_size = -512")  # KiB, for each thread; the system keeps the file in memory
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                for statement in _TABLES:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
                connection.execute("INSERT INTO facts VALUES ('glance', ?)", (self._glance,))
            connection.execute("COMMIT")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if (application, version) != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError("a file of another program, or of another version")
        if connection.execute("SELECT fact FROM facts WHERE name = 'glance'").fetchone() != (self._glance,):
            raise sqlite3.DatabaseError("a file about another Glance")


def _image(record: bytes) -> Image:
    image: Image = Image.__pydantic_validator__.validate_json(zlib.decompress(record))  # as in model_validate_json
    return image


def escaped(tag: str) -> str:
    """Return a tag without the character that is between tags."""
    return tag.replace(_ESCAPE, f"{_ESCAPE}0").replace(BETWEEN_TAGS, f"{_ESCAPE}1")


def _tags(text: str) -> tuple[str, ...]:
    tags = text.split(BETWEEN_TAGS)[1:-1]
    if _ESCAPE in text:
        tags = [each.replace(f"{_ESCAPE}1", BETWEEN_TAGS).replace(f"{_ESCAPE}0", _ESCAPE) for each in tags]
    return tuple(tags)


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return found.st_dev, found.st_ino


def seconds(time: datetime | None) -> float:
    """Return a time as lists sort by it."""
    return time.timestamp() if time else 0.0


def moment(glance_seconds: float) -> datetime:
    """Return a time of Glance's clock."""
    return datetime.fromtimestamp(glance_seconds, UTC)


def is_damage(error: Exception) -> bool:
    """Check whether a file cannot be used any longer; a full disk or a lock passes."""
    if not isinstance(error, sqlite3.DatabaseError):
        return isinstance(error, (zlib.error, ValidationError))
    code = getattr(error, "sqlite_errorcode", None)
    return code is None or code & 0xFF not in _PASSES
