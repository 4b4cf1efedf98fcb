"""Keystone: users, roles, the catalogue and Glance's limits, made in the process itself before it serves.

>>> sorted(USERS)
['alice', 'arthur', 'bob', 'carol', 'rita']
"""

import base64
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from hyperx_glance.testing.local import databases, patches
from hyperx_glance.testing.local.configuration import Options, database
from hyperx_glance.testing.local.layout import CATALOGUE_TYPES, OLDER_TYPES, PASSWORD, REGION, Layout
from hyperx_glance.testing.profiles import PROFILES

ADMINISTRATOR: Final = "admin"
USERS: Final = PROFILES["default"].people
# The user whose token Nova and Cinder add to a caller's own. Without the role admin: if Glance protects properties, it
# counts the roles of both (glance/common/property_utils.py check_property_rules).
DELEGATE: Final = "delegate"
DEPARTMENTS: Final = tuple(dict.fromkeys(user.department for user in USERS.values()))

# MiB and counts, for each department; the console's tests reach them with little data.
IMAGE_LIMITS: Final[Mapping[str, int]] = {
    "image_size_total": 1000,
    "image_stage_total": 1000,
    "image_count_total": 100000,
    "image_count_uploading": 100,
}

# Known beforehand, so that Glance starts together with Keystone, and does not look up its endpoint for each limit.
IMAGE_ENDPOINT_ID: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "hyperx-glance-local-cloud").hex


def options(layout: Layout) -> Options:
    """Return Keystone's options."""
    home = layout.home("keystone")
    return {
        "database": database(layout, "keystone"),
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": str(home / "fernet")},
        "fernet_receipts": {"key_repository": str(home / "fernet")},
        "credential": {"key_repository": str(home / "credential")},
        # 12 rounds by default: a quarter of a second of CPU for each login.
        "identity": {"password_hash_rounds": 4},
        "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
        "unified_limit": {"enforcement_model": "flat"},
    }


def application(layout: Layout) -> WSGIApplication:
    """Return Keystone's WSGI application, with the accounts in its database."""
    for name in ("fernet", "credential"):
        _make_keys(layout.home("keystone") / name)
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = str(layout.home("keystone"))
    patches.read_saml_schemas_when_asked()
    from keystone.server import wsgi

    # Reads the configuration and loads the managers that _fill works with.
    loaded: WSGIApplication = wsgi.initialize_public_application()
    databases.prepare(layout, "keystone", lambda: _fill(layout))
    _move_endpoints(layout)
    return patches.find_roles_once_a_request(loaded)


def _make_keys(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    for name in ("0", "1"):
        key = directory / name
        if not key.exists():
            key.touch(mode=0o600)
            key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))


def _move_endpoints(layout: Layout) -> None:
    """Write this start's ports into the catalogue: a template or the last start had others."""
    databases.execute(
        layout,
        "keystone",
        "update endpoint set url = :url where service_id in (select id from service where type = :type)",
        [
            *({"url": layout.endpoint(service), "type": each} for service, each in CATALOGUE_TYPES.items()),
            *({"url": layout.endpoint(service), "type": each} for each, (service, _) in OLDER_TYPES.items()),
        ],
    )


def _fill(layout: Layout) -> None:
    import sqlalchemy
    from keystone.common.sql import upgrades

    engine = sqlalchemy.create_engine(layout.database_url("keystone"))
    upgrades.offline_sync_database_to_version(engine=engine)
    engine.dispose()
    _bootstrap(layout)
    _create_services(layout)
    for department in DEPARTMENTS:
        _create_project(department)
    for name, user in USERS.items():
        _create_user(name, user.department, user.role)


