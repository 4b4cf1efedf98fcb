"""`allowed` predicts what each verb would change, on both clouds."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import (
    Action,
    AuthenticationError,
    Client,
    HyperxGlanceError,
    Image,
    LaunchRequest,
    NotAllowedError,
    NotFoundError,
)
from hyperx_glance.testing import InMemoryCloud, LocalCloud
from tests.support import glance_rows, launches
from tests.support.clouds import REGION, login, unique
from tests.support.records import IMAGE, make_image, patch_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.clouds import ClientFactory, CloudUnderTest

CALLERS = (
    ("alice", None), ("rita", None), ("bob", None), ("admin", None), ("bob", "admin"), ("rita", "admin"),
)  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "private": {},
    "shared": {"visibility": "shared"},
    "community": {"visibility": "community"},
    "public": {"later": {"visibility": "public"}},
    "featured": {"later": {"visibility": "public", "hyperx_featured": "true"}},
    "protected": {"protected": True},
    "protected community": {"protected": True, "visibility": "community"},
    "disabled": {"act": "deactivate"},
    "disabled community": {"act": "deactivate", "visibility": "community"},
    "without data": {"sample": None},
    "failed community": {"sample": None, "visibility": "community", "hyperx_failure": "No such file."},
    "importing": {"sample": None, "status": "importing"},
    "importing community": {"sample": None, "status": "importing", "visibility": "community"},
    "saving": {"sample": None, "status": "saving"},
    "snapshot": {"image_type": "snapshot"},
    "deprecated": {"hyperx_deprecated_at": "2020-01-01T00:00:00Z"},
    "obsolete": {"hyperx_obsolete_at": "2020-01-01T00:00:00Z", "visibility": "community"},
    "disabled and deprecated": {"act": "deactivate", "hyperx_deprecated_at": "2020-01-01T00:00:00Z"},
    "to be deprecated": {"hyperx_deprecated_at": "2999-01-01T00:00:00Z"},
    "ISO": {"sample": "installer.iso", "visibility": "community"},
    "ISO that does not boot": {"sample": "installer.iso", "hyperx_bootable": "false"},
    "account of no name": {"hyperx_password_enabled": "true", "os_admin_user": "a b", "visibility": "community"},
}


@pytest.fixture(autouse=True)
def _nothing_left(cloud: CloudUnderTest) -> Iterator[None]:
    yield
    for user in ("alice", "bob", "admin"):
        launches.remove_servers(cloud, user)


@dataclasses.dataclass
class Stock:
    """A source of images of one kind: alice's, and seen by bob's department if it is shared."""

    cloud: CloudUnderTest
    kind: str
    made: str = ""

    def one(self) -> str:
        """Return an image as it was made."""
        if not self.made:
            record = dict(KINDS[self.kind])
            later, act, status = (record.pop(key, None) for key in ("later", "act", "status"))
            self.made = make_image(self.cloud, "alice", **record)
            if later:
                patch_record(self.cloud, self.made, later)
            if act:
                path = f"/v2/images/{self.made}/actions/{act}"
                self.cloud.session("alice").post(path, endpoint_filter=IMAGE)
            if self.kind == "shared":
                self._share()
            if status:
                self._leave_in(status)
        return self.made

    def _leave_in(self, status: str) -> None:
        if isinstance(self.cloud, LocalCloud):
            glance_rows.set_status(self.cloud, self.made, status)
        else:
            assert isinstance(self.cloud, InMemoryCloud)
            self.cloud.glance.images[self.made].status = status

    def _share(self) -> None:
        bob = self.cloud.session("bob")
        path = f"/v2/images/{self.made}/members"
        project = str(bob.get_project_id())
        self.cloud.session("alice").post(path, json={"member": project}, endpoint_filter=IMAGE)
        bob.put(f"{path}/{project}", json={"status": "accepted"}, endpoint_filter=IMAGE)


READING = (Action.LAUNCH, Action.DOWNLOAD)
OF_MEMBERS = (Action.SHARE, Action.ACCEPT, Action.DECLINE)
"""They change members, which no record shows. The one exception to the law of this file: if nobody read what a
department has answered, both answers are offered, and one of them changes nothing."""


def shown(image: Image | None) -> dict[str, Any] | None:
    """Return what people see of an image; None if it is gone."""
    return None if image is None else image.model_dump(exclude={"updated_at"})


def read(cloud: CloudUnderTest, user: str, image_id: str) -> Image | None:
    """Return the record as a user sees it, or None."""
    answer = cloud.session(user).get(f"/v2/images/{image_id}", endpoint_filter=IMAGE, raise_exc=False)
    return Image.model_validate_json(answer.content) if answer.status_code == 200 else None


def works(cloud: CloudUnderTest, user: str, client: Client, image: Image, action: Action) -> bool:
    """Do it, and return whether it succeeded and, unless it only reads the image, changed the record."""
    verbs: dict[Action, Callable[[], object]] = {
        Action.LAUNCH: lambda: client.launch(image, LaunchRequest(name=unique("web"), flavor="m1.small"), wait=False),
        Action.EDIT: lambda: client.update(
            image, name=unique("new"), description=unique("new"), os_distro="debian", tags={unique("new")}
        ),
        Action.PUBLISH: lambda: client.update(image, category="public"),
        Action.WITHDRAW: lambda: client.update(image, category="private"),
        Action.FEATURE: lambda: client.update(image, category="featured"),
        Action.ENABLE: lambda: client.enable(image),
        Action.DISABLE: lambda: client.disable(image),
        Action.DELETE: lambda: client.delete(image),
        Action.PROTECT: lambda: client.update(image, protected=True),
        Action.UNPROTECT: lambda: client.update(image, protected=False),
        Action.DEPRECATE: lambda: client.deprecate(image),
        Action.REINSTATE: lambda: client.reinstate(image),
        Action.DOWNLOAD: lambda: client.download(image, io.BytesIO()),
        Action.SHARE: lambda: client.share(image, str(cloud.session("carol").get_project_id())),
        Action.ACCEPT: lambda: client.accept(image),
        Action.DECLINE: lambda: client.decline(image),
    }
    try:
        verbs[action]()
    except HyperxGlanceError:
        return False
    return action in (*READING, *OF_MEMBERS) or shown(read(cloud, user, image.id)) != shown(image)


@pytest.mark.parametrize("kind", KINDS)
def test_each_allowed_action_changes_something(cloud: CloudUnderTest, client: ClientFactory, kind: str) -> None:
    stock = Stock(cloud, kind)
    wrong = []
    for user, steward in CALLERS:
        caller = client(user, steward=steward)
        for action in Action:
            image = read(cloud, user, stock.one())
            if image is None:
                continue
            told = action in caller.allowed(image)
            assert told == (caller.why_not(image, action) == "")
            if works(cloud, user, caller, image, action) != told:
                wrong.append((user, steward, action.value, told))
            if told and action not in (*READING, Action.EDIT):
                stock.made = ""  # the next one gets an image as it was made

    assert wrong == []


def test_a_wrong_password_and_a_refusal_are_two_errors(cloud: CloudUnderTest, client: ClientFactory) -> None:
    assert isinstance(cloud, InMemoryCloud | LocalCloud)
    session = Session(v3.Password(**login(cloud, "alice") | {"password": "wrong"}), cloud.session("alice").session)
    with pytest.raises(AuthenticationError) as wrong:
        Client.from_session(session, region_name=REGION, settings=client.settings).count()
    assert wrong.value.status == 401
    with pytest.raises(NotAllowedError) as refused:
        client("alice").install_metadefs()
    assert (refused.value.status, refused.value.hint) == (403, "Only administrators may do this.")


def test_another_department_s_private_image_is_as_good_as_gone(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    with pytest.raises(NotFoundError) as caught:
        client("bob").update(image_id, name="mine")
    assert caught.value.hint == "It was deleted, or it is private to another department."
