"""Each error says what failed, what the service answered and what to do; it can be pickled."""

import copy
import inspect
import pickle
from typing import Any

import pydantic
import pytest

from hyperx_glance import LaunchRequest, NewImage, errors, invalid_request
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.quotas.refusals import quota_error
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import LONGEST_TEXT, Text, field_name, say
from hyperx_glance.waiting.made import MayHaveMade

CLASSES = [thing for _, thing in inspect.getmembers(errors, inspect.isclass) if issubclass(thing, HyperxGlanceError)]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {
        line.strip(" │├└─").split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if "Error" in line and "─" in line
    }

    assert drawn | {"HyperxGlanceError"} == {error.__name__ for error in CLASSES}


def test_bad_input_is_a_value_error_too() -> None:
    assert issubclass(InvalidRequestError, ValueError)


def test_the_text_of_an_error_contains_the_response_of_the_service() -> None:
    error = NotFoundError(
        Text("No image 7c1."), hint=Text("See the list."), service="image", status=404, request_id="req-1"
    )

    assert str(error) == "No image 7c1 (image answered 404, request req-1). Hint: See the list."
    assert (error.service, error.status, error.request_id, error.hint) == ("image", 404, "req-1", "See the list.")


def test_without_a_service_the_text_is_the_message() -> None:
    assert str(HyperxGlanceError(Text("It failed."))) == "It failed."


@pytest.mark.parametrize(
    ("resource", "requested", "text"),
    [
        ("images", 1, "1 more image:"),
        ("images", 2, "2 more images:"),
        ("ram_mib", 1, "1 more MiB of memory:"),
        ("image_size_mib", 5, "5 more MiB of image data:"),
    ],
)
def test_one_more_is_no_plural(resource: str, requested: int, text: str) -> None:
    error = QuotaExceededError(department="dept-a", resource=resource, limit=1, used=1, requested=requested)
    assert f"has no room for {text} 1 of 1 used." in str(error)


def test_a_wrong_request_says_what_is_wrong_with_each_field() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        NewImage(name="", url="ftp://files.example/a", categry="public")  # type: ignore[call-arg]

    assert caught.value.problems == {
        "name": "must not be empty",
        "url": "not a valid URL: it must have http:// or https://, a host, and a path without spaces",
        "categry": "unknown field; did you mean category?",
    }
    assert caught.value.problems["name"].in_language("zh") == "不能为空"
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_a_problem_of_one_field_is_found_by_its_name() -> None:
    one = say("wrong-field", field=field_name("url"), problem=say("must-not-be-empty"))

    assert InvalidRequestError(one).problems == {"url": "must not be empty"}
    assert InvalidRequestError(say("changes-and-keywords")).problems == {"": say("changes-and-keywords")}


def test_a_problem_of_several_fields_is_found_by_each_name() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        NewImage(
            name="a", url="https://files.example/a", checksum="md5:" + "0" * 32, checksum_url="https://files.example/b"
        )

    assert caught.value.problems.keys() == {"checksum", "checksum_url"}
    assert "one of them" in caught.value.problems["checksum_url"]


def test_a_cursor_of_another_query_is_a_problem_of_its_field() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        InMemoryCloud().client("alice").page(cursor="nonsense")

    assert caught.value.problems == {"cursor": caught.value.message}


def test_mistakes_that_a_framework_has_found_are_told_in_our_words() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(LaunchRequest).validate_python(
            {"flavor": "m1.tiny", "count": 0, "admin_password": "**********"}
        )

    error = invalid_request(caught.value.errors())

    assert error.problems == {
        "name": "this field is required",
        "count": "must be at least 1",
        "admin_password": "must be the secret itself, not the asterisks that JSON shows in its place",
    }
    assert error.hint.startswith("Pass the secret beside the JSON")


def test_a_mistake_of_which_this_library_has_no_words_keeps_its_own() -> None:
    class Theirs(pydantic.BaseModel):
        code: str = pydantic.Field(pattern="^[a-z]+$")

    with pytest.raises(pydantic.ValidationError) as caught:
        Theirs(code="A SECRET")

    assert invalid_request(caught.value.errors()).problems == {"code": "String should match pattern '^[a-z]+$'"}


def test_several_exceeded_quotas_are_named_without_units() -> None:
    """In Chinese, a unit or a measure word stands before a noun only after a number."""
    error = QuotaExceededError(
        department="ops", resource="instances", limit=60, used=2, requested=100, exceeded=("instances", "ram_mib")
    )

    assert error.in_language("en", audience="person").startswith(
        "Department ops has no room for 100 more servers: 2 of 60 used. Exceeded: servers, memory. "
    )
    assert error.in_language("zh", audience="person").startswith(
        "部门 ops 的配额不足。虚拟机：已用 2，上限 60，本次需要 100。超出的配额：虚拟机、内存。"
    )


