"""The route of the asyncio guide sends events as a browser reads them; the page's other examples run with the guide."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hyperx_glance import NewImage
from tests.examples import prepared

URL = "https://files.example/debian-12.qcow2"
PAGE = Path(__file__).parents[2] / "docs" / "guide" / "asyncio.rst"


@pytest.fixture
def names() -> dict[str, Any]:
    """What a session knows into which the imports and definitions of the page were pasted."""
    names = prepared()
    for example in doctest.DocTestParser().get_examples(PAGE.read_text()):
        if re.match("import |from |async def |app = |@app", example.source):
            exec(compile(example.source, str(PAGE), "exec"), names)
    return names


def watched(names: dict[str, Any], image_id: str) -> list[str]:
    """Return the phases of the events that a browser gets."""
    answer = TestClient(names["app"]).get(f"/images/{image_id}/progress")
    events = re.findall(r"data: (.*)\n\n", answer.text)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "".join(f"data: {event}\n\n" for event in events) == answer.text
    return [json.loads(event)["phase"] for event in events]


def test_a_browser_gets_an_event_for_each_look_until_the_image_is_ready(names: dict[str, Any]) -> None:
    registration = names["client"].start_registration(NewImage(name="watched", url=URL))

    assert watched(names, registration.image_id) == ["downloading", "ready"]


def test_a_browser_is_told_of_a_failure_in_the_last_event(names: dict[str, Any]) -> None:
    record = {"status": "queued", "hyperx_failure": "no room"}
    image_id = names["hyperx_cloud"].glance.add_image(owner="dept-a", name="watched", **record)

    assert watched(names, image_id) == ["failed"]
