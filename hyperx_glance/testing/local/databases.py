"""The services' databases: SQLite files, kept from the last start, or copied from the template, or created.

Making them costs about 3 s of CPU, so the first cloud of a set of versions leaves them in the user's cache directory
for the next. Delete that directory at will. One that is at a server is given empty, and filled there.

>>> from pathlib import Path
>>> template_directory({"XDG_CACHE_HOME": "/home/me/.cache"}, fingerprint="1f")
PosixPath('/home/me/.cache/hyperx-glance/local-cloud/1f')
"""

import hashlib
import importlib.metadata
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from hyperx_glance.testing.local.layout import DATABASES, Layout

# The packages whose versions determine the content of a new database.
_SCHEMA_PACKAGES: Final = (
    "keystone",
    "glance",
    "glance_store",
    "openstack-placement",
    "neutron",
    "nova",
    "cinder",
    "SQLAlchemy",
    "alembic",
)


def template_directory(environment: Mapping[str, str], fingerprint: str) -> Path:
    """Return the directory in which the new databases of these versions are kept between clouds."""
    cache = environment.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "hyperx-glance" / "local-cloud" / fingerprint


def versions_fingerprint() -> str:
    """Return a fingerprint of what determines new databases: package versions and the code of this package."""
    digest = hashlib.sha256()
    for package in _SCHEMA_PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def prepare(layout: Layout, service: str, fill: Callable[[], None]) -> None:
    """Provide the service's databases; `fill` makes tables and first rows in new, empty ones."""
    # Written last: a start that was killed meanwhile leaves half a database, which is created again.
    complete = layout.database(service).with_suffix(".complete")
    if not complete.exists():
        if service in layout.databases:
            fill()
        else:
            _make(layout, service, fill)
        complete.touch()


def _make(layout: Layout, service: str, fill: Callable[[], None]) -> None:
    paths = [layout.database(name) for name in DATABASES[service]]
    for path in paths:
        for rest in path.parent.glob(f"{path.name}*"):  # its write-ahead log too
            rest.unlink()
    try:
        template = template_directory(os.environ, versions_fingerprint()) / service
    except RuntimeError:  # Path.home() of a user without an entry in the password database
        template = None
    if template is not None and template.is_dir():
        for path in paths:
            shutil.copy(template / path.name, path)
        return
    for path in paths:
        _new_file(path)
    fill()
    if template is not None:
        _save(paths, template)


def _new_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        # Readers do not wait for the writer; the mode stays with the file.
        connection.execute("pragma journal_mode = wal")


def _save(paths: list[Path], template: Path) -> None:
    """Keep copies of new databases as the template; a cache that cannot be written is ignored."""
    try:
        template.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f"{template.name}.", dir=template.parent))
    except OSError as error:
        print(f"no template kept: {error}", flush=True)  # noqa: T201 - standard output is the service's log
        return
    try:
        for path in paths:
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(new / path.name)) as target:
                source.backup(target)
                target.execute("pragma journal_mode = wal")
        new.rename(template)
    except (OSError, sqlite3.Error) as error:  # another cloud was first, or the disk is full
        print(f"no template kept: {error}", flush=True)  # noqa: T201 - standard output is the service's log
        shutil.rmtree(new, ignore_errors=True)


def migrate(layout: Layout, name: str, location: Path) -> None:
    """Run a project's own alembic migrations to the newest, on one connection in one transaction."""
    import sqlalchemy
    from alembic import command
    from alembic.config import Config

    config = Config(str(location / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", layout.database_url(name))
    config.attributes["configure_logger"] = False
    engine = sqlalchemy.create_engine(layout.database_url(name))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
    engine.dispose()


def create_tables(layout: Layout, name: str, *metadata: object) -> None:
    """Create the tables of SQLAlchemy's `metadata`: for projects whose migrations do not run on SQLite."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(layout.database_url(name))
    for tables in metadata:
        if not isinstance(tables, sqlalchemy.MetaData):
            raise TypeError(f"{tables!r} is not a sqlalchemy.MetaData")
        tables.create_all(engine)
    engine.dispose()


def execute(layout: Layout, name: str, statement: str, parameters: list[dict[str, str]]) -> None:
    """Execute a statement for each set of parameters, wherever the database is."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(layout.database_url(name))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement), parameters)
    engine.dispose()


def rows(layout: Layout, name: str) -> closing[sqlite3.Connection]:
    """Open a SQLite file for plain SQL, closed after the with block; the caller commits."""
    return closing(sqlite3.connect(layout.database(name), timeout=60))
