"""The requests of editing, and their senders; tests/contract/test_editing.py tests what they achieve."""

from __future__ import annotations

from typing import Any, cast

import pydantic
import pytest

from hyperx_glance import (
    AuthenticationError,
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
from tests.support.clouds import ClientFactory, sent
from tests.support.records import make_image, patch_record, record_of


def asked(cloud: InMemoryCloud, user: str = "alice") -> list[tuple[str, str]]:
    """Return methods and paths of a user's requests since the last call."""
    found = [(request.method, request.path) for request in sent(cloud) if request.user == user]
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
    with pytest.raises(ImmutableFieldError, match=f"{field}: never changes") as caught:
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
            {"op": "add", "path": "/description", "value": "new"},
            {"op": "remove", "path": "/os_distro"},
            {"op": "replace", "path": "/tags", "value": ["a", "b"]},
            {"op": "replace", "path": "/protected", "value": True},
        ]
    ]
    assert asked(cloud) == [("GET", f"/v2/images/{image_id}"), ("PATCH", f"/v2/images/{image_id}")]


def test_no_difference_is_one_read(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old")
    cloud.requests.clear()
    client().update(image_id, description="old", password_enabled=False)
    client().update(image_id)
    assert asked(cloud) == [("GET", f"/v2/images/{image_id}")] * 2


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
def test_invalid_changes_are_refused_before_any_request(
    cloud: InMemoryCloud, client: ClientFactory, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError):
        client().update("some-id", **wrong)
    assert cloud.requests == []


def test_a_property_that_goes_at_the_same_moment_is_gone(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old")
    cloud.before("glance", "PATCH", image_id, cloud.glance.images[image_id].properties.clear, times=1)
    cloud.requests.clear()
    assert client().update(image_id, description="").description == ""
    path = f"/v2/images/{image_id}"
    assert asked(cloud) == [("GET", path), ("PATCH", path), ("GET", path)]


def test_a_repeated_conflict_raises_conflict_error(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old")
    cloud.fail("glance", "PATCH", image_id, status=409, times=None)
    with pytest.raises(ConflictError):
        client().update(image_id, description="")
    assert len(patches(cloud)) == 2


def test_many_rivals_hold_up_an_update_and_do_not_end_it(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Six times another steward's note of who edited comes, or goes, just before bob's steward writes."""
    image_id = make_image(cloud, visibility="community", description="old")
    bob = client("bob", steward="admin")
    record = cloud.glance.images[image_id]
    turns = iter(range(12))  # bob's own patch is refused before each of his steward's

    def rival() -> None:
        turn = next(turns, 0)
        if turn % 2:
            record.properties.pop("hyperx_edited_by", None) or record.properties.update(hyperx_edited_by="rita")
            record.properties["description"] = f"rival {turn}"

    cloud.before("glance", "PATCH", image_id, rival)

    assert bob.update(image_id, description="bob's").description == "bob's"
    assert next(turns, None) is None
    assert record.properties["hyperx_edited_by"] == bob.user_id


def test_a_change_that_glance_does_not_take_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old")
    record = record_of(cloud, image_id, "alice")
    cloud.fail("glance", "PATCH", image_id, status=200, body=record)
    with pytest.raises(ConflictError, match="did not take description, tags"):
        client().update(image_id, description="new", tags={"x"}, protected=False)


# ----------------------------------------------------------------- lost answers

LOSSES: dict[str, dict[str, Any]] = {
    "after the work": {},
    "before the work": {"late": 1},
    "long before the work": {"late": 2},
    "never connected": {"handled": False},
    "twice": {"times": 2},
    "three times": {"times": 3},
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_change_whose_answer_is_lost_is_made(cloud: InMemoryCloud, client: ClientFactory, loss: str) -> None:
    image_id = make_image(cloud, description="old", os_distro="debian", hw_qemu_guest_agent="no", image_type="snapshot")
    cloud.cut("glance", "PATCH", image_id, **LOSSES[loss])
    image = client().update(
        image_id, name="new", description="", tags={"x"}, password_enabled=True, admin_user="root", category="public"
    )
    assert (image.name, image.description, image.tags, image.category) == ("new", "", ("x",), Category.PUBLIC)
    assert image.properties == {"hw_qemu_guest_agent": "yes"}
    assert client().image(image_id) == image
    assert client().update(image_id, password_enabled=False).properties == {"hw_qemu_guest_agent": "no"}


def test_after_a_lost_answer_what_was_done_is_not_sent_again(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "PATCH", image_id)
    cloud.requests.clear()
    assert client().update(image_id, name="new").name == "new"
    path = f"/v2/images/{image_id}"
    assert asked(cloud) == [("GET", path), ("PATCH", path), ("GET", path)]


def test_a_concurrent_change_is_not_overwritten(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "PATCH", image_id, handled=True)
    cloud.before(
        "glance",
        "GET",
        image_id,
        lambda: patch_record(cloud, image_id, {"description": "theirs"}, "arthur"),
        skip=1,
        times=1,
    )
    image = client().update(image_id, name="new")
    assert (image.name, image.description) == ("new", "theirs")


def test_the_error_reports_that_responses_were_lost(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "PATCH", image_id, late=99, times=None)
    cloud.requests.clear()
    with pytest.raises(ServiceUnavailableError) as caught:
        client().update(image_id, name="new")
    assert caught.value.connected
    assert len(patches(cloud)) == 4


def test_the_error_reports_that_the_service_was_never_reached(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "PATCH", image_id, handled=False, times=None)
    with pytest.raises(ServiceUnavailableError) as caught:
        client().update(image_id, name="new")
    assert not caught.value.connected


def test_an_image_that_vanishes_after_a_lost_answer_is_told_with_what_may_have_been(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "PATCH", image_id)
    cloud.before("glance", "GET", image_id, lambda: cloud.glance.remove_image(image_id), skip=1, times=1)
    with pytest.raises(NotFoundError) as caught:
        client().update(image_id, name="new")
    assert caught.value.__notes__ == ["An earlier response was lost: the request may have been carried out."]


def test_no_patch_is_sent_if_the_image_cannot_be_read(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "GET", image_id, times=None)
    with pytest.raises(ServiceUnavailableError):
        client().update(image_id, name="new")
    assert patches(cloud) == []


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("skip", [0, 1])
def test_a_change_of_the_stewards_whose_answer_is_lost_is_made(
    cloud: InMemoryCloud, client: ClientFactory, loss: str, skip: int
) -> None:
    """Lost is first the user's own PATCH, then the steward's."""
    image_id = make_image(cloud, visibility="community", description="old")
    bob = client("bob", steward="admin")
    cloud.cut("glance", "PATCH", image_id, skip=skip, **LOSSES[loss])
    image = bob.update(image_id, name="better", description="", tags={"x"})
    assert (image.name, image.description, image.tags, image.edited_by) == ("better", "", ("x",), bob.user_id)
    assert client("bob").image(image_id) == image


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
def test_a_featured_image_whose_flag_stays_is_moved_though_an_answer_is_lost(
    cloud: InMemoryCloud, client: ClientFactory, loss: str, category: Category
) -> None:
    image_id = make_image(cloud)
    client("admin").update(image_id, category="featured")
    cloud.glance.protections = _PROTECTED
    cloud.cut("glance", "PATCH", image_id, skip=1, **LOSSES[loss])
    assert client().update(image_id, category=category).category is category


@pytest.mark.parametrize("loss", LOSSES)
def test_an_action_whose_answer_is_lost_is_done(cloud: InMemoryCloud, client: ClientFactory, loss: str) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "POST", "deactivate", **LOSSES[loss])
    assert client().disable(image_id).phase is Phase.DISABLED
    cloud.cut("glance", "POST", "reactivate", **LOSSES[loss])
    assert client().enable(image_id).phase is Phase.READY


def test_an_action_that_cannot_be_read_back_was_done(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.fail("glance", "GET", image_id, status=500, times=None)
    with pytest.raises(ServiceUnavailableError) as caught:
        client().disable(image_id)
    assert caught.value.__notes__ == ["Before this error, Glance had completed the requested action (deactivate)."]


def test_an_edit_of_the_stewards_that_cannot_be_read_back_was_done(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    bob = client("bob", steward="admin")
    cloud.fail("glance", "GET", image_id, status=403, skip=1, times=1)
    with pytest.raises(NotAllowedError) as caught:
        bob.update(image_id, name="better")
    assert caught.value.__notes__ == ["Before this error, Glance had completed the requested action (edit)."]
    assert record_of(cloud, image_id)["name"] == "better"


def test_an_action_that_was_refused_is_not_sent_again(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, sample=None)
    cloud.requests.clear()
    with pytest.raises(ConflictError):
        client().enable(image_id)
    assert len(asked(cloud)) == 1


def test_a_steward_whose_session_has_ended_is_no_reason_for_the_caller_to_log_in(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    image_id = make_image(cloud, visibility="community")
    bob = client("bob", steward="admin")
    cloud.fail("glance", "PATCH", image_id, status=401, skip=1, times=2)

    with pytest.raises(NotAllowedError, match="the steward cannot log in"):
        bob.update(image_id, description="better")


# ----------------------------------------------------------------- the featured flag


@pytest.mark.parametrize("public_visibility", ["community", "public"])
@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
def test_the_category_changes_even_if_the_flag_cannot_be_removed(
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


def test_a_snapshot_is_published_without_its_mark_though_its_flag_stays(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    cloud.glance.protections = False
    image_id = make_image(cloud, hyperx_featured="true", image_type="snapshot")
    cloud.glance.protections = _PROTECTED

    assert client().update(image_id, category="public").category is Category.PUBLIC
    record = record_of(cloud, image_id)
    assert (record["hyperx_featured"], record["visibility"]) == ("true", "community")
    assert "image_type" not in record


def test_other_refusals_are_not_tried_twice(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.glance.policies["modify_image"] = "nobody"
    cloud.requests.clear()
    with pytest.raises(NotAllowedError):
        client().update(image_id, name="new", category="public")
    assert len(patches(cloud)) == 1


@pytest.mark.parametrize("protections", [True, False])
def test_members_who_may_publicize_still_cannot_feature_images(
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
        {"add": "/hyperx_featured", "value": "false"},
        {"remove": "/hyperx_featured"},
        {"replace": "/name", "value": "better"},
        {"replace": "/tags", "value": ["x"]},
        {"add": "/hyperx_password_enabled", "value": "true"},
        {"add": "/hw_qemu_guest_agent", "value": "yes"},
        {"add": "/hyperx_edited_by", "value": bob.user_id},
    ]
    path = f"/v2/images/{image_id}"
    assert asked(cloud, "bob") == [("GET", path), ("PATCH", path), ("GET", path)]


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
    assert asked(cloud, "admin") == []


def test_a_steward_without_rights_is_told_apart(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    with pytest.raises(NotAllowedError) as caught:
        client("bob", steward="rita").update(image_id, name="better")
    assert "steward" in caught.value.hint


@pytest.mark.parametrize("flag", [None, "no"])
def test_an_image_that_is_featured_meanwhile_is_left_alone(
    cloud: InMemoryCloud, client: ClientFactory, flag: str | None
) -> None:
    """Featured after the user's own PATCH was refused, before the steward's; a record may have a flag all the time."""
    image_id = make_image(cloud, visibility="community")
    if flag:
        patch_record(cloud, image_id, {"hyperx_featured": flag})
    bob = client("bob", steward="admin")
    featured = {"visibility": "public", "hyperx_featured": "true"}
    cloud.before("glance", "PATCH", image_id, lambda: patch_record(cloud, image_id, featured), skip=1, times=1)
    if flag:
        with pytest.raises(ConflictError, match=r"became featured .*: edited_by, name") as caught:
            bob.update(image_id, name="better")
        assert "does not change categories or undo edits" in caught.value.hint
        assert len(patches(cloud)) == 4  # the two of this test among them
        return
    with pytest.raises(NotAllowedError, match="and is featured"):
        bob.update(image_id, name="better")
    record = record_of(cloud, image_id)
    assert record["name"] != "better"
    assert "hyperx_edited_by" not in record
    assert record["hyperx_featured"] == "true"


def test_an_image_that_becomes_private_before_the_steward_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    bob = client("bob", steward="admin")
    cloud.before(
        "glance", "PATCH", image_id, lambda: patch_record(cloud, image_id, {"visibility": "private"}), skip=1, times=1
    )
    with pytest.raises(ConflictError, match=r"became private .*: edited_by, name"):
        bob.update(image_id, name="better")
    assert record_of(cloud, image_id)["hyperx_edited_by"] == bob.user_id


def test_a_concurrent_change_by_the_owner_is_kept(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    bob = client("bob", steward="admin")
    theirs = {"description": "the owner's", "os_distro": "debian"}
    cloud.before("glance", "PATCH", image_id, lambda: patch_record(cloud, image_id, theirs, "alice"), skip=1, times=1)
    image = bob.update(image_id, description="bob's")
    assert (image.description, image.os_distro, image.edited_by) == ("bob's", "debian", bob.user_id)


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
    assert asked(cloud) == [("POST", f"{path}/actions/deactivate"), ("GET", path)]
    assert alice.enable(image_id).phase is Phase.READY
    assert asked(cloud) == [("POST", f"{path}/actions/reactivate"), ("GET", path)]


def test_a_refused_action_is_no_success(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.glance.policies["deactivate"] = "admin"
    with pytest.raises(NotAllowedError) as caught:
        client().disable(image_id)
    assert (caught.value.service, caught.value.status) == ("image", 403)
    assert caught.value.request_id


def test_a_login_that_is_refused_lets_no_steward_write(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image = cloud.glance.add_image(owner="dept-b", name="debian", status="active", visibility="community")
    alice = client(steward="admin")
    cloud.before("glance", "PATCH", "/images/", cloud.keystone.expire_tokens, times=1)
    cloud.before(
        "glance",
        "PATCH",
        "/images/",
        lambda: cloud.fail("keystone", "POST", "/auth/tokens", status=403),
        times=1,
    )

    with pytest.raises(AuthenticationError):
        alice.update(image, os_distro="debian")
    assert record_of(cloud, image).get("os_distro") is None
