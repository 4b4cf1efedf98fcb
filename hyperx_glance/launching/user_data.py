r"""User data: what the guest's cloud-init reads at its first boot, with the administrator's password merged in.

>>> from hyperx_glance.launching.user_data import password_config, with_password
>>> import email
>>> config = password_config("$6$salt$hash", user="root")
>>> merged = with_password("#!/bin/sh\necho hello\n", config)
>>> [part.get_content_type() for part in email.message_from_bytes(merged).walk()]
['multipart/mixed', 'text/x-shellscript', 'text/cloud-config']
"""

import base64
import email
import email.policy
import gzip
import json
import zlib
from email.message import Message
from email.mime.multipart import MIMEMultipart

from hyperx_glance.errors import InvalidRequestError

MAX_ENCODED = 65535
"""Characters of base64 that Nova takes (nova/api/openstack/compute/schemas/servers.py, user_data)."""
MAX_UNPACKED = 2**20
# What cloud-init tells apart by the first line (cloudinit/handlers/__init__.py, INCLUSION_TYPES_MAP).
TYPES = (
    (b"#cloud-config-archive", "text/cloud-config-archive"),
    (b"#cloud-config-jsonp", "text/cloud-config-jsonp"),
    (b"#cloud-config", "text/cloud-config"),
    (b"#cloud-boothook", "text/cloud-boothook"),
    (b"#include-once", "text/x-include-once-url"),
    (b"#include", "text/x-include-url"),
    (b"#part-handler", "text/part-handler"),
    (b"## template: jinja", "text/jinja2"),
    (b"#!", "text/x-shellscript"),
)
MIME_HEADERS = (b"content-type:", b"mime-version:")
GZIP_MAGIC = b"\x1f\x8b"


def password_config(password_hash: str, *, user: str) -> str:
    """Build the cloud-config that sets a user's password.

    JSON is YAML. ``users`` needs cloud-init 22.2; older ones (openEuler 22.03, CentOS 7) read ``list``, which newer
    ones still take. ``merge_how`` adds to the caller's own cloud-config instead of replacing its keys.
    """
    config = {
        "merge_how": "dict(recurse_array,no_replace)+list(append)",
        "ssh_pwauth": True,
        "chpasswd": {
            "expire": False,
            "users": [{"name": user, "password": password_hash, "type": "hash"}],
            "list": [f"{user}:{password_hash}"],
        },
    }
    return f"#cloud-config\n{json.dumps(config, indent=1)}\n"


def with_password(user_data: str | bytes | None, config: str) -> bytes:
    """Add a cloud-config to the caller's user data, as the last part of a multipart message.

    The last part is merged onto the others. Raise `InvalidRequestError` for data that cloud-init would not read.
    """
    if not user_data:
        return config.encode()
    data = user_data.encode() if isinstance(user_data, str) else user_data
    packed = data.startswith(GZIP_MAGIC)
    if packed:
        data = _unpack(data)
    message = _as_multipart(data)
    message.attach(_part(config.encode(), "text/cloud-config"))
    # The default policy of as_bytes would write ">From" for "From" at the beginning of a line.
    merged = message.as_bytes(policy=email.policy.compat32.clone(mangle_from_=False))
    return gzip.compress(merged, mtime=0) if packed else merged


def encode(user_data: str | bytes) -> str:
    """Encode user data as Nova wants it; raise `InvalidRequestError` where it is too long."""
    data = user_data.encode() if isinstance(user_data, str) else user_data
    encoded = base64.b64encode(data).decode()
    if len(encoded) > MAX_ENCODED:
        raise InvalidRequestError(
            f"user_data: {len(data)} bytes are too many; Nova takes {MAX_ENCODED // 4 * 3}.",
            hint="Compress it with gzip, or let the guest fetch it: #include and a URL.",
        )
    return encoded


def _unpack(data: bytes) -> bytes:
    try:
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        unpacked = reader.decompress(data, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise InvalidRequestError(f"user_data: begins as gzip does, but cannot be unpacked: {error}") from error
    if len(unpacked) > MAX_UNPACKED or not reader.eof:
        raise InvalidRequestError("user_data: the gzip data is truncated, or larger than 1 MiB when unpacked")
    return unpacked


def _as_multipart(data: bytes) -> Message:
    if data[:40].lower().lstrip().startswith(MIME_HEADERS):
        message = email.message_from_bytes(data)
        if message.is_multipart() and not message.defects:
            return message
        if message.get_content_maintype() == "multipart" or message.defects:
            raise InvalidRequestError("user_data: this multipart message is malformed")
    else:
        message = _part(data, _content_type(data))
    whole = MIMEMultipart("mixed")
    whole.attach(message)
    return whole


def _content_type(data: bytes) -> str:
    for beginning, content_type in TYPES:
        if data.startswith(beginning):
            return content_type
    beginnings = ", ".join(beginning.decode() for beginning, _ in TYPES)
    raise InvalidRequestError(
        "user_data: a password cannot be merged with it, since cloud-init would not read it.",
        hint=f"Begin it with one of {beginnings}, or with the headers of a multipart message.",
    )


def _part(data: bytes, content_type: str) -> Message:
    """Wrap data exactly: as it is where that is safe, else in base64."""
    part = Message()
    part["Content-Type"] = f'{content_type}; charset="utf-8"'
    part["MIME-Version"] = "1.0"
    if data.isascii() and b"\r" not in data and max(map(len, data.split(b"\n"))) < 998:
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(data.decode())
    else:
        part["Content-Transfer-Encoding"] = "base64"
        part.set_payload(base64.encodebytes(data).decode())
    return part
