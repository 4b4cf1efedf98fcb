"""Runs inside one unpacked cloud-init: what would a guest do with this user data?

Reads {case: {"user_data": base64, "default_user": name, "accounts": [name]}} as JSON, writes {case: what happened}. It
imports nothing of this project, since each cloud-init comes with its own path.
"""

from __future__ import annotations

import base64
import inspect
import json
import logging
import sys
import tempfile
from typing import Any

from cloudinit import helpers, user_data, util  # type: ignore[import-not-found]  # only an unpacked cloud-init has it
from cloudinit.config import cc_set_passwords  # type: ignore[import-not-found]  # as above
from cloudinit.distros import ug_util  # type: ignore[import-not-found]  # as above
from cloudinit.filters import launch_index  # type: ignore[import-not-found]  # as above
from cloudinit.handlers.cloud_config import CloudConfigPartHandler  # type: ignore[import-not-found]  # as above


class Guest:
    """A stand-in for the distro of cloud-init, which notes what would be done to the system."""

    init_cmd = ("service",)

    def __init__(self, default_user: str, accounts: list[str]) -> None:
        self.default_user = default_user
        self.accounts = {"root", *accounts}
        self.passwords: dict[str, str] = {}
        self.expired: list[str] = []

    def get_default_user(self) -> dict[str, object]:
        return {"name": self.default_user, "lock_passwd": True, "groups": []}

    def get_option(self, _name: str, default: object = None) -> object:
        return default

    def uses_systemd(self) -> bool:
        return False

    def chpasswd(self, entries: list[tuple[str, str]], *, hashed: bool) -> None:
        """As chpasswd(8): one unknown account, and nothing is changed."""
        missing = {user for user, _ in entries} - self.accounts
        if missing:
            raise RuntimeError(f"chpasswd: no account {sorted(missing)}")
        self.passwords.update({user: password if hashed else f"text:{password}" for user, password in entries})

    def expire_passwd(self, user: str) -> None:
        self.expired.append(user)

    def run(self, command: list[str], data: str = "", *_args: object, **_options: object) -> tuple[str, str]:
        if command[0] == "chpasswd":
            if isinstance(data, bytes):
                data = data.decode()
            entries = [tuple(line.split(":", 1)) for line in data.splitlines()]
            self.chpasswd(entries, hashed="-e" in command)  # type: ignore[arg-type]  # two of them, by split
        elif command[:2] == ["passwd", "--expire"]:
            self.expire_passwd(command[2])
        return "", ""


def merged(data: bytes) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder, "templates_dir": folder})
        message = launch_index.Filter(0).apply(user_data.UserDataProcessor(paths).process(data))
        handler = CloudConfigPartHandler(paths)
        handler.handle_part(None, "__begin__", None, None, None, None)
        for part in message.walk():
            kind = part.get_content_type()
            payload = util.fully_decoded_payload(part)
            if kind == "text/jinja2":  # rendered without variables
                kind, payload = "text/cloud-config", payload.split("\n", 1)[1]
            if kind in {"text/cloud-config", "text/cloud-config-jsonp"}:
                handler.handle_part(None, kind, part.get_filename(""), payload, None, dict(part))
    return handler.cloud_buf or {}


def run(case: dict[str, Any]) -> dict[str, Any]:
    guest = Guest(case["default_user"], case["accounts"])
    config = merged(base64.b64decode(case["user_data"]))
    config = util.mergemanydict([config, {"users": ["default"], "ssh_pwauth": "unchanged"}])
    shown = json.loads(json.dumps(config, default=str))
    users, _groups = ug_util.normalize_users_groups(config, guest)
    guest.accounts |= set(users)
    switched: list[object] = []
    cc_set_passwords.handle_ssh_pwauth = lambda value, *_args, **_options: switched.append(value)
    for name in "cloudinit.util", "cloudinit.subp":
        if hasattr(sys.modules.get(name), "subp"):
            setattr(sys.modules[name], "subp", guest.run)  # noqa: B010  # mypy knows no such attribute of a module
    cloud = type("Cloud", (), {"distro": guest})()
    # As ordered by the merged configuration again: normalising has emptied parts of it.
    arguments = ["set-passwords", json.loads(json.dumps(shown)), cloud]
    if "log" in inspect.signature(cc_set_passwords.handle).parameters:
        arguments.append(logging.getLogger())
    error = ""
    try:
        cc_set_passwords.handle(*arguments, [])
    except Exception as failure:  # noqa: BLE001  # any exception of a guest's module is the result
        error = repr(failure)
    return {
        "config": shown,
        "accounts": sorted(guest.accounts),
        "passwords": guest.passwords,
        "expired": guest.expired,
        "ssh_pwauth": switched[-1] if switched else None,
        "error": error,
    }


if __name__ == "__main__":
    logging.disable()
    json.dump({name: run(case) for name, case in json.load(sys.stdin).items()}, sys.stdout)
