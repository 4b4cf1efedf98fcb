"""Which requests editing sends, and who sends them; tests/contract/test_editing.py says what they achieve."""

from __future__ import annotations

from typing import Any, cast

import pydantic
import pytest

from hyperx_glance import (
    Category,
    Client,
    ConflictError,
    ImageChanges,
    ImmutableFieldError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    Phase,
    ServiceUnavailableError,
)
from hyperx_glance.editing import changes
from hyperx_glance.testing import InMemoryCloud
from tests.clouds import HASTY, ClientFactory
from tests.records import make_image, patch_record, record_of


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)


def sent(cloud: InMemoryCloud, user: str = "alice") -> list[tuple[str, str]]:
    """Give methods and paths of a user's requests since the last call."""
    found = [(request.method, request.path) for request in cloud.requests if request.user == user]
    cloud.requests.clear()
    return found


def patches(cloud: InMemoryCloud) -> list[object]:
    return [request.body for request in cloud.requests if request.method == "PATCH"]


# ----------------------------------------------------------------- changes


def test_changes_come_from_a_model_or_from_keywords() -> None:
    model = ImageChanges(name="new")
    assert changes(model, {}) is model
    assert changes(None, {"name": "new"}) == model
    assert changes(None, {}).given() == {}
    with pytest.raises(InvalidRequestError, match="not both"):
        changes(model, {"name": "new"})


@pytest.mark.parametrize("field", ["url", "owner", "hypervisor", "disk_format", "container_format", "kind"])
def test_a_field_that_never_changes_is_named(field: str) -> None:
    with pytest.raises(ImmutableFieldError, match=f"{field}: never changed") as caught:
        changes(None, cast("Any", {field: "x"}))
    assert "Register a new image" in caught.value.hint
    with pytest.raises(ImmutableFieldError):
        ImageChanges.model_validate({field: "x", "colour": "blue"})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"url": "x"}, ("change",)),
        ({"properties": {"img_hv_type": "xen"}}, ("change", "properties", "img_hv_type", "[key]")),
        ({"name": ""}, ("change", "name")),
        ({"properties": {"a": "b"}, "remove_properties": ["a"]}, ("change",)),
    ],
    ids=str,
)
def test_inside_another_model_mistakes_have_their_place(change: dict[str, Any], place: tuple[str, ...]) -> None:
    class Form(pydantic.BaseModel):
        change: ImageChanges

    with pytest.raises(pydantic.ValidationError) as caught:
        Form.model_validate({"change": change})
    assert [error["loc"] for error in caught.value.errors()] == [place]
    with pytest.raises(InvalidRequestError) as direct:
        ImageChanges.model_validate(change)
    assert isinstance(direct.value, ImmutableFieldError) == ("url" in change or "img_hv_type" in str(change))


# ----------------------------------------------------------------- requests


