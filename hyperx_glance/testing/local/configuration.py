"""The services' options: what several of them share, changes to them, and the files they end in.

>>> print(render({"DEFAULT": {"debug": True}, "wsgi": {"task_pool_threads": 16}}), end="")
[DEFAULT]
debug = true
[wsgi]
task_pool_threads = 16
>>> changed({"DEFAULT": {"debug": True}}, {"DEFAULT": {"debug": None, "host": "host1"}})
{'DEFAULT': {'host': 'host1'}}
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from hyperx_glance.testing.local.layout import PASSWORD, REGION, Layout

Value: TypeAlias = str | int | float | bool
Options: TypeAlias = dict[str, dict[str, Value]]
# None removes the option, so that the service's own default applies.
Changes: TypeAlias = Mapping[str, Mapping[str, Value | None]]
Policies: TypeAlias = Mapping[str, str]


def database(layout: Layout, name: str) -> dict[str, Value]:
    """Return the options of a database section.

    The pool is large because a service's threads each hold a connection while they wait for the one writer.
    """
    return {
        "connection": layout.database_url(name),
        "max_pool_size": 20,
        "max_overflow": 100,
        # Nobody needs the data after a power cut; a synchronous SQLite waits for the disk at each commit.
        "sqlite_synchronous": False,
    }


def credentials(layout: Layout, user: str) -> dict[str, Value]:
    """Return the options of a section with which one service calls another as `user`."""
    return {
        "auth_type": "password",
        "auth_url": layout.endpoint("keystone"),
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": REGION,
    }


def token_validation(layout: Layout, user: str) -> dict[str, Value]:
    """Return the options with which a service checks its callers' tokens."""
    return credentials(layout, user) | {
        "www_authenticate_uri": layout.endpoint("keystone"),
        "service_token_roles_required": True,
        "service_token_roles": "service",
    }


def changed(options: Options, changes: Changes) -> Options:
    """Return the options with `changes` applied; a section that becomes empty is removed."""
    result: Options = {section: dict(values) for section, values in options.items()}
    for section, values in changes.items():
        target = result.setdefault(section, {})
        for option, value in values.items():
            if value is None:
                target.pop(option, None)
            else:
                target[option] = value
    return {section: values for section, values in result.items() if values}


def render(options: Options) -> str:
    """Return the text of an oslo.config file."""
    lines: list[str] = []
    for section, values in options.items():
        lines.append(f"[{section}]")
        lines += [f"{option} = {_text(value)}" for option, value in values.items()]
    return "\n".join(lines) + "\n"


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def write(layout: Layout, service: str, options: Options, policies: Policies) -> None:
    """Write the configuration file and the policy file of a service."""
    common: Options = {
        "DEFAULT": {"log_file": str(layout.log(service))},
        "oslo_policy": {"policy_file": str(layout.policy_file(service))},
    }
    layout.home(service).mkdir(parents=True, exist_ok=True)
    for section, values in options.items():
        common.setdefault(section, {}).update(values)
    replace(layout.configuration_file(service), render(common))
    # oslo.policy reads YAML, which includes JSON.
    replace(layout.policy_file(service), json.dumps(dict(policies), indent=2) + "\n")


def replace(path: Path, text: str) -> None:
    """Write a file in one step, so that no reader sees half of it."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
