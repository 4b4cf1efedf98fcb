r"""User data: what the guest's cloud-init reads at its first boot, with the administrator's password merged in.

>>> from hyperx_glance.launching.user_data import with_password
>>> import email
>>> merged = with_password("#!/bin/sh\necho hello\n", user="root", password_hash="$6$salt$hash")
>>> [part.get_content_type() for part in email.message_from_bytes(merged).walk()]
['multipart/mixed', 'text/x-shellscript', 'text/cloud-config']
"""

import base64
import email
import email.policy
import gzip
import re
import zlib
from collections.abc import Iterator
from email.message import Message
from email.mime.multipart import MIMEMultipart

from hyperx_glance.launching.cloud_config import CLOUD_CONFIG, Part, password_config, wrong_user_data
from hyperx_glance.texts import say

MAX_ENCODED = 65535
"""The number of characters of base64 that Nova accepts (nova/api/openstack/compute/schemas/servers.py, user_data)."""
MAX_UNPACKED = 2**20
"""The number of bytes of all unpacked data together."""
MOST_COMPARISONS = 2_000_000
"""Python's parser of messages compares each line with the boundary of each message that it is in."""
LONGEST_HEADER = 4096
"""Python's parser of headers takes time quadratic in their length."""
# The kinds that cloud-init distinguishes by the first line (cloudinit/handlers/__init__.py, INCLUSION_TYPES_MAP).
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
UNKNOWN_TYPES = ("text/plain", "text/x-not-multipart", "text/x-shellscript")
"""Types for which cloud-init looks at the first line instead (cloudinit/user_data.py, TYPE_NEEDED)."""
GZIP_TYPES = frozenset(
    f"application/{name}"
    for name in ("gzip", "gzip-compressed", "gzipped", "x-compress", "x-compressed", "x-gunzip", "x-gzip")
) | {"application/x-gzip-compressed"}
MIME_VERSION = b"mime-version:"
CONTENT_TYPE = b"content-type:"
GZIP_MAGIC = b"\x1f\x8b"
_HEADER = re.compile(rb"^content-type:.*(?:\r?\n[ \t].*)*", re.IGNORECASE | re.MULTILINE)


def with_password(user_data: str | bytes | None, *, user: str, password_hash: str) -> bytes:
    """Add a cloud-config that sets the user's password, as the last part of a multipart message.

    Raise `InvalidRequestError` for data that cloud-init would not read, or with which the password would have no
    effect.
    """
    if not user_data:
        return password_config((), user=user, password_hash=password_hash).encode()
    data = user_data.encode() if isinstance(user_data, str) else user_data
    _check_length(data)
    packed = data.startswith(GZIP_MAGIC)
    if packed:
        data = _unpack(data, MAX_UNPACKED)
    try:
        message = _as_multipart(data)
        config = password_config(_parts(message), user=user, password_hash=password_hash)
        message.attach(_part(config.encode(), CLOUD_CONFIG))
        # The default policy of as_bytes would write ">From" for "From" at the beginning of a line.
        merged = message.as_bytes(policy=email.policy.compat32.clone(mangle_from_=False))
    except RecursionError:
        raise wrong_user_data(say("user-data-too-deep")) from None
    return gzip.compress(merged, mtime=0) if packed else merged


def encode(user_data: str | bytes) -> str:
    """Encode user data as Nova wants it; raise `InvalidRequestError` if it is too long."""
    data = user_data.encode() if isinstance(user_data, str) else user_data
    _check_length(data)
    return base64.b64encode(data).decode()


def _check_length(data: bytes) -> None:
    most = MAX_ENCODED // 4 * 3
    if len(data) > most:
        raise wrong_user_data(say("user-data-too-long", length=len(data), most=most), hint=say("compress-user-data"))


def _unpack(data: bytes, most: int) -> bytes:
    try:
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        unpacked = reader.decompress(data, most + 1)
    except zlib.error as error:
        raise wrong_user_data(say("user-data-bad-gzip"), explanation=str(error)) from error
    if len(unpacked) > most or not reader.eof:
        raise wrong_user_data(say("user-data-gzip-too-large"))
    return unpacked


def _as_multipart(data: bytes) -> Message:
    # cloud-init looks that far (cloudinit/user_data.py, convert_string), regardless of which header comes first.
    message = _parsed(data) if MIME_VERSION in data[:4096].lower() else None
    if message is None and data[:13].lower() == CONTENT_TYPE:
        message = _parsed(data)
        message["MIME-Version"] = "1.0"
    if message is None or not len(message):
        message = _part(data, _content_type(data))
    elif message.is_multipart() and not message.defects:
        return message
    elif message.get_content_maintype() == "multipart" or message.defects:
        raise wrong_user_data(say("user-data-malformed"))
    whole = MIMEMultipart("mixed")
    whole.attach(message)
    return whole


def _parsed(data: bytes) -> Message:
    boundaries = data.lower().count(b"boundary")
    if data.count(b"\n") * (boundaries + 1) > MOST_COMPARISONS:
        raise wrong_user_data(say("user-data-too-many-lines"))
    if any(found.end() - found.start() > LONGEST_HEADER for found in _HEADER.finditer(data)):
        raise wrong_user_data(say("user-data-long-header", most=LONGEST_HEADER))
    return email.message_from_bytes(data)


def _parts(message: Message) -> Iterator[Part]:
    """List the parts that cloud-init will handle, with the type that it will detect."""
    left = MAX_UNPACKED
    for part in message.walk():
        if part.is_multipart():
            continue
        data, content_type = part.get_payload(decode=True), part.get_content_type()
        assert isinstance(data, bytes)
        if content_type in GZIP_TYPES:
            data, content_type = _unpack(data, left), UNKNOWN_TYPES[0]
            left -= len(data)
        if content_type in UNKNOWN_TYPES:
            content_type = _found_type(data) or content_type
        yield Part(content_type, data, frozenset(name.lower() for name in part))


def _found_type(data: bytes) -> str | None:
    beginning = data.lstrip()[:40].lower()
    return next((content_type for first, content_type in TYPES if beginning.startswith(first)), None)


def _content_type(data: bytes) -> str:
    content_type = _found_type(data)
    if content_type is not None:
        return content_type
    beginnings = [beginning.decode() for beginning, _ in TYPES]
    raise wrong_user_data(say("user-data-unknown"), hint=say("begin-user-data-with", beginnings=beginnings))


def _part(data: bytes, content_type: str) -> Message:
    """Wrap data without changing it: as it is if that is safe, otherwise in base64."""
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