def test_a_quota_without_figures_is_named_without_a_unit() -> None:
    text = "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'."
    error = quota_error(text, department="ops")

    assert error is not None
    assert error.message.in_language("zh", audience="person") == "部门 ops 的以下配额不足：云硬盘"


@pytest.mark.parametrize("exceeded", [(), ("cores", "ram_mib")])
def test_a_quota_names_what_is_exceeded(exceeded: tuple[str, ...]) -> None:
    error = QuotaExceededError(department="dept-a", resource="cores", limit=10, used=9, requested=2, exceeded=exceeded)

    assert error.exceeded == (exceeded or ("cores",))
    assert "9 of 10" in str(error)
    assert error.hint


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_the_way_to_another_process(kind: type[HyperxGlanceError]) -> None:
    parameters = inspect.signature(kind).parameters.values()
    needed: dict[str, Any] = {
        each.name: Text(f"a {each.name}")
        for each in parameters
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    }
    error = kind(**needed)
    error.hint = Text("Look again.")
    error.add_note("and then more went wrong")

    for copied in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(copied) is kind
        assert (str(copied), vars(copied)) == (str(error), vars(error))


def test_the_answer_of_a_service_is_passed_on() -> None:
    error = NotFoundError(Text("No image 7c1."), explanation="said", service="image", status=400, request_id="req-1")

    assert NotFoundError(Text("It was deleted."), **error.answer()).answer() == error.answer()
    assert error.answer() == {
        "explanation": "said",
        "service": "image",
        "status": 400,
        "request_id": "req-1",
    }


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NotFoundError(Text("There is no image")), "There is no image"),
        (NotFoundError(Text("There is no image"), hint=Text("Look.")), "There is no image. Hint: Look."),
        (NotFoundError(Text("There is no image."), hint=Text("Look.")), "There is no image. Hint: Look."),
        (NotFoundError(Text("Why?"), hint=Text("Look.")), "Why? Hint: Look."),
        (
            NotFoundError(Text("None."), hint=Text("Look."), service="image", status=404, request_id="req-1"),
            "None (image answered 404, request req-1). Hint: Look.",
        ),
        (NotFoundError(Text("None"), service="image", status=404), "None (image answered 404)."),
    ],
)
def test_a_sentence_ends_before_its_hint(error: NotFoundError, text: str) -> None:
    assert str(error) == text


def test_another_thread_may_find_more_while_an_error_is_named() -> None:
    class Id(str):
        __slots__ = ()

        def __format__(self, specification: str) -> str:
            made.found(volume_id="81f")
            return str(self)

    made = MayHaveMade(capture_id=Id("7c1"))
    with pytest.raises(ConflictError, match="may still exist: capture 7c1") as caught, made:
        raise ConflictError(Text("It failed."))

    assert caught.value.capture_id == "7c1"


def test_no_note_is_added_if_nothing_was_created() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, MayHaveMade(image_id=None):
        raise KeyboardInterrupt

    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("kind", [HyperxGlanceError, ServiceUnavailableError, NotFoundError, ConflictError])
def test_no_error_has_letters_that_nobody_sees(kind: type[HyperxGlanceError]) -> None:
    error = kind(Text("a\x1b[31m\x00b\u202ec\ud800d\n  e\x9bf"), hint=Text("try\x07 again"), request_id="req-1\r\nX: y")

    assert str(error) == "a[31mbcd\n  ef. Hint: try again"
    assert error.args == (error.message,)
    assert error.request_id is None
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_no_message_is_endless() -> None:
    assert len(str(HyperxGlanceError(Text("x" * 10**6)))) == LONGEST_TEXT


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("req-5a3c0f3e-7c1e-4b20-9d55-0a1b2c3d4e5f", "req-5a3c0f3e-7c1e-4b20-9d55-0a1b2c3d4e5f"),
        ("tx00000a1b2c-005f.region", "tx00000a1b2c-005f.region"),
        ("", None),
        (None, None),
        ("r" * 101, None),
        ("req 1", None),
        ("req-ä", None),
    ],
)
def test_a_request_id_is_kept_if_it_can_be_one(given: str | None, kept: str | None) -> None:
    assert HyperxGlanceError(Text("a"), request_id=given).request_id == kept
