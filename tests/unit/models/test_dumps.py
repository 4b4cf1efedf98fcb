"""What models write: masks that are no secrets, fields that nobody gave, images that are read back, JSON Schema."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping  # pydantic reads it
from typing import TYPE_CHECKING, Any

import pydantic
import pytest
from pydantic import SecretBytes, SecretStr

import hyperx_glance
from hyperx_glance import (
    Action,
    Image,
    ImageChanges,
    ImagePage,
    InvalidRequestError,
    LaunchRequest,
    NewCapture,
    Usage,
)
from hyperx_glance.models.request import Request
from hyperx_glance.vocabulary import BY_NAME

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory

MODELS: dict[str, type[pydantic.BaseModel]] = {
    name: kind
    for name in hyperx_glance.__all__
    if isinstance(kind := getattr(hyperx_glance, name), type) and issubclass(kind, pydantic.BaseModel)
}
SECRETS = [
    (kind, field)
    for kind in MODELS.values()
    for field, hint in typing.get_type_hints(kind).items()
    if {SecretStr, SecretBytes} & {hint, *typing.get_args(hint)}
]
RECORD: dict[str, Any] = {
    "id": "7c1",
    "name": "debian",
    "status": "active",
    "visibility": "public",
    "hyperx_featured": "true",
    "hyperx_url": "http://files.example/debian.qcow2",
    "hyperx_password_enabled": "true",
    "os_hash_value": "ab12",
    "min_disk": 0,
    "stores": "fast,slow",
    "hw_disk_bus": "scsi",
    "direct_url": "swift+https://user:key@store.example/7c1",
    "self": "/v2/images/7c1",
}


class Vault(Request):
    """A request with a secret of each kind, at several depths."""

    word: SecretStr | None = None
    key: SecretBytes | None = None
    more: tuple[SecretStr, ...] = ()
    by_name: Mapping[str, SecretStr] = {}


def image(**record: object) -> Image:
    return Image.model_validate_json(json.dumps({**RECORD, **record}))


class TestMasks:
    def test_some_models_have_secrets(self) -> None:
        assert (LaunchRequest, "admin_password") in SECRETS

    @pytest.mark.parametrize(("kind", "field"), SECRETS)
    @pytest.mark.parametrize("mask", ["**********", SecretStr("**********")])
    def test_no_secret_field_takes_a_mask(self, kind: type[Request], field: str, mask: object) -> None:
        with pytest.raises(InvalidRequestError, match=f"{field}: must be the secret itself") as caught:
            kind(name="web", flavor="m1.tiny", **{field: mask})
        assert caught.value.hint == "Pass the secret beside the JSON, since JSON never has it."

    def test_a_request_that_went_through_json_is_refused(self) -> None:
        request = LaunchRequest(name="web", flavor="m1.tiny", admin_password=SecretStr("correct horse"))
        assert LaunchRequest.model_validate(request.model_dump()) == request
        with pytest.raises(InvalidRequestError, match="admin_password") as caught:
            LaunchRequest.model_validate_json(request.model_dump_json())
        assert "beside the JSON" in caught.value.hint
        with pytest.raises(InvalidRequestError, match="admin_password"):
            LaunchRequest.model_validate(request.model_dump(mode="json"))

    def test_the_secret_is_passed_beside_the_json(self) -> None:
        request = LaunchRequest(name="web", flavor="m1.tiny", admin_password="correct horse")
        fields = json.loads(request.model_dump_json(exclude={"admin_password"}))
        assert LaunchRequest(**fields, admin_password="correct horse") == request

    @pytest.mark.parametrize(
        "fields",
        [
            {"word": "**********"},
            {"key": "**********"},
            {"more": ["good", "**********"]},
            {"by_name": {"alice": "**********"}},
        ],
    )
    def test_a_mask_is_found_at_any_depth(self, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequestError, match="must be the secret itself"):
            Vault(**fields)
        with pytest.raises(InvalidRequestError, match="must be the secret itself"):
            Vault.model_validate(fields)
        with pytest.raises(InvalidRequestError, match="must be the secret itself"):
            Vault.model_validate_json(json.dumps(fields))

    def test_a_password_is_not_reset_to_a_mask(self, client: ClientFactory) -> None:
        with pytest.raises(InvalidRequestError, match="password: must be the secret itself") as caught:
            client("alice").reset_password("81f", "**********")
        assert caught.value.hint

    def test_a_mask_inside_another_model_is_an_ordinary_mistake(self) -> None:
        class Order(pydantic.BaseModel):
            request: LaunchRequest

        with pytest.raises(pydantic.ValidationError) as caught:
            Order.model_validate({"request": {"name": "a", "flavor": "b", "admin_password": "**********"}})
        assert caught.value.errors()[0]["loc"][:2] == ("request", "admin_password")


class TestGivenFields:
    def test_fields_of_a_capture_that_nobody_gave_stay_so(self) -> None:
        new = NewCapture(name="web", os_name="")
        read = NewCapture.model_validate_json(new.model_dump_json())
        assert read.model_fields_set == {"name", "os_name"}
        assert json.loads(new.model_dump_json()) == {"name": "web", "os_name": ""}

    def test_changes_that_went_through_json_change_nothing_more(self) -> None:
        changes = ImageChanges(description="")
        assert ImageChanges.model_validate_json(changes.model_dump_json()).given() == {"description": ""}
        assert ImageChanges.model_validate(changes.model_dump()).given() == {"description": ""}

    def test_clearing_a_field_is_not_the_same_as_leaving_it(self) -> None:
        assert ImageChanges(description="") != ImageChanges()
        assert ImageChanges(description="x") == ImageChanges(description="x")


class TestImages:
    def test_an_image_that_was_read_back_is_the_image(self) -> None:
        read = Image.model_validate_json(image().model_dump_json())
        assert read == image()
        assert (read.category, read.state, read.url) == ("featured", "ACTIVE", RECORD["hyperx_url"])
        assert (read.password_enabled, read.hash_value, read.stores) == (True, "ab12", ("fast", "slow"))
        assert read.properties == {"hw_disk_bus": "scsi"}

    def test_a_dump_has_no_address_of_the_data(self) -> None:
        assert "store.example" not in image().model_dump_json()
        assert "/v2/images" not in image().model_dump_json()

    @pytest.mark.parametrize("field", [*Image.model_fields, "properties", "glance_record"])
    def test_a_dump_from_which_something_is_missing_is_refused(self, field: str) -> None:
        dumped = image().model_dump(mode="json")
        del dumped[field]
        with pytest.raises(pydantic.ValidationError):
            Image.model_validate(dumped)
        with pytest.raises(pydantic.ValidationError):
            Image.model_validate_json(json.dumps(dumped))

    @pytest.mark.parametrize(
        ("field", "value"),
        [("category", "private"), ("kind", "iso"), ("state", "INACTIVE"), ("stores", ["fast"]), ("os_name", "x")],
    )
    def test_a_dump_whose_computed_values_were_changed_is_refused(self, field: str, value: object) -> None:
        dumped = image().model_dump(mode="json") | {field: value}
        with pytest.raises(pydantic.ValidationError, match=f"{field}: does not follow"):
            Image.model_validate(dumped)

    @pytest.mark.parametrize(
        "record", [{"name": "other"}, {"hyperx_url": ""}, {"hyperx_failure": "x"}, {"status": "queued"}]
    )
    def test_a_dump_that_says_two_things_is_refused(self, record: dict[str, str]) -> None:
        dumped = image().model_dump(mode="json")
        dumped["glance_record"] |= record
        with pytest.raises(pydantic.ValidationError, match="does not follow"):
            Image.model_validate_json(json.dumps(dumped))

    def test_a_dump_with_an_unknown_key_is_refused(self) -> None:
        with pytest.raises(pydantic.ValidationError, match="not a whole dump"):
            Image.model_validate(image().model_dump() | {"colour": "red"})

    @pytest.mark.parametrize(
        "key", ["category", "kind", "state", "properties", "glance_record", "url", "password_enabled", "os_name"]
    )
    def test_properties_of_other_tools_make_no_dump_of_a_record(self, key: str) -> None:
        read = image(**{key: "theirs"})
        assert read.properties == {"hw_disk_bus": "scsi", key: "theirs"}
        assert (read.category, read.url, read.password_enabled) == ("featured", RECORD["hyperx_url"], True)
        assert Image.model_validate_json(read.model_dump_json()) == read

    def test_a_page_in_a_cache_has_its_buttons_without_a_request(self, client: ClientFactory) -> None:
        alice = client("alice")
        page = ImagePage(images=(image(owner=alice.project_id), image(status="queued")), next="abc")
        cached = ImagePage.model_validate_json(page.model_dump_json())
        assert cached == page
        for before, after in zip(page.images, cached.images, strict=True):
            assert alice.allowed(after) == alice.allowed(before)
            assert [alice.why_not(after, each) for each in Action] == [alice.why_not(before, each) for each in Action]

    def test_images_are_the_same_wherever_glance_keeps_their_data(self) -> None:
        assert image(self="/elsewhere", direct_url="rbd://x") == image()
        assert hash(image(self="/elsewhere")) == hash(image())
        assert image(hw_disk_bus="virtio") != image()
        assert image() != "7c1"


class TestSmallerOnes:
    def test_what_is_left_of_a_quota_must_agree(self) -> None:
        assert Usage.model_validate_json('{"used": 3, "limit": 5, "remaining": 2}') == Usage(used=3, limit=5)
        with pytest.raises(pydantic.ValidationError, match="remaining"):
            Usage.model_validate({"used": 3, "limit": 5, "remaining": 100})

    def test_user_data_in_bytes_stays_bytes(self) -> None:
        packed = LaunchRequest(name="web", flavor="m1.tiny", user_data=b"\x1f\x8b\xff")
        text = LaunchRequest(name="web", flavor="m1.tiny", user_data="#cloud-config")
        assert json.loads(packed.model_dump_json())["user_data"] == {"base64": "H4v/"}
        assert LaunchRequest.model_validate_json(packed.model_dump_json()).user_data == b"\x1f\x8b\xff"
        assert LaunchRequest.model_validate_json(text.model_dump_json()).user_data == "#cloud-config"

    @pytest.mark.parametrize("data", [{"base64": "no base64!"}, {"base64": 5}, {"hex": "00"}, {}])
    def test_user_data_of_another_form_is_refused(self, data: object) -> None:
        with pytest.raises(InvalidRequestError, match="user_data"):
            LaunchRequest.model_validate({"name": "web", "flavor": "m1.tiny", "user_data": data})


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("name", MODELS)
def test_json_schema_describes_each_field(name: str, mode: typing.Literal["validation", "serialization"]) -> None:
    kind = MODELS[name]
    shown = kind.model_json_schema(mode=mode)["properties"]
    fields = {
        field.validation_alias or key if mode == "validation" else key for key, field in kind.model_fields.items()
    }
    if mode == "serialization":
        fields |= kind.model_computed_fields.keys()
    assert fields - {"file"} <= shown.keys()
    for key, entry in shown.items():
        assert entry["title"], key
        assert entry["description"].endswith("."), key


def test_json_schema_has_the_titles_and_descriptions_of_the_table() -> None:
    shown = Image.model_json_schema()["properties"]
    for name in Image.model_fields:
        row = BY_NAME[name]
        assert shown[row.key]["title"] == row.title
        assert not row.description or shown[row.key]["description"] == row.description


def test_an_image_of_a_program_is_read_back_with_its_own_fields() -> None:
    class Row(Image):
        label: str
        rank: int = 0

        @pydantic.computed_field  # type: ignore[prop-decorator]  # mypy does not know a decorated property
        @property
        def shout(self) -> str:
            return self.label.upper()

    row = Row.model_validate({**RECORD, "label": "best", "colour": "red"})
    read = Row.model_validate_json(row.model_dump_json())
    assert read == row
    assert (type(read), read.label, read.rank, read.shout, read.url) == (Row, "best", 0, "BEST", RECORD["hyperx_url"])
    assert read.properties == {"hw_disk_bus": "scsi", "colour": "red"}
    assert read != image(label="best", colour="red")


def test_a_model_of_a_program_keeps_its_own_words() -> None:
    class Row(Image):
        name: str = pydantic.Field("", title="Label", description="What people call it.")

        rank: int = 0

        @pydantic.computed_field  # type: ignore[prop-decorator]  # mypy does not know a decorated property
        @property
        def shout(self) -> str:
            """Loud."""
            return self.name.upper()

    shown = Row.model_json_schema(mode="serialization")["properties"]
    assert (shown["name"]["title"], shown["name"]["description"]) == ("Label", "What people call it.")
    assert shown["rank"] == {"default": 0, "title": "Rank", "type": "integer"}
    assert shown["shout"]["description"] == "Loud."
    assert shown["url"]["title"] == "URL"
