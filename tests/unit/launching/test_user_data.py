"""The caller's user data reaches the guest unchanged along with the password, in any form, or is refused."""

from __future__ import annotations

import base64
import contextlib
import email
import gzip
import time
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, strategies as some

from hyperx_glance import InvalidRequestError
from hyperx_glance.launching.cloud_config import password_config
from hyperx_glance.launching.user_data import MAX_ENCODED, TYPES, encode, with_password as merge
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from email.message import Message

HASH = "$6$rounds=100000$saltsaltsaltsalt$hashhash./"
CONFIG = password_config((), user="debian", password_hash=HASH)


def with_password(user_data: str | bytes | None) -> bytes:
    return merge(user_data, user="debian", password_hash=HASH)


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
    assert with_password(nothing) == CONFIG.encode()


@pytest.mark.parametrize(("beginning", "content_type"), TYPES)
def test_user_data_that_cloud_init_reads_becomes_a_part_before_the_password(
    beginning: bytes, content_type: str
) -> None:
    data = beginning + b"\n# From here on\nFrom: .\n# --boundary\n"
    for written in data, data.upper(), b" \n\n" + data:
        first, (last, config) = parts(with_password(written))
        assert first == (content_type, written)
        assert last == "text/cloud-config"
        assert yaml.safe_load(config)["chpasswd"] == yaml.safe_load(CONFIG)["chpasswd"]


@given(some.binary(max_size=2000) | some.text(max_size=500).map(str.encode))
def test_the_caller_s_bytes_reach_the_guest_unchanged(tail: bytes) -> None:
    data = b"#!/bin/sh\n" + tail
    assert parts(with_password(data)) == [
        ("text/x-shellscript", data),
        ("text/cloud-config", CONFIG.encode()),
    ]


def multipart(*texts: tuple[str, str]) -> MIMEMultipart:
    message = MIMEMultipart("mixed")
    for text, kind in texts:
        message.attach(MIMEText(text, kind, "utf-8"))
    return message


def test_a_multipart_message_keeps_its_parts_and_gets_one_more() -> None:
    own = multipart(("#!/bin/sh\necho 你好\n", "x-shellscript"), ("#cloud-config\npackages: [git]\n", "cloud-config"))
    assert parts(with_password(own.as_bytes())) == [
        ("text/x-shellscript", "#!/bin/sh\necho 你好\n".encode()),
        ("text/cloud-config", b"#cloud-config\npackages: [git]\n"),
        ("text/cloud-config", CONFIG.encode()),
    ]
    assert parts(with_password(own.as_string())) == parts(with_password(own.as_bytes()))


def test_a_single_mime_part_is_put_beside_the_password() -> None:
    own = MIMEText("#!/bin/sh\ntrue\n", "x-shellscript")
    assert [kind for kind, _ in parts(with_password(own.as_bytes()))] == [
        "text/x-shellscript",
        "text/cloud-config",
    ]


def test_compressed_data_is_merged_and_compressed_again() -> None:
    script = b"#!/bin/sh\n" + b"echo a long and boring line\n" * 5000
    merged = with_password(gzip.compress(script))
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
        "\ufeff#cloud-config\n",
        b"\nMIME-Version: 1.0\nContent-Type: text/cloud-config\n\n#cloud-config\n",
        b"Content-Type: multipart/mixed\n\nno boundary\n",
        b'Content-Type: multipart/mixed; boundary="b"\n\nno parts\n',
        b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nnever closed\n',
        b"\x1f\x8bgarbage",
        gzip.compress(b"#!/bin/sh\n")[:-9],
        gzip.compress(b"#!" + bytes(2**20)),
        gzip.compress(b"unknown"),
    ],
    ids=map(str, range(13)),
)
def test_user_data_that_cloud_init_cannot_read_is_refused(data: str | bytes) -> None:
    with pytest.raises(InvalidRequestError, match="user_data") as caught:
        with_password(data)
    assert_told(caught.value)


@pytest.mark.parametrize(
    "before", [b"From nobody Tue Nov 24 2026\n", b"Subject: hello\n", b"X-Much: " + b"x" * 900 + b"\n"]
)
def test_a_multipart_message_may_begin_with_any_header(before: bytes) -> None:
    own = multipart(("#!/bin/sh\ntrue\n", "x-shellscript"))
    assert parts(with_password(before + own.as_bytes())) == [
        ("text/x-shellscript", b"#!/bin/sh\ntrue\n"),
        ("text/cloud-config", CONFIG.encode()),
    ]


