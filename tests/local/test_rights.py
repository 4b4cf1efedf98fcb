"""Deployments that give their users fewer rights than usual: credentials with access rules, and tighter policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from keystoneauth1.identity.v3 import ApplicationCredential
from keystoneauth1.session import Session

from hyperx_glance import Client, NotAllowedError
from tests.support.clouds import unique

if TYPE_CHECKING:
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
