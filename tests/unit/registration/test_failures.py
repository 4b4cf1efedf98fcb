"""What the errors of registrations say, and which secrets they never say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ConflictError,
    HyperxGlanceError,
    NewImage,
    Phase,
    QuotaExceededError,
    RegistrationFailedError,
    UrlProblem,
)
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import ClientFactory
from tests.support.file_server import BigBody, FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, FAILED_TASK, disk

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


@pytest.mark.parametrize("status", [404, 500])
def test_a_single_store_glance_tells_no_failed_store(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, status: int
) -> None:
    cloud.glance.stores = []

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND).register(
            NewImage(name="a", url=file_server.fail("/a", status), disk_format="qcow2")
        )

    assert caught.value.reason == UrlProblem.HTTP_STATUS
    assert client("alice").register(NewImage(name="b", url=disk(file_server))).state == "ACTIVE"


def test_a_url_that_only_glance_can_read_is_not_given_as_the_reason_of_a_failure(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    cloud.glance.downloads["http://files.invalid/a"] = 404

    with pytest.raises(RegistrationFailedError, match="Internal Error") as caught:
        client("alice", url_policy=BLIND).register(
            NewImage(name="a", url="http://files.invalid/a", disk_format="qcow2"), timeout=20
        )

    assert caught.value.reason == "glance"


def test_without_preflight_what_this_machine_sees_is_told_as_such(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.refusing_url("/a")
    cloud.glance.downloads[url] = 404

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND).register(NewImage(name="a", url=url, disk_format="qcow2"), timeout=20)

    assert caught.value.reason == UrlProblem.REFUSED
    assert caught.value.hint.startswith("This is what this machine found")


def test_a_store_that_cannot_be_written(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.glance.broken_stores = {"slow"}

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").register(NewImage(name="a", url=disk(file_server), stores=("fast", "slow")))

    assert caught.value.reason == "glance"
    assert not cloud.glance.image(caught.value.image_id)


def test_the_message_of_a_task_is_shown_without_secrets(cloud: InMemoryCloud, client: ClientFactory) -> None:
    url = "http://127.0.0.1/a?sig=5ecre7"
    cloud.glance.downloads[url] = 404
    registration = client("alice", url_policy=BLIND).start_registration(
        NewImage(name="a", url=url, disk_format="qcow2")
    )
    cloud.fail("glance", "GET", "/tasks$", status=200, body={"tasks": [FAILED_TASK]}, times=None)
    while (seen := registration.progress()).phase is not Phase.FAILED:
        pass

    assert (seen.message.code, seen.explanation) == ("import-failed", "Cannot read http://127.0.0.1/a")


def test_a_kept_record_holds_the_reason_in_every_language_and_the_words_of_the_service(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice", transfer="stream")
    cloud.fail("glance", "PUT", "/file$", status=415, body={"message": "It did not match"})
    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=disk(file_server)), keep_failed=True)
    image_id = caught.value.image_id

    failure = f"Glance refused the data of image {image_id}. The service said: It did not match"
    reason = alice.image(image_id).failure
    assert reason == failure
    assert reason.in_language("zh") == f"Glance 拒绝接收镜像 {image_id} 的数据。服务返回的信息：It did not match"
    assert cloud.glance.images[image_id].properties["hyperx_failure"].splitlines()[0] == failure
    assert (caught.value.code, caught.value.explanation) == ("glance-refused-the-data", "It did not match")
    assert (
        caught.value.in_language("zh", audience="person")
        == f"Glance 拒绝接收镜像 {image_id} 的数据。请指定文件的实际格式。"
    )
    seen = alice.progress(image_id)
    assert (seen.message.in_language("zh"), seen.explanation) == ("注册失败。", failure)
    with pytest.raises(ConflictError) as refused:
        alice.resume_registration(image_id)
    assert (refused.value.code, refused.value.explanation) == ("registration-has-failed", failure)


def test_the_reason_of_a_url_is_kept_without_the_name_of_the_image(
    client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice", url_policy=BLIND)
    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=file_server.fail("/a", 404), disk_format="qcow2"), keep_failed=True)
    image_id = caught.value.image_id

    reason = alice.image(image_id).failure
    assert reason == "The server answers 404 Not Found."
    assert reason.in_language("zh") == "服务器返回 404 Not Found。"
    assert caught.value.message.in_language("zh") == f"镜像 {image_id} 未注册：服务器返回 404 Not Found。"


@pytest.mark.parametrize("status", [500, 503, 429, 401, 400])
def test_an_error_of_glance_about_an_import_is_shown_without_secrets(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, status: int
) -> None:
    url = f"{disk(file_server)}?a=1&lt;b=2&sig=5ecre7"
    file_server.serve("/disk.qcow2?a=1&lt;b=2&sig=5ecre7", samples.data("disk.qcow2"))
    body = {"message": f"Cannot take {url}, nor http://127.0.0.2/b?sig=5ecre7"}
    cloud.fail("glance", "POST", "/import$", status=status, body=body, times=None)

    with pytest.raises(HyperxGlanceError) as caught:
        client("alice", transfer="import").register(NewImage(name="a", url=url))

    assert "5ecre7" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


def test_a_message_of_glance_about_a_stripped_url_is_shown_without_secrets(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    properties = {"hyperx_url": "http://127.0.0.1/a", "hyperx_url_stripped": "true"}
    image_id = cloud.glance.add_image(
        owner="dept-a", name="a", status="importing", disk_format="qcow2", container_format="bare", **properties
    )
    registration = client("alice").resume_registration(image_id, keep_failed=True)
    cloud.glance.images[image_id].status = "queued"
    cloud.fail("glance", "GET", "/tasks$", status=200, body={"tasks": [FAILED_TASK]}, times=None)

    assert registration.progress().explanation == "Cannot read http://127.0.0.1/a"
    with pytest.raises(RegistrationFailedError) as caught:
        registration.wait()
    assert "5ecre7" not in f"{caught.value} {cloud.glance.images[image_id].properties}"


@pytest.mark.parametrize(("field", "path"), [("image_size_mib", "/import$"), ("image_size_mib", "/file$")])
def test_glances_own_refusal_names_the_department_whose_quota_it_looked_at(
    client: ClientFactory, file_server: FileServer, field: str, path: str
) -> None:
    """The quota of the caller, regardless of the owner of the image."""
    admin = client("admin", transfer="stream" if path == "/file$" else "import")
    admin.register(NewImage(name="full", url=file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2")))))
    method = "PUT" if path == "/file$" else "POST"
    Interference(admin).before(method, path, lambda: admin.set_quota("admin", **{field: 0}))

    with pytest.raises(QuotaExceededError) as caught:
        admin.register(NewImage(name="a", url=disk(file_server), owner="dept-b"))

    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("admin", field, 0)


def test_no_error_is_its_own_cause(client: ClientFactory, file_server: FileServer) -> None:
    client("admin").set_quota("dept-a", image_size_mib=1)
    url = file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2")), chunked=True)

    with pytest.raises(QuotaExceededError) as caught:
        client("alice", transfer="stream").register(NewImage(name="a", url=url))

    assert caught.value.__cause__ is None


def test_an_entity_in_a_login_breaks_no_error(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "PUT", "/file$", status=415, body="does not match")

    with pytest.raises(RegistrationFailedError, match="does not match"):
        client("alice").register(NewImage(name="a", url=disk(file_server).replace("://", "://user&lbrack;:pw@")))
