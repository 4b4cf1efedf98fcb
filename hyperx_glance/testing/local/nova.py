"""Nova: API, conductor, scheduler and computes as threads of one process, with the fake hypervisor or with QEMU.

>>> from pathlib import Path
>>> ports = {"keystone": 25000, "glance": 25001}
>>> options(Layout(Path("/srv/openstack"), ports))["DEFAULT"]["transport_url"]
'fake:///'
"""

import os
import shutil
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from hyperx_glance.deployment import NOVA_OPTION
from hyperx_glance.testing.local import databases, patches, qemu, releases
from hyperx_glance.testing.local.configuration import Options, changed, credentials, database, token_validation
from hyperx_glance.testing.local.keystone import DELEGATE
from hyperx_glance.testing.local.layout import DATABASES, Layout, packaged_file

# oslo.messaging's in-memory transport: its queues are a class attribute (oslo_messaging/_drivers/impl_fake.py
# FakeExchangeManager), so all threads of one process share them, regardless of which of them made the transport.
_TRANSPORT: Final = "fake:///"

# uuid, name, transport, database; the first is where Nova keeps servers that found no host.
_CELLS: Final = (
    ("00000000-0000-0000-0000-000000000000", "cell0", "none:///", "nova_cell0"),
    ("00000000-0000-0000-0000-000000000001", "cell1", _TRANSPORT, "nova"),
)

_running: list[object] = []


def options(layout: Layout) -> Options:
    """Return Nova's options."""
    home = layout.home("nova")
    usual: Options = {
        "DEFAULT": {
            "state_path": str(home / "state"),
            "instances_path": str(home / "state" / "instances"),
            "transport_url": _TRANSPORT,
            "compute_driver": "fake.LoopbackDriver",
            "host": "host1",
            "my_ip": "127.0.0.1",
            "vif_plugging_is_fatal": False,
            "vif_plugging_timeout": 0,
            "report_interval": 10,
            "periodic_fuzzy_delay": 0,
            # The default is 3 s between looks at a new volume; ours are ready within one.
            "block_device_allocate_retries": 120,
            "block_device_allocate_retries_interval": 1,
            # As DevStack has it (lib/nova, create_nova_conf): one host is enough for a resize.
            "allow_resize_to_same_host": True,
            "non_inheritable_image_properties": NOVA_OPTION,
        },
        "api_database": database(layout, "nova_api"),
        "database": database(layout, "nova"),
        "api": {"auth_strategy": "keystone"},
        "oslo_concurrency": {"lock_path": str(home / "locks")},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": -1},
        "conductor": {"workers": 1},
        "glance": {"endpoint_override": layout.url("glance")},
        "keystone_authtoken": token_validation(layout, "nova"),
        "placement": credentials(layout, "nova"),
        "service_user": credentials(layout, DELEGATE) | {"send_service_user_token": True},
        "neutron": credentials(layout, "nova"),
        # By default, Nova looks in the catalogue for a service that is called cinderv3.
        "cinder": credentials(layout, "nova") | {"catalog_info": "volumev3::internalURL"},
    }
    return changed(usual, qemu.options(layout)) if layout.hypervisor == "qemu" else usual


def application(layout: Layout) -> WSGIApplication:
    """Start Nova's services and return its WSGI application."""
    home = layout.home("nova")
    for name in ("state/instances", "locks"):
        (home / name).mkdir(parents=True, exist_ok=True)
    # nova/api/openstack/wsgi_app.py looks for it only next to nova.conf.
    shutil.copy(packaged_file("nova/api-paste.ini"), home)
    os.environ["OS_NOVA_CONFIG_DIR"] = str(home)
    if layout.hypervisor == "qemu":
        qemu.prepare(layout)
    releases.patch_nova()
    databases.prepare(layout, "nova", lambda: _fill(layout))
    _create_cells(layout)
    loaded = releases.nova_application()  # reads the configuration, which the services below use
    _start_services(layout)
    return loaded


def _fill(layout: Layout) -> None:
    import nova

    for name in DATABASES["nova"]:
        schema = "api" if name == "nova_api" else "main"
        databases.migrate(layout, name, Path(nova.__file__).parent / "db" / schema)


def _create_cells(layout: Layout) -> None:
    """Write the cells' rows, as `nova-manage cell_v2` does; the paths are new in each directory."""
    with databases.rows(layout, "nova_api") as connection:
        for cell_uuid, name, transport, database_name in _CELLS:
            there = connection.execute("select 1 from cell_mappings where uuid = ?", (cell_uuid,)).fetchone()
            if there is None:
                connection.execute(
                    "insert into cell_mappings (created_at, uuid, name, transport_url, database_connection, disabled)"
                    " values (datetime(), ?, ?, ?, ?, 0)",
                    (cell_uuid, name, transport, layout.database_url(database_name)),
                )
        connection.commit()


def _start_services(layout: Layout) -> None:
    """Start conductor, scheduler and computes without oslo.service's launcher, which would fork.

    They read the database themselves, as in Nova's functional tests: no `indirection_api` is set.
    """
    import os_vif
    from nova import context, objects
    from nova.compute import rpcapi as compute_rpcapi
    from nova.conductor import rpcapi as conductor_rpcapi
    from nova.objects import host_mapping
    from nova.scheduler import rpcapi as scheduler_rpcapi

    patches.offer_compute_driver(layout.hypervisor)
    objects.register_all()
    os_vif.initialize()
    _start("nova-conductor", conductor_rpcapi.RPC_TOPIC, "host1")
    _start("nova-scheduler", scheduler_rpcapi.RPC_TOPIC, "host1")
    # A compute that cannot report to Placement tries again a minute later.
    patches.wait_for("keystone", layout)
    patches.wait_for("placement", layout)
    for number in range(1, layout.hosts + 1):
        _start("nova-compute", compute_rpcapi.RPC_TOPIC, f"host{number}", **releases.compute_topics())
    host_mapping.discover_hosts(context.get_admin_context())


def _start(binary: str, topic: str, host: str, **extra: str) -> None:
    from nova import service

    started = service.Service.create(host=host, binary=binary, topic=topic, **extra)
    started.start()
    _running.append(started)
