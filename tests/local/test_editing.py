"""Editing on real services: Glance's own policies and protections, and the requests of a steward."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import (
    Category,
    Client,
    ConflictError,
    ImageChanges,
    ImageNotActiveError,
    InvalidRequestError,
    LaunchRequest,
    NotAllowedError,
    NotFoundError,
    Pace,
)
from hyperx_glance.testing.timing import scaled
from hyperx_glance.waiting.pace import wait_until
from tests.support.clouds import PATIENT, REGION, login, unique
from tests.support.interference import Interference
from tests.support.lossy_proxy import FATES, Fate, LossyProxy
from tests.support.records import make_image, patch_record, record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory


MOST_ROUNDS = 300
"""On two processors, one of the first rounds loses a change."""
SOON = Pace(first_interval=0.1, longest_interval=0.5, deadline=scaled(60))


@pytest.fixture(scope="module")
def liberal_glance(local_cloud: LocalCloud) -> Iterator[None]:
    """Let members publicize, and protect no property: what a careless operator may do."""
    options = {"DEFAULT": {"property_protection_file": None}}
    policies = {"publicize_image": "role:member"}
    with local_cloud.configured("glance", options, policies=policies):
        yield


@pytest.fixture(scope="module")
def strict_glance(local_cloud: LocalCloud) -> Iterator[None]:
    """Let only administrators remove the featured flag, and let members publicize."""
    file = local_cloud.directory / "strict-protections.conf"
    file.write_text(
        "[^hyperx_featured$]\ncreate = admin\nread = admin,member,reader\nupdate = admin\ndelete = admin\n"
        "[.*]\ncreate = admin,member\nread = admin,member,reader\nupdate = admin,member\ndelete = admin,member\n"
    )
    options = {"DEFAULT": {"property_protection_file": str(file)}}
    with local_cloud.configured("glance", options, policies={"publicize_image": "role:member"}):
        yield
    file.unlink()


def test_a_disabled_image_is_not_launched(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image = client().disable(make_image(local_cloud))
    request = LaunchRequest(name="never", flavor="m1.tiny", networks="none")
    with pytest.raises(ImageNotActiveError) as caught:
        client().launch(image.id, request)
    assert caught.value.phase == "disabled"
    client().enable(image)
    launch = client().launch(image.id, request)
    launch.cancel()


def test_every_request_of_the_steward(local_cloud: LocalCloud, client: ClientFactory) -> None:
    sent: list[tuple[str, str, str]] = []
    http = requests.Session()
    http.hooks["response"].append(lambda answer, **_: sent.append(_line(answer)))
    steward = Session(auth=v3.Password(**login(local_cloud, "admin")), session=http)
    bob = Client.from_session(local_cloud.session("bob"), region_name=REGION, steward=steward, settings=PATIENT)
    public, private = make_image(local_cloud, visibility="community"), make_image(local_cloud)
    featured = make_image(local_cloud)
    client("admin").update(featured, category="featured")
    for act in (bob.disable, bob.enable, bob.delete):
        with pytest.raises(NotAllowedError):
            act(public)
    refused = [
        (public, ImageChanges(name="x", category=Category.PRIVATE)),
        (public, ImageChanges(name="x", protected=True)),
        (public, ImageChanges(name="x", hidden=True)),
        (public, ImageChanges(name="x", min_ram_mib=1)),
        (public, ImageChanges(name="x", properties={"hw_disk_bus": "ide"})),
        (featured, ImageChanges(name="x")),
    ]
    for image_id, changes in refused:
        with pytest.raises(NotAllowedError):
            bob.update(image_id, changes)
    assert private not in {image.id for image in bob.images()}
    bob.image(public)
    bob.quota()
    bob.servers_using(public)
    own = make_image(local_cloud, "bob")
    bob.update(own, description="own")
    bob.delete(own)
    assert sent == []
    image = bob.update(public, name="better", os_name="Debian", tags={"x"}, password_enabled=True)
    assert (image.name, image.edited_by) == ("better", bob.user_id)
    http.close()
    assert sent == [("POST", "keystone", "/v3/auth/tokens"), ("PATCH", "glance", f"/v2/images/{public}")]


def _line(answer: requests.Response) -> tuple[str, str, str]:
    path = answer.request.path_url
    return str(answer.request.method), "keystone" if path.startswith("/v3") else "glance", path


# ----------------------------------------------------------------- lost answers


@pytest.mark.parametrize(
    "fates", [*((fate,) for fate in FATES), ("drop", "cut_late"), ("drop", "drop", "drop")], ids=str
)
def test_a_change_whose_answer_is_lost_is_made(
    local_cloud: LocalCloud, client: ClientFactory, fates: tuple[Fate, ...]
) -> None:
    image_id = make_image(local_cloud, description="old", os_distro="debian", hw_qemu_guest_agent="no", tags=["a"])
    with LossyProxy(
        local_cloud.url("glance"), list(fates), service="image", creation="/images/[^/]+$", method="PATCH"
    ) as proxy:
        alice = proxy.client(local_cloud.session("alice"), PATIENT)
        image = alice.update(
            image_id, name="new", description="", tags={"x"}, password_enabled=True, os_distro="", category="public"
        )
        assert not proxy.fates
    assert (image.name, image.description, image.os_distro, image.tags) == ("new", "", "", ("x",))
    assert client().image(image_id) == image
    assert client().update(image_id, password_enabled=False).properties == {"hw_qemu_guest_agent": "no"}


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("action", ["disable", "enable"])
def test_an_action_whose_answer_is_lost_is_done(
    local_cloud: LocalCloud, client: ClientFactory, action: str, fate: Fate
) -> None:
    image_id = make_image(local_cloud)
    if action == "enable":
        client().disable(image_id)
    with LossyProxy(local_cloud.url("glance"), [fate], service="image", creation="/actions/") as proxy:
        alice = proxy.client(local_cloud.session("alice"), PATIENT)
        image = (alice.disable if action == "disable" else alice.enable)(image_id)
        assert not proxy.fates
    assert image.phase == ("disabled" if action == "disable" else "ready")
    assert client().image(image_id).phase == image.phase


# ----------------------------------------------------------------- the moment before the steward writes


class _BeforeEachPatch(requests.adapters.HTTPAdapter):
    """An adapter that does something between the user's refusal and the steward's patch."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act
        self.statuses: list[int] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        if request.method != "PATCH":
            return super().send(request, *args, **options)
        self.act()
        answer = super().send(request, *args, **options)
        self.statuses.append(answer.status_code)
        return answer


