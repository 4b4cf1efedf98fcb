"""Requests accept what their types say: writing converts nothing, and queries read numbers and flags from strings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.models.urls import UrlPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

NEW: dict[str, Any] = {"name": "debian", "url": "http://files.example/debian.qcow2"}
LAUNCH: dict[str, Any] = {"name": "web", "flavor": "small"}


@pytest.mark.parametrize(
    ("model", "needed", "field", "value"),
    [
        (NewImage, NEW, "min_disk_gib", "10"),
        (NewImage, NEW, "min_disk_gib", True),
        (NewImage, NEW, "min_ram_mib", 512.0),
        (NewImage, NEW, "protected", "yes"),
        (NewImage, NEW, "password_enabled", 1),
        (NewIso, NEW, "bootable", "false"),
        (ImageChanges, {}, "min_disk_gib", "10"),
        (ImageChanges, {}, "hidden", "no"),
        (ImageChanges, {}, "password_enabled", "true"),
        (LaunchRequest, LAUNCH, "count", "2"),
        (LaunchRequest, LAUNCH, "count", True),
        (LaunchRequest, LAUNCH, "install_disk_gib", "5"),
        (LaunchRequest, LAUNCH, "keep_volumes", "no"),
        (LaunchRequest, LAUNCH, "config_drive", 1),
        (UrlPolicy, {}, "preflight", "no"),
        (UrlPolicy, {}, "timeout_seconds", "5"),
        (UrlPolicy, {}, "allowed_ports", ["80"]),
        (ImageQuery, {}, "limit", True),
        (ImageQuery, {}, "min_size", False),
    ],
)
def test_a_value_of_another_type_is_refused(
    model: type[NewImage], needed: dict[str, Any], field: str, value: object
) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{field}"):
        model(**{**needed, field: value})


def test_a_query_is_read_from_the_words_of_a_query_string() -> None:
    query = ImageQuery.model_validate({"view": "all", "hidden": "true", "min_size": "1024", "limit": "20"})

    assert query == ImageQuery(hidden=True, min_size=1024, limit=20)


def test_json_has_types_enough() -> None:
    written = json.dumps({**NEW, "min_disk_gib": 10, "protected": True, "tags": ["linux"], "category": "public"})

    assert NewImage.model_validate_json(written) == NewImage(
        **NEW, min_disk_gib=10, protected=True, tags={"linux"}, category="public"
    )
    assert UrlPolicy(timeout_seconds=5).timeout_seconds == 5


@pytest.mark.parametrize("bad", ["a\x00b", "half \ud83d"])
@pytest.mark.parametrize(
    ("model", "needed", "field", "wrap"),
    [
        (NewImage, NEW, "name", str),
        (NewImage, NEW, "description", str),
        (NewImage, NEW, "tags", lambda text: [text]),
        (NewImage, NEW, "properties", lambda text: {"x": text}),
        (NewImage, NEW, "properties", lambda text: {text: "x"}),
        (ImageChanges, {}, "os_name", str),
        (ImageQuery, {}, "search", str),
        (ImageQuery, {}, "name", str),
        (ImageQuery, {}, "any_tags", lambda text: {text}),
        (LaunchRequest, LAUNCH, "metadata", lambda text: {"x": text}),
        (LaunchRequest, LAUNCH, "key_name", str),
    ],
)
def test_a_text_that_no_service_could_keep_is_refused(
    model: type[NewImage], needed: dict[str, Any], field: str, wrap: Callable[[str], object], bad: str
) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{field}"):
        model(**{**needed, field: wrap(bad)})


def test_a_property_is_as_long_as_a_database_keeps_it() -> None:
    longest = "说" * 21845  # three bytes each

    assert NewImage(**NEW, description=longest, properties={"x": longest}).description == longest
    for wrong in {"description": longest + "明"}, {"properties": {"x": longest + "明"}}, {"os_name": "x" * 65536}:
        with pytest.raises(InvalidRequestError, match="65535 bytes"):
            NewImage(**NEW, **wrong)
        with pytest.raises(InvalidRequestError, match="65535 bytes"):
            ImageChanges(**wrong)
