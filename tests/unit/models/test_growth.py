"""Refusing a wrong request takes time in proportion to its length, and its message has a bound."""

from __future__ import annotations

import json
import pkgutil
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import ImageChanges, InvalidRequestError, LaunchRequest, NewImage, models
from hyperx_glance.models.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

MANY = 300
LONGEST_MESSAGE = 10_000


def _requests(above: type[Request] = Request) -> Iterator[type[Request]]:
    for kind in above.__subclasses__():
        yield kind
        yield from _requests(kind)


for _module in pkgutil.iter_modules(models.__path__):
    import_module(f"hyperx_glance.models.{_module.name}")
FIELDS = [
    (kind, field)
    for kind in sorted(set(_requests()), key=lambda kind: kind.__name__)
    if kind.__module__.startswith("hyperx_glance.models.")
    for field in kind.model_fields
]
WRONG: dict[str, Callable[[int], object]] = {
    "numbers": lambda count: [1] * count,
    "dictionaries": lambda count: [{"a": 1}] * count,
    "empty texts": lambda count: [""] * count,
    "texts": lambda count: [f"/,{number}" for number in range(count)],
    "lists": lambda count: [[[]]] * count,
    "text to number": lambda count: {f"key {number}": number for number in range(count)},
    "reserved keys": lambda count: {f"os_glance_{number}": "x" for number in range(count)},
    "number to text": lambda count: dict.fromkeys(range(count), "x"),
    "a long text": lambda count: "\x00" * count,
    "a long key": lambda count: {"\x07" * 100 * count: 1},
}


def steps(build: Callable[[], object]) -> tuple[int, str, str]:
    """Count the calls, of Python and of C, until something is refused; return what is said, and the traceback."""
    count, message, shown = 0, "", ""

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        build()
    except InvalidRequestError as error:
        sys.setprofile(before)
        message, shown = str(error), "".join(traceback.format_exception(error))
    finally:
        sys.setprofile(before)
    return count, message, shown


def assert_growth_is_linear(build: Callable[[int], object]) -> None:
    build_once, _, _ = steps(lambda: build(MANY))  # what is imported or cached at the first time
    del build_once
    some, message, _ = steps(lambda: build(MANY))
    twice, longer, shown = steps(lambda: build(2 * MANY))
    assert twice <= 2 * some + 1000
    assert max(len(message), len(longer)) <= LONGEST_MESSAGE
    assert len(shown) <= 4 * LONGEST_MESSAGE


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=[f"{kind.__name__}.{field}" for kind, field in FIELDS])
def test_twice_as_many_mistakes_take_twice_as_long_to_refuse(kind: type[Request], field: str, wrong: str) -> None:
    assert_growth_is_linear(lambda count: kind(**{field: WRONG[wrong](count)}))


@pytest.mark.parametrize("kind", dict.fromkeys(kind for kind, _ in FIELDS))
def test_so_do_fields_that_do_not_exist_and_json(kind: type[Request]) -> None:
    def build(count: int) -> Request:
        return kind(**{f"nam{number}": 1 for number in range(count)})

    def read(count: int) -> Request:
        wrong: dict[str, Any] = {field: [1] * (count // 20) for field in kind.model_fields}
        return kind.model_validate_json(json.dumps({**wrong, **{f"nam{number}": 1 for number in range(count)}}))

    assert_growth_is_linear(build)
    assert_growth_is_linear(read)


def test_the_first_ten_mistakes_are_named_and_the_others_counted() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        ImageChanges(tags=[1] * 115_000)  # type: ignore[list-item]  # that is the mistake
    *lines, last = str(caught.value).splitlines()
    assert lines == [f"tags.{number}: must be a string" for number in range(10)]
    assert last == "and 114990 more"


def test_up_to_ten_mistakes_are_all_named_and_pydantic_s_own_error_is_the_cause() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        NewImage(name="debian", url="http://files.example/a", tags=[1] * 10)  # type: ignore[list-item]  # that is the mistake
    assert len(str(caught.value).splitlines()) == 10
    assert caught.value.__cause__ is not None


def test_names_that_the_caller_gave_are_cut() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        LaunchRequest(name="web", flavor="small", metadata={"k" * 100_000: "x"}, **{"x" * 100_000: 1})  # type: ignore[arg-type]  # that is the mistake
    first, second = str(caught.value).splitlines()
    assert first == f"metadata.{'k' * 100}...: must have at most 255 characters"
    assert second == f"{'x' * 100}...: unknown field"
