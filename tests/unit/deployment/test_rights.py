"""The doctor on what policies and protections refuse members, and on who accepts shared images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import Client, Settings
from tests.support.clouds import login
from tests.support.records import HIDING, make_image
from tests.unit.deployment.examining import connect, errors, examine, levels

if TYPE_CHECKING:
    from hyperx_glance import Finding
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import ServiceName


def test_the_steward_accepts_only_as_an_administrator(fake: InMemoryCloud) -> None:
    """Check who accepts shared images: members, or a steward, who must be there, log in, and be an administrator."""

    def found(steward: Session | None, acceptance: str = "steward") -> Finding:
        settings = Settings(share_acceptance=acceptance)  # type: ignore[arg-type]  # one of the words
        client = Client.from_session(fake.session("alice"), steward=steward, settings=settings)
        return next(finding for finding in client.doctor() if finding.check == "share-acceptance")

    wrong = Session(v3.Password(**login(fake, "admin") | {"password": "no"}), fake.session("admin").session)
    assert [found(None, "member").level, found(fake.session("admin")).level] == ["ok", "ok"]
    assert "needs a steward" in found(None).message
    assert "does not have the role admin" in found(fake.session("bob")).message
    assert "cannot log in" in found(wrong).message


@pytest.mark.parametrize("probe", [False, True])
def test_properties_that_only_administrators_read_are_an_error(
    fake: InMemoryCloud,
    probe: bool,  # noqa: FBT001 - a case
) -> None:
    client = connect(fake, "alice")
    make_image(fake, hyperx_created_by=client.cloud.user_id)
    assert examine(fake, probe=probe)["own-properties"].level == "ok"
    fake.glance.protections = HIDING

    finding = examine(fake, probe=probe)["own-properties"]

    assert finding.level == "error"
    assert "hyperx_created_by" in finding.message
    assert examine(fake, "admin")["own-properties"].level == "ok"


def test_without_any_image_nothing_is_known_of_hidden_properties(fake: InMemoryCloud) -> None:
    fake.glance.protections = HIDING

    assert "no image" in examine(fake)["own-properties"].message


@pytest.mark.parametrize(
    ("service", "path", "level"),
    [("nova", "/servers/detail$", "warning"), ("nova", "/servers$", "error"), ("cinder", "/volumes/detail", "warning")],
)
def test_a_list_that_a_policy_refuses_is_named(
    fake: InMemoryCloud, service: ServiceName, path: str, level: str
) -> None:
    fake.fail(service, "GET", path, status=403, body="You are not authorized.", times=None)

    findings = examine(fake)

    assert levels(findings) == {"policies": level}
    assert f"GET {path.rstrip('$')} (" in findings["policies"].message
    assert findings["policies"].explanation.startswith("You are not authorized.")


def test_each_refused_list_is_told_with_its_consequence(fake: InMemoryCloud) -> None:
    fake.fail("nova", "GET", "/limits$", status=403, times=None)
    fake.fail("nova", "GET", "/os-keypairs", status=403, times=None)

    message = examine(fake)["policies"].message

    assert "Quotas of servers are not shown" in message
    assert "Key pairs cannot be chosen" in message


def test_a_check_that_a_policy_refuses_is_no_error(fake: InMemoryCloud) -> None:
    fake.fail("glance", "GET", "/v2/info/usage", status=403, times=None)

    findings = examine(fake)

    assert levels(findings) == dict.fromkeys(("policies", "unified-limits", "lost-places"), "warning")


@pytest.mark.parametrize("rule", ["admin", "nobody"])
@pytest.mark.parametrize(
    ("policy", "level", "told"),
    [
        ("modify_image", "error", "neither edited nor registered from URLs"),
        ("upload_image", "error", "from files or streams"),
        ("download_image", "error", "neither downloaded nor launched"),
        ("delete_image", "error", "failed registrations stay"),
        ("deactivate", "warning", "cannot be disabled"),
        ("reactivate", "warning", "cannot be enabled again"),
    ],
)
def test_a_policy_of_glance_that_refuses_members_something_is_told(
    fake: InMemoryCloud, policy: str, level: str, told: str, rule: Literal["admin", "nobody"]
) -> None:
    fake.glance.policies[policy] = rule

    findings = examine(fake, probe=True)

    found = findings["image-policies"]
    assert found.level == level
    assert f": {policy}." in found.message
    assert told in found.message
    assert f"not authorized to complete {policy} action" in found.explanation
    assert errors(findings) <= {"image-policies", "scratch-record"}
    assert findings["property-protections"].level != "error"


def test_a_policy_that_refuses_volumes_is_told(fake: InMemoryCloud) -> None:
    assert examine(fake, probe=True)["volume-rights"].message.code == "volumes-are-allowed"
    assert fake.cinder.volumes == {}
    fake.fail("cinder", "POST", "/volumes$", status=503, times=4)
    assert examine(fake, probe=True)["volume-rights"].message.code == "no-volume-was-tried"
    body = {"forbidden": {"message": "Policy doesn't allow volume:create to be performed.", "code": 403}}
    fake.fail("cinder", "POST", "/volumes$", status=403, body=body)

    findings = examine(fake, probe=True)

    assert levels(findings) == {"volume-rights": "warning"}
    assert "volume:create" in findings["volume-rights"].explanation


def test_several_policies_are_told_together(fake: InMemoryCloud) -> None:
    fake.glance.policies |= {"reactivate": "admin", "download_image": "nobody"}

    found = examine(fake, probe=True)["image-policies"]

    assert found.level == "error"
    assert ": download_image, reactivate." in found.message
    assert "download_image" in found.explanation
