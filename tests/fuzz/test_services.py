"""No error, refusal, date, image or page of a service breaks a parser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from hypothesis import given, strategies as st

from hyperx_glance import HyperxGlanceError, Image, ServiceUnavailableError
from hyperx_glance.cloud import pages
from hyperx_glance.cloud.answers import explanation, server_time
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.launching.user_data import with_password
from hyperx_glance.quotas.refusals import exceeded, image_quota_error, quota_error
from tests.fuzz import blobs, choices, fuzzed, several, texts

if TYPE_CHECKING:
    from hyperx_glance.cloud.cloud import Cloud

VALUES: list[object] = [None, True, 0, -1, 10**20, 1.5, float("nan"), "", "a", "\ud800", "2026-11-25T16:00:00Z", "true"]
VALUES += [[], ["a"], [5], {}, "tomorrow", "-0000"]
JSON = choices([
    *VALUES,
    *({key: value} for key in ("message", "error", "code") for value in VALUES),
    *({"error": {"message": value, "code": 5}} for value in VALUES),
    *([value, {"a": value}] for value in VALUES),
])  # fmt: skip
REFUSALS = several([
    "Quota exceeded for ", "cores", "instances", ", ", "ram", ": Requested ", "1", "-1", "99999999999999999999", "²",
    "٣", " but already used ", " of ", "Maximum number of ports exceeded", "Resource ", "class:VCPU", " over limit ",
    "Requested volume or snapshot exceeds allowed gigabytes quota. Requested 1G", "VolumeSizeExceedsAvailableQuota: ",
    "Resource image_size_total is over limit of 10 due to current usage ", "Project x is over a limit for [", "servers",
    " and delta ", "]", "G, quota is ", "volumes", "(", ")", "for quota '", "'",
], 9)  # fmt: skip
DATES = several([
    "Mon, ", "25 ", "99 ", "Nov ", "2026 ", "99999999999 ", "16:00:00 ", "25:61:61 ", "GMT", "-0000", "+9999",
    "-99999999", "²", ",", " ", "0 ", "XYZ", "0000", "Wed, 25 Nov 2026 16:00:00 ",
], 8)  # fmt: skip
KEYS = several([
    "id", "name", "status", "size", "tags", "created_at", "owner", "hyperx_url", "min_disk", "stores", "os_hash_value",
    "protected", "disk_format", "visibility", "hyperx_password_enabled", "locations",
], 5)  # fmt: skip
HERE = datetime(2026, 11, 25, tzinfo=UTC)


@fuzzed
@given(JSON, texts('<h1></h1><head>&lt;&#;&#99999999;ab \n{}[]"', 60), blobs(40), st.booleans())
def test_the_sentence_of_an_error_is_one_line(
    found: list[object],
    pages: list[str],
    noise: list[bytes],
    is_json: bool,  # noqa: FBT001
) -> None:
    for body in (*(json.dumps(value).encode() for value in found), *map(str.encode, pages), *noise):
        text = explanation(body, is_json=is_json)

        assert text == " ".join(text.split())
        assert len(text) <= 1000


@fuzzed
@given(REFUSALS)
def test_a_refusal_is_about_quota_or_not(batch: list[list[str]]) -> None:
    for text in map("".join, batch):
        found = exceeded(text)
        assert all(each.resource for each in found)
        error = quota_error(text, department="dept-a", status=403)
        assert (error is None) == (not found)
        assert error is None or str(error)
        told = image_quota_error(text, department="dept-a")
        assert told is None or told.resource


@fuzzed
@given(DATES)
def test_a_clock_is_read_or_ours_is_taken(batch: list[list[str]]) -> None:
    for date in map("".join, batch):
        assert (server_time(date) or HERE).tzinfo is not None


@fuzzed
@given(KEYS, JSON, JSON)
def test_an_image_is_read_or_is_none(batch: list[list[str]], first: list[object], second: list[object]) -> None:
    for keys, *values in zip(batch, first, second, strict=True):
        record = {"id": "a", **{key: values[n % 2] for n, key in enumerate(keys)}}
        try:
            image = Image.model_validate_json(json.dumps(record))
        except ValueError:
            continue
        assert image.kind
        assert image.phase
        assert image.state


@fuzzed
@given(
    choices(
        [
            b"",
            b"#cloud-config\n",
            b"#cloud-config\nchpasswd: ",
            b"#cloud-config\nuser: ",
            b"#!/bin/sh\n",
            b"Content-Type: multipart/mixed; boundary=a\n\n",
            b"\x1f\x8b",
        ]
    ),
    blobs(30),
    texts("#cloud-config\n!/bin/sh:{}[]- \t\x00é", 30),
)
def test_user_data_gets_the_password_or_is_refused(starts: list[bytes], noise: list[bytes], rests: list[str]) -> None:
    for start, rest in (*zip(starts, noise, strict=True), *zip(starts, map(str.encode, rests), strict=True)):
        try:
            merged = with_password(start + rest, user="root", password_hash="$6$salt$hash")
        except InvalidRequestError:
            continue
        assert b"cloud-config" in merged


@dataclass(frozen=True)
class OneAnswer:
    """A cloud that always gives the same answer."""

    body: bytes

    def read(self, service: str, path: str, *, params: object) -> bytes:
        del service, path, params
        return self.body


@fuzzed
@given(KEYS, JSON, choices([None, "", "/v2/images?marker=a", 5, "http://[", [], {"a": 1}]), blobs(12))
def test_a_page_is_images_or_a_typed_error(
    batch: list[list[str]], values: list[object], nexts: list[object], noise: list[bytes]
) -> None:
    for keys, value, following, noisy in zip(batch, values, nexts, noise, strict=True):
        page = json.dumps({"images": [{"id": "a", **dict.fromkeys(keys, value)}, value], "next": following}).encode()
        for body in (page, page[: len(page) - len(noisy)] + noisy):
            try:
                assert all(isinstance(image, Image) for image in pages.read(cast("Cloud", OneAnswer(body)), []))
            except HyperxGlanceError as error:
                assert isinstance(error, ServiceUnavailableError)  # noqa: PT017  # either is right
