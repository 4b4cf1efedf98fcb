"""Figures in the quota refusals of Nova, Cinder and Glance are read, and none is invented."""

from __future__ import annotations

import re

import pytest

from hyperx_glance.cloud.answers import LONGEST_TEXT
from hyperx_glance.quotas.refusals import Exceeded, exceeded, image_quota_error, quota_error
from hyperx_glance.quotas.resources import FIELDS, RESOURCES
from hyperx_glance.texts import LANGUAGES, Audience, Language, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "Quota exceeded for cores, instances, ram: Requested 200, 200, 102400, but already used 6, 6, 3072"
                " of 20, 10, 51200 cores, instances, ram"
            ),
            [
                Exceeded("instances", 10, 6, 200),
                Exceeded("cores", 20, 6, 200),
                Exceeded("ram_mib", 51200, 3072, 102400),
            ],
        ),
        (
            "Quota exceeded for instances: Requested 1, but already used 5 of 5 instances",
            [Exceeded("instances", 5, 5, 1)],
        ),
        (
            "Quota exceeded for instances: Requested 1-5, but already used 5 of 5 instances",
            [Exceeded("instances", 5, 5, None)],
        ),
        (
            (
                "Project 9f is over a limit for [Resource class:VCPU is over limit of 2 due to current usage 1 and"
                " delta 4, Resource servers is over limit of 1 due to current usage 1 and delta 2]"
            ),
            [Exceeded("instances", 1, 1, 2), Exceeded("cores", 2, 1, 4)],
        ),
        (
            (
                "Build of instance 5d aborted: VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for"
                " quota 'volumes'."
            ),
            [Exceeded("volumes", limit=1)],
        ),
        (
            "VolumeLimitExceeded: Maximum number of volumes allowed (3) exceeded for quota 'volumes_ssd'.",
            [Exceeded("volumes", limit=3)],
        ),
        (
            (
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota."
                " Requested 10G, quota is 5G and 3G has been consumed."
            ),
            [Exceeded("volume_gib", 5, 3, 10)],
        ),
        ("Quota exceeded for resources: ['instances']", [Exceeded("quota")]),
        ("Maximum number of ports exceeded", [Exceeded("ports")]),
        ("Maximum number of metadata items exceeds 2", [Exceeded("metadata_items", 2)]),
        ("OverQuota", [Exceeded("quota")]),
        ("No valid host was found. There are not enough hosts available.", []),
        ("Policy doesn't allow os_compute_api:servers:create to be performed.", []),
        ("", []),
    ],
)
def test_refusals_are_read(text: str, expected: list[Exceeded]) -> None:
    assert exceeded(text) == expected


def test_the_first_resource_in_the_order_of_the_quota_gives_the_figures() -> None:
    error = quota_error(
        "Quota exceeded for cores, instances: Requested 4, 2, but already used 8, 3 of 10, 4 cores, instances",
        department="dept-a",
        status=403,
        request_id="req-1",
    )
    assert error is not None
    assert (error.department, error.resource, error.limit, error.used, error.requested) == (
        "dept-a", "instances", 4, 3, 2,
    )  # fmt: skip
    assert error.exceeded == ("instances", "cores")
    assert (error.service, error.status, error.request_id) == ("compute", 403, "req-1")
    assert str(error).startswith("Department dept-a has no room for 2 more servers: 3 of 4 used.")


