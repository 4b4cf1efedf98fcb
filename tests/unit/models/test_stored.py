"""Reasons of failures in the records of images: in every language, and harmless whoever has written them."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from hyperx_glance.models.image import Image, glance_form
from hyperx_glance.models.stored import restored, stored
from hyperx_glance.texts import LANGUAGES, Audience, Text, say

REASON = say("image-not-registered", image="7c1", problem=say("no-such-department", name="ops"))


def failed(value: object) -> Image:
    return Image.model_validate_json(json.dumps({"id": "7c1", "status": "queued", "hyperx_failure": value}))


def coded(code: object, values: object, sentence: str = "It failed.") -> str:
    return f"{sentence}\n{json.dumps({'code': code, 'values': values})}"


def nested(levels: int) -> str:
    values: Any = "end"
    for _ in range(levels):
        values = {"code": "error.explanation", "values": {"message": values, "explanation": ""}}
    return f"It failed.\n{json.dumps(values)}"


def test_a_stored_text_is_read_in_every_language() -> None:
    image = failed(stored(REASON))

    assert image.failure == REASON
    for language in LANGUAGES:
        for audience in Audience:
            assert image.failure.in_language(language, audience=audience) == REASON.in_language(
                language, audience=audience
            )


def test_other_tools_read_the_english_sentence_first() -> None:
    assert stored(REASON).splitlines()[0] == str(REASON)


def test_a_text_without_a_code_is_stored_as_it_is() -> None:
    assert stored(Text("404 Not Found")) == "404 Not Found"


@pytest.mark.parametrize("value", ["404 Not Found", "two\nlines", "ends in {\n{", "\n", "{}"])
def test_a_record_of_an_older_release_is_read(value: str) -> None:
    image = failed(value)

    assert image.failure == value
    assert image.failure.in_language("zh") == value
    assert image.phase == "failed"


@pytest.mark.parametrize(
    "value",
    [
        coded("never-heard-of", {}),
        coded("no-such-department", {}),
        coded("no-such-department", {"other": "ops"}),
        coded("no-such-department", ["ops"]),
        coded("no-such-department", None),
        coded(7, {"name": "ops"}),
        coded(["no-such-department"], {}),
        coded("no-such-department", {"name": {"code": "never-heard-of", "values": {}}}),
        coded("no-such-department", {"name": {"anything": 1}}),
        coded("sentences", {"sentences": 7}),
        coded("", {}),
        coded("no-such-department", {"name": "ops"}, sentence=""),
        'It failed.\n{"code": "no-such-department", "values": {"name": NaN}}',
        'It failed.\n{"code": "no-such-department", "values": {"name": 1e999}}',
        'It failed.\n{"code": "no-such-department", "values": {"name": "\\ud800"}}',
        'It failed.\n{"code": "no-such-department", "values": {"name": "ops"}',
        "It failed.\n[]",
        coded("no-such-department", {"name": "x" * 5000}),
        "It failed.\n" + '{"code":' * 400,
        nested(40),
        nested(80),
        coded("no-such-department", {"name": 10**3000}),
    ],
)
def test_a_forged_reason_never_fails_a_list(value: str) -> None:
    image = failed(value)

    assert image.phase == "failed"
    for language in LANGUAGES:
        for audience in Audience:
            assert image.failure.in_language(language, audience=audience)
    assert Image.model_validate_json(image.model_dump_json()) == image
    assert Image.model_validate(image.model_dump()) == image
    assert Image.model_validate(glance_form(image)) == image
    assert pickle.loads(pickle.dumps(image)) == image  # our own
    assert image.model_dump(mode="json", context={"language": "zh"})["failure"]


@pytest.mark.parametrize("value", [7, None, ["It failed."], {"code": "no-such-department"}])
def test_a_reason_that_is_no_string_is_none(value: object) -> None:
    assert failed(value).failure == ""


def test_a_dump_for_people_has_the_sentence_and_one_for_programs_the_value_of_the_property() -> None:
    image = failed(stored(REASON))

    shown = image.model_dump(mode="json", context={"language": "zh", "audience": "person"})
    assert shown["failure"] == REASON.in_language("zh", audience="person")
    assert image.model_dump(mode="json")["failure"] == stored(REASON)
    assert restored(image.model_dump(mode="json")["failure"]) == REASON
    assert Image.model_json_schema(mode="serialization")["properties"]["failure"]["type"] == "string"
