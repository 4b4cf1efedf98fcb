"""Reading a record of Glance is tolerant; each request refuses invalid values with a sentence."""

import json
import pickle
import traceback
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pydantic
import pytest

from hyperx_glance.errors import ImmutableFieldError, InvalidRequestError
from hyperx_glance.models.browsing import ImageCriteria, ImageQuery
from hyperx_glance.models.capturing import CaptureFields, NewCapture
from hyperx_glance.models.editing import ImageChanges, ImageFields
from hyperx_glance.models.image import Image, image_id, is_image
from hyperx_glance.models.launching import LaunchFields, LaunchRequest
from hyperx_glance.models.quotas import DepartmentQuota, QuotaLimits, Usage
from hyperx_glance.models.registering import NewImage, NewImageFields, NewIso, NewIsoFields
from hyperx_glance.vocabulary import Category, Kind, Phase, State, View

URL = "http://files.example/debian.qcow2"


def image(**record: object) -> Image:
    return Image.model_validate_json(json.dumps({"id": "7c1", **record}))


class TestReading:
    def test_a_record_with_nothing_but_an_id_reads(self) -> None:
        bare = image()

        assert (bare.name, bare.description, bare.size, bare.tags, bare.properties) == ("", "", None, (), {})
        assert (bare.phase, bare.state, bare.category, bare.kind) == (
            Phase.UNKNOWN,
            State.INACTIVE,
            Category.PRIVATE,
            Kind.IMAGE,
        )

    def test_sizes_that_no_database_holds_read_as_unknown(self) -> None:
        wild = image(size=10**400, virtual_size=2**63)

        assert (wild.size, wild.virtual_size) == (None, None)
        assert image(size=2**63 - 1).size == 2**63 - 1

    def test_nulls_read_as_defaults(self) -> None:
        nulls = image(**dict.fromkeys(["name", "size", "disk_format", "min_disk", "tags", "os_hidden", "created_at"]))

        assert (nulls.name, nulls.size, nulls.disk_format, nulls.min_disk_gib, nulls.tags) == ("", None, "", 0, ())
        assert (nulls.hidden, nulls.created_at) == (False, None)

    @pytest.mark.parametrize("text", ["maybe", "True", "1", "yes", "", None, 3])
    def test_a_flag_of_ours_is_true_only_when_it_says_so(self, text: object) -> None:
        assert image(hyperx_password_enabled=text, hyperx_bootable=text).password_enabled is False
        assert image(hyperx_bootable=text).bootable is False
        assert image(hyperx_password_enabled="true").password_enabled is True

    def test_an_image_that_does_not_say_is_bootable(self) -> None:
        assert image().bootable is True
        assert image(hyperx_bootable="true").bootable is True

    def test_unknown_words_keep_their_text(self) -> None:
        strange = image(status="frozen", disk_format="floppy", visibility="moon")

        assert (strange.glance_status, strange.disk_format, strange.visibility) == ("frozen", "floppy", "moon")
        assert strange.phase is Phase.UNKNOWN

    def test_properties_hold_all_that_is_no_field(self) -> None:
        read = image(
            name="debian",
            self="/v2/images/7c1",
            file="/v2/images/7c1/file",
            schema="/v2/schemas/image",
            locations=[],
            hyperx_url=URL,
            hyperx_featured="true",
            os_glance_import_task="t1",
            hypervisor_type="qemu",
            kind="theirs",
            url="theirs too",
            hw_disk_bus="scsi",
        )

        assert read.properties == {
            "hypervisor_type": "qemu",
            "kind": "theirs",
            "url": "theirs too",
            "hw_disk_bus": "scsi",
        }
        assert (read.url, read.kind) == (URL, Kind.IMAGE)

    def test_properties_are_text(self) -> None:
        """So readers need not look."""
        assert image(kernel_id=None, hw_qemu_guest_agent=5, hw_disk_bus=["scsi"], os_x="x").properties == {"os_x": "x"}

    def test_a_dump_shows_derived_values_and_no_raw_property(self) -> None:
        dumped = image(
            status="active", visibility="public", hyperx_featured="true", url="theirs", kind="theirs"
        ).model_dump()

        assert (dumped["kind"], dumped["category"], dumped["state"], dumped["phase"]) == (
            Kind.IMAGE,
            Category.FEATURED,
            State.ACTIVE,
            Phase.READY,
        )
        assert dumped["url"] == ""
        assert dumped["properties"] == {"url": "theirs", "kind": "theirs"}
        assert "hyperx_featured" not in dumped

    def test_a_dump_honours_include(self) -> None:
        assert image(os_distro="debian", os_version="12", x="y").model_dump(include={"id", "os_name"}) == {
            "id": "7c1",
            "os_name": "debian 12",
        }

    def test_a_dump_is_json(self) -> None:
        text = image(created_at="2026-01-02T03:04:05Z", tags=["a"], stores="fast,slow").model_dump_json()

        assert json.loads(text)["stores"] == ["fast", "slow"]
        assert json.loads(text)["created_at"] == "2026-01-02T03:04:05Z"

    def test_a_repr_shows_what_says_something_and_each_property_once(self) -> None:
        shown = repr(image(name="debian", stores="fast", hw_disk_bus="scsi", self="/v2/images/7c1"))

        assert shown.startswith("Image(id='7c1', name='debian', ")
        assert "stores=('fast',), properties={'hw_disk_bus': 'scsi'}, kind=" in shown
        assert "/v2/images" not in shown
        assert "description" not in shown

    def test_an_image_survives_pickling(self) -> None:
        read = image(name="debian", hw_disk_bus="scsi")

        assert pickle.loads(pickle.dumps(read)) == read

    def test_an_image_is_frozen(self) -> None:
        with pytest.raises(pydantic.ValidationError):
            image().name = "other"  # type: ignore[misc]  # that is what the test shows


