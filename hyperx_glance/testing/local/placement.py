"""Placement, which tells Nova's scheduler where there is room.

>>> from pathlib import Path
>>> options(Layout(Path("/srv/openstack"), {"keystone": 25000}))["api"]
{'auth_strategy': 'keystone'}
"""

import os
from wsgiref.types import WSGIApplication

from hyperx_glance.testing.local import databases
from hyperx_glance.testing.local.configuration import Options, database, token_validation
from hyperx_glance.testing.local.layout import Layout


def options(layout: Layout) -> Options:
    """Return Placement's options."""
    return {
        "placement_database": database(layout, "placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": token_validation(layout, "placement"),
    }


def application(layout: Layout) -> WSGIApplication:
    """Return Placement's WSGI application."""
    os.environ["OS_PLACEMENT_CONFIG_DIR"] = str(layout.home("placement"))
    databases.prepare(layout, "placement", lambda: _fill(layout))
    from placement import wsgi

    loaded: WSGIApplication = wsgi.init_application()
    return loaded


def _fill(layout: Layout) -> None:
    from placement.db.sqlalchemy import models

    databases.create_tables(layout, "placement", models.BASE.metadata)
