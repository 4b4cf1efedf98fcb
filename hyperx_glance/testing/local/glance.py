"""Glance: two file stores, limits from Keystone, protected properties, and imports from loopback.

>>> from pathlib import Path
>>> ports = {"keystone": 25000, "glance": 25001}
>>> options(Layout(Path("/srv/openstack"), ports))["DEFAULT"]["use_keystone_limits"]
True
"""

import os
import subprocess
import sys
from typing import Final
from wsgiref.types import WSGIApplication

from hyperx_glance.deployment import property_protections
from hyperx_glance.testing.local import databases, patches, releases
from hyperx_glance.testing.local.configuration import Options, credentials, database, replace, token_validation
from hyperx_glance.testing.local.keystone import IMAGE_ENDPOINT_ID
from hyperx_glance.testing.local.layout import Layout, packaged_file

_STORES: Final = ("fast", "slow")


def options(layout: Layout) -> Options:
    """Return Glance's options."""
    home = layout.home("glance")
    limits = credentials(layout, "glance") | {"system_scope": "all", "endpoint_id": IMAGE_ENDPOINT_ID}
    # A token on the system: keystoneauth refuses a project with it, and the endpoint says the region.
    for option in ("project_name", "project_domain_id", "region_name"):
        del limits[option]
    stores: Options = {store: {"filesystem_store_datadir": str(home / store)} for store in _STORES}
    return {
        "DEFAULT": {
            "enabled_backends": ",".join(f"{store}:file" for store in _STORES),
            "node_staging_uri": f"file://{home}/staging",
            "enabled_import_methods": "[glance-direct,web-download,copy-image,glance-download]",
            "use_keystone_limits": True,
            "worker_self_reference_url": layout.url("glance"),
            "property_protection_file": str(home / "property-protections.conf"),
            "property_protection_rule_format": "roles",
            "image_cache_dir": str(home / "cache"),
        },
        "wsgi": {"task_pool_threads": 16},
        "database": database(layout, "glance"),
        "glance_store": {"default_backend": _STORES[0]},
        **stores,
        "os_glance_staging_store": {"filesystem_store_datadir": str(home / "staging")},
        "os_glance_tasks_store": {"filesystem_store_datadir": str(home / "tasks")},
        "paste_deploy": {
            "flavor": "keystone+cachemanagement",
            "config_file": str(packaged_file("glance/glance-api-paste.ini")),
        },
        # Tests serve their files on loopback, on any free port; one port is refused, so that a refusal can be tested. A
        # list of allowed ports would win over it (glance/common/utils.py get_validated_address, which also asks for the
        # name "localhost.": where DNS does not know that, only 127.0.0.1 is let through).
        "import_filtering_opts": {
            "allowed_hosts": "[127.0.0.1,localhost]",
            "allowed_ports": "[]",
            "disallowed_ports": "[22]",
        },
        "keystone_authtoken": token_validation(layout, "glance"),
        "oslo_limit": limits,
    }


def application(layout: Layout) -> WSGIApplication:
    """Return Glance's WSGI application."""
    home = layout.home("glance")
    for name in (*_STORES, "cache", "staging", "tasks"):
        (home / name).mkdir(exist_ok=True)
    replace(home / "property-protections.conf", property_protections())
    os.environ["OS_GLANCE_CONFIG_DIR"] = str(home)
    releases.prepare_glance(layout)
    databases.prepare(layout, "glance", lambda: _fill(layout))
    patches.order_attributes_as_classes_do()
    from glance.common import wsgi_app

    loaded: WSGIApplication = wsgi_app.init_app()
    return loaded


def _fill(layout: Layout) -> None:
    if "glance" in layout.databases:
        # Character sets and lengths of keys are those of the migrations, which do not run on SQLite.
        _run_migrations(layout)
        return
    from glance.db.sqlalchemy import models, models_metadef

    databases.create_tables(layout, "glance", models.BASE.metadata, models_metadef.BASE_DICT.metadata)


def _run_migrations(layout: Layout) -> None:
    """Make the tables as operators do, by `glance-manage db_sync`."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "glance.cmd.manage",
        "--config-file",
        str(layout.configuration_file("glance")),
    ]
    subprocess.run([*command, "db_sync"], check=True)  # noqa: S603 - this Python, and a file of ours
