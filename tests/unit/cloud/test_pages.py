"""Pages of a troublesome in-memory Glance: emptied by policy, with lost markers, with broken records."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given, settings, strategies as st

from hyperx_glance.cloud import pages
from hyperx_glance.errors import NotAllowedError, ServiceUnavailableError
from hyperx_glance.testing import InMemoryCloud
from tests.support.lists import JSON, LIST, answer_with, connect, fill, ids, lists, record


@settings(max_examples=300)
@given(
    amount=st.integers(0, 14),
    hidden=st.sets(st.integers(0, 13)),
    page_size=st.integers(1, 6),
    largest=st.sampled_from((3, 1000)),
)
def test_images_hidden_by_policy_hide_no_other_images(
    amount: int, hidden: set[int], page_size: int, largest: int
) -> None:
    cloud = InMemoryCloud()
    cloud.glance.largest_page = max(largest, page_size)
    expected = fill(cloud, amount)
    cloud.glance.hidden_by_policy = {expected[number] for number in hidden if number < amount}
    if largest < 1000:  # a page of hidden images beyond the largest page cannot be passed
        cloud.glance.hidden_by_policy = set()

    found = ids(connect(cloud, page_size=page_size))

    assert found == [image_id for image_id in expected if image_id not in cloud.glance.hidden_by_policy]


def test_a_first_page_emptied_by_policy_does_not_end_the_list() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 6)
    cloud.glance.hidden_by_policy = set(expected[:3])

    assert ids(connect(cloud, page_size=2)) == expected[3:]


def test_more_hidden_images_than_glance_can_pass_are_an_error() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 12)
    cloud.glance.largest_page = 4
    cloud.glance.hidden_by_policy = set(expected[3:9])

    with pytest.raises(ServiceUnavailableError, match="does not continue") as raised:
        ids(connect(cloud, page_size=4))
    assert "get_image" in raised.value.hint


def hide(cloud: InMemoryCloud, image_id: str) -> None:
    """Make an image of another department private."""
    created_at = cloud.glance.images[image_id].created_at
    cloud.glance.add_image(id=image_id, owner="dept-b", visibility="private", created_at=created_at)


@settings(max_examples=300)
@given(
    amount=st.integers(1, 12),
    page_size=st.integers(1, 5),
    deaths=st.dictionaries(st.integers(1, 8), st.sets(st.integers(0, 11), min_size=1, max_size=8), max_size=4),
    births=st.sets(st.integers(1, 8), max_size=3),
    losing=st.sampled_from(("deleted", "private")),
)
def test_images_that_come_and_go_take_none_with_them(
    amount: int, page_size: int, deaths: dict[int, set[int]], births: set[int], losing: str
) -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, amount, visibility="community", owner="dept-b")
    lost: set[str] = set()
    born: set[str] = set()
    request = 0

    def change() -> None:
        nonlocal request
        request += 1
        for number in deaths.get(request, ()):
            if number < amount and expected[number] not in lost:
                lost.add(expected[number])
                if losing == "deleted":
                    cloud.glance.remove_image(expected[number])  # then its marker is a 400
                else:
                    hide(cloud, expected[number])  # then its marker is a 403
        if request in births:
            born.update(fill(cloud, 1, visibility="community", created_at="2026-03-01T13:00:00+00:00"))

    client = connect(cloud, page_size=page_size)
    cloud.before("glance", "GET", LIST, change)
    found = ids(client)

    assert len(found) == len(set(found))
    assert [image_id for image_id in found if image_id not in lost | born] == [
        image_id for image_id in expected if image_id not in lost
    ]


def test_a_page_whose_images_all_vanished_is_passed_in_few_requests() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 130)
    found = connect(cloud, page_size=100).images()
    first = [next(found).id for _ in range(90)]
    for image_id in expected[1:100]:
        cloud.glance.remove_image(image_id)

    rest = [image.id for image in found]

    assert first == expected[:90]
    assert set(expected[100:]) <= set(rest)
    assert len(rest) == len(set(rest))
    assert len(lists(cloud)) < 12


def test_a_list_that_vanishes_faster_than_it_is_read_is_an_error() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 20)
    border = connect(cloud).cloud

    def vanish() -> None:
        for image_id in expected[:10]:
            cloud.glance.remove_image(image_id)

    cloud.before("glance", "GET", LIST, vanish, skip=2)

    with pytest.raises(ServiceUnavailableError, match="are being deleted faster"):
        list(pages.read(border, [("sort", "created_at:desc,id:asc")], size=lambda _: 5, remembered=4))


def test_a_refusal_of_every_page_is_raised_as_it_is() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 6)
    client = connect(cloud, page_size=2)
    cloud.fail("glance", "GET", LIST, status=403, body="Not any more.", times=None, skip=1)

    with pytest.raises(NotAllowedError, match="Not any more"):
        ids(client)


def test_a_next_that_repeats_itself_is_an_error() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud, page_size=2)
    answer_with(cloud, [record("a"), record("b")], "/v2/images?marker=b", times=None)
    found = client.images(sort=["id"])

    assert [next(found).id, next(found).id] == ["a", "b"]
    with pytest.raises(ServiceUnavailableError, match="does not continue behind image b"):
        next(found)
    assert len(lists(cloud)) == 3  # It ends instead of reading the same page without end.


def test_empty_pages_that_name_each_other_are_an_error() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    for number, following in enumerate(("a", "b", "a")):
        answer_with(cloud, [], f"/v2/images?marker={following}", skip=number)

    with pytest.raises(ServiceUnavailableError, match="does not continue"):
        ids(client)


def test_an_empty_page_with_a_next_is_followed() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    answer_with(cloud, [], "/v2/images?limit=2&marker=a")
    answer_with(cloud, [record("b")], skip=1)

    assert ids(client) == ["b"]
    assert lists(cloud)[1]["marker"] == "a"


def test_a_next_without_a_marker_is_an_error() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    answer_with(cloud, [record("a")], "/v2/images?limit=2")

    with pytest.raises(ServiceUnavailableError, match="without a marker"):
        ids(client)


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[]", b'{"servers": []}'])
def test_an_answer_that_is_no_list_is_an_error(body: bytes) -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    cloud.fail("glance", "GET", LIST, status=200, body=body, headers=JSON)

    with pytest.raises(ServiceUnavailableError, match="sent no valid list of images"):
        ids(client)


def test_every_tag_is_asked_for_on_every_page() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 5, tags=["a", "b"])
    fill(cloud, 5, tags=["b"])

    assert ids(connect(cloud, page_size=2), tags={"a", "b"}) == expected
    assert {asked["tag"] for asked in lists(cloud)} == {"a,b"}


# ----------------------------------------------------------------- readers


def test_a_department_is_counted_while_a_stranger_deletes() -> None:
    cloud = InMemoryCloud()
    cloud.glance.largest_page = 4
    records = sorted(fill(cloud, 9, owner="dept-b"))
    admin = connect(cloud, "admin")
    cloud.before("glance", "GET", LIST, lambda: cloud.glance.remove_image(records[2]), skip=1)

    usage = admin.quota("dept-b").images

    assert usage is not None
    assert usage.used == 9


def test_unfinished_registrations_are_found_while_somebody_deletes_them() -> None:
    cloud = InMemoryCloud()
    cloud.glance.largest_page = 4
    alice = connect(cloud)
    records = fill(cloud, 9, owner="dept-a", status="queued", hyperx_created_by=alice.cloud.user_id)[::-1]

    found = []
    for image in alice.unfinished_registrations():
        found.append(image.id)
        alice.delete(image)

    assert found == records


# ----------------------------------------------------------------- reading


def test_an_image_that_does_not_parse_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 5)
    cloud.glance.images[expected[1]].shown_as = {"id": None}
    cloud.glance.images[expected[3]].shown_as = {"id": 5}

    with caplog.at_level(logging.WARNING, logger="hyperx_glance"):
        found = ids(connect(cloud, page_size=2))

    assert found == [expected[0], expected[2], expected[4]]
    warnings = [entry.getMessage() for entry in caplog.records]
    assert any("Image None" in warning for warning in warnings)
    assert any("Image 5" in warning for warning in warnings)


def test_a_record_that_is_no_object_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    answer_with(cloud, [record("a"), None, "b", record("c")])

    assert ids(client, sort=["id"]) == ["a", "c"]
    assert [entry.name for entry in caplog.records].count("hyperx_glance.cloud.pages") == 2


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_page_is_read_however_it_is_written(separators: tuple[str, str], indent: int | None) -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    texts = ['}, {"', '\\"}, {\\"', "}]", '}], "next": "x', "{", "\\", '"images": [{"', "麒麟\u2028"]
    images = [{**record(str(number)), "description": text, "name": text} for number, text in enumerate(texts)]
    page = {"images": images, "first": '/v2/images?name=}]&os_distro=}, {"', "schema": "/v2/schemas/images"}
    body = json.dumps(page, ensure_ascii=False, separators=separators, indent=indent).encode()
    cloud.fail("glance", "GET", LIST, status=200, body=body, headers=JSON)

    found = list(client.images(sort=["id"]))

    assert [(image.name, image.description) for image in found] == [(text, text) for text in texts]


def test_records_with_objects_inside_are_read() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    places = [{"url": "file:///a", "metadata": {}}, {"url": "file:///b", "metadata": {}}]
    answer_with(cloud, [{**record(name), "locations": places} for name in "abc"])

    assert ids(client, sort=["id"]) == ["a", "b", "c"]


@settings(max_examples=300)
@given(
    texts=st.lists(st.text(st.sampled_from('{}[]", \\:ax\n麒'), max_size=12), max_size=5),
    following=st.one_of(st.none(), st.just("/v2/images?marker=m")),
)
def test_a_page_is_read_whatever_its_texts_hold(texts: list[str], following: str | None) -> None:
    cloud = InMemoryCloud()
    page: dict[str, object] = {"images": [{**record(str(n)), "name": text} for n, text in enumerate(texts)]}
    if following:
        page["next"] = following
    content = json.dumps({**page, "first": "".join(texts)}, ensure_ascii=False).encode()
    cloud.fail("glance", "GET", LIST, status=200, body=content, headers=JSON)
    answer_with(cloud, [])

    assert [image.name for image in connect(cloud).images(sort=["id"])] == texts
    assert any(asked.get("marker") == "m" for asked in lists(cloud)) is (following is not None)
