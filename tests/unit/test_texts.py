"""Texts have codes and values, and each reader has a sentence of their own."""

from __future__ import annotations

import inspect
import json
import pickle
import re
from pathlib import Path
from typing import Any

import pydantic
import pytest
from pydantic import BaseModel

from hyperx_glance import Audience, InvalidRequestError, Text, UrlRejectedError, errors
from hyperx_glance.errors import AmbiguousNameError, HyperxGlanceError, ProtectedError, QuotaExceededError
from hyperx_glance.texts import LANGUAGES, LONGEST_TEXT, NO_TEXT, Language, Reader, field_name, say, sentences, word
from hyperx_glance.vocabulary import Phase
from tests.texts import catalogues
from tests.texts.__main__ import mistakes
from tests.texts.catalogues import entries, placeholders

NAMES_THAT_STAY = Path(catalogues.__file__).with_name("names.txt")
"""Names and abbreviations that Chinese sentences use as they are."""
CODES = sorted({code for _, code in entries("en")})
CLASSES = [thing for _, thing in inspect.getmembers(errors, inspect.isclass) if issubclass(thing, HyperxGlanceError)]
NAMES = re.compile(
    r"`[^`]*`|(?<!\w)--?[a-z-]+|[A-Za-z_.]+\([^）]*?\)|https?://\S*|\b[a-z0-9-]+([_.:][A-Za-z0-9]+)+\b|%40|“[^”]*”|<[a-z]+>"
)
"""What stays as it is in a Chinese sentence: commands, options, calls, names with dots and underscores, quotations."""


class Message(BaseModel):
    """A model with a text, as findings and progress are."""

    text: Text


def test_the_catalogues_are_complete() -> None:
    assert list(mistakes()) == []


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_filled_in(language: Language, audience: Audience) -> None:
    for code in CODES:
        named = {
            name
            for (_, each), entry in entries("en").items()
            if each == code
            for name in placeholders(str(entry.string))
        }
        values = {name: ("7", "8") if f"{{{name}:" in str(entries("en")["", code].string) else 7 for name in named}
        text = say(code, **values).in_language(language, audience=audience)

        assert text, code
        assert "{" not in text or "jinja" in code, (code, text)


def test_no_chinese_sentence_has_english_words() -> None:
    allowed = set(NAMES_THAT_STAY.read_text(encoding="utf-8").split())
    found = {}
    for (audience, code), entry in entries("zh").items():
        if audience != "person" and ("person", code) in entries("zh"):
            continue
        bare = NAMES.sub(" ", re.sub(r"{[^}]*}", " ", str(entry.string)))
        words = set(re.findall(r"[A-Za-z][A-Za-z0-9'+-]*", bare)) - allowed
        if words:
            found[code] = sorted(words)

    assert found == {}


def test_a_reader_gets_the_sentence_of_their_language_and_audience() -> None:
    hint = ProtectedError(NO_TEXT).hint

    assert hint == "Switch its protection off first: update(image, protected=False)."
    assert hint.in_language("en", audience="command").endswith("`openstack hyperx image set <image> --no-protected`.")
    assert hint.in_language("en", audience="person") == "Switch its protection off first."
    assert hint.in_language("zh", audience="person") == "请先取消保护。"


def test_a_text_is_an_ordinary_string() -> None:
    text = say("only-administrators")

    assert text == "Only administrators may do this."
    assert hash(text) == hash("Only administrators may do this.")
    assert json.loads(json.dumps({"error": text})) == {"error": "Only administrators may do this."}
    assert type(str(text)) is str


def test_texts_with_other_values_differ() -> None:
    assert say("no-such-department", name="7") != say("no-such-department", name=7)
    assert say("no-such-department", name="a") == say("no-such-department", name="a")
    assert Text("There is no department a.") != say("no-such-department", name="a")


@pytest.mark.parametrize(("language", "audience"), [("fr", "person"), ("en", "robot"), (None, "person"), ("zh", None)])
def test_an_unknown_reader_is_refused_with_those_that_exist(language: Language, audience: Audience) -> None:
    for text in (say("only-administrators"), HyperxGlanceError(say("only-administrators"))):
        with pytest.raises(InvalidRequestError, match=r"must be one of (en, zh|python, command, person)"):
            text.in_language(language, audience=audience)


def test_a_text_of_another_release_stays_english() -> None:
    newer = Text("Quite new.", code="quite-new", values={"a": 1})
    changed = Text("There is no department a.", code="no-such-department", values={"id": "a"})

    assert newer.in_language("zh") == "Quite new."
    assert changed.in_language("zh", audience="person") == "There is no department a."


def test_values_are_translated_with_their_sentence() -> None:
    several = sentences(say("several-departments", name="ops"), NO_TEXT, say("phase.failed"))
    one = say("must-be-one-of", words=["a", "b"])
    line = say("wrong-field", field=field_name("disk_format"), problem=one)

    assert several.in_language("zh") == "有多个部门名为 ops。失败"
    assert line == "disk_format: must be one of a, b"
    assert line.in_language("zh", audience="person") == "格式：必须是以下之一：a、b"
    assert line.read_by(Reader("en", Audience.COMMAND, {"disk_format": "--format"})) == "--format: must be one of a, b"
    assert line.in_language("en", audience="command") == "--disk-format: must be one of a, b"
    assert say("of-another-department-in-category", image="7", category=Phase.READY).values["category"] == "ready"


