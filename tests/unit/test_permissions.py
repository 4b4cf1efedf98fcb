"""What a caller may do is said without a request, and each refusal with a reason and a way out."""

from __future__ import annotations

import pytest

from hyperx_glance import Action, Image, NotAllowedError
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.vocabulary import ActionWord
from tests.support.clouds import ClientFactory


def image(cloud: InMemoryCloud, owner: str = "dept-a", **record: object) -> Image:
    base = {"id": "7c1", "status": "active", "visibility": "private", "owner": cloud.departments[owner]}
    return Image.model_validate({**base, **record})


def test_no_request_is_made(cloud: InMemoryCloud, client: ClientFactory) -> None:
    alice = client("alice")
    alice.user_id  # noqa: B018  # logs in
    cloud.requests.clear()

    assert alice.allowed(image(cloud)) == set(Action) - {
        Action.FEATURE,
        Action.WITHDRAW,
        Action.ENABLE,
        Action.ACCEPT,
        Action.DECLINE,
        Action.REINSTATE,
        Action.UNPROTECT,
    }
    assert alice.why_not(image(cloud), "feature")
    assert cloud.requests == []


def test_every_refusal_is_a_sentence_with_a_way_out(cloud: InMemoryCloud, client: ClientFactory) -> None:
    images = [
        image(cloud),
        image(cloud, status="queued"),
        image(cloud, status="importing"),
        image(cloud, status="deactivated", protected=True),
        image(cloud, status="queued", hyperx_failure="No such file."),
        image(cloud, status="deleted"),
        image(cloud, "dept-b", visibility="community"),
        image(cloud, "dept-b", visibility="public", hyperx_featured="true"),
        image(cloud, disk_format="iso", hyperx_bootable="false"),
        image(cloud, hyperx_password_enabled="true", os_admin_user="a b"),
        image(cloud, bdm_v2="True", block_device_mapping="[{}]", size=0),
        image(cloud, "dept-b", visibility="shared"),
        image(cloud, "dept-b", visibility="shared", os_glance_share_status="rejected"),
    ]
    for user, steward in (("alice", None), ("rita", None), ("rita", "admin"), ("admin", None)):
        caller = client(user, steward=steward)
        for each in images:
            for action in Action:
                problem = caller.why_not(each, action)
                assert (not problem) == (action in caller.allowed(each))
                if problem:
                    assert problem[0].isupper() or problem.startswith("image: "), problem
                    assert ";" in problem or ". " in problem or problem.startswith("The image is already "), problem
                    assert "\n" not in problem


def test_nobody_is_told_to_wait_for_a_registration_that_has_failed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    failed = image(cloud, status="queued", hyperx_failure="No such file.")

    for action in ("enable", "disable", "download"):
        problem = client("alice").why_not(failed, action)
        assert problem.endswith("Delete the record, and register the image again.")


@pytest.mark.parametrize(
    ("record", "actions"),
    [
        ({"status": "importing"}, {"edit", "publish", "delete", "protect", "share", "deprecate"}),
        ({"status": "saving"}, {"edit", "publish", "delete", "protect", "share", "deprecate"}),
        ({"status": "pending_delete"}, set()),
        ({"status": "importing", "protected": True}, {"edit", "publish", "unprotect", "share", "deprecate"}),
        ({"status": "deactivated"}, {"edit", "publish", "delete", "protect", "enable", "share", "deprecate"}),
    ],
)
def test_states_that_pass_quickly(
    cloud: InMemoryCloud, client: ClientFactory, record: dict[str, object], actions: set[ActionWord]
) -> None:
    assert client("alice").allowed(image(cloud, "dept-a", **record)) == actions


def test_a_snapshot_of_volumes_is_not_published(cloud: InMemoryCloud, client: ClientFactory) -> None:
    snapshot = image(cloud, bdm_v2="True", block_device_mapping="[{}]", size=0)

    assert "it has no data" in client("alice").why_not(snapshot, "publish")
    assert "it has no data" in client("admin").why_not(snapshot, Action.FEATURE)


@pytest.mark.parametrize(
    ("record", "action", "sentence"),
    [
        ({}, "enable", "The image is already enabled."),
        ({"status": "deactivated"}, "disable", "The image is already disabled."),
        ({"visibility": "community"}, "publish", "The image is already public."),
        ({}, "withdraw", "The image is already private."),
        ({}, "reinstate", "The image is already current."),
        ({"hyperx_deprecated_at": "2020-01-01T00:00:00Z"}, "deprecate", "The image is already deprecated."),
        ({"visibility": "public", "hyperx_featured": "true"}, "feature", "The image is already featured."),
        ({"protected": True}, "protect", "The image is already protected against deletion."),
        ({}, "unprotect", "The image is already without protection against deletion."),
    ],
)
@pytest.mark.parametrize(("user", "owner"), [("alice", "dept-a"), ("alice", "dept-b"), ("rita", "dept-a")])
def test_what_is_already_so_is_said_and_not_offered(  # noqa: PLR0917  # as pytest gives them
    cloud: InMemoryCloud,
    client: ClientFactory,
    record: dict[str, object],
    action: ActionWord,
    sentence: str,
    user: str,
    owner: str,
) -> None:
    caller = client(user)
    found = image(cloud, owner, **record)

    assert caller.why_not(found, action) == sentence
    assert action not in caller.allowed(found)


def test_a_verb_with_nothing_to_do_is_no_error(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = cloud.glance.add_image(owner="dept-a", status="active")
    alice = client("alice")

    assert alice.enable(image_id).state == "ACTIVE"
    assert alice.update(image_id, category="private").category == "private"


def test_ending_the_sharing_of_an_image_is_offered(cloud: InMemoryCloud, client: ClientFactory) -> None:
    assert "withdraw" in client("alice").allowed(image(cloud, visibility="shared"))


@pytest.mark.parametrize(
    ("policy", "status", "action"),
    [
        ("reactivate", "deactivated", Action.ENABLE),
        ("deactivate", "active", Action.DISABLE),
        ("delete_image", "active", Action.DELETE),
    ],
)
def test_what_a_policy_refused_once_is_no_longer_offered(
    cloud: InMemoryCloud, client: ClientFactory, policy: str, status: str, action: Action
) -> None:
    alice = client("alice")
    cloud.glance.policies[policy] = "admin"
    known = alice.image(cloud.glance.add_image(owner="dept-a", name="debian", status=status))
    assert action in alice.allowed(known)

    with pytest.raises(NotAllowedError) as caught:
        getattr(alice, action)(known)

    assert f"policy {policy} " in caught.value.hint
    assert action not in alice.allowed(known)
    assert f"policy {policy} " in alice.why_not(known, action)


def test_a_refusal_that_is_due_to_the_owner_says_nothing_of_own_images(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    alice = client("alice")
    foreign = cloud.glance.add_image(owner="dept-b", name="debian", status="active", visibility="community")

    with pytest.raises(NotAllowedError):
        alice.disable(foreign)

    assert Action.DISABLE in alice.allowed(image(cloud))
