"""What only real services show of editing: Glance's own policies and protections, and what the steward really sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import (
    Category,
    Client,
    ImageChanges,
    ImageNotActiveError,
    InvalidRequestError,
    LaunchRequest,
    NotAllowedError,
)
from tests.clouds import PATIENT, REGION
from tests.records import make_image, patch_record, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.clouds import ClientFactory


@pytest.fixture(scope="module")
def liberal_glance(local_cloud: LocalCloud) -> Iterator[None]:
    """Let members publicize, and protect no property: what a careless operator may do."""
    options = {"DEFAULT": {"property_protection_file": None}}
    policies = {"publicize_image": "role:member"}
    with local_cloud.configured("glance", options, policies=policies):
        yield


@pytest.fixture(scope="module")
def strict_glance(local_cloud: LocalCloud) -> Iterator[None]:
    """Let nobody but administrators drop the featured flag, and let members publicize."""
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
    auth: dict[str, Any] = {key: value for key, value in local_cloud.auth("admin").items() if key != "region_name"}
    steward = Session(auth=v3.Password(**auth), session=http)
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


@pytest.mark.usefixtures("liberal_glance")
class TestWhereMembersMayPublicize:
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

    def test_what_such_a_deployment_cannot_prevent(self, local_cloud: LocalCloud, client: ClientFactory) -> None:
        image_id = make_image(local_cloud, visibility="public", hyperx_featured="true")
        assert client("bob").image(image_id).category is Category.FEATURED


@pytest.mark.usefixtures("strict_glance")
class TestWhereTheFlagCannotBeDropped:
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

    def test_nobody_but_an_administrator_publishes_what_carries_the_flag(
        self, local_cloud: LocalCloud, client: ClientFactory
    ) -> None:
        image_id = make_image(local_cloud)
        patch_record(local_cloud, image_id, {"hyperx_featured": "true"})
        image = client(public_visibility="public").update(image_id, category="public")
        assert (image.category, image.visibility) == (Category.PUBLIC, "community")
