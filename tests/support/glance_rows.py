"""Images put straight into Glance's database: states, times and owners that the API refuses, and many at once."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from hyperx_glance.testing import LocalCloud

Execute = Callable[[str, tuple[object, ...]], "list[tuple[Any, ...]]"]

COLUMNS = (
    "id", "name", "status", "visibility", "owner", "disk_format", "container_format", "size", "protected", "os_hidden",
    "created_at", "updated_at",
)  # fmt: skip


def insert(cloud: LocalCloud, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records: columns by their names, and ``tags``, ``members`` (project id to status), ``properties``."""
    with _changing(cloud) as execute:
        for record in records:
            row = {column: _value(record[column]) for column in COLUMNS}
            row |= {"min_disk": 0, "min_ram": 0, "deleted": 0}
            _write(execute, "images", row)
            common = {"image_id": row["id"], "created_at": row["created_at"], "deleted": 0}
            for tag in record["tags"]:
                _write(execute, "image_tags", {**common, "value": tag})
            for key, text in record["properties"].items():
                _write(execute, "image_properties", {**common, "name": key, "value": text})
            for member, status in record.get("members", {}).items():
                _write(execute, "image_members", {**common, "member": member, "status": status, "can_share": 0})


def set_status(cloud: LocalCloud, image_id: str, status: str) -> None:
    """Leave a record in a state that passes quickly."""
    with _changing(cloud) as execute:
        execute("UPDATE images SET status = ? WHERE id = ?", (status, image_id))


def set_visibility(cloud: LocalCloud, image_id: str, visibility: str) -> None:
    """Show a record to others than before, or hide it from them."""
    with _changing(cloud) as execute:
        execute("UPDATE images SET visibility = ? WHERE id = ?", (visibility, image_id))


def delete(cloud: LocalCloud, image_id: str) -> None:
    """Delete a record as Glance does, which keeps its row."""
    with _changing(cloud) as execute:
        execute("UPDATE images SET deleted = 1, status = 'deleted', deleted_at = created_at WHERE id = ?", (image_id,))


def lost(cloud: LocalCloud) -> set[str]:
    """Return the deleted records that quotas still count (glance/db/sqlalchemy/api.py)."""
    with _changing(cloud) as execute:
        counted = "status NOT IN ('killed', 'pending_delete', 'deleted')"
        return {str(row[0]) for row in execute(f"SELECT id FROM images WHERE deleted = ? AND {counted}", (1,))}


def give_back(cloud: LocalCloud) -> None:
    """Do what the guide asks of an operator."""
    with _changing(cloud) as execute:
        counted = "status NOT IN ('killed', 'pending_delete', 'deleted')"
        execute(f"UPDATE images SET status = 'deleted' WHERE deleted = ? AND {counted}", (1,))


def remove(cloud: LocalCloud, ids: Collection[str]) -> None:
    """Remove records again."""
    with _changing(cloud) as execute:
        for table in ("image_tags", "image_properties", "image_members", "images"):
            key = "id" if table == "images" else "image_id"
            for image_id in ids:
                execute(f"DELETE FROM {table} WHERE {key} = ?", (image_id,))


@contextmanager
def _changing(cloud: LocalCloud) -> Iterator[Execute]:
    """Begin a transaction, wherever the database is: values stand as question marks."""
    url = urlsplit(cloud.database_url("glance"))
    connection: Any
    if url.scheme == "sqlite":
        connection = sqlite3.connect(cloud.database("glance"), timeout=30)
    else:
        (path,) = parse_qs(url.query)["unix_socket"]
        connect = importlib.import_module("pymysql").connect
        connection = connect(unix_socket=path, user=url.username, database=url.path[1:], charset="utf8mb4")
    cursor = connection.cursor()

    def execute(statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        cursor.execute(statement if url.scheme == "sqlite" else statement.replace("?", "%s"), values)
        return list(cursor.fetchall())

    try:
        yield execute
        connection.commit()
    finally:
        connection.close()


def _write(execute: Execute, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join("?" * len(row))
    execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))


def _value(value: object) -> object:
    """Write times as SQLAlchemy writes them into SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