def test_a_multipart_message_without_a_version_gets_one_since_cloud_init_asks_for_it() -> None:
    own = multipart(("#!/bin/sh\ntrue\n", "x-shellscript"))
    merged = with_password(own.as_bytes().replace(b"MIME-Version: 1.0\n", b""))
    assert email.message_from_bytes(merged)["MIME-Version"] == "1.0"
    assert len(parts(merged)) == 2


def test_a_script_that_speaks_of_mime_is_a_script() -> None:
    script = b"#!/bin/sh\n# MIME-Version: 1.0\n"
    assert parts(with_password(script))[0] == ("text/x-shellscript", script)


@pytest.mark.parametrize("depth", [300, 3000])
def test_parts_nested_too_deeply_are_refused(depth: int) -> None:
    data = b"MIME-Version: 1.0\n"
    for level in range(depth):
        data += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
    data += b"Content-Type: text/x-shellscript\n\n#!/bin/sh\n"
    for level in reversed(range(depth)):
        data += b"\n--b%d--\n" % level
    with pytest.raises(InvalidRequestError, match="user_data: "):
        with_password(data)
    with pytest.raises(InvalidRequestError, match="user_data: "):
        with_password(gzip.compress(data))


@given(
    some.sampled_from(
        [
            b"",
            b"#cloud-config\n",
            b"MIME-Version: 1.0\n",
            b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
        ]
    ),
    some.binary(max_size=300)
    | some.text("-: b\n{}[]<*&!#|>'\"intmapchpasswdlistusers\t", max_size=200).map(str.encode),
)
def test_any_user_data_gets_the_password_or_is_refused(beginning: bytes, rest: bytes) -> None:
    with contextlib.suppress(InvalidRequestError):
        merged = with_password(beginning + rest)
        assert HASH.encode() in (gzip.decompress(merged) if merged.startswith(b"\x1f\x8b") else merged)


def gzip_parts(*contents: bytes) -> bytes:
    parts = (
        b"--b\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(gzip.compress(content))
        for content in contents
    )
    return b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n' + b"".join(parts) + b"--b--\n"


def test_all_that_is_unpacked_is_bounded_together() -> None:
    half = b"#!/bin/sh\n" + bytes(600_000)
    assert with_password(gzip_parts(half))
    for data in gzip_parts(half, half), gzip.compress(gzip_parts(half, half)):
        assert len(data) < 5000
        with pytest.raises(InvalidRequestError, match="larger than 1 MiB when unpacked"):
            with_password(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"#cloud-config\n" + b"a: b\n" * 10_000, "50014 bytes are too many; Nova takes 49149"),
        (gzip.compress(b"#cloud-config\n" + b"a: b\n" * 100_000), "longer than 256 KiB"),
        (gzip.compress(gzip_parts(b"#cloud-config\n" + b"a: b\n" * 100_000)), "longer than 256 KiB"),
        (
            gzip.compress(b"MIME-Version: 1.0\nContent-Type: multipart/mixed" + b";a" * 300_000 + b"\n\n"),
            "a header of this message is longer than 4096 bytes",
        ),
        (
            gzip.compress(b"MIME-Version: 1.0\nContent-Type: a/b;\n" + b" ;a\n" * 30_000 + b"\n\n"),
            "a header of this message is longer than 4096 bytes",
        ),
        (
            gzip.compress(b"MIME-Version: 1.0\n" + b"Content-Type: multipart/mixed; boundary=b\n" * 20_000),
            "too many lines for its parts",
        ),
    ],
    ids=range(6),
)
def test_user_data_that_is_slow_to_parse_is_refused_before_parsing(data: bytes, told: str) -> None:
    before = time.process_time()
    with pytest.raises(InvalidRequestError, match=f"user_data: .*{told}") as caught:
        with_password(data)
    assert_told(caught.value)
    assert time.process_time() - before < 5


def test_the_limit_is_nova_s() -> None:
    largest = bytes(MAX_ENCODED // 4 * 3)
    assert base64.b64decode(encode(largest)) == largest
    with pytest.raises(InvalidRequestError, match="49150 bytes are too many; Nova takes 49149"):
        encode(largest + b"1")


def test_text_is_encoded_as_utf_8() -> None:
    assert base64.b64decode(encode("#!/bin/sh\necho 你好\n")).decode() == "#!/bin/sh\necho 你好\n"
