"""Neutron: networks and ports that bind at once, without an agent.

>>> from pathlib import Path
>>> ports = {"keystone": 25000, "nova": 25001, "placement": 25002}
>>> options(Layout(Path("/srv/openstack"), ports))["ml2"]["mechanism_drivers"]
'loopback'
"""

import importlib.metadata
import os
import uuid
from typing import Final
from wsgiref.types import WSGIApplication

from hyperx_glance.testing.local import databases, releases
from hyperx_glance.testing.local.configuration import Options, credentials, database, token_validation
from hyperx_glance.testing.local.layout import Layout, packaged_file

_MECHANISM_DRIVERS: Final = "neutron.ml2.mechanism_drivers"

# direction, family, remote group, used in the group "default": the rows that migration c33da356b165 inserts
# (neutron/db/migration/alembic_migrations/versions/2023.2/expand/c33da356b165_security_group_default_rules.py).
_DEFAULT_RULES: Final = (
    ("egress", "IPv4", None, True),
    ("egress", "IPv6", None, True),
    ("ingress", "IPv4", "PARENT", False),
    ("ingress", "IPv6", "PARENT", False),
)


def options(layout: Layout) -> Options:
    """Return Neutron's options."""
    home = layout.home("neutron")
    return {
        "DEFAULT": {
            "core_plugin": "ml2",
            "service_plugins": "router,port_forwarding",
            "api_paste_config": str(packaged_file("neutron/api-paste.ini")),
            "state_path": str(home / "state"),
            "transport_url": "fake:///",
            "auth_strategy": "keystone",
            "notify_nova_on_port_status_changes": True,
            "notify_nova_on_port_data_changes": True,
        },
        "database": database(layout, "neutron"),
        "oslo_concurrency": {"lock_path": str(home / "locks")},
        "keystone_authtoken": token_validation(layout, "neutron"),
        "nova": credentials(layout, "nova"),
        "placement": credentials(layout, "nova"),
        "ml2": {
            "type_drivers": "local,flat,vlan",
            "tenant_network_types": "local",
            "mechanism_drivers": "loopback",
            "extension_drivers": "port_security",
        },
    }


def application(layout: Layout) -> WSGIApplication:
    """Return Neutron's WSGI application."""
    home = layout.home("neutron")
    for name in ("state", "locks"):
        (home / name).mkdir(exist_ok=True)
    os.environ["OS_NEUTRON_CONFIG_DIR"] = str(home)
    os.environ["OS_NEUTRON_CONFIG_FILES"] = "neutron.conf"
    # neutron/api/wsgi.py imports oslo_service.wsgi, which imports eventlet regardless of the backend; it patches
    # nothing.
    releases.allow_eventlet()
    _announce_mechanism_driver()
    databases.prepare(layout, "neutron", lambda: _fill(layout))
    return releases.neutron_application()


def _announce_mechanism_driver() -> None:
    """Let stevedore find our driver without an entry point, so that an uninstalled checkout works too."""
    from stevedore.extension import ExtensionManager

    ours = importlib.metadata.EntryPoint(
        "loopback", "hyperx_glance.testing.local.mechanism_driver:LoopbackMechanismDriver", _MECHANISM_DRIVERS
    )
    ExtensionManager.ENTRY_POINT_CACHE[_MECHANISM_DRIVERS] = [
        *importlib.metadata.entry_points(group=_MECHANISM_DRIVERS),
        ours,
    ]


def _fill(layout: Layout) -> None:
    from neutron.db.migration.models import head

    databases.create_tables(layout, "neutron", head.get_metadata())
    with databases.rows(layout, "neutron") as connection:
        for direction, family, remote_group, in_default_group in _DEFAULT_RULES:
            cursor = connection.execute(
                "insert into standardattributes (resource_type, description, revision_number) values (?, ?, 0)",
                ("securitygroupdefaultrules", f"Legacy default SG rule for {direction} traffic"),
            )
            connection.execute(
                "insert into securitygroupdefaultrules (id, standard_attr_id, direction, ethertype, remote_group_id,"
                " used_in_default_sg, used_in_non_default_sg) values (?, ?, ?, ?, ?, 1, ?)",
                (str(uuid.uuid4()), cursor.lastrowid, direction, family, remote_group, in_default_group),
            )
        connection.commit()
