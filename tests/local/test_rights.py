"""Deployments that give their users fewer rights than usual: credentials with access rules, and tighter policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from keystoneauth1.identity.v3 import ApplicationCredential
from keystoneauth1.session import Session

from hyperx_glance import Client, LaunchRequest, NewImage, NotAllowedError
from tests import samples
from tests.support import launches
from tests.support.clouds import image_ids, unique
from tests.support.records import HIDING

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory


def test_the_service_that_enforces_access_rules_leads_to_the_missing_one(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    alice = client("alice").cloud
    rule = {"service": "image", "method": "GET", "path": "/v2/images"}
    made = alice.post(
        "identity",
        f"/users/{alice.user_id}/application_credentials",
        json={"application_credential": {"name": unique("nightly"), "access_rules": [rule]}},
    ).json()["application_credential"]
    login = ApplicationCredential(
        local_cloud.auth()["auth_url"],
        application_credential_id=made["id"],
        application_credential_secret=made["secret"],
    )

    with local_cloud.configured("glance", {"keystone_authtoken": {"service_type": "image"}}):
        limited = Client.from_session(Session(auth=login), region_name="RegionOne").cloud
        assert "images" in limited.get("image", "/images").json()
        with pytest.raises(NotAllowedError) as caught:
            limited.get("image", "/info/import")

    assert "GET /v2/info/import of the service image" in caught.value.message
    alice.delete("identity", f"/users/{alice.user_id}/application_credentials/{made['id']}")


@pytest.mark.usefixtures("_servers_removed")
def test_launches_and_deletions_need_neither_the_list_with_details_nor_the_limits(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    alice = client("alice")
    image_id = launches.put_image(local_cloud)
    refused = {"os_compute_api:servers:detail": "role:admin", "os_compute_api:limits": "role:admin"}

    with local_cloud.configured("nova", policies=refused):
        launch = alice.launch(image_id, LaunchRequest(name=unique("web"), flavor="m1.tiny", count=2))
        assert {server.status for server in launch.servers} == {"ACTIVE"}
        launched = {server.id for server in launch.servers}
        assert len(alice.find_launch(launch.launch_id).servers) == 2
        (note,) = alice.quota().notes
        findings = {finding.check: finding for finding in alice.doctor()}
        deletion = alice.delete(image_id, report_servers=True)
        launch.cancel()

    assert {server.id for server in deletion.servers or ()} == launched
    assert "policy os_compute_api:limits " in note
    assert findings["policies"].level == "warning"
    assert "GET /servers/detail (compute)" in findings["policies"].message


def test_an_image_is_deleted_where_members_may_list_no_servers(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image_id = launches.put_image(local_cloud)
    refused = dict.fromkeys(("os_compute_api:servers:detail", "os_compute_api:servers:index"), "role:admin")

    with local_cloud.configured("nova", policies=refused):
        deletion = client("alice").delete(image_id, report_servers=True)

    assert (deletion.servers, deletion.not_looked_at) == (None, ("compute",))


def test_what_glance_refuses_is_named_and_offered_no_more(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice = client("alice")
    image_id = launches.put_image(local_cloud)

    with local_cloud.configured("glance", policies={"reactivate": "role:admin"}):
        known = alice.disable(image_id)
        assert "enable" in alice.allowed(known)
        with pytest.raises(NotAllowedError) as caught:
            alice.enable(known)

    assert "policy reactivate " in caught.value.hint
    assert "enable" not in alice.allowed(known)


def test_properties_that_only_administrators_read_stop_a_registration(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path
) -> None:
    path, rules = tmp_path / "disk.qcow2", tmp_path / "protections.conf"
    path.write_bytes(samples.data("disk.qcow2"))
    rules.write_text(HIDING)
    alice = client("alice")
    before = image_ids(local_cloud)

    with local_cloud.configured("glance", {"DEFAULT": {"property_protection_file": str(rules)}}):
        with pytest.raises(NotAllowedError) as caught:
            alice.register(NewImage(name=unique("debian"), file=path))
        assert image_ids(local_cloud) == before
        findings = {finding.check: finding for finding in alice.doctor(probe=True)}

    assert caught.value.code == "own-properties-hidden"
    assert findings["own-properties"].level == "error", findings
    assert image_ids(local_cloud) == before
