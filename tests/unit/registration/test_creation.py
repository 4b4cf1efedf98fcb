"""Creating a record, and what remains if that is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Category,
    ConflictError,
    InvalidRequestError,
    NewImage,
    NotAllowedError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from tests.support.clouds import ClientFactory
from tests.support.file_server import FileServer
from tests.support.interference import Interference, interrupt, unreachable
from tests.support.readers import assert_told
from tests.support.registrations import BLIND, OWN_ID, disk

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


def test_public_images_are_publicized_where_the_site_says_so(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.policies["publicize_image"] = "member"

    image = client("alice", public_visibility="public").register(
        NewImage(name="a", url=disk(file_server), category=Category.PUBLIC)
    )

    assert (image.visibility, image.category) == ("public", "public")


def test_a_site_that_lets_nobody_publicize(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    with pytest.raises(NotAllowedError):
        client("alice", public_visibility="public").register(
            NewImage(name="a", url=disk(file_server), category=Category.PUBLIC)
        )

    assert not cloud.glance.images


@pytest.mark.parametrize("path", ["/info/usage", "/import$"])
def test_glance_that_goes_away_after_the_create_leaves_its_id(
    client: ClientFactory, file_server: FileServer, path: str
) -> None:
    alice = client("alice")
    between = Interference(alice)

    between.after(
        "POST",
        "^/images$",
        lambda: between.before("POST" if "import" in path else "GET", path, unreachable, times=9),
    )
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(NewImage(name="a", url=disk(file_server)))

    assert caught.value.image_id
    assert client("alice").resume_registration(caught.value.image_id).wait().state == "ACTIVE"


def test_an_authority_that_cannot_be_read_is_told_before_anything_is_created(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    policy = BLIND.model_copy(update={"ca_file": "/nowhere/ca.pem"})

    with pytest.raises(InvalidRequestError, match="ca_file"):
        client("alice", url_policy=policy).register(NewImage(name="a", url=disk(file_server), disk_format="qcow2"))

    assert not cloud.glance.images


def test_a_create_that_may_have_happened_tells_its_id_though_the_last_try_never_connected(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice")
    between = Interference(alice)

    def lost() -> None:
        between.before("POST", "^/images$", unreachable, times=9)
        raise ServiceUnavailableError(Text("cut on request"))

    between.after("POST", "^/images$", lost)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(NewImage(name="a", url=disk(file_server)))

    assert caught.value.connected
    assert [image.id for image in cloud.glance.images.values()] == [caught.value.image_id]


class TestInterruptions:
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_of_the_clean_up_leave_nothing(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, moment: str
    ) -> None:
        alice = client("alice")
        between = Interference(alice)

        (between.before if moment == "before" else between.after)("DELETE", "/images/", interrupt)
        with pytest.raises(KeyboardInterrupt):
            alice.register(NewImage(name="a", url=disk(file_server), checksum=f"md5:{'0' * 32}"))

        assert not [image for image in cloud.glance.images.values() if not image.deleted]

    def test_of_the_clean_up_after_a_refused_import_leave_nothing(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice", transfer="import")
        cloud.fail("glance", "POST", "/import$", status=409)

        Interference(alice).before("DELETE", "/images/", interrupt)
        with pytest.raises(KeyboardInterrupt):
            alice.register(NewImage(name="a", url=disk(file_server)))

        assert not [image for image in cloud.glance.images.values() if not image.deleted]

    @pytest.mark.parametrize("path", ["^/images$", "/import$"])
    def test_come_back_also_where_glance_has_gone(
        self, client: ClientFactory, file_server: FileServer, path: str
    ) -> None:
        alice = client("alice")
        between = Interference(alice)

        def interrupt() -> None:
            between.before("POST" if path == "^/images$" else "DELETE", "^/images", unreachable, times=9)
            raise KeyboardInterrupt

        between.after("POST", path, interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            alice.register(NewImage(name="a", url=disk(file_server)))

        assert any("could not be deleted" in note for note in caught.value.__notes__)
        texts = [note for note in caught.value.__notes__ if isinstance(note, Text)]
        assert any(note.in_language("zh").startswith("无法删除记录 ") for note in texts)


class TestAnIdThatIsTaken:
    """A second registration under the same id, if a response is lost, must not touch the first image."""

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    @pytest.mark.parametrize("running", [True, False])
    def test_is_refused(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        transfer: str,
        running: bool,  # noqa: FBT001
    ) -> None:
        new = NewImage(name="a", url=disk(file_server), id=OWN_ID)
        cloud.glance.imports_stall = running
        first = client("alice").start_registration(new)
        if not running:
            first.wait()
        again = client("alice", transfer=transfer)
        Interference(again).lose("POST", "^/images$")
        cloud.fail("glance", "POST", "/v2/images$", status=503)

        with pytest.raises(ConflictError, match="is taken"):
            again.register(new)

        cloud.glance.imports_stall = False
        assert first.wait().state == "ACTIVE"

    def test_and_ctrl_c_leaves_it_alone(self, client: ClientFactory, file_server: FileServer) -> None:
        new = NewImage(name="a", url=disk(file_server), id=OWN_ID)
        image = client("alice").register(new)
        again = client("alice")

        Interference(again).before("POST", "^/images$", interrupt)
        with pytest.raises(KeyboardInterrupt):
            again.register(new)

        assert client("alice").image(image.id).state == "ACTIVE"


def test_a_format_that_glance_does_not_take_is_refused_with_those_that_it_takes(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.disk_formats = ["raw", "iso"]
    with pytest.raises(InvalidRequestError, match=r"takes no image of the format qcow2; it takes raw, iso") as caught:
        client("alice").register(NewImage(name="a", url=disk(file_server)))
    assert (caught.value.status, caught.value.left, caught.value.explanation) == (400, (), "")
    assert_told(caught.value)
    assert not cloud.glance.images


def test_a_glance_that_takes_no_bare_image_is_told(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.container_formats = ["ovf", "docker"]
    with pytest.raises(InvalidRequestError, match=r"container format bare.*it takes ovf, docker") as caught:
        client("alice").register(NewImage(name="a", url=disk(file_server)))
    assert "container_formats" in caught.value.hint
    assert_told(caught.value)


def test_another_refusal_keeps_glance_s_words(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "POST", "/v2/images$", status=400, body="Something else is wrong.", times=2)
    with pytest.raises(InvalidRequestError, match="Something else is wrong"):
        client("alice").register(NewImage(name="a", url=disk(file_server)))
    cloud.fail("glance", "GET", "/v2/schemas/image", status=500)
    with pytest.raises(InvalidRequestError, match="Something else is wrong"):
        client("alice").register(NewImage(name="a", url=disk(file_server)))


@pytest.mark.parametrize(
    ("stores", "told"), [(["fast", "slow"], "no store cheap; it has fast, slow"), ([], "has a single store")]
)
def test_an_unknown_store_is_refused_before_anything_is_created(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, stores: list[str], told: str
) -> None:
    cloud.glance.stores = stores
    with pytest.raises(InvalidRequestError, match=told) as caught:
        client("alice").register(NewImage(name="a", url=disk(file_server), stores=("cheap",)))
    assert_told(caught.value)
    assert not cloud.glance.images


JSON = {"Content-Type": "application/json"}


def test_a_store_that_nobody_can_write_is_refused_before_anything_is_created(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    body = b'{"stores": [{"id": "fast"}, {"id": "web", "read-only": "true"}]}'
    cloud.fail("glance", "GET", "/v2/info/stores", status=200, body=body, headers=JSON)
    with pytest.raises(InvalidRequestError, match="no store web; it has fast"):
        client("alice").register(NewImage(name="a", url=disk(file_server), stores=("web",)))
    assert not cloud.glance.images
