"""Groups, attachments and default types of the in-memory Cinder as state (the tour compares the words)."""

from __future__ import annotations

from typing import Any

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import active_image, ask, boot, nova

ATTACHED = "/attachments"


def cinder(cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice") -> Any:  # noqa: ANN401 - JSON
    answer = refusable(cloud, method, path, body, user)
    assert answer.status_code < 400, answer.text
    return answer.json() if answer.content else None


def refusable(cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice") -> Any:  # noqa: ANN401 - a response
    headers = {"OpenStack-API-Version": "volume 3.71"}
    return ask(cloud, user, method, "block-storage", path, body, headers=headers)


def volume(cloud: InMemoryCloud, **given: object) -> str:
    return str(cinder(cloud, "POST", "/volumes", {"volume": {"size": 1, **given}})["volume"]["id"])


def group(cloud: InMemoryCloud) -> str:
    cinder(cloud, "POST", "/group_types", {"group_type": {"name": "set"}}, "admin")
    body = {"group": {"group_type": "set", "volume_types": ["__DEFAULT__"]}}
    return str(cinder(cloud, "POST", "/groups", body)["group"]["id"])


def on_a_server(cloud: InMemoryCloud) -> tuple[str, str]:
    """Attach a volume to a server by Nova; return the ids of both."""
    server = boot(cloud, imageRef=active_image(cloud)).json()["server"]["id"]
    while nova(cloud, "alice", "GET", f"/servers/{server}").json()["server"]["status"] != "ACTIVE":
        pass
    made = volume(cloud)
    body = {"volumeAttachment": {"volumeId": made}}
    answer = nova(cloud, "alice", "POST", f"/servers/{server}/os-volume_attachments", body)
    assert answer.status_code == 200, answer.text
    return made, server


def test_an_attachment_of_nova_is_in_the_list_and_only_nova_ends_it(cloud: InMemoryCloud) -> None:
    made, server = on_a_server(cloud)
    (listed,) = cinder(cloud, "GET", f"{ATTACHED}/detail")["attachments"]

    assert (listed["volume_id"], listed["instance"], listed["status"]) == (made, server, "attached")
    assert refusable(cloud, "GET", f"{ATTACHED}/{listed['id']}", user="bob").status_code == 404
    refused = refusable(cloud, "DELETE", f"{ATTACHED}/{listed['id']}")
    assert refused.status_code == 409
    assert refused.json()["conflictingRequest"]["message"] == (
        f"Detach volume from instance {server} using the Compute API"
    )
    nova(cloud, "alice", "DELETE", f"/servers/{server}/os-volume_attachments/{made}")
    assert cinder(cloud, "GET", ATTACHED) == {"attachments": []}


def test_a_volume_that_is_detached_by_an_action_loses_its_attachment(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    connector = {"host": "elsewhere", "mountpoint": "/dev/vdb"}
    body = {"attachment": {"volume_uuid": made, "connector": connector}}
    attachment = cinder(cloud, "POST", ATTACHED, body)["attachment"]["id"]
    cinder(cloud, "POST", f"{ATTACHED}/{attachment}/action", {"os-complete": None})
    (shown,) = cinder(cloud, "GET", f"/volumes/{made}", user="admin")["volume"]["attachments"]

    assert (shown["attachment_id"], shown["device"], shown["host_name"]) == (attachment, "/dev/vdb", "elsewhere")
    cinder(cloud, "POST", f"/volumes/{made}/action", {"os-detach": {}})
    assert cinder(cloud, "GET", ATTACHED) == {"attachments": []}
    assert cinder(cloud, "GET", f"/volumes/{made}")["volume"]["status"] == "available"


def test_groups_count_against_their_quota(cloud: InMemoryCloud) -> None:
    group(cloud)
    cloud.cinder.set_quota("dept-a", groups=1)
    refused = refusable(cloud, "POST", "/groups", {"group": {"group_type": "set", "volume_types": ["__DEFAULT__"]}})

    assert refused.status_code == 413
    assert refused.json()["overLimit"]["message"] == (
        "GroupLimitExceeded: Maximum number of groups allowed (1) exceeded"
    )


def test_a_snapshot_of_a_group_is_one_of_each_volume_and_they_end_together(cloud: InMemoryCloud) -> None:
    whole = group(cloud)
    inside = [volume(cloud, group_id=whole, volume_type="__DEFAULT__") for _ in range(2)]
    outside = volume(cloud)
    shot = cinder(cloud, "POST", "/group_snapshots", {"group_snapshot": {"group_id": whole}})["group_snapshot"]["id"]
    snapshots = cinder(cloud, "GET", "/snapshots/detail")["snapshots"]

    assert {each["volume_id"] for each in snapshots} == set(inside)
    assert {each["group_snapshot_id"] for each in snapshots} == {shot}
    assert refusable(cloud, "DELETE", f"/snapshots/{snapshots[0]['id']}").status_code == 400
    cinder(cloud, "DELETE", f"/group_snapshots/{shot}")
    cinder(cloud, "POST", f"/groups/{whole}/action", {"delete": {"delete-volumes": True}})
    assert list(cloud.cinder.volumes) == [outside]
    assert not cloud.cinder.snapshots
