"""The differences between the OpenStack releases of the services, in one place.

Each difference names the release that ended it, so that dropping a release is deleting the lines that name its
successor. A service is asked for its release in its own process, which may run under another environment's Python:
nothing is imported here but what every environment has.

>>> name("29.4.0"), name("34.0.0.0rc1")
('2024.1', '2026.2')
>>> name("28.0.0")
Traceback (most recent call last):
hyperx_glance.testing.local.layout.LocalCloudError: Nova 28.0.0 is older than OpenStack 2024.1
"""

import functools
import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from typing import Any, Final
from wsgiref.types import WSGIApplication

from hyperx_glance.testing.local.layout import SERVICES, Layout, LocalCloudError, packaged_file

OLDEST: Final = "2024.1"
_OLDEST_NOVA: Final = 29
_FIRST_YEAR: Final = 2024

_LAST_ON_EVENTLET: Final = {
    "neutron": "2024.2",  # neutron/server/api_eventlet.py
    "nova": "2025.2",  # its native threads are called experimental, and lack some periodic tasks
    "cinder": "2026.1",  # executor="eventlet" is fixed in cinder/rpc.py
}
"""These services hang, or wait for each other, unless eventlet patches Python before anything else is imported."""


# ----------------------------------------------------------------- which release


def name(nova_version: str) -> str:
    """Return the release that a version of Nova belongs to: Nova counts one up for each, of which a year has two."""
    count = int(nova_version.partition(".")[0]) - _OLDEST_NOVA
    if count < 0:
        raise LocalCloudError(f"Nova {nova_version} is older than OpenStack {OLDEST}")
    return f"{_FIRST_YEAR + count // 2}.{count % 2 + 1}"


@functools.cache
def installed() -> str:
    """Return the release whose services this Python has; raise LocalCloudError if it has none, or lacks some."""
    missing = [package for package in (*SERVICES, "cheroot") if importlib.util.find_spec(package) is None]
    if missing:
        raise LocalCloudError(f"{sys.executable} lacks {', '.join(missing)}")
    return name(importlib.metadata.version("nova"))


def before(release: str) -> bool:
    """Check whether the services are of an older release."""
    return installed() < release


def needs_eventlet(service: str, release: str = "") -> bool:
    """Check whether a service must run on eventlet; ``release`` is the one that is installed, or another."""
    return (release or installed()) <= _LAST_ON_EVENTLET.get(service, "")


# ----------------------------------------------------------------- threads


class _RefuseEventlet:
    """An import hook that makes eventlet appear not to be installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "eventlet":
            raise ImportError("the local cloud's services run on native threads")


def choose_native_threads() -> None:
    """Choose native threads before anything chooses eventlet.

    oslo_service/backend/__init__.py: the first import of its modules settles the backend for the process. And eventlet
    is imported by every library that finds it (oslo_utils/eventletutils.py, futurist); then Nova refuses to start on
    native threads (nova/monkey_patch.py poison_eventlet). Before 2025.2 oslo.service knew eventlet alone.
    """
    # Until 2026.1 Glance asks through eventlet's sockets, which have a resolver of their own: it asks name servers.
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"
    if before("2025.2"):
        return
    sys.meta_path.insert(0, _RefuseEventlet())
    from oslo_service import backend

    backend.init_backend(backend.BackendType.THREADING)


def allow_eventlet() -> None:
    """Let a service that requires eventlet import it, although the service patches nothing with it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _RefuseEventlet)]


# ----------------------------------------------------------------- Glance


def prepare_glance(layout: Layout) -> None:
    """Create the things that older Glances look for."""
    if before("2025.1"):
        # glance/common/wsgi_app.py, CONFIG_FILES: it is next to the configuration, regardless of [paste_deploy].
        shutil.copy(packaged_file("glance/glance-api-paste.ini"), layout.home("glance"))
    if before("2026.2"):
        allow_eventlet()  # glance/common/utils.py imports eventlet.green.socket


# ----------------------------------------------------------------- Neutron


def neutron_application() -> WSGIApplication:
    """Return Neutron's WSGI application."""
    from neutron import server

    if before("2025.1"):
        serve = importlib.import_module("neutron.server.api_eventlet").eventlet_api_server
    else:
        serve = importlib.import_module("neutron.server.api").api_server
    keywords = {} if before("2026.2") else {"prog": "neutron-api"}
    loaded: WSGIApplication = server.boot_server(serve, **keywords)
    return loaded


# ----------------------------------------------------------------- Nova


def patch_nova() -> None:
    """Let Nova patch itself, or promise not to, before any module of it is imported."""
    on_eventlet = needs_eventlet("nova")
    os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "0" if on_eventlet else "1"
    if before("2026.2"):
        allow_eventlet()  # nova/monkey_patch.py poison_eventlet and nova/utils.py import it
    from nova import monkey_patch

    if not before("2025.2"):  # until then its import patches
        monkey_patch.patch(**({} if before("2026.1") else {"backend": "eventlet" if on_eventlet else "threading"}))


def nova_application() -> WSGIApplication:
    """Return the WSGI application of Nova's API; it reads the configuration."""
    from nova.api.openstack import wsgi_app

    names = ("osapi_compute",) if before("2026.1") else ("osapi_compute", "nova-api-os-compute")
    loaded: WSGIApplication = wsgi_app.init_application(*names)
    return loaded


def compute_topics() -> dict[str, str]:
    """Return the names on which a nova-compute listens besides its topic."""
    from nova.compute import rpcapi

    return {} if before("2026.1") else {"topic_alt": rpcapi.RPC_TOPIC_ALT}


# ----------------------------------------------------------------- Cinder


def patch_cinder() -> None:
    """Let Cinder choose its threads before any module of it is imported."""
    # cinder/__init__.py imports eventlet regardless of the backend; it patches nothing.
    allow_eventlet()
    if not before("2026.2"):
        from cinder import monkey_patch

        monkey_patch.patch(backend="threading")


def save_once(record: Any) -> None:  # noqa: ANN401 - an object of Cinder's, which has no types
    """Save a row of Cinder's services, and do not try again if another process has it."""
    record.save(**({} if before("2025.1") else {"retry": False}))


def image_format(path: str) -> str:
    """Return the format that Cinder finds in a file, without qemu-img."""
    if before("2026.1"):
        inspector = importlib.import_module("cinder.image.format_inspector").detect_file_format(path)
        return "raw" if inspector is None else str(inspector)
    from cinder.image import image_utils

    return str(image_utils.get_image_format(path))