def test_a_change_is_one_read_and_one_patch(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old", os_distro="debian")
    cloud.requests.clear()
    client().update(image_id, description="new", os_distro="", tags={"b", "a"}, protected=True)
    assert patches(cloud) == [
        [
            {"op": "replace", "path": "/protected", "value": True},
            {"op": "add", "path": "/description", "value": "new"},
            {"op": "remove", "path": "/os_distro"},
            {"op": "replace", "path": "/tags", "value": ["a", "b"]},
        ]
    ]
    assert sent(cloud) == [("GET", f"/v2/images/{image_id}"), ("PATCH", f"/v2/images/{image_id}")]


def test_no_difference_is_one_read(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old")
    cloud.requests.clear()
    client().update(image_id, description="old", password_enabled=False)
    client().update(image_id)
    assert sent(cloud) == [("GET", f"/v2/images/{image_id}")] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://files.example/b"},
        {"properties": {"hypervisor_type": "xen"}},
        {"remove_properties": {"img_hv_type"}},
        {"properties": {"os_glance_import_task": ""}},
        {"name": ""},
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_before_any_request(
    cloud: InMemoryCloud, client: ClientFactory, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError):
        client().update("some-id", **wrong)
    assert cloud.requests == []


def test_a_change_whose_answer_is_lost_is_not_sent_again(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "PATCH", image_id)
    with pytest.raises(ServiceUnavailableError) as caught:
        client().update(image_id, name="new")
    assert caught.value.connected
    assert len(patches(cloud)) == 1
    assert record_of(cloud, image_id)["name"] == "new"


def test_a_property_that_goes_at_the_same_moment_is_a_conflict(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old")
    cloud.before("glance", "PATCH", image_id, cloud.glance.images[image_id].properties.clear, times=1)
    with pytest.raises(ConflictError):
        client().update(image_id, description="")


# ----------------------------------------------------------------- the featured flag


@pytest.mark.parametrize("public_visibility", ["community", "public"])
@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
def test_where_the_flag_cannot_be_dropped_the_category_changes_without_it(
    cloud: InMemoryCloud, client: ClientFactory, category: Category, public_visibility: str
) -> None:
    image_id = make_image(cloud)
    client("admin").update(image_id, category="featured")
    cloud.glance.protections = _PROTECTED
    cloud.glance.policies["publicize_image"] = "member"
    cloud.requests.clear()
    image = client(public_visibility=public_visibility).update(image_id, category=category, description="mine")
    assert image.category is category
    record = record_of(cloud, image_id)
    assert record["hyperx_featured"] == "true"
    assert record["visibility"] in ("community", "private")
    assert record["description"] == "mine"
    assert len(patches(cloud)) == 2


def test_other_refusals_are_not_tried_twice(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.glance.policies["modify_image"] = "nobody"
    cloud.requests.clear()
    with pytest.raises(NotAllowedError):
        client().update(image_id, name="new", category="public")
    assert len(patches(cloud)) == 1


@pytest.mark.parametrize("protections", [True, False])
def test_where_members_may_publicize_they_still_feature_nothing(
    cloud: InMemoryCloud, client: ClientFactory, *, protections: bool
) -> None:
    """A member has set the flag with another tool, which nothing but property protections prevents."""
    cloud.glance.policies["publicize_image"] = "member"
    cloud.glance.protections = False
    image_id = make_image(cloud, hyperx_featured="true")
    cloud.glance.protections = protections
    alice = client(public_visibility="public")
    with pytest.raises(NotAllowedError):
        alice.update(image_id, category="featured")
    with pytest.raises(InvalidRequestError):
        alice.update(image_id, properties={"hyperx_featured": "true"})
    image = alice.update(image_id, category="public")
    assert (image.category, image.visibility) == (Category.PUBLIC, "public")
    assert "hyperx_featured" not in record_of(cloud, image_id)


_PROTECTED = """\
[^hyperx_featured$]
create = admin
read = admin,member,reader
update = admin
delete = admin
[.*]
create = admin,member
read = admin,member,reader
update = admin,member
delete = admin,member
"""


# ----------------------------------------------------------------- the steward


def test_the_steward_sends_one_patch_and_nothing_else(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    bob = client("bob", steward="admin")
    cloud.requests.clear()
    bob.update(image_id, name="better", tags={"x"}, password_enabled=True)
    by_steward = [request for request in cloud.requests if request.user == "admin"]
    assert [(request.method, request.path) for request in by_steward] == [("PATCH", f"/v2/images/{image_id}")]
    assert by_steward[0].body == [
        {"op": "replace", "path": "/name", "value": "better"},
        {"op": "replace", "path": "/tags", "value": ["x"]},
        {"op": "add", "path": "/hyperx_password_enabled", "value": "true"},
        {"op": "add", "path": "/hw_qemu_guest_agent", "value": "yes"},
        {"op": "add", "path": "/hyperx_edited_by", "value": bob.user_id},
    ]
    path = f"/v2/images/{image_id}"
    assert sent(cloud, "bob") == [("GET", path), ("PATCH", path), ("GET", path)]


def test_the_steward_is_asked_for_nothing_else(cloud: InMemoryCloud, client: ClientFactory) -> None:
    public, private = make_image(cloud, visibility="community"), make_image(cloud, "bob")
    featured, shared = make_image(cloud), make_image(cloud, visibility="shared")
    client("admin").update(featured, category="featured")
    cloud.session("alice").post(
        f"/v2/images/{shared}/members",
        json={"member": cloud.departments["dept-b"]},
        endpoint_filter={"service_type": "image"},
    )
    bob = client("bob", steward="admin")
    cloud.requests.clear()
    for image_id in (featured, shared):
        with pytest.raises(NotAllowedError):
            bob.update(image_id, name="better")
    mixed: list[ImageChanges] = [
        ImageChanges(name="better", category=Category.PRIVATE),
        ImageChanges(name="better", protected=True),
        ImageChanges(name="better", properties={"hw_disk_bus": "ide"}),
    ]
    for change in mixed:
        with pytest.raises(NotAllowedError):
            bob.update(public, change)
    for act in (bob.disable, bob.enable, bob.delete):
        with pytest.raises(NotAllowedError):
            act(public)
    list(bob.images())
    bob.image(public)
    bob.update(public, name=bob.image(public).name)  # no difference
    bob.update(private, description="own")
    bob.servers_using(private)
    bob.quota()
    bob.delete(private)
    assert sent(cloud, "admin") == []


def test_a_steward_without_rights_is_told_apart(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    with pytest.raises(NotAllowedError) as caught:
        client("bob", steward="rita").update(image_id, name="better")
    assert "steward" in caught.value.hint


def test_an_image_that_becomes_private_meanwhile_is_gone_for_its_editor(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    image_id = make_image(cloud, visibility="community")
    owner = client()
    cloud.before(
        "glance", "PATCH", image_id, lambda: patch_record(cloud, image_id, {"visibility": "private"}, "alice"), times=1
    )
    with pytest.raises(NotFoundError):
        client("bob").update(image_id, name="better")
    assert owner.image(image_id).name != "better"


# ----------------------------------------------------------------- disabling and enabling


def test_disabling_is_one_action_and_one_read(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    alice: Client = client()
    cloud.requests.clear()
    assert alice.disable(image_id).phase is Phase.DISABLED
    path = f"/v2/images/{image_id}"
    assert sent(cloud) == [("POST", f"{path}/actions/deactivate"), ("GET", path)]
    assert alice.enable(image_id).phase is Phase.READY
    assert sent(cloud) == [("POST", f"{path}/actions/reactivate"), ("GET", path)]


def test_a_refused_action_is_no_success(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.glance.policies["deactivate"] = "admin"
    with pytest.raises(NotAllowedError) as caught:
        client().disable(image_id)
    assert (caught.value.service, caught.value.status) == ("image", 403)
    assert caught.value.request_id