class TestCategory:
    @pytest.mark.parametrize(
        ("visibility", "flag", "category"),
        [
            ("public", "true", Category.FEATURED),
            ("public", "True", Category.PUBLIC),
            ("public", None, Category.PUBLIC),
            ("community", "true", Category.PUBLIC),
            ("community", None, Category.PUBLIC),
            ("private", "true", Category.PRIVATE),
            ("shared", "true", Category.PRIVATE),
            ("shared", None, Category.PRIVATE),
        ],
    )
    def test_the_flag_counts_only_on_what_everybody_sees(
        self, visibility: str, flag: str | None, category: Category
    ) -> None:
        properties = {} if flag is None else {"hyperx_featured": flag}

        assert image(visibility=visibility, **properties).category is category


class TestPhase:
    @pytest.mark.parametrize(
        ("record", "phase"),
        [
            ({"status": "queued"}, Phase.REGISTERED),
            ({"status": "queued", "os_glance_import_task": "t1"}, Phase.DOWNLOADING),
            ({"status": "queued", "os_glance_failed_import": "fast"}, Phase.FAILED),
            ({"status": "queued", "os_glance_failed_import": ""}, Phase.REGISTERED),
            ({"status": "queued", "os_glance_failed_import": "fast", "os_glance_import_task": "t1"}, Phase.DOWNLOADING),
            ({"status": "queued", "hyperx_failure": "http_status"}, Phase.FAILED),
            ({"status": "importing"}, Phase.DOWNLOADING),
            ({"status": "saving"}, Phase.STORING),
            ({"status": "uploading"}, Phase.STORING),
            ({"status": "active"}, Phase.READY),
            ({"status": "active", "os_glance_importing_to_stores": "slow"}, Phase.STORING),
            ({"status": "active", "os_glance_importing_to_stores": ""}, Phase.READY),
            ({"status": "deactivated"}, Phase.DISABLED),
            ({"status": "killed"}, Phase.UNKNOWN),
        ],
    )
    def test_the_record_alone_tells_it(self, record: dict[str, str], phase: Phase) -> None:
        assert image(**record).phase is phase


