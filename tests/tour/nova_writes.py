"""What the tour writes to Nova: flavors, aggregates, and what is done to a server."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.nova import NEWEST, nova, server
from tests.tour.player import Step

FLAVOR: Final = {"name": "tour", "ram": 256, "vcpus": 1, "disk": 1, "id": "tour"}
SPECS: Final = "/flavors/tour/os-extra_specs"
ONE: Final = "/servers/{server}"


def flavor(what: str, **fields: object) -> Step:
    body = {key: value for key, value in {**FLAVOR, "id": "other", **fields}.items() if value is not None}
    return nova(f"flavor-create-{what}", "POST", "/flavors", {"flavor": body}, user="admin")


FLAVORS: Final = (
    nova("flavor-create-member", "POST", "/flavors", {"flavor": FLAVOR}),
    nova("flavor-create", "POST", "/flavors", {"flavor": FLAVOR}, user="admin"),
    nova("flavor-create-empty", "POST", "/flavors", {}, user="admin"),
    nova("flavor-create-nothing", "POST", "/flavors", {"flavor": {}}, user="admin"),
    flavor("same-name"),
    flavor("same-id", id="tour", name="other"),
    flavor("ram-text", name="other", ram="x"),
    flavor("ram-number-text", name="numbers", id="numbers", ram="256"),
    flavor("ram-zero", name="other", ram=0),
    flavor("no-ram", name="other", ram=None),
    flavor("disk-negative", name="other", disk=-1),
    flavor("name-blank", name=" "),
    flavor("unknown-key", name="other", colour="red"),
    flavor("public-text", name="other", **{"os-flavor-access:is_public": "x"}),
    nova(
        "flavor-create-newest",
        "POST",
        "/flavors",
        {"flavor": {**FLAVOR, "name": "newest", "id": "newest", "description": "a"}},
        user="admin",
        version=NEWEST,
    ),
    nova("flavor-update-old", "PUT", "/flavors/tour", {"flavor": {"description": "b"}}, user="admin"),
    nova("flavor-update", "PUT", "/flavors/tour", {"flavor": {"description": "b"}}, user="admin", version="2.55"),
    nova("flavor-update-empty", "PUT", "/flavors/tour", {"flavor": {}}, user="admin", version="2.55"),
    nova("flavor-update-member", "PUT", "/flavors/tour", {"flavor": {"description": "c"}}, version="2.55"),
    nova(
        "flavor-update-unknown",
        "PUT",
        "/flavors/nothing",
        {"flavor": {"description": "c"}},
        user="admin",
        version="2.55",
    ),
    nova("specs-create-member", "POST", SPECS, {"extra_specs": {"a": "b"}}),
    nova("specs-create", "POST", SPECS, {"extra_specs": {"a:b": "c"}}, user="admin"),
    nova("specs-create-integer", "POST", SPECS, {"extra_specs": {"a:b": 5}}, user="admin"),
    nova("specs-create-key", "POST", SPECS, {"extra_specs": {"a/b": "c"}}, user="admin"),
    nova("specs-create-empty", "POST", SPECS, {}, user="admin"),
    nova(
        "specs-create-invalid-newest",
        "POST",
        SPECS,
        {"extra_specs": {"hw:cpu_policy": "x"}},
        user="admin",
        version=NEWEST,
    ),
    nova("specs-item", "GET", f"{SPECS}/a:b"),
    nova("specs-item-unknown", "GET", f"{SPECS}/nothing"),
    nova("specs-item-update", "PUT", f"{SPECS}/a:b", {"a:b": "d"}, user="admin"),
    nova("specs-item-other", "PUT", f"{SPECS}/a:b", {"x": "d"}, user="admin"),
    nova("specs-item-two", "PUT", f"{SPECS}/a:b", {"a:b": "d", "x": "e"}, user="admin"),
    nova("specs-item-delete", "DELETE", f"{SPECS}/a:b", user="admin"),
    nova("specs-item-delete-again", "DELETE", f"{SPECS}/a:b", user="admin"),
    nova("access-public", "GET", "/flavors/tour/os-flavor-access", user="admin"),
    nova(
        "access-add-public",
        "POST",
        "/flavors/tour/action",
        {"addTenantAccess": {"tenant": "{department}"}},
        user="admin",
    ),
    flavor("private", name="private", id="private", **{"os-flavor-access:is_public": False}),
    nova("flavor-private-member", "GET", "/flavors/private"),
    nova("access-empty", "GET", "/flavors/private/os-flavor-access", user="admin"),
    nova("access-member", "POST", "/flavors/private/action", {"addTenantAccess": {"tenant": "{department}"}}),
    nova(
        "access-add", "POST", "/flavors/private/action", {"addTenantAccess": {"tenant": "{department}"}}, user="admin"
    ),
    nova(
        "access-add-again",
        "POST",
        "/flavors/private/action",
        {"addTenantAccess": {"tenant": "{department}"}},
        user="admin",
    ),
    nova("flavor-private-seen", "GET", "/flavors/private"),
    nova(
        "access-remove",
        "POST",
        "/flavors/private/action",
        {"removeTenantAccess": {"tenant": "{department}"}},
        user="admin",
    ),
    nova(
        "access-remove-again",
        "POST",
        "/flavors/private/action",
        {"removeTenantAccess": {"tenant": "{department}"}},
        user="admin",
    ),
    nova("access-bad", "POST", "/flavors/private/action", {"addTenantAccess": {}}, user="admin"),
    nova("access-action-unknown", "POST", "/flavors/private/action", {"nothing": {}}, user="admin"),
    nova("flavor-delete-member", "DELETE", "/flavors/tour"),
    *(
        nova(f"flavor-delete-{name}", "DELETE", f"/flavors/{name}", user="admin")
        for name in ("tour", "newest", "numbers", "private")
    ),
    nova("flavor-delete-again", "DELETE", "/flavors/tour", user="admin"),
)


def aggregate(name: str, method: str, path: str = "", body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return nova(f"aggregate-{name}", method, f"/os-aggregates{path}", body, **{"user": "admin", **more})


OPERATORS: Final = (
    aggregate("list-member", "GET", user="alice"),
    aggregate("create-member", "POST", "", {"aggregate": {"name": "tour"}}, user="alice"),
    aggregate("create-empty", "POST", "", {}),
    aggregate("create-nothing", "POST", "", {"aggregate": {}}),
    aggregate("create-blank", "POST", "", {"aggregate": {"name": ""}}),
    aggregate("create-colon", "POST", "", {"aggregate": {"name": "tour", "availability_zone": "a:b"}}),
    aggregate(
        "create",
        "POST",
        "",
        {"aggregate": {"name": "tour", "availability_zone": "tour"}},
        keep={"aggregate": "aggregate.id"},
    ),
    aggregate("again", "POST", "", {"aggregate": {"name": "tour"}}),
    aggregate("show", "GET", "/{aggregate}"),
    aggregate("show-241", "GET", "/{aggregate}", version="2.41"),
    aggregate("show-text", "GET", "/nothing"),
    aggregate("show-unknown", "GET", "/999"),
    aggregate("update", "PUT", "/{aggregate}", {"aggregate": {"name": "tour 2"}}),
    aggregate("update-empty", "PUT", "/{aggregate}", {"aggregate": {}}),
    aggregate("add-unknown-host", "POST", "/{aggregate}/action", {"add_host": {"host": "nothing"}}),
    aggregate("metadata", "POST", "/{aggregate}/action", {"set_metadata": {"metadata": {"a": "b"}}}),
    aggregate("metadata-remove", "POST", "/{aggregate}/action", {"set_metadata": {"metadata": {"a": None}}}),
    aggregate("metadata-integer", "POST", "/{aggregate}/action", {"set_metadata": {"metadata": {"a": 5}}}),
    aggregate("action-unknown", "POST", "/{aggregate}/action", {"nothing": {}}),
    aggregate("add", "POST", "/{aggregate}/action", {"add_host": {"host": "host1"}}),
    aggregate("add-again", "POST", "/{aggregate}/action", {"add_host": {"host": "host1"}}),
    aggregate("delete-with-host", "DELETE", "/{aggregate}"),
    aggregate("remove", "POST", "/{aggregate}/action", {"remove_host": {"host": "host1"}}),
    aggregate("remove-again", "POST", "/{aggregate}/action", {"remove_host": {"host": "host1"}}),
    aggregate("delete", "DELETE", "/{aggregate}"),
    aggregate("delete-again", "DELETE", "/{aggregate}"),
    nova("hypervisors-member", "GET", "/os-hypervisors"),
    nova("hypervisors", "GET", "/os-hypervisors", user="admin"),
    nova("hypervisors-newest", "GET", "/os-hypervisors", user="admin", version=NEWEST),
    nova("hypervisor-unknown", "GET", "/os-hypervisors/nothing", user="admin"),
    nova("hypervisor-unknown-newest", "GET", "/os-hypervisors/nothing", user="admin", version=NEWEST),
    nova(
        "hypervisors-pattern-unknown",
        "GET",
        "/os-hypervisors?hypervisor_hostname_pattern=x",
        user="admin",
        version=NEWEST,
    ),
    nova("services-member", "GET", "/os-services"),
    nova("services-unknown", "GET", "/os-services?binary=nothing", user="admin"),
    nova("usage-member", "GET", "/os-simple-tenant-usage"),
    nova("usage-foreign", "GET", "/os-simple-tenant-usage/nothing"),
    nova("usage-bad-time", "GET", "/os-simple-tenant-usage/{department}?start=x"),
    nova(
        "usage-backwards",
        "GET",
        "/os-simple-tenant-usage/{department}?start=2020-01-02T00:00:00&end=2020-01-01T00:00:00",
    ),
    nova("zones-detail-member", "GET", "/os-availability-zone/detail"),
    nova("images-proxy", "GET", "/images?name=nothing"),
    nova("images-proxy-newest", "GET", "/images", version=NEWEST),
    nova("image-proxy-unknown", "GET", "/images/nothing"),
    nova("image-proxy", "GET", "/images/{image}"),
    nova("image-proxy-metadata", "GET", "/images/{image}/metadata"),
)


def deed(name: str, body: Any, **more: Any) -> Step:  # noqa: ANN401
    return nova(f"deed-{name}", "POST", f"{ONE}/action", body, **more)


def until(state: str, name: str, *, gone: str = 'task_state": "') -> Step:
    """Ask until the server is so, and nothing is being done to it."""
    return nova(f"deed-{name}-done", "GET", ONE, again=f'"{state}"', gone=gone)


DEEDS: Final = (
    nova("deed-create", "POST", "/servers", server(), version="2.37", keep={"server": "server.id"}),
    until("ACTIVE", "create"),
    deed("pause", {"pause": None}),
    until("PAUSED", "pause"),
    deed("pause-again", {"pause": None}),
    deed("stop-paused", {"os-stop": None}),
    deed("unpause", {"unpause": None}),
    until("ACTIVE", "unpause"),
    deed("unpause-again", {"unpause": None}),
    deed("suspend", {"suspend": None}),
    until("SUSPENDED", "suspend"),
    deed("resume", {"resume": None}),
    until("ACTIVE", "resume"),
    deed("lock", {"lock": None}),
    nova("deed-lock-show", "GET", ONE, version=NEWEST),
    deed("stop-locked", {"os-stop": None}),
    nova("deed-delete-locked", "DELETE", ONE),
    deed("lock-reason-old", {"lock": {"locked_reason": "x"}}),
    deed("unlock", {"unlock": None}),
    deed("shelve", {"shelve": None}),
    until("SHELVED_OFFLOADED", "shelve", gone='availability_zone": "nova"'),  # the host is forgotten a moment later
    deed("shelve-again", {"shelve": None}),
    deed("reboot-shelved", {"reboot": {"type": "SOFT"}}),
    deed("unshelve", {"unshelve": None}),
    until("ACTIVE", "unshelve"),
    deed("reboot", {"reboot": {"type": "HARD"}}),
    until("ACTIVE", "reboot"),
    deed("rebuild-bad-image", {"rebuild": {"imageRef": "nothing"}}),
    deed("rebuild-no-image", {"rebuild": {}}),
    deed("rebuild", {"rebuild": {"imageRef": "{image}", "name": "rebuilt"}}),
    until("ACTIVE", "rebuild"),
    deed("resize-bad-flavor", {"resize": {"flavorRef": "nothing"}}),
    deed("resize-same-flavor", {"resize": {"flavorRef": "{flavor}"}}),
    deed("resize-none", {"resize": {}}),
    deed("confirm-active", {"confirmResize": None}),
    deed("revert-active", {"revertResize": None}),
    deed("image-no-name", {"createImage": {}}),
    deed("image-metadata-integer", {"createImage": {"name": "x", "metadata": {"a": 5}}}),
    deed("image-newest", {"createImage": {"name": "tour"}}, version=NEWEST, keep={"snapshot": "image_id"}),
    Step("nova/deed-image-active", "image", "GET", "/v2/images/{snapshot}", again='"active"'),
    Step("nova/deed-image-delete", "image", "DELETE", "/v2/images/{snapshot}"),
    until("ACTIVE", "image"),
    deed("group-add-unknown", {"addSecurityGroup": {"name": "nothing"}}),
    deed("group-add-again", {"addSecurityGroup": {"name": "default"}}),
    deed("group-remove-none", {"removeSecurityGroup": {}}),
    nova("deed-groups", "GET", f"{ONE}/os-security-groups"),
    nova("deed-password", "GET", f"{ONE}/os-server-password"),
    nova("deed-list", "GET", f"{ONE}/os-instance-actions"),
    nova("deed-unknown", "GET", f"{ONE}/os-instance-actions/nothing"),
    nova(
        "deed-console-type",
        "POST",
        f"{ONE}/remote-consoles",
        {"remote_console": {"protocol": "x", "type": "y"}},
        version="2.6",
    ),
    deed("reset-member", {"os-resetState": {"state": "error"}}),
    deed("reset-bad", {"os-resetState": {"state": "x"}}, user="admin"),
    deed("reset", {"os-resetState": {"state": "error"}}, user="admin"),
    nova("deed-reset-show", "GET", ONE),
    deed("stop-error", {"os-stop": None}),
    deed("force-delete", {"forceDelete": None}),
    nova("deed-force-delete-done", "GET", ONE, again="-"),
)
STEPS: Final = (*FLAVORS, *OPERATORS, *DEEDS)
