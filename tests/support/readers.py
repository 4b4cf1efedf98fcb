"""The check that a text is whole for every reader: in both languages, for programs, for commands and for people.

>>> from hyperx_glance.texts import say
>>> from tests.support.readers import assert_whole
>>> assert_whole(say("enable-first", image="7c1"))
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hyperx_glance.texts import LANGUAGES, Audience

if TYPE_CHECKING:
    from hyperx_glance.errors import HyperxGlanceError
    from hyperx_glance.texts import Text

CHINESE = re.compile("[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"\{\w*\}")
PYTHON = re.compile(r"\b\w+\(|\b[a-z_]+=|\b(?:NewImage|NewIso|NewCapture|ImageChanges|UrlPolicy|None|True|False)\b")
COMMAND = re.compile(r"openstack |(?<!\w)--[a-z]")
TOOL = re.compile(r"\bdd if=\S+ of=FILE\b.*")
"""What operators type on their own machines."""


def assert_whole(text: Text) -> None:
    """Check that a text has a code and a sentence for each reader, in words that this reader knows."""
    assert text.code, text
    for language in LANGUAGES:
        said = {audience: text.in_language(language, audience=audience) for audience in Audience}
        for sentence in said.values():
            assert sentence
            assert not PLACEHOLDER.search(sentence), sentence
            assert (CHINESE.search(sentence) is not None) == (language == "zh"), sentence
        assert not PYTHON.search(TOOL.sub("", said[Audience.COMMAND])), said
        assert not PYTHON.search(said[Audience.PERSON]), said
        assert not COMMAND.search(said[Audience.PERSON]), said


def assert_told(error: HyperxGlanceError) -> None:
    """Check the message of an error and its hint, if it has one."""
    assert_whole(error.message)
    if error.hint:
        assert_whole(error.hint)