class TestRequests:
    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"url": "ftp://files.example/a"}, "url"),
            ({"url": "http:///a"}, "url"),
            ({"url": "http://files.example/a b"}, "url"),
            ({"url": "http://[::1/a"}, "url"),
            ({"url": "http://files.example:99999/a"}, "url"),
            ({"disk_format": "floppy"}, "disk_format"),
            ({"disk_format": "iso"}, "disk_format"),
            ({"category": "secret"}, "category"),
            ({"checksum": "sha256:abc"}, "checksum"),
            ({"checksum": "crc32:00000000"}, "checksum"),
            ({"tags": [""]}, "tags"),
            ({"tags": [str(n) for n in range(129)]}, "tags"),
            ({"min_disk_gib": -1}, "min_disk_gib"),
            ({"properties": {"os_glance_x": "1"}}, "reserved by Glance"),
            ({"properties": {"visibility": "public"}}, "reserved by Glance"),
            ({"properties": {"hyperx_featured": "true"}}, "through the field category"),
            ({"properties": {"x": 1}}, "properties.x"),
            ({"id": "7c1"}, "id"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_a_wrong_field_is_named(self, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidRequestError, match=message):
            NewImage(**{"name": "debian", "url": URL, **wrong})

    def test_each_mistake_has_its_line_and_no_input(self) -> None:
        with pytest.raises(InvalidRequestError) as caught:
            NewImage(name="", url="ftp://alice:secret@files.example/a", colour="red")  # type: ignore[call-arg]

        lines = str(caught.value).splitlines()
        assert [line.partition(":")[0] for line in lines] == ["name", "url", "colour"]
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("fields", "lines"),
        [
            ({"tags": "debian"}, ["tags: must be a set, list or tuple"]),
            ({"stores": "fast"}, ["stores: must be a list or tuple"]),
            ({"colour": "red"}, ["colour: unknown field"]),
            ({"properties": {"os_type": "x"}}, ["properties.os_type: os_type is set through the field os_type"]),
        ],
    )
    def test_a_mistake_is_told_in_words_of_python_programmers(self, fields: dict[str, Any], lines: list[str]) -> None:
        with pytest.raises(InvalidRequestError) as caught:
            NewImage(**{"name": "debian", "url": URL, **fields})

        assert str(caught.value).splitlines() == lines

    def test_a_mistake_of_the_whole_request_stands_alone(self) -> None:
        with pytest.raises(ImmutableFieldError, match=r"^url: never changes after creation"):
            ImageChanges(url=URL)  # type: ignore[call-arg]
        with pytest.raises(InvalidRequestError, match=r"^networks: must be one of auto, none, or must be a list"):
            LaunchRequest(name="web", flavor="small", networks="net1")  # type: ignore[arg-type]

    def test_nested_mistakes_are_ordinary_located_errors(self) -> None:
        class Form(pydantic.BaseModel):
            image: NewImage

        with pytest.raises(pydantic.ValidationError) as caught:
            Form.model_validate({"image": {"name": "", "url": URL}})

        assert [mistake["loc"] for mistake in caught.value.errors()] == [("image", "name")]

    def test_building_from_a_mapping_and_from_json_speaks_the_same_errors(self) -> None:
        with pytest.raises(InvalidRequestError, match="name"):
            NewImage.model_validate({"url": URL})
        with pytest.raises(InvalidRequestError, match="name"):
            NewImage.model_validate_json(json.dumps({"url": URL}))

    def test_a_repr_shows_neither_url_nor_password(self) -> None:
        new = NewImage(name="debian", url="http://alice:secret@files.example/a")
        request = LaunchRequest(name="web", flavor="m1.tiny", admin_password="secret", user_data="secret")

        assert "secret" not in repr(new)
        assert "secret" not in repr(request)

    def test_an_iso_has_neither_format_nor_password(self) -> None:
        assert NewIso(name="disc", url=URL).disk_format == "iso"
        with pytest.raises(InvalidRequestError, match="password_enabled"):
            NewIso(name="disc", url=URL, password_enabled=True)  # type: ignore[call-arg]

    def test_enums_take_their_text(self) -> None:
        query = ImageQuery(view="featured", kind="iso", state="ACTIVE")

        assert (query.view, query.kind, query.state) == (View.FEATURED, Kind.ISO, State.ACTIVE)

    def test_a_time_needs_its_zone(self) -> None:
        with pytest.raises(InvalidRequestError, match="zone"):
            ImageQuery(created_after=datetime(2026, 1, 1))  # noqa: DTZ001
        assert ImageQuery(created_after=datetime(2026, 1, 1, tzinfo=UTC)).created_after is not None

    def test_sorting_by_a_nullable_column_is_refused_with_a_hint(self) -> None:
        with pytest.raises(InvalidRequestError, match="sorted"):
            ImageQuery(sort=("size",))

    def test_not_given_and_cleared_differ(self) -> None:
        assert ImageChanges(description="").given() == {"description": ""}
        assert ImageChanges().given() == {}


