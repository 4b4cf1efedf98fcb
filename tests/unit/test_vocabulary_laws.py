"""Laws that hold for every field, so that none is added without effect."""

from __future__ import annotations

import argparse
import runpy
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    Client,
    Image,
    ImageChanges,
    ImageQuery,
    LocalFileError,
    NewCapture,
    NewImage,
    NewIso,
    NotAllowedError,
    UrlRejectedError,
)
from hyperx_glance.browsing.matching import searched
from hyperx_glance.capturing.order import CaptureOrder
from hyperx_glance.capturing.template import template_edits
from hyperx_glance.cli import images, options
from hyperx_glance.models.mapping import Edit
from hyperx_glance.vocabulary import BY_NAME, FIELDS, RESERVED_PREFIX, Field, Stored, Writer
from tests.support.clouds import ClientFactory, sent
from tests.support.fields import INSTEAD, NOON, WORD, beside, unlike_the_default
from tests.support.lists import ids, lists
from tests.support.registrations import BLIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pydantic

    from hyperx_glance.testing import InMemoryCloud
    from tests.support.file_server import FileServer

CRITERIA: Mapping[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "tables.py"))["CRITERIA"]
ELSEWHERE = {"stores": "/import"}
"""The request that a field of a new image changes, where it is not the one that makes the record."""
NEW: tuple[type[NewImage | NewIso], ...] = (NewImage, NewIso)


def fields_of(*models: type[pydantic.BaseModel]) -> list[tuple[type[pydantic.BaseModel], str]]:
    return [(model, field) for model in models for field in model.model_fields]


# ----------------------------------------------------------------- what is written


def asked(cloud: InMemoryCloud, admin: Client, new: NewImage | NewIso) -> dict[str, object]:
    """Register, and return the bodies that Glance got by the ends of their paths; nothing if that is refused."""
    cloud.requests.clear()
    try:
        image_id = admin.start_registration(new).image_id
    except (UrlRejectedError, LocalFileError):
        return {}
    told = {
        request.path.partition(image_id)[2] or request.path: request.body
        for request in sent(cloud, "POST", "/v2/images")
    }
    cloud.glance.images.clear()
    return told


@pytest.mark.parametrize(("model", "field"), fields_of(*NEW))
def test_a_field_of_a_new_image_changes_its_record_or_names_its_request(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, model: type[NewImage | NewIso], field: str
) -> None:
    cloud.glance.downloads = {"http://files.example/a": b"", "http://files.example/other": b""}
    admin = client("admin", url_policy=BLIND)
    least = {"name": "a", "url": "http://files.example/a", "id": "7c1f0000-0000-4000-8000-00000000beef"}
    if model is NewImage:
        least["disk_format"] = "qcow2"

    before = asked(cloud, admin, model.model_validate(least | beside(model, field)))
    value = unlike_the_default(model, field)
    if field == "checksum_url":
        value = file_server.serve("/SHA256SUMS", f"{'0' * 64}  a\n".encode())
    given = least | beside(model, field)
    given = {name: known for name, known in given.items() if name != INSTEAD.get(field)}
    after = asked(cloud, admin, model.model_validate({**given, field: value}))

    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert ELSEWHERE.get(field, "/v2/images") in changed
    if field in BY_NAME and BY_NAME[field].stored is Stored.TEXT:
        record = after["/v2/images"]
        assert isinstance(record, dict)
        assert record[BY_NAME[field].key] == value


def before_changes(cloud: InMemoryCloud, **record: object) -> str:
    """Make an image of dept-a of which every change is one."""
    return cloud.glance.add_image(owner="dept-a", status="active", disk_format="qcow2", free="free", **record)


@pytest.mark.parametrize("field", ImageChanges.model_fields)
def test_a_change_changes_the_record(cloud: InMemoryCloud, client: ClientFactory, field: str) -> None:
    image_id = before_changes(cloud, visibility="private")
    value = unlike_the_default(ImageChanges, field)

    before = client("alice").image(image_id)
    after = client("alice").update(image_id, ImageChanges.model_validate({field: value}))

    assert after.model_dump(exclude={"updated_at"}) != before.model_dump(exclude={"updated_at"})
    if field in BY_NAME:
        assert getattr(after, field) == (tuple(value) if field == "tags" else value)


NEVER_GIVEN = {"edited_by": "the steward's own mark", "visibility": "category decides it"}


def test_every_row_that_people_write_is_a_field_of_a_change() -> None:
    written = {field.name for field in FIELDS if field.writer in (Writer.OWNER, Writer.STEWARD) and not field.part_of}

    assert written - set(ImageChanges.model_fields) == set(NEVER_GIVEN)


@pytest.mark.parametrize("field", [name for name in ImageChanges.model_fields if name in BY_NAME])
def test_everybody_changes_of_a_public_image_what_the_table_says(
    cloud: InMemoryCloud, client: ClientFactory, field: str
) -> None:
    image_id = before_changes(cloud, visibility="community")
    value = unlike_the_default(ImageChanges, field)
    bob = client("bob", steward="admin")

    if BY_NAME[field].writer is Writer.STEWARD:
        assert bob.update(image_id, ImageChanges.model_validate({field: value})).edited_by == bob.user_id
    else:
        with pytest.raises(NotAllowedError, match=field):
            bob.update(image_id, ImageChanges.model_validate({field: value}))


