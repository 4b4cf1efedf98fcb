"""User data of callers, and what must come of it beside the administrator's password: for every cloud-init."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

BOB = {"bob": "text:Bob-5-0wn"}
BOTH_EXPIRE = ("bob", "admin")


@dataclass(frozen=True)
class Case:
    user_data: str | bytes | None
    passwords: dict[str, str] = field(default_factory=dict)
    """The caller's own, as the guest sets them."""
    user: str = "debian"
    accounts: tuple[str, ...] = ()
    """What the image has beside root and its default user, debian."""
    expired: tuple[str, ...] = ()
    ssh_pwauth: object = True
    from_22_3: bool = False
    """cloud-init reads chpasswd.users since 22.3; the administrator's password holds on older ones as well."""


def config(text: str) -> str:
    return f"#cloud-config\n{text}"


def multipart(*texts: str, kind: str = "cloud-config", **headers: str) -> bytes:
    message = MIMEMultipart("mixed")
    for text in texts:
        part = MIMEText(text, kind, "utf-8")
        for name, value in headers.items():
            part[name.replace("_", "-")] = value
        message.attach(part)
    return message.as_bytes()


LIST = "chpasswd:\n  expire: false\n  list: |\n    bob:Bob-5-0wn\n"
ACCOUNT = "users: [default, {name: bob}]\n"
CASES = {
    "nothing": Case(None),
    "root": Case(None, user="root"),
    "script": Case("#!/bin/sh\ntrue\n"),
    "unrelated": Case(config("packages: [git]\n")),
    "comments only": Case(config("# nothing\n")),
    "empty chpasswd": Case(config("chpasswd:\n")),
    "chpasswd without entries": Case(config("chpasswd: {expire: false}\n")),
    "list as text": Case(config(LIST + ACCOUNT), BOB),
    "list as text, blank lines": Case(config(LIST.replace("list: |", "list: |+") + "\n\n" + ACCOUNT), BOB),
    "list as list": Case(config("chpasswd: {expire: false, list: ['bob:Bob-5-0wn']}\n" + ACCOUNT), BOB),
    "users": Case(
        config("chpasswd: {expire: false, users: [{name: bob, password: Bob-5-0wn, type: text}]}\n" + ACCOUNT),
        BOB,
        from_22_3=True,
    ),
    "expire not said": Case(config("chpasswd:\n  list: |\n    bob:Bob-5-0wn\n" + ACCOUNT), BOB, expired=BOTH_EXPIRE),
    "expire wanted": Case(
        config("chpasswd: {expire: true, list: ['bob:Bob-5-0wn']}\n" + ACCOUNT), BOB, expired=BOTH_EXPIRE
    ),
    "ssh_pwauth refused": Case(config("ssh_pwauth: false\n"), ssh_pwauth=False),
    "own accounts": Case(config(LIST + "users:\n- name: bob\n- name: debian\n  lock_passwd: true\n"), BOB),
    "own accounts for root": Case(config(LIST + "users: [bob]\n"), BOB, user="root"),
    "an account of the image": Case(config(LIST + ACCOUNT), BOB, user="operator", accounts=("operator",)),
    "an account that is made": Case(config(LIST + "users: bob,operator\n"), BOB, user="operator"),
    "user renames the default": Case(config("user: operator\n"), user="operator"),
    "blanks before": Case("\n \n" + config(LIST + ACCOUNT), BOB),
    "capitals": Case("#Cloud-Config\n" + LIST + ACCOUNT, BOB),
    "carriage returns": Case(config(LIST + ACCOUNT).replace("\n", "\r\n"), BOB),
    "unicode": Case(config(LIST + ACCOUNT + "write_files: [{path: /a, content: 你好}]\n"), BOB),
    "multipart": Case(multipart(config(LIST), config(ACCOUNT)), BOB),
    "multipart, later replaces": Case(multipart(config("chpasswd: {list: ['eve:x']}"), config(LIST + ACCOUNT)), BOB),
    "multipart of unknown type": Case(multipart(config(LIST + ACCOUNT), kind="plain"), BOB),
    "multipart after From": Case(b"From nobody Tue Nov 24 2026\n" + multipart(config(LIST + ACCOUNT)), BOB),
    "multipart after Subject": Case(b"Subject: hello\n" + multipart(config(LIST + ACCOUNT)), BOB),
    "multipart that merges": Case(
        multipart(
            config("chpasswd: {expire: false, list: ['bob:Bob-5-0wn']}"),
            config(ACCOUNT + "merge_how: 'dict(recurse_array,no_replace)+list(append)'\n"),
        ),
        BOB,
    ),
    "multipart that merges by header": Case(
        multipart(
            config("chpasswd: {expire: false, list: ['bob:Bob-5-0wn']}"),
            config(ACCOUNT),
            Merge_Type="dict(recurse_array)+list(append)",
        ),
        BOB,
    ),
    "one part": Case(MIMEText(config(LIST + ACCOUNT), "cloud-config").as_bytes(), BOB),
    "gzip": Case(gzip.compress(config(LIST + ACCOUNT).encode()), BOB),
    "gzip in a part": Case(
        b"MIME-Version: 1.0\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(gzip.compress(config(LIST + ACCOUNT).encode())),
        BOB,
    ),
    "template": Case(
        "## template: jinja\n"
        + config("chpasswd: {expire: false, list: ['bob:Bob-5-0wn']}\nusers: [default, bob]\nssh_pwauth: false\n"),
        BOB,
        ssh_pwauth=False,
    ),
    "archive": Case(
        "#cloud-config-archive\n- type: text/cloud-config\n  content: |\n"
        "    chpasswd: {expire: false, list: ['bob:Bob-5-0wn']}\n    users: [default, bob]\n",
        BOB,
    ),
    "patch": Case('#cloud-config-jsonp\n[{"op": "add", "path": "/packages", "value": ["git"]}]\n'),
    "another server's part": Case(multipart(config("chpasswd: {expire: false, list: ['eve:x']}"), Launch_Index="7")),
}
