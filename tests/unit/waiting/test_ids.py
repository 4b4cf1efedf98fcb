"""Ids are unique and say when they were drawn."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from hyperx_glance import LaunchRequest
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.waiting.ids import FRESH, SETTLED, check_fresh, draw_id, is_fresh, is_settled

NOW = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)


def test_ids_differ_and_may_be_given_to_a_launch() -> None:
    ids = {draw_id(NOW) for _ in range(1000)}
    assert len(ids) == 1000
    assert LaunchRequest(name="web", flavor="m1.tiny", launch_id=min(ids)).launch_id == min(ids)


def test_an_id_tells_its_time_whatever_the_time_zone() -> None:
    east = draw_id(NOW.astimezone(timezone(timedelta(hours=8))))
    assert east.startswith("20261125T163000Z-")


@pytest.mark.parametrize(
    ("age", "fresh", "settled"),
    [
        (timedelta(0), True, False),
        (-timedelta(days=1), True, False),
        (FRESH, True, False),
        (FRESH + timedelta(seconds=1), False, False),
        (SETTLED, False, False),
        (SETTLED + timedelta(seconds=1), False, True),
    ],
)
def test_the_age_of_an_id_decides_whether_it_is_fresh_or_settled(age: timedelta, *, fresh: bool, settled: bool) -> None:
    launch_id = draw_id(NOW)
    assert (is_fresh(launch_id, NOW + age), is_settled(launch_id, NOW + age)) == (fresh, settled)


@given(
    st.text()
    | st.uuids().map(str)
    | st.from_regex("[0-9]{8}T[0-9]{6}Z-[0-9a-f]{15}", fullmatch=True)
    | st.sampled_from(
        [
            "20261399T163000Z-0f3a9c4e5b2d7861",
            "00000101T163000Z-0f3a9c4e5b2d7861",
            "20250101T163000Z",
            "٢٠٢٥٠١٠١T163000Z-0f3a9c4e5b2d7861",
            "20250101T163000Z-0f3a9c4e5b2d7861\n",
        ]
    )
)
def test_an_id_of_another_form_tells_no_time(launch_id: str) -> None:
    assert is_fresh(launch_id, NOW)
    assert not is_settled(launch_id, NOW)


def test_an_old_id_is_refused_by_the_name_of_its_field() -> None:
    old = draw_id(datetime.now(UTC) - FRESH - timedelta(seconds=1))
    with pytest.raises(InvalidRequestError, match=f"^capture_id: {old} was drawn too long ago") as caught:
        check_fresh("capture_id", old)
    assert "capture_id" in caught.value.hint
    assert caught.value.in_language("zh", audience="person").startswith(f"封装编号：编号 {old} 的生成时间过早")
    check_fresh("capture_id", draw_id(datetime.now(UTC)))
    check_fresh("capture_id", "order-2026-1124-0001")