def test_a_word_that_is_not_known_stays() -> None:
    assert word("resource", "class:CUSTOM_GPU") == Text("class:CUSTOM_GPU")


def test_what_nobody_sees_is_removed() -> None:
    text = say("no-such-department", name="a\x1b[31m\u202eb")

    assert text == "There is no department a[31mb."
    assert "\x1b" not in text.in_language("zh")
    assert Text("a\x1bb") == "ab"
    assert len(say("no-such-department", name="x" * 10**6).in_language("zh")) == LONGEST_TEXT


@pytest.mark.parametrize(
    "text",
    [
        NO_TEXT,
        Text("said elsewhere"),
        say("only-administrators"),
        say("wrong-request", problems=[say("wrong-field", field=field_name("size"), problem=say("must-not-be-empty"))]),
        say("quota-exceeded", department="a", requested=None, resource=say("resource.cores"), used=1, limit=2.5),
    ],
)
def test_a_text_comes_back_whole(text: Text) -> None:
    message = Message(text=text)

    assert Message.model_validate_json(message.model_dump_json()) == message
    assert Message.model_validate(message.model_dump(mode="json")) == message
    assert Message.model_validate(message.model_dump()) == message
    assert pickle.loads(pickle.dumps(message)) == message
    assert Message.model_validate_json(message.model_dump_json()).text.in_language("zh") == text.in_language("zh")


def test_json_names_code_values_and_text() -> None:
    written = json.loads(Message(text=say("no-such-department", name="ops")).model_dump_json())

    assert written == {
        "text": {"code": "no-such-department", "values": {"name": "ops"}, "text": "There is no department ops."}
    }
    schema = Message.model_json_schema()["properties"]["text"]
    assert set(schema["properties"]) == {"code", "values", "text"}


def test_a_text_for_showing_is_not_read_back() -> None:
    message = Message(text=say("only-administrators"))
    shown = message.model_dump(context={"language": "zh", "audience": "person"})

    assert shown == {"text": "只有管理员可以执行此操作。"}
    with pytest.raises(pydantic.ValidationError, match="for showing"):
        Message.model_validate(shown)
    with pytest.raises(pydantic.ValidationError, match="must be a text"):
        Message.model_validate_json(message.model_dump_json(context={"language": "zh"}))


@pytest.mark.parametrize("wrong", [7, None, {"code": "a"}, {"code": 1, "values": {}, "text": "a"}, ["a"]])
def test_something_else_is_no_text(wrong: object) -> None:
    with pytest.raises(pydantic.ValidationError, match="must be a text"):
        Message.model_validate({"text": wrong})


def test_a_model_takes_a_plain_string() -> None:
    assert Message(text="said elsewhere").text.code == ""  # type: ignore[arg-type]  # as callers do


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_of_error_speaks_to_every_reader(
    kind: type[HyperxGlanceError], language: Language, audience: Audience
) -> None:
    parameters = inspect.signature(kind).parameters.values()
    needed: dict[str, Any] = {
        each.name: say("only-administrators") if each.name == "message" else "7c1"
        for each in parameters
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    }
    error = kind(**needed)
    error.left = (say("left.image", id="81f"),)
    error.explanation, error.service, error.status, error.request_id = "it said so", "image", 409, "req-1"

    text = error.in_language(language, audience=audience)

    assert "81f" in text
    assert ("it said so" in text) is (audience is not Audience.PERSON)
    assert ("req-1" in text) is (audience is not Audience.PERSON)
    told = "“[^”]*”|it said so|req-1|81f|7c1|URL|Glance|update|image|protected|False|openstack|hyperx|set|no-"
    bare = re.sub(told, "", text)
    assert (re.search("[a-z]{3}", bare) is None) is (language == "zh"), text
    assert "..." not in text
    assert ".." not in text.replace("...", "")


def test_the_parts_of_an_error_are_apart() -> None:
    error = QuotaExceededError(
        department="ops",
        resource="images",
        limit=1,
        used=1,
        requested=1,
        explanation="Over.",
        service="image",
        status=413,
    )

    assert error.code == error.message.code == "quota-exceeded"
    assert str(error) == (
        "Department ops has no room for 1 more image: 1 of 1 used: Over (image answered 413)."
        " Hint: Delete what is no longer needed, or ask an administrator for a larger quota."
    )
    assert error.in_language("zh", audience="person") == (
        "部门 ops 的配额不足。镜像：已用 1，上限 1，本次需要 1。请删除不再需要的内容，或请管理员提高配额。"
    )
    assert error.in_language("zh") == (
        "部门 ops 的配额不足。镜像：已用 1，上限 1，本次需要 1。服务返回的信息：Over（镜像服务返回 413）。"
        "提示：请删除不再需要的内容，或请管理员提高配额。"
    )
    assert (error.explanation, error.suggested_status) == ("Over.", 409)


def test_a_command_lists_the_ids_of_an_ambiguous_name() -> None:
    error = AmbiguousNameError(say("several-departments", name="ops"), matches=["7c1", "81f"])

    assert str(error) == "Several departments are named ops. Hint: Use the id."
    assert error.in_language("en", audience="command").endswith("Hint: Use the id: one of 7c1, 81f.")


def test_an_error_of_a_plain_string_is_an_error_too() -> None:
    error = UrlRejectedError("No.", url="http://a", reason="refused", hint="Look.")  # type: ignore[arg-type]  # as callers do

    assert (str(error), error.code, error.in_language("zh")) == ("No. Hint: Look.", "", "No.提示：Look.")
