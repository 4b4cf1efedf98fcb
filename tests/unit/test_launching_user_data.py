from __future__ import annotations

import base64
import email
import gzip
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from hyperx_glance import InvalidRequestError
from hyperx_glance.launching.user_data import MAX_ENCODED, TYPES, encode, password_config, with_password

if TYPE_CHECKING:
    from email.message import Message

HASH = "$6$rounds=100000$saltsaltsaltsalt$hashhash./"
CONFIG = password_config(HASH, user="debian")


def parts(data: bytes) -> list[tuple[str, bytes]]:
    message = email.message_from_bytes(data)
    assert message.is_multipart()
    return [(part.get_content_type(), payload(part)) for part in message.walk() if not part.is_multipart()]


def payload(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def test_the_config_sets_the_password_of_old_and_new_cloud_init() -> None:
    assert CONFIG.startswith("#cloud-config\n")
    config = yaml.safe_load(CONFIG)
    assert config["chpasswd"] == {
        "expire": False,
        "users": [{"name": "debian", "password": HASH, "type": "hash"}],
        "list": [f"debian:{HASH}"],
    }
    assert config["ssh_pwauth"] is True


@pytest.mark.parametrize("nothing", [None, "", b""])
def test_without_data_of_the_caller_the_config_is_all(nothing: str | bytes | None) -> None:
    assert with_password(nothing, CONFIG) == CONFIG.encode()


@pytest.mark.parametrize(("beginning", "content_type"), TYPES)
def test_what_cloud_init_reads_becomes_a_part_and_the_password_is_the_last(beginning: bytes, content_type: str) -> None:
    data = beginning + b"\nFrom here on\n.\n--boundary\n"
    assert parts(with_password(data, CONFIG)) == [(content_type, data), ("text/cloud-config", CONFIG.encode())]


@given(some.binary(max_size=2000) | some.text(max_size=500).map(str.encode))
def test_the_caller_s_bytes_reach_the_guest_unchanged(tail: bytes) -> None:
    data = b"#!/bin/sh\n" + tail
    assert parts(with_password(data, CONFIG)) == [
        ("text/x-shellscript", data),
        ("text/cloud-config", CONFIG.encode()),
    ]


def test_the_caller_s_cloud_config_is_added_to_not_replaced() -> None:
    own = "#cloud-config\nssh_pwauth: false\nchpasswd:\n  users:\n  - {name: other, password: x}\n"
    (_, first), (_, second) = parts(with_password(own, CONFIG))
    assert yaml.safe_load(first)["chpasswd"]["users"] == [{"name": "other", "password": "x"}]
    # cloud-init merges a part as that part itself says: lists grow, what is there already stays.
    assert yaml.safe_load(second)["merge_how"] == "dict(recurse_array,no_replace)+list(append)"


def multipart(*texts: tuple[str, str]) -> MIMEMultipart:
    message = MIMEMultipart("mixed")
    for text, kind in texts:
        message.attach(MIMEText(text, kind, "utf-8"))
    return message


def test_a_multipart_message_keeps_its_parts_and_gets_one_more() -> None:
    own = multipart(("#!/bin/sh\necho 你好\n", "x-shellscript"), ("#cloud-config\npackages: [git]\n", "cloud-config"))
    assert parts(with_password(own.as_bytes(), CONFIG)) == [
        ("text/x-shellscript", "#!/bin/sh\necho 你好\n".encode()),
        ("text/cloud-config", b"#cloud-config\npackages: [git]\n"),
        ("text/cloud-config", CONFIG.encode()),
    ]
    assert parts(with_password(own.as_string(), CONFIG)) == parts(with_password(own.as_bytes(), CONFIG))


def test_a_single_mime_part_is_put_beside_the_password() -> None:
    own = MIMEText("#!/bin/sh\ntrue\n", "x-shellscript")
    assert [kind for kind, _ in parts(with_password(own.as_bytes(), CONFIG))] == [
        "text/x-shellscript",
        "text/cloud-config",
    ]


def test_compressed_data_is_merged_and_compressed_again() -> None:
    script = b"#!/bin/sh\n" + b"echo a long and boring line\n" * 5000
    merged = with_password(gzip.compress(script), CONFIG)
    assert merged.startswith(b"\x1f\x8b")
    assert parts(gzip.decompress(merged))[0] == ("text/x-shellscript", script)
    assert len(encode(merged)) < MAX_ENCODED < len(script)


@pytest.mark.parametrize(
    "data",
    [
        "echo without a first line\n",
        "<powershell>echo</powershell>",
        '{"ignition": {"version": "3.4.0"}}',
        b"\x7fELF\x02",
        " #cloud-config\n",
        b"Content-Type: multipart/mixed\n\nno boundary\n",
        b'Content-Type: multipart/mixed; boundary="b"\n\nno parts\n',
        b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nnever closed\n',
        b"\x1f\x8bgarbage",
        gzip.compress(b"#!/bin/sh\n")[:-9],
        gzip.compress(b"#!" + bytes(2**20)),
        gzip.compress(b"unknown"),
    ],
    ids=map(str, range(12)),
)
def test_what_cloud_init_would_not_read_is_refused(data: str | bytes) -> None:
    with pytest.raises(InvalidRequestError, match="user_data"):
        with_password(data, CONFIG)


def test_the_limit_is_nova_s() -> None:
    largest = bytes(MAX_ENCODED // 4 * 3)
    assert base64.b64decode(encode(largest)) == largest
    with pytest.raises(InvalidRequestError, match="49150 bytes are too many; Nova takes 49149"):
        encode(largest + b"1")


def test_text_is_encoded_as_utf_8() -> None:
    assert base64.b64decode(encode("#!/bin/sh\necho 你好\n")).decode() == "#!/bin/sh\necho 你好\n"
