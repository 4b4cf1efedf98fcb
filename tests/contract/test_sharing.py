"""Sharing images with named departments, on both clouds: who has an image, who may do what, and taking it back."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import (
    Action,
    AmbiguousNameError,
    Client,
    ConflictError,
    HyperxGlanceError,
    Image,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    ShareStatus,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import REGION, unique
from tests.support.interference import Interference, unreachable
from tests.support.records import IMAGE, exists, make_image, make_volume_snapshot, patch_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.vocabulary import CategoryWord
    from tests.support.clouds import ClientFactory, CloudUnderTest

IDENTITY: Final = {"service_type": "identity"}
VERBS: Final = ("shares", "accept", "decline", "unshare", "share")
WAITING_LONG: Final = 5


def project(cloud: CloudUnderTest, user: str) -> str:
    return str(cloud.session(user).get_project_id())


def reads(cloud: CloudUnderTest, user: str, image_id: str) -> bool:
    answer = cloud.session(user).get(f"/v2/images/{image_id}", endpoint_filter=IMAGE, raise_exc=False)
    return bool(answer.status_code == 200)


def rows(cloud: CloudUnderTest, image_id: str) -> dict[str, str]:
    """Return the members and their answers, past this library."""
    answer = cloud.session("admin").get(f"/v2/images/{image_id}/members", endpoint_filter=IMAGE).json()
    return {member["member_id"]: member["status"] for member in answer["members"]}


@pytest.fixture
def ruth(cloud: CloudUnderTest) -> Iterator[Session]:
    """Log in as a new reader of dept-b."""
    admin, name = cloud.session("admin"), unique("ruth")
    user = {"name": name, "password": "pw", "domain_id": "default"}
    made = admin.post("/users", json={"user": user}, endpoint_filter=IDENTITY).json()["user"]["id"]
    role = admin.get("/roles?name=reader", endpoint_filter=IDENTITY).json()["roles"][0]["id"]
    department = project(cloud, "bob")
    admin.put(f"/projects/{department}/users/{made}/roles/{role}", endpoint_filter=IDENTITY)
    bob = cloud.session("bob")
    base = bob.get_endpoint(service_type="identity", interface="public") or ""
    login = v3.Password(base, username=name, password="pw", user_domain_id="default", project_id=department)
    yield Session(login, bob.session)
    admin.delete(f"/users/{made}", endpoint_filter=IDENTITY)


# ----------------------------------------------------------------- the story


def test_an_image_is_shared_offered_accepted_and_taken_back(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice", steward="admin"), client("bob")
    image_id = make_image(cloud)

    (share,) = alice.share(image_id, "dept-b")
    assert (share.department, share.department_id, share.status) == ("dept-b", bob.project_id, ShareStatus.PENDING)
    assert share.since.tzinfo is not None
    assert bob.image(image_id).id == image_id  # pending is access
    (offered,) = [image for image in bob.images(view="offered") if image.id == image_id]
    assert offered.share_status is ShareStatus.PENDING
    assert {Action.ACCEPT, Action.DECLINE} <= bob.allowed(offered)
    assert image_id not in {image.id for image in bob.images(view="shared")}
    assert [each.department_id for each in bob.shares(image_id)] == [bob.project_id]

    accepted = bob.accept(offered)
    assert (accepted.id, accepted.share_status) == (image_id, ShareStatus.ACCEPTED)
    assert Action.ACCEPT not in bob.allowed(accepted)
    assert "already accepted" in bob.why_not(accepted, "accept")
    assert image_id in {image.id for image in bob.images(view="shared")}
    assert image_id not in {image.id for image in bob.images(view="offered")}
    assert [each.status for each in alice.shares(image_id)] == [ShareStatus.ACCEPTED]

    assert alice.unshare(image_id, "dept-b") == ()
    assert not reads(cloud, "bob", image_id)
    with pytest.raises(NotFoundError):
        bob.accept(image_id)
    assert (alice.image(image_id).visibility, alice.image(image_id).category) == ("shared", "private")


def test_declining_takes_an_image_out_of_the_lists_and_no_more(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice"), client("bob")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)

    bob.decline(image_id)

    assert reads(cloud, "bob", image_id)
    assert image_id not in {image.id for view in ("offered", "shared") for image in bob.images(view=view)}
    assert [each.status for each in alice.shares(image_id)] == [ShareStatus.REJECTED]
    assert bob.accept(image_id).share_status is ShareStatus.ACCEPTED
    assert image_id in {image.id for image in bob.images(view="shared")}


def test_offers_are_those_of_other_departments_alone(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice"), client("bob")
    own = make_image(cloud, "bob", visibility="shared")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)

    offers = {image.id for image in bob.images(view="offered")}
    assert image_id in offers
    assert own not in offers
    with pytest.raises(NotAllowedError, match="useless to administrators"):
        client("admin").images(view="offered")


def test_an_image_of_json_keeps_the_answer(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice"), client("bob")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)
    (offered,) = [image for image in bob.images(view="offered") if image.id == image_id]

    assert offered.model_dump(mode="json")["share_status"] == "pending"
    assert Image.model_validate_json(offered.model_dump_json()) == offered


# ----------------------------------------------------------------- taking it back for good


def test_departments_from_which_an_image_was_taken_back_do_not_get_it_again(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice, bob, carol = client("alice"), client("bob"), client("carol")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)
    bob.accept(image_id)

    alice.update(image_id, category="private")
    shared = alice.share(image_id, carol.project_id)

    assert [share.department_id for share in shared] == [carol.project_id]
    assert not reads(cloud, "bob", image_id)


@pytest.mark.parametrize("category", ["private", "public", "featured"])
def test_every_category_that_ends_the_sharing_removes_the_members(
    cloud: CloudUnderTest, client: ClientFactory, category: CategoryWord
) -> None:
    admin, bob = client("admin"), client("bob")
    image_id = make_image(cloud)
    admin.share(image_id, "dept-b", accept=True)

    admin.update(image_id, category=category)

    patch_record(cloud, image_id, {"visibility": "shared"})
    assert rows(cloud, image_id) == {}
    assert not reads(cloud, "bob", image_id)
    assert bob.count(view="shared", properties={"nothing": "there"}) == 0


def test_members_that_another_tool_hid_lose_an_image_that_is_shared_again(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice, bob, carol = client("alice"), client("bob"), client("carol")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)
    bob.accept(image_id)
    patch_record(cloud, image_id, {"visibility": "private"}, "alice")
    between = Interference(alice)

    shared = alice.share(image_id, carol.project_id)

    assert [share.department_id for share in shared] == [carol.project_id]
    assert rows(cloud, image_id) == {carol.project_id: "pending"}
    assert not reads(cloud, "bob", image_id)
    # The promise of the guide: without names, 4 + n, and k + 2 more for k former members.
    assert len([path for _, path in between.seen if path.startswith("/images")]) == 4 + 1 + 1 + 2


def test_former_members_do_not_return_if_sharing_fails_in_the_middle(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice, bob, carol = client("alice"), client("bob"), client("carol")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)
    patch_record(cloud, image_id, {"visibility": "private"}, "alice")
    Interference(alice).before("DELETE", "/members/", unreachable, times=WAITING_LONG)

    with pytest.raises(HyperxGlanceError):
        alice.share(image_id, carol.project_id)

    assert alice.image(image_id).visibility == "private"
    assert not reads(cloud, "bob", image_id)
    alice.share(image_id, carol.project_id)
    assert rows(cloud, image_id) == {carol.project_id: "pending"}


def test_two_who_share_at_once_keep_the_departments_of_both(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, arthur = client("alice"), client("arthur")
    bob, carol = client("bob").project_id, client("carol").project_id
    image_id = make_image(cloud)
    let_a_second_pass(cloud, image_id)
    Interference(alice).before("PATCH", "/images/", lambda: arthur.share(image_id, carol))

    shared = alice.share(image_id, bob)

    assert {share.department_id for share in shared} == {bob, carol}


def let_a_second_pass(cloud: CloudUnderTest, image_id: str) -> None:
    """Make the record older than rows of this moment: Glance shows whole seconds."""
    if isinstance(cloud, InMemoryCloud):
        cloud.glance.images[image_id].updated_at -= timedelta(seconds=2)
    else:
        time.sleep(1.1)


def test_everybody_loses_an_image_at_once(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    image_id = make_image(cloud)
    alice.share(image_id, client("bob").project_id, client("carol").project_id)

    assert [share.department_id for share in alice.unshare(image_id, client("bob").project_id)] == [
        client("carol").project_id
    ]
    alice.share(image_id, client("bob").project_id)
    assert alice.unshare(image_id, everyone=True) == ()
    assert rows(cloud, image_id) == {}


def test_an_image_that_is_not_shared_has_no_shares(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    for visibility in ("private", "community"):
        image_id = make_image(cloud, visibility=visibility)
        assert alice.shares(image_id) == ()
        assert alice.unshare(image_id, client("bob").project_id) == ()
        assert alice.unshare(image_id, everyone=True) == ()


def test_members_go_with_their_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice"), client("bob")
    image_id = make_image(cloud)
    alice.share(image_id, bob.project_id)
    alice.delete(image_id)

    for verb in (bob.accept, bob.decline, bob.shares, alice.shares):
        with pytest.raises(NotFoundError):
            verb(image_id)
    assert not exists(cloud, image_id)


# ----------------------------------------------------------------- names


def test_an_unknown_department_shares_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    bob, image_id = client("bob").project_id, make_image(cloud)
    refusals: list[tuple[Client, type[HyperxGlanceError]]] = [
        (client("alice"), NotAllowedError),
        (client("alice", steward="admin"), NotFoundError),
        (client("admin"), NotFoundError),
    ]
    for caller, error in refusals:
        with pytest.raises(error, match="dept-nowhere"):
            caller.share(image_id, bob, "dept-nowhere")
    assert client("alice").image(image_id).visibility == "private"


def test_a_member_without_a_steward_gives_an_id(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, image_id = client("alice"), make_image(cloud)
    nobody = uuid.uuid4().hex

    with pytest.raises(NotAllowedError) as caught:
        alice.share(image_id, "dept-b")
    assert "id" in caught.value.hint
    with pytest.raises(NotAllowedError):
        alice.share(image_id, nobody.upper())
    assert [share.department for share in alice.share(image_id, nobody)] == [nobody]
    assert alice.unshare(image_id, nobody) == ()


def test_a_new_department_is_known_to_a_steward_at_once(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, admin, image_id = client("alice", steward="admin"), cloud.session("admin"), make_image(cloud)
    alice.shares(image_id)  # the names are kept for a minute
    name = unique("department")
    body = {"project": {"name": name, "domain_id": "default"}}
    made = admin.post("/projects", json=body, endpoint_filter=IDENTITY).json()["project"]["id"]
    try:
        assert [share.department for share in alice.share(image_id, name)] == [name]
    finally:
        admin.delete(f"/projects/{made}", endpoint_filter=IDENTITY)
    assert alice.unshare(image_id, made) == ()  # it is gone, and its id is enough


def test_a_name_of_several_domains_shares_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    admin, image_id, name = cloud.session("admin"), make_image(cloud), unique("twin")
    domain = admin.post("/domains", json={"domain": {"name": unique("domain")}}, endpoint_filter=IDENTITY).json()
    domain_id = domain["domain"]["id"]
    made = []
    try:
        for each in ("default", domain_id):
            body = {"project": {"name": name, "domain_id": each}}
            made.append(admin.post("/projects", json=body, endpoint_filter=IDENTITY).json()["project"]["id"])
        for caller in (client("admin"), client("alice", steward="admin")):
            with pytest.raises(AmbiguousNameError) as caught:
                caller.share(image_id, name)
            assert set(caught.value.matches) == set(made)
    finally:
        for each in made:
            admin.delete(f"/projects/{each}", endpoint_filter=IDENTITY)
        admin.patch(f"/domains/{domain_id}", json={"domain": {"enabled": False}}, endpoint_filter=IDENTITY)
        admin.delete(f"/domains/{domain_id}", endpoint_filter=IDENTITY)
    assert client("alice").image(image_id).visibility == "private"


def test_what_cannot_be_meant_is_refused_before_any_request(client: ClientFactory) -> None:
    alice = client("alice")
    alice.user_id  # noqa: B018  # logs in
    between = Interference(alice)
    bob, image_id = client("bob").project_id, str(uuid.uuid4())
    calls: list[Callable[[], object]] = [
        lambda: alice.share(image_id, "dept-a"),
        lambda: alice.share(image_id, bob, alice.project_id),
        lambda: alice.share(image_id, ""),
        lambda: alice.share(image_id, bob, 5),  # type: ignore[arg-type]  # what it is about
        lambda: alice.unshare(image_id),
        lambda: alice.unshare(image_id, bob, everyone=True),
        lambda: alice.unshare(image_id, "dept-a"),
        lambda: client("alice", share_acceptance="steward").share(image_id, bob),
    ]
    for call in calls:
        with pytest.raises(InvalidRequestError):
            call()
    with pytest.raises(NotAllowedError, match="Only administrators accept"):
        alice.share(image_id, bob, accept=True)
    assert between.seen == []


def test_an_administrator_cannot_share_an_image_with_its_owner(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    with pytest.raises(InvalidRequestError, match="owns the image"):
        client("admin").share(image_id, "dept-b", "dept-a")
    assert client("alice").image(image_id).visibility == "private"


# ----------------------------------------------------------------- acceptance


def test_an_administrator_accepts_for_others(cloud: CloudUnderTest, client: ClientFactory) -> None:
    admin, bob, image_id = client("admin"), client("bob"), make_image(cloud)

    shared = admin.share(image_id, "dept-b", "dept-c", accept=True)

    assert {share.department: share.status for share in shared} == dict.fromkeys(("dept-b", "dept-c"), "accepted")
    assert image_id in {image.id for image in bob.images(view="shared")}


def test_the_steward_accepts_at_once(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice", steward="admin", share_acceptance="steward"), client("bob")
    image_id = make_image(cloud)
    client("alice").share(image_id, bob.project_id)  # before the operator chose this

    shared = alice.share(image_id, "dept-b", "dept-c")

    assert {share.department: share.status for share in shared} == dict.fromkeys(("dept-b", "dept-c"), "accepted")
    assert image_id in {image.id for image in bob.images(view="shared")}


def test_a_department_that_has_declined_is_not_overruled(cloud: CloudUnderTest, client: ClientFactory) -> None:
    bob, image_id = client("bob"), make_image(cloud)
    client("alice").share(image_id, bob.project_id)
    bob.decline(image_id)

    for caller, options in (
        (client("admin"), {"accept": True}),
        (client("alice", steward="admin", share_acceptance="steward"), {}),
    ):
        (share,) = caller.share(image_id, bob.project_id, **options)
        assert share.status is ShareStatus.REJECTED


def test_a_reader_cannot_make_the_steward_accept(cloud: CloudUnderTest, client: ClientFactory, ruth: Session) -> None:
    """Let the department's own readers, the other department's users and strangers try to use the steward's right."""
    bob, image_id = client("bob"), make_image(cloud)
    client("alice").share(image_id, bob.project_id)
    settings = {"steward": cloud.session("admin"), "region_name": REGION}
    accepting = client("alice", share_acceptance="steward").settings
    readers = [cloud.session(user) for user in ("rita", "bob", "carol")] + [ruth]

    for session in readers:
        caller = Client.from_session(session, settings=accepting, **settings)  # type: ignore[arg-type]  # as given
        for department in (bob.project_id, client("carol").project_id):
            with pytest.raises((NotAllowedError, NotFoundError, InvalidRequestError)):
                caller.share(image_id, department)

    assert rows(cloud, image_id) == {bob.project_id: "pending"}