@pytest.mark.parametrize(
    ("keywords", "model"),
    [
        (ImageCriteria, ImageQuery),
        (ImageFields, ImageChanges),
        (QuotaLimits, DepartmentQuota),
        (NewImageFields, NewImage),
        (NewIsoFields, NewIso),
        (CaptureFields, NewCapture),
        (LaunchFields, LaunchRequest),
    ],
)
def test_keywords_are_the_fields_of_their_model(keywords: type, model: type[pydantic.BaseModel]) -> None:
    assert set(get_type_hints(keywords)) == set(model.model_fields) - {"department", "notes"}


def test_remaining_quota_can_be_negative_or_unlimited() -> None:
    assert Usage(used=5, limit=3).remaining == -2
    assert Usage(used=5, limit=None).remaining is None
    assert Usage(used=5, limit=8).model_dump() == {"used": 5, "limit": 8, "remaining": 3}


def test_an_image_is_named_by_itself_or_its_id() -> None:
    assert image_id(image()) == image_id("7c1") == "7c1"
    assert is_image(image()) == is_image("7c1") == ""
    assert is_image("")


@pytest.mark.parametrize(
    "url", ["https://alice:s3cret/debian.qcow2", "https://alice:s3cret@files.example:s3cret/x", "https://[s3cret/x"]
)
def test_errors_about_a_url_do_not_repeat_its_text(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="url: not a valid URL") as caught:
        NewImage(name="debian", url=url)

    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("model", [NewImage, NewIso, NewCapture, ImageChanges])
def test_a_tag_that_glance_would_refuse_too_late(model: type[NewImage | NewIso | NewCapture | ImageChanges]) -> None:
    """Glance makes the record first, then its tags."""
    required = {"name": "web"} | ({"url": "http://mirror.test/web"} if model in (NewImage, NewIso) else {})
    with pytest.raises(InvalidRequestError, match=r"tags.*: Glance does not accept characters of four bytes"):
        model.model_validate({**required, "tags": {"\U0001f427"}})
    assert model.model_validate({**required, "tags": {"云"}}).tags == {"云"}


@pytest.mark.parametrize(
    "properties", [{"image_type": "snapshot"}, {"image_type": "backup"}, {"block_device_mapping": "[]"}]
)
@pytest.mark.parametrize("model", [NewImage, NewIso, NewCapture])
def test_new_images_cannot_claim_to_be_snapshots(
    model: type[NewImage | NewIso | NewCapture], properties: dict[str, str]
) -> None:
    """No tab would show it, and it could not be finished after a crash."""
    required = {"name": "a"} | ({} if model is NewCapture else {"url": URL})
    with pytest.raises(InvalidRequestError, match=r"^properties: no tab shows images that image_type"):
        model.model_validate({**required, "properties": properties})
    model.model_validate({**required, "properties": {"image_type": "golden"}})


def test_each_store_is_named_once() -> None:
    assert NewImage(name="a", url=URL, stores=("fast", "slow")).stores == ("fast", "slow")
    with pytest.raises(InvalidRequestError, match=r"^stores: each store must be named only once"):
        NewImage(name="a", url=URL, stores=("fast", "slow", "fast"))