def _bob(cloud: LocalCloud, adapter: _BeforeEachPatch) -> Client:
    http = requests.Session()
    http.mount("http://", adapter)
    steward = Session(auth=v3.Password(**login(cloud, "admin")), session=http)
    return Client.from_session(cloud.session("bob"), region_name=REGION, steward=steward, settings=PATIENT)


def test_an_image_featured_just_before_the_edit_of_a_steward_is_unchanged(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    image_id = make_image(local_cloud, visibility="community", description="old")
    adapter = _BeforeEachPatch(lambda: client("admin").update(image_id, category="featured"))
    with pytest.raises(NotAllowedError, match="and is featured"):
        _bob(local_cloud, adapter).update(image_id, name="better", description="", tags={"x"})
    assert adapter.statuses == [409]
    record = record_of(local_cloud, image_id)
    assert (record["description"], record["hyperx_featured"], record["tags"]) == ("old", "true", [])
    assert record["name"] != "better"
    assert "hyperx_edited_by" not in record


def test_an_image_made_private_just_before_the_edit_of_a_steward_is_reported(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    image_id = make_image(local_cloud, visibility="community")
    adapter = _BeforeEachPatch(lambda: client().update(image_id, category="private"))
    with pytest.raises(ConflictError, match=r"became private .*: edited_by, name"):
        _bob(local_cloud, adapter).update(image_id, name="better")
    record = record_of(local_cloud, image_id)
    assert (record["name"], record["visibility"]) == ("better", "private")


def test_a_change_by_the_owner_just_before_the_edit_of_a_steward_is_kept(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    image_id = make_image(local_cloud, visibility="community")
    adapter = _BeforeEachPatch(lambda: client().update(image_id, description="the owner's", os_distro="debian"))
    image = _bob(local_cloud, adapter).update(image_id, description="bob's")
    assert adapter.statuses == [409, 200]
    assert (image.description, image.os_distro) == ("bob's", "debian")


# ----------------------------------------------------------------- two people, one image


def test_what_another_person_changes_between_the_read_and_the_patch_is_kept(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    image_id = make_image(local_cloud, description="old", os_distro="old")
    alice = client("alice")
    Interference(alice).before("PATCH", "/images/", lambda: client("alice").update(image_id, os_distro="debian"))

    image = alice.update(image_id, description="new")

    assert (image.description, image.os_distro) == ("new", "debian")


def test_one_of_two_patches_at_the_same_moment_may_undo_the_other(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    """Glance reads the record, applies the patch, and writes all of it (glance/db/__init__.py, save)."""
    image_id = make_image(local_cloud, description="0", os_distro="0")
    together = threading.Barrier(2, timeout=scaled(60))
    people = client("alice"), client("alice")
    for person in people:
        Interference(person).before("PATCH", "/images/", together.wait, times=MOST_ROUNDS)

    lost = False
    with ThreadPoolExecutor(2) as threads:
        for count in map(str, range(1, MOST_ROUNDS)):
            described = threads.submit(people[0].update, image_id, description=count)
            named = threads.submit(people[1].update, image_id, os_distro=count)
            assert described.result().description == count
            assert named.result().os_distro == count
            record = record_of(local_cloud, image_id)
            lost = (record["description"], record["os_distro"]) != (count, count)
            if lost:
                break

    assert lost


# ----------------------------------------------------------------- what Nova makes of servers


@pytest.mark.parametrize("layout", [{}, {"boot_volume_gib": 1}], ids=["of an image", "of a volume"])
def test_a_snapshot_that_nova_made(local_cloud: LocalCloud, client: ClientFactory, layout: dict[str, int]) -> None:
    alice, bob = client(), client("bob")
    source = make_image(local_cloud, sample="disk.raw", os_distro="debian")
    request = {"name": unique("source"), "flavor": "m1.tiny", "networks": "none", **layout}
    launch = alice.launch(source, LaunchRequest.model_validate(request))
    name = unique("snapshot")
    try:
        path = f"/servers/{launch.servers[0].id}/action"
        answer = alice.cloud.post("compute", path, json={"createImage": {"name": name}}, microversion="2.67")
        image_id = answer.json()["image_id"]
        wait_until(SOON, lambda: alice.image(image_id).state == "ACTIVE" or None)
        for view in ("all", "private"):
            assert image_id not in {image.id for image in alice.images(view=view)}
        asked = {"bdm_v2": "True"} if layout else {"image_type": "snapshot"}
        assert [image.id for image in alice.images(properties=asked, name=name)] == [image_id]
        with pytest.raises(NotFoundError):
            alice.image(name)
        if layout:
            for user, category in (("alice", "public"), ("admin", "featured")):
                with pytest.raises(ConflictError, match="no data"):
                    client(user).update(image_id, category=Category(category))
            return
        assert alice.update(image_id, category="public").os_distro == "debian"
        assert bob.image(name).id == image_id
        assert image_id in {image.id for image in bob.images(view="public")}
        bob.launch(image_id, LaunchRequest(name=unique("of-template"), flavor="m1.tiny", networks="none")).cancel()
    finally:
        wait_until(SOON, lambda: _without_snapshots(local_cloud) or None)
        launch.cancel()


def _without_snapshots(cloud: LocalCloud) -> bool:
    """Delete the volume snapshots that Nova requested, in any state; return whether they are gone."""
    session = cloud.session("admin")
    volumes = {"service_type": "block-storage"}
    snapshots = session.get("/snapshots?all_tenants=1", endpoint_filter=volumes).json()["snapshots"]
    for snapshot in snapshots:
        session.delete(f"/snapshots/{snapshot['id']}", endpoint_filter=volumes, raise_exc=False)
    return not snapshots


@pytest.mark.usefixtures("liberal_glance")
class TestMembersMayPublicize:
    """Neither policy nor protections stop a member, so this library must."""

    def test_a_member_publishes_and_takes_back(self, local_cloud: LocalCloud, client: ClientFactory) -> None:
        alice = client(public_visibility="public")
        image_id = make_image(local_cloud)
        public = alice.update(image_id, category="public")
        assert (public.category, public.visibility) == (Category.PUBLIC, "public")
        assert alice.update(image_id, category="private").category is Category.PRIVATE

    def test_a_member_features_nothing(self, local_cloud: LocalCloud, client: ClientFactory) -> None:
        alice = client(public_visibility="public")
        image_id = make_image(local_cloud)
        with pytest.raises(NotAllowedError):
            alice.update(image_id, category="featured")
        for route in ({"properties": {"hyperx_featured": "true"}}, {"properties": {"visibility": "public"}}):
            with pytest.raises(InvalidRequestError):
                alice.update(image_id, ImageChanges.model_validate(route))
        # Another tool may set the flag here; it must not count as soon as the image is public.
        patch_record(local_cloud, image_id, {"hyperx_featured": "true"}, "alice")
        image = alice.update(image_id, category="public", name="new")
        assert (image.category, image.visibility, image.name) == (Category.PUBLIC, "public", "new")
        assert "hyperx_featured" not in record_of(local_cloud, image_id)

    def test_a_public_image_with_a_forged_flag_is_featured(
        self, local_cloud: LocalCloud, client: ClientFactory
    ) -> None:
        image_id = make_image(local_cloud, visibility="public", hyperx_featured="true")
        assert client("bob").image(image_id).category is Category.FEATURED


@pytest.mark.usefixtures("strict_glance")
class TestFlagCannotBeDropped:
    """Glance refuses to drop the flag, so the category changes without it."""

    @pytest.mark.parametrize("public_visibility", ["community", "public"])
    @pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
    def test_its_owner_ends_featuring(
        self, local_cloud: LocalCloud, client: ClientFactory, category: Category, public_visibility: str
    ) -> None:
        image_id = make_image(local_cloud)
        client("admin").update(image_id, category="featured")
        alice = client(public_visibility=public_visibility)
        image = alice.update(image_id, category=category, description="mine")
        assert (image.category, image.description) == (category, "mine")
        record = record_of(local_cloud, image_id)
        assert record["hyperx_featured"] == "true"
        assert record["visibility"] == ("private" if category is Category.PRIVATE else "community")

    def test_only_an_administrator_can_make_an_image_with_the_flag_public(
        self, local_cloud: LocalCloud, client: ClientFactory
    ) -> None:
        image_id = make_image(local_cloud)
        patch_record(local_cloud, image_id, {"hyperx_featured": "true"})
        image = client(public_visibility="public").update(image_id, category="public")
        assert (image.category, image.visibility) == (Category.PUBLIC, "community")
