"""Images put straight into Glance's database: states, times and owners that the API gives nobody, and many at once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

COLUMNS = (
    "id", "name", "status", "visibility", "owner", "disk_format", "container_format", "size", "protected", "os_hidden",
    "created_at", "updated_at",
)  # fmt: skip


def insert(database: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records: columns by their names, and ``tags``, ``members`` (project id to status), ``properties``."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        for record in records:
            row = {column: _value(record[column]) for column in COLUMNS}
            row |= {"min_disk": 0, "min_ram": 0, "deleted": 0}
            _write(connection, "images", row)
            common = {"image_id": row["id"], "created_at": row["created_at"], "deleted": 0}
            for tag in record["tags"]:
                _write(connection, "image_tags", {**common, "value": tag})
            for key, text in record["properties"].items():
                _write(connection, "image_properties", {**common, "name": key, "value": text})
            for member, status in record.get("members", {}).items():
                _write(connection, "image_members", {**common, "member": member, "status": status, "can_share": 0})


def set_status(database: Path, image_id: str, status: str) -> None:
    """Leave a record in a state that passes quickly."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("UPDATE images SET status = ? WHERE id = ?", (status, image_id))


def set_visibility(database: Path, image_id: str, visibility: str) -> None:
    """Show a record to others than before, or hide it from them."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("UPDATE images SET visibility = ? WHERE id = ?", (visibility, image_id))


def delete(database: Path, image_id: str) -> None:
    """Delete a record as Glance does, which keeps its row."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute(
            "UPDATE images SET deleted = 1, status = 'deleted', deleted_at = created_at WHERE id = ?", (image_id,)
        )


def remove(database: Path, ids: Collection[str]) -> None:
    """Take records out again."""
    wanted = json.dumps(list(ids))
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        for table in ("image_tags", "image_properties", "image_members", "images"):
            key = "id" if table == "images" else "image_id"
            connection.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT value FROM json_each(?))", (wanted,))


def _write(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))


def _value(value: object) -> object:
    """Write times as SQLAlchemy writes them into SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
