"""JSON and YAML are readable, drive no terminal and mean what the service said; tables are cliff's."""

from __future__ import annotations

import argparse
import io
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, strategies as st

from hyperx_glance.cli.formats import Json, Yaml
from hyperx_glance.cli.output import Time
from tests.unit.test_cli_terminal import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

Writer = Json | Yaml
FORMATS: list[tuple[type[Writer], Callable[[str], Any]]] = [(Json, json.loads), (Yaml, yaml.safe_load)]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def written(writer: type[Writer], value: object, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    writer().emit_one(["text"], [value], stream, argparse.Namespace(noindent=False))
    stream.seek(0)
    return stream.read()


@pytest.mark.parametrize(("writer", "read"), FORMATS)
@given(value=TEXTS | st.lists(TEXTS) | st.dictionaries(TEXTS, TEXTS) | st.none() | st.booleans() | st.integers())
def test_every_output_format_reads_back_as_written(
    writer: type[Writer], read: Callable[[str], Any], value: object
) -> None:
    text = written(writer, value)

    assert read(text) == {"text": value}
    assert not CONTROL.search(text)


@pytest.mark.parametrize("writer", [Json, Yaml])
def test_chinese_can_be_read_where_the_stream_can_encode_it(writer: type[Writer]) -> None:
    assert "稳定版" in written(writer, "稳定版")
    assert "稳定版" in written(writer, "稳定版", "gb18030")
    assert written(writer, "稳定版", "ascii").isascii()


@pytest.mark.parametrize(("writer", "read"), FORMATS)
def test_a_stream_that_cannot_encode_gets_escapes(writer: type[Writer], read: Callable[[str], Any]) -> None:
    assert read(written(writer, "稳定版 \x9b31m", "latin-1")) == {"text": "稳定版 \x9b31m"}


def test_half_a_pair_is_escaped() -> None:
    assert json.loads(written(Json, "a\ud800b")) == {"text": "a\ud800b"}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
def test_times_at_the_edges_of_the_calendar_are_shown(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Glance may return any time, and some have no neighbour in another zone."""
    edges = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        shown = [Time(edge).human_readable() for edge in edges]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "1-01-01" in shown[0]
    assert shown[1].startswith("9999-12-31")
