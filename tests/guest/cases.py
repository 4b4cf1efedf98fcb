"""User data of callers, and its expected effect, along with the administrator's password: for every cloud-init.

What sets passwords by ``chpasswd`` is refused, unless only the guest can read it (a template, an archive).
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

BOB = {"bob": "text:Bob-5-0wn"}


@dataclass(frozen=True)
class Case:
    user_data: str | bytes | None
    passwords: dict[str, str] = field(default_factory=dict)
    """The caller's own, as the guest sets them."""
    user: str = "debian"
    accounts: tuple[str, ...] = ()
    """What the image has beside root and its default user, debian."""
    ssh_pwauth: object = True


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


ACCOUNT = "users: [default, {name: bob}]\n"
CASES = {
    "nothing": Case(None),
    "root": Case(None, user="root"),
    "script": Case("#!/bin/sh\ntrue\n"),
    "unrelated": Case(config("packages: [git]\n")),
    "comments only": Case(config("# nothing\n")),
    "accounts": Case(config(ACCOUNT)),
    "an account with a password": Case(
        config("users: [default, {name: bob, lock_passwd: false, plain_text_passwd: Bob-5-0wn}]\n")
    ),
    "ssh_pwauth refused": Case(config("ssh_pwauth: false\n"), ssh_pwauth=False),
    "own accounts": Case(config("users:\n- name: bob\n- name: debian\n  lock_passwd: true\n")),
    "own accounts for root": Case(config("users: [bob]\n"), user="root"),
    "an account of the image": Case(config(ACCOUNT), user="operator", accounts=("operator",)),
    "an account that is made": Case(config("users: bob,operator\n"), user="operator"),
    "user renames the default": Case(config("user: operator\n"), user="operator"),
    "blanks before": Case("\n \n" + config(ACCOUNT)),
    "capitals": Case("#Cloud-Config\n" + ACCOUNT),
    "carriage returns": Case(config(ACCOUNT).replace("\n", "\r\n")),
    "unicode": Case(config(ACCOUNT + "write_files: [{path: /a, content: 你好}]\n")),
    "multipart": Case(multipart(config("packages: [git]\n"), config(ACCOUNT))),
    "multipart, later replaces": Case(multipart(config("users: [eve]\n"), config(ACCOUNT))),
    "multipart of unknown type": Case(multipart(config(ACCOUNT), kind="plain")),
    "multipart after From": Case(b"From nobody Tue Nov 24 2026\n" + multipart(config(ACCOUNT))),
    "multipart after Subject": Case(b"Subject: hello\n" + multipart(config(ACCOUNT))),
    "multipart that merges": Case(
        multipart(
            config("packages: [git]\n"),
            config(ACCOUNT + "merge_how: 'dict(recurse_array,no_replace)+list(append)'\n"),
        ),
    ),
    "multipart that merges by header": Case(
        multipart(
            config("packages: [git]\n"),
            config(ACCOUNT),
            Merge_Type="dict(recurse_array)+list(append)",
        ),
    ),
    "one part": Case(MIMEText(config(ACCOUNT), "cloud-config").as_bytes()),
    "gzip": Case(gzip.compress(config(ACCOUNT).encode())),
    "gzip in a part": Case(
        b"MIME-Version: 1.0\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(gzip.compress(config(ACCOUNT).encode())),
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
    "another server's part": Case(multipart(config("users: [eve]\n"), Launch_Index="7")),
}