def test_a_reader_of_the_other_department_does_not_accept(
    cloud: CloudUnderTest, client: ClientFactory, ruth: Session
) -> None:
    image_id = make_image(cloud)
    client("alice").share(image_id, client("bob").project_id)
    reader = Client.from_session(ruth, region_name=REGION, settings=client.settings)

    for verb in (reader.accept, reader.decline):
        with pytest.raises(NotAllowedError) as caught:
            verb(image_id)
        assert "role member" in caught.value.hint
    assert list(rows(cloud, image_id).values()) == ["pending"]


# ----------------------------------------------------------------- limits


def test_128_departments_have_an_image_and_the_129th_is_told_the_limit(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice, image_id = client("alice"), make_image(cloud)
    departments = [uuid.uuid4().hex for _ in range(128)]

    assert len(alice.share(image_id, *departments)) == 128

    with pytest.raises(QuotaExceededError) as caught:
        alice.share(image_id, departments[0], uuid.uuid4().hex)
    assert (caught.value.resource, caught.value.limit, caught.value.status) == ("members", 128, 413)
    assert len(alice.share(image_id, *departments)) == 128  # who is there is there
    alice.unshare(image_id, departments[-1])
    Interference(alice).lose("POST", "/members")
    assert len(alice.share(image_id, uuid.uuid4().hex)) == 128  # the last place, and its response is lost


def test_what_is_no_image_of_its_own_is_not_shared(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice"), client("bob").project_id
    with pytest.raises(ConflictError, match="it has no data"):
        alice.share(make_volume_snapshot(cloud), bob)
    with pytest.raises(ConflictError, match="Everybody sees"):
        alice.share(make_image(cloud, visibility="community"), bob)


def test_the_end_of_the_sharing_at_the_same_moment_is_a_conflict(cloud: CloudUnderTest, client: ClientFactory) -> None:
    bob, carol = client("bob"), client("carol").project_id

    def private(image_id: str) -> Callable[[], None]:
        return lambda: patch_record(cloud, image_id, {"visibility": "private"})

    alice, image_id = client("alice"), make_image(cloud, visibility="shared")
    Interference(alice).before("POST", "/members", private(image_id))
    with pytest.raises(ConflictError) as caught:
        alice.share(image_id, carol)
    assert "Read the image again" in caught.value.hint

    alice, image_id = client("alice"), make_image(cloud)
    alice.share(image_id, bob.project_id)
    Interference(alice).before("DELETE", "/members", private(image_id))
    with pytest.raises(ConflictError):
        alice.unshare(image_id, bob.project_id)

    image_id = make_image(cloud)
    client("alice").share(image_id, bob.project_id)
    Interference(bob).before("PUT", "/members", lambda: patch_record(cloud, image_id, {"visibility": "community"}))
    with pytest.raises(ConflictError):
        bob.accept(image_id)


# ----------------------------------------------------------------- who may do what


@pytest.mark.parametrize("visibility", ["private", "shared", "community", "public"])
def test_who_may_do_what(cloud: CloudUnderTest, client: ClientFactory, ruth: Session, visibility: str) -> None:
    """Try six callers × five verbs on an image of each visibility: 120 cells, and `allowed` agrees with all."""
    of_ruth = Client.from_session(ruth, region_name=REGION, settings=client.settings)
    callers = {user: client(user) for user in ("alice", "rita", "bob", "carol", "admin")} | {"ruth": of_ruth}
    found, disagreements = {}, []
    for user, caller in callers.items():
        image_id = make_image(cloud)
        if visibility == "shared":
            client("alice").share(image_id, client("bob").project_id)
        else:
            patch_record(cloud, image_id, {"visibility": visibility})
        member, other = client("bob").project_id, client("bob" if user == "carol" else "carol").project_id
        taken = other if user in ("bob", "ruth") else member
        calls: dict[str, Callable[[], object]] = {
            "shares": lambda: caller.shares(image_id),  # noqa: B023  # called at once
            "accept": lambda: caller.accept(image_id),  # noqa: B023
            "decline": lambda: caller.decline(image_id),  # noqa: B023
            "unshare": lambda: caller.unshare(image_id, taken),  # noqa: B023
            "share": lambda: caller.share(image_id, other),  # noqa: B023
        }
        image = seen_by(caller, image_id)
        allowed = caller.allowed(image) if image else frozenset()
        for verb in VERBS:
            outcome = outcome_of(calls[verb])
            found[user, verb] = outcome
            if image and verb in ("share", "accept", "decline") and (Action(verb) in allowed) != (outcome == "done"):
                disagreements.append((user, verb, outcome))

    assert found == {(user, verb): word for user, words in CELLS[visibility].items() for verb, word in words.items()}
    assert disagreements == []


def seen_by(caller: Client, image_id: str) -> Image | None:
    try:
        return caller.cloud.image(image_id)
    except NotFoundError:
        return None


def outcome_of(call: Callable[[], object]) -> str:
    try:
        call()
    except (NotFoundError, NotAllowedError, ConflictError) as error:
        return type(error).__name__.removesuffix("Error")
    return "done"


def cells(*words: str) -> dict[str, str]:
    return dict(zip(VERBS, words, strict=True))


_NOTHING: Final = cells(*["NotFound"] * 5)
_OF_ALL: Final = {
    "alice": cells("done", "Conflict", "Conflict", "done", "Conflict"),
    "rita": cells("done", "Conflict", "Conflict", "done", "Conflict"),
    "bob": cells("done", "Conflict", "Conflict", "NotAllowed", "NotAllowed"),
    "ruth": cells("done", "Conflict", "Conflict", "NotAllowed", "NotAllowed"),
    "carol": cells("done", "Conflict", "Conflict", "NotAllowed", "NotAllowed"),
    "admin": cells("done", "NotAllowed", "NotAllowed", "done", "Conflict"),
}
CELLS: Final = {
    "private": {
        "alice": cells("done", "Conflict", "Conflict", "done", "done"),
        "rita": cells("done", "Conflict", "Conflict", "done", "NotAllowed"),
        "bob": _NOTHING,
        "ruth": _NOTHING,
        "carol": _NOTHING,
        "admin": cells("done", "NotAllowed", "NotAllowed", "done", "done"),
    },
    "shared": {
        "alice": cells("done", "NotAllowed", "NotAllowed", "done", "done"),
        "rita": cells("done", "NotAllowed", "NotAllowed", "NotAllowed", "NotAllowed"),
        "bob": cells("done", "done", "done", "NotAllowed", "NotAllowed"),
        "ruth": cells("done", "NotAllowed", "NotAllowed", "NotAllowed", "NotAllowed"),
        "carol": _NOTHING,
        "admin": cells("done", "NotAllowed", "NotAllowed", "done", "done"),
    },
    "community": _OF_ALL,
    "public": _OF_ALL,
}
"""What each verb answers to each caller: done, or the kind of its refusal."""
