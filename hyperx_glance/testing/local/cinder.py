"""Cinder: API, scheduler and volume service as threads of one process; volumes are sparse files.

>>> from pathlib import Path
>>> ports = {"keystone": 25000, "glance": 25001}
>>> options(Layout(Path("/srv/openstack"), ports))["files"]["volume_backend_name"]
'files'
"""

import sys
import threading
import time
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from hyperx_glance.deployment import CINDER_OPTION
from hyperx_glance.testing.local import databases, patches, releases
from hyperx_glance.testing.local.configuration import Options, credentials, database, token_validation
from hyperx_glance.testing.local.keystone import DELEGATE
from hyperx_glance.testing.local.layout import Layout, packaged_file

_BACKEND: Final = "files"
_HOST: Final = "host1"
_BACKEND_WAIT_SECONDS: Final = 60.0

_running: list[object] = []


def options(layout: Layout) -> Options:
    """Return Cinder's options."""
    home = layout.home("cinder")
    return {
        "DEFAULT": {
            "state_path": str(home / "state"),
            "transport_url": "fake:///",
            "auth_strategy": "keystone",
            "api_paste_config": str(packaged_file("cinder/api-paste.ini")),
            "resource_query_filters_file": str(packaged_file("cinder/resource_filters.json")),
            "enabled_backends": _BACKEND,
            "default_volume_type": "__DEFAULT__",
            "glance_api_servers": layout.url("glance"),
            "glance_core_properties": CINDER_OPTION,
            "host": _HOST,
            "volume_clear": "none",
            "periodic_fuzzy_delay": 0,
            # The scheduler sleeps in steps of a second until it knows a backend; this is the least.
            "scheduler_driver_init_wait_time": 1,
        },
        _BACKEND: {
            "volume_driver": "hyperx_glance.testing.local.volume_driver.FileVolumeDriver",
            "volume_backend_name": _BACKEND,
            "file_volumes_directory": str(home / "volumes"),
        },
        "database": database(layout, "cinder"),
        "oslo_concurrency": {"lock_path": str(home / "locks")},
        "keystone_authtoken": token_validation(layout, "cinder"),
        "nova": credentials(layout, "cinder"),
        "service_user": credentials(layout, DELEGATE) | {"send_service_user_token": True},
    }


def application(layout: Layout) -> WSGIApplication:
    """Start Cinder's services and return its WSGI application."""
    home = layout.home("cinder")
    for name in ("state", "locks", "volumes"):
        (home / name).mkdir(exist_ok=True)
    # wsgi.initialize_application() reads the command line.
    sys.argv = ["cinder", "--config-file", str(layout.configuration_file("cinder"))]
    releases.patch_cinder()
    databases.prepare(layout, "cinder", lambda: _fill(layout))
    from cinder.wsgi import wsgi

    loaded: WSGIApplication = wsgi.initialize_application()
    patches.run_cinder_unprivileged()
    if not releases.needs_eventlet("cinder"):
        patches.read_images_in_cinders_own_threads()
    patches.report_each_cinder_service()
    _start_services()
    return loaded


def _fill(layout: Layout) -> None:
    import cinder.db

    databases.migrate(layout, "cinder", Path(cinder.db.__file__).parent)


def _start_services() -> None:
    """Start scheduler and volume service without oslo.service's launcher, which would fork.

    The volume service reports its capacity once when it starts, then each minute; a scheduler that missed the report
    sends every volume to "error". So the scheduler listens first, and the report is repeated until it arrives.
    """
    import os_brick
    from cinder import context, service
    from oslo_config import cfg

    os_brick.setup(cfg.CONF)
    scheduler = service.Service.create(binary="cinder-scheduler")
    volume = service.Service.create(
        host=f"{_HOST}@{_BACKEND}", service_name=_BACKEND, binary="cinder-volume", coordination=True
    )
    _running.extend([scheduler, volume])
    threading.Thread(target=scheduler.start, daemon=True).start()
    deadline = time.monotonic() + _BACKEND_WAIT_SECONDS
    while not scheduler.rpcserver:
        if time.monotonic() > deadline:
            raise TimeoutError("cinder-scheduler does not listen")
        time.sleep(0.01)
    volume.start()
    administrator = context.get_admin_context()
    while not scheduler.manager.driver.get_pools(administrator, {}):
        if time.monotonic() > deadline:
            raise TimeoutError("cinder-scheduler knows no volume backend")
        time.sleep(0.1)
        volume.manager.publish_service_capabilities(administrator)