@pytest.mark.parametrize("field", [name for name in NewCapture.model_fields if name != "disk_format"])
def test_a_field_of_a_capture_changes_the_template(field: str) -> None:
    """The format is not part of the record: it is requested from Cinder (tests/unit/capturing)."""
    made = Image.model_validate({"id": "7c1", "visibility": "private", "image_type": "snapshot"})

    def template(**given: object) -> list[Edit]:
        new = NewCapture.model_validate({"name": "a", **given})
        order = CaptureOrder(capture_id=new.capture_id or "8c1e5f2a", server_id="81f", user_id="u1", new=new)
        return template_edits(made, order, public_visibility="community")

    assert template(**{field: unlike_the_default(NewCapture, field)}) != template()


# ----------------------------------------------------------------- what is found


@pytest.fixture
def two(cloud: InMemoryCloud) -> list[str]:
    """Make two images that differ in everything, and return their ids."""
    texts = [field.key for field in FIELDS if field.stored is Stored.TEXT and not field.key.startswith(RESERVED_PREFIX)]
    flags = [field.key for field in FIELDS if field.stored is Stored.FLAG]
    shared: dict[str, Any] = {"owner": "dept-a", "visibility": "private"}
    late = cloud.glance.add_image(
        **shared,
        **dict.fromkeys(texts, WORD),
        **dict.fromkeys(flags, "true"),
        name=WORD,
        status="active",
        disk_format="qcow2",
        size=7,
        tags=[WORD],
        protected=True,
        free=WORD,
        created_at="2026-03-01T13:00:00+00:00",
        updated_at="2026-03-01T13:00:00+00:00",
    )
    early = cloud.glance.add_image(
        **shared,
        **dict.fromkeys(flags, "false"),
        name="other",
        status="deactivated",
        disk_format="iso",
        size=3,
        created_at="2026-03-01T11:00:00+00:00",
        updated_at="2026-03-01T11:00:00+00:00",
    )
    return [late, early]


@pytest.mark.parametrize("criterion", ImageQuery.model_fields)
def test_a_criterion_changes_what_is_found_and_is_asked_as_documented(
    cloud: InMemoryCloud, client: ClientFactory, two: list[str], criterion: str
) -> None:
    alice = client("alice")
    assert ids(alice) == two
    without = lists(cloud)
    cloud.requests.clear()

    value = unlike_the_default(ImageQuery, criterion)
    found = [image.id for image in alice.images(ImageQuery.model_validate({criterion: value}))]

    assert found != two
    if BY_NAME.get(criterion, BY_NAME["id"]).stored is not Stored.COLUMN:
        assert found == [two[0]]
    assert (lists(cloud) != without) == bool(CRITERIA[criterion].glance)


@pytest.mark.parametrize(
    "field", [field for field in FIELDS if field.stored is Stored.TEXT or field.searched], ids=lambda field: field.name
)
def test_the_quick_search_looks_where_the_table_says(field: Field) -> None:
    word = [WORD] if field.name == "tags" else WORD
    # Without these the names of system and technology are made of other fields.
    record = {"id": "7c1", "hyperx_os_name": "x", "hyperx_hypervisor": "x", field.key: word}
    found = searched(WORD, {})

    assert found is not None
    assert found(Image.model_validate(record)) == field.searched


# ----------------------------------------------------------------- what is shown


@pytest.mark.parametrize("name", BY_NAME)
def test_a_field_is_shown_or_part_of_one_that_is(name: str) -> None:
    field = BY_NAME[name]
    shown = {*Image.model_fields, *Image.model_computed_fields} & {*images.SHOWN_ALONE}

    assert (field.part_of or field.name) in shown
    assert bool(field.part_of) != (field.name in shown)


def test_a_list_shows_more_where_the_table_says_so() -> None:
    assert {field.name for field in FIELDS if field.listed} <= {*images.SHOWN_LONG}


TEXTS = {"properties": "free=law", **dict.fromkeys(("created_after", "created_before"), NOON.isoformat())}
TEXTS |= dict.fromkeys(("updated_after", "updated_before"), NOON.isoformat())
COMMANDS: dict[str, tuple[type[pydantic.BaseModel], list[str]]] = {
    "image create": (NewImage, ["a", "--url", "http://files.example/a"]),
    "iso create": (NewIso, ["a", "--url", "http://files.example/a"]),
    "image capture": (NewCapture, ["81f", "a"]),
    "image set": (ImageChanges, ["a"]),
    "image list": (ImageQuery, []),
}


@pytest.mark.parametrize(
    ("command", "field"), [(command, field) for command, (model, _) in COMMANDS.items() for field in model.model_fields]
)
def test_a_field_of_a_request_is_given_on_the_command_line(command: str, field: str) -> None:
    model, least = COMMANDS[command]
    if INSTEAD.get(field) == "url":
        least = least[:1]
    (entry,) = entry_points(group="openstack.hyperx.v1", name=f"hyperx_{command.replace(' ', '_')}")
    parser: argparse.ArgumentParser = entry.load()(None, None).get_parser(command)
    # argparse has no other way.
    action = next((action for action in parser._actions if action.dest == field), None)  # noqa: SLF001
    assert action is not None, f"openstack hyperx {command} has no option for {field}"

    words = list(action.option_strings[:1])
    if words and action.nargs != 0 and not isinstance(action, argparse.BooleanOptionalAction):
        words.append(next(iter(action.choices)) if action.choices else TEXTS.get(field, "7"))
    given = options.given(parser.parse_args([*least, *words]), *model.model_fields)

    assert field in given