def _bootstrap(layout: Layout) -> None:
    """Do what `keystone-manage bootstrap` does."""
    from keystone.cmd import bootstrap

    # The managers are loaded already, and keystone/server/backends.py may load them once only.
    bootstrap.backends.load_backends = lambda: None
    bootstrapper = bootstrap.Bootstrapper()
    bootstrapper.admin_username = ADMINISTRATOR
    bootstrapper.admin_password = PASSWORD
    bootstrapper.project_name = "admin"
    bootstrapper.admin_role_name = "admin"
    bootstrapper.service_name = "keystone"
    bootstrapper.region_id = REGION
    bootstrapper.public_url = bootstrapper.internal_url = bootstrapper.admin_url = layout.endpoint("keystone")
    bootstrapper.immutable_roles = True
    bootstrapper.bootstrap()


def _create_services(layout: Layout) -> None:
    """Create the service users, the catalogue, and the limits that Glance requires."""
    _create_project("service")
    _create_user(DELEGATE, "service", "service")
    for name, catalogue_type in CATALOGUE_TYPES.items():
        if name == "keystone":
            continue
        user_id = _create_user(name, "service", "admin", "service")
        service_id = _create_entry(layout, name, name, catalogue_type)
        if name == "glance":
            _let_read_limits(user_id)
            _create_image_limits(service_id)
    for older_type, (service, name) in OLDER_TYPES.items():
        _create_entry(layout, service, name, older_type)


def _create_entry(layout: Layout, service: str, name: str, catalogue_type: str) -> str:
    """Put a service into the catalogue under this name and type; return the id of the entry."""
    from keystone.common.provider_api import ProviderAPIs

    service_id = uuid.uuid4().hex
    ProviderAPIs.catalog_api.create_service(
        service_id, {"id": service_id, "name": name, "type": catalogue_type, "enabled": True}
    )
    for interface in ("public", "internal", "admin"):
        known = name == "glance" and interface == "public"
        endpoint_id = IMAGE_ENDPOINT_ID if known else uuid.uuid4().hex
        ProviderAPIs.catalog_api.create_endpoint(
            endpoint_id,
            {
                "id": endpoint_id,
                "service_id": service_id,
                "interface": interface,
                "region_id": REGION,
                "url": layout.endpoint(service),
                "enabled": True,
            },
        )
    return service_id


def _let_read_limits(user_id: str) -> None:
    """Grant the roles on the system with which oslo.limit reads every department's limits."""
    from keystone.common.provider_api import ProviderAPIs

    for role_id in _role_ids("reader", "admin"):
        ProviderAPIs.assignment_api.create_system_grant_for_user(user_id, role_id)


def _create_image_limits(service_id: str) -> None:
    from keystone.common.provider_api import ProviderAPIs

    ProviderAPIs.unified_limit_api.create_registered_limits(
        [
            {
                "id": uuid.uuid4().hex,
                "service_id": service_id,
                "region_id": REGION,
                "resource_name": resource,
                "default_limit": limit,
                "description": None,
            }
            for resource, limit in IMAGE_LIMITS.items()
        ]
    )


def _create_project(name: str) -> None:
    from keystone.common.provider_api import ProviderAPIs

    project_id = uuid.uuid4().hex
    ProviderAPIs.resource_api.create_project(
        project_id,
        {
            "id": project_id,
            "name": name,
            "domain_id": "default",
            "parent_id": "default",
            "enabled": True,
            "description": "",
            "is_domain": False,
        },
    )


def _create_user(name: str, project: str, *roles: str) -> str:
    from keystone.common.provider_api import ProviderAPIs

    project_id = ProviderAPIs.resource_api.get_project_by_name(project, "default")["id"]
    user = ProviderAPIs.identity_api.create_user(
        {
            "name": name,
            "password": PASSWORD,
            "domain_id": "default",
            "enabled": True,
            "default_project_id": project_id,
        }
    )
    user_id = str(user["id"])
    for role_id in _role_ids(*roles):
        ProviderAPIs.assignment_api.add_role_to_user_and_project(user_id, project_id, role_id)
    return user_id


def _role_ids(*names: str) -> list[str]:
    from keystone.common.provider_api import ProviderAPIs

    ids = {role["name"]: str(role["id"]) for role in ProviderAPIs.role_api.list_roles()}
    return [ids[name] for name in names]