def test_figures_that_were_not_told_are_not_invented() -> None:
    text = "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'."
    error = quota_error(text, department="dept-a")
    assert error is not None
    assert (error.resource, error.limit, error.used, error.requested) == ("volumes", 1, None, None)
    assert text in str(error)
    assert "None" not in str(error)


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "1",
        " ",
        ", ",
        "aLimitExceede",
        "Quota exceeded for ",
        "Quota exceeded for a, ",
        "Quota exceeded for a: Requested 1",
        "quota exceeded for resources: a",
        "Resource a is over limit of 1",
        "Maximum number of volumes allowed (1",
    ],
)
def test_a_long_refusal_is_read_no_further_than_its_beginning(part: str) -> None:
    refusal = part * (10**6 // len(part))

    assert exceeded(refusal) == exceeded(refusal[:LONGEST_TEXT])
    assert exceeded(" " * LONGEST_TEXT + "OverQuota") == []


@pytest.mark.parametrize(
    "text",
    [
        "Quota exceeded for cores: Requested {0}, but already used {0} of {0} cores",
        "Resource servers is over limit of {0} due to current usage 1 and delta 2",
        "VolumeLimitExceeded: Maximum number of volumes allowed ({0}) exceeded for quota 'volumes'.",
        "It exceeds allowed gigabytes quota. Requested {0}G, quota is 5G and 3G has been consumed.",
    ],
)
@pytest.mark.parametrize("digits", [30, 600])
def test_a_figure_that_is_none_is_not_read(text: str, digits: int) -> None:
    for found in exceeded(text.format("9" * digits)):
        assert found.limit is None or found.limit < 10**18


@pytest.mark.parametrize(
    "text",
    [
        "Maximum number of metadata items exceeds 2",
        (
            "Project None is over a limit for [Resource server_metadata_items is over limit of 2 due to current usage 0"
            " and delta 4]"
        ),
    ],
)
def test_a_limit_of_each_server_is_no_room_of_a_department(text: str) -> None:
    error = quota_error(text, department="dept-a", status=403)
    assert error is not None
    assert (error.resource, error.limit) == ("metadata_items", 2)
    assert error.message == "This launch writes more metadata to each server than Nova allows"
    assert error.explanation == text
    assert error.hint.code == "raise-the-limit-of-metadata"


def test_an_unknown_quota_has_no_name() -> None:
    error = quota_error("OverQuota", department="dept-a")
    assert error is not None
    assert error.message == "Department dept-a exceeds a quota"


def test_an_error_unrelated_to_quotas_is_not_a_quota_error() -> None:
    assert quota_error("No valid host was found.", department="dept-a") is None


def test_figures_of_exceeded_limits() -> None:
    message = (
        "Project 81f is over a limit for [Resource image_size_total is over limit of 5 due to current usage 6 and "
        "delta 0, Resource image_count_total is over limit of 3 due to current usage 3 and delta 1]"
    )

    error = image_quota_error(message, department="dept-a")

    assert error is not None
    assert (error.department, error.resource, error.limit, error.used, error.requested) == (
        "dept-a",
        "images",
        3,
        3,
        1,
    )
    assert error.exceeded == ("images", "image_size_mib")
    assert image_quota_error("Task failed due to Internal Error", department="dept-a") is None


NAMES = sorted(
    {name for each in RESOURCES for name in (each.field, each.word, each.unified) if name}
    | {"volumes_ssd", "gigabytes_ssd", "class:DISK_GB", "class:PCPU", "metadata_items", "server_metadata_items"}
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_names_no_resource_as_programs_do(name: str, audience: Audience, language: Language) -> None:
    """A service's words stay in the explanation."""
    figures = "is over limit of 5 due to current usage 6 and delta"
    with_figures = image_quota_error(f"Resource {name} {figures} 1, Resource images {figures} 1", department="dept-a")
    without = quota_error(f"Quota exceeded for resources: {name}", department="dept-a")
    ports = quota_error("Maximum number of ports exceeded", department="dept-a")

    assert with_figures is not None
    assert without is not None
    assert ports is not None
    for error in (with_figures, without, ports):
        said = error.message.in_language(language, audience=audience)
        assert not re.search(r"[a-z]_[a-z]|class:|server_", said), said
        if language == "zh":
            assert not re.search(r"[a-z]{3,}", re.sub("dept-a|Nova", "", said)), said


@pytest.mark.parametrize("resource", [*FIELDS, "disk_gib", "pinned_cores", "metadata_items", "ports"])
def test_every_resource_has_its_two_words(resource: str) -> None:
    """A number of it, and the quota itself."""
    assert word("resource", resource).code
    assert word("quota", resource).code
