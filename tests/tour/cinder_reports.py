"""What the tour asks of Cinder's extensions, filters, capabilities, default types and the encryption of types."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.cinder import NOBODY, newer
from tests.tour.others import cinder
from tests.tour.player import Step

DEFAULTS: Final = "/default-types"
DEFAULT: Final = f"{DEFAULTS}/{{department}}"
ENCRYPTION: Final = "/types/{sealed}/encryption"


def default(name: str, method: str, path: str, body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return newer(f"default-type-{name}", "3.62", method, path, body, **{"user": "admin", **more})


def sealed(name: str, method: str, path: str = ENCRYPTION, body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return cinder(f"encryption-{name}", method, path, body, **{"user": "admin", **more})


REPORTS: Final = (
    cinder("version", "GET", "/"),
    cinder("version-bare", "GET", ""),
    cinder("extensions", "GET", "/extensions"),
    cinder("extension", "GET", "/extensions/capabilities"),
    cinder("extension-unknown", "GET", "/extensions/nothing"),
    cinder("filters-old", "GET", "/resource_filters"),
    newer("filters", "3.33", "GET", "/resource_filters"),
    newer("filters-one", "3.33", "GET", "/resource_filters?resource=group"),
    newer("filters-unknown", "3.33", "GET", "/resource_filters?resource=nothing"),
    cinder("capabilities", "GET", "/capabilities/host1@files", user="admin"),
    cinder("capabilities-unknown", "GET", "/capabilities/nothing", user="admin"),
    cinder("capabilities-member", "GET", "/capabilities/host1@files"),
)
DEFAULT_TYPES: Final = (
    cinder("default-types-old", "GET", DEFAULTS, user="admin"),
    default("list-empty", "GET", DEFAULTS),
    default("list-member", "GET", DEFAULTS, user="alice"),
    default("show-none", "GET", DEFAULT),
    default("set-nothing", "PUT", DEFAULT, {"default_type": {}}),
    default("set-number", "PUT", DEFAULT, {"default_type": {"volume_type": 5}}),
    default("set-unknown", "PUT", DEFAULT, {"default_type": {"volume_type": "nothing"}}),
    default("set-nowhere", "PUT", f"{DEFAULTS}/{NOBODY}", {"default_type": {"volume_type": "__DEFAULT__"}}),
    default("set-member", "PUT", DEFAULT, {"default_type": {"volume_type": "__DEFAULT__"}}, user="alice"),
    cinder(
        "default-type-type",
        "POST",
        "/types",
        {"volume_type": {"name": "usual"}},
        user="admin",
        keep={"usual": "volume_type.id"},
    ),
    default("set", "PUT", DEFAULT, {"default_type": {"volume_type": "usual"}}),
    default("show", "GET", DEFAULT),
    default("show-member", "GET", DEFAULT, user="alice"),
    default("list", "GET", DEFAULTS),
    default("in-use", "DELETE", "/types/{usual}"),
    cinder(
        "default-type-volume",
        "POST",
        "/volumes",
        {"volume": {"size": 1, "name": "usual"}},
        keep={"typical": "volume.id"},
    ),
    cinder("default-type-volume-done", "GET", "/volumes/{typical}", again='"available"'),
    cinder("default-type-volume-delete", "DELETE", "/volumes/{typical}"),
    cinder("default-type-volume-gone", "GET", "/volumes/{typical}", again="-"),
    cinder("default-type-default", "GET", "/types/default"),
    default("unset-member", "DELETE", DEFAULT, user="alice"),
    default("unset", "DELETE", DEFAULT),
    default("unset-again", "DELETE", DEFAULT),
    default("unset-show", "GET", DEFAULT),
    default("type-delete", "DELETE", "/types/{usual}"),
)
SEALED: Final = {"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256}
ENCRYPTIONS: Final = (
    sealed("type", "POST", "/types", {"volume_type": {"name": "sealed"}}, keep={"sealed": "volume_type.id"}),
    sealed("none", "GET"),
    sealed("member", "GET", user="alice"),
    sealed("unknown-type", "GET", f"/types/{NOBODY}/encryption"),
    sealed("create-empty", "POST", body={}),
    sealed("create-nothing", "POST", body={"encryption": {}}),
    sealed("create-no-location", "POST", body={"encryption": {"provider": "luks"}}),
    sealed("create-location", "POST", body={"encryption": {**SEALED, "control_location": "x"}}),
    sealed("create-size-text", "POST", body={"encryption": {**SEALED, "key_size": "x"}}),
    sealed("create-size-negative", "POST", body={"encryption": {**SEALED, "key_size": -1}}),
    sealed("create-member", "POST", body={"encryption": SEALED}, user="alice"),
    sealed("create-unknown", "POST", f"/types/{NOBODY}/encryption", {"encryption": SEALED}),
    sealed("create", "POST", body={"encryption": SEALED}),
    sealed("create-again", "POST", body={"encryption": SEALED}),
    sealed("show", "GET", keep={"seal": "encryption_id"}),
    sealed("show-key", "GET", f"{ENCRYPTION}/cipher"),
    sealed("show-unknown-key", "GET", f"{ENCRYPTION}/nothing"),
    sealed("update", "PUT", f"{ENCRYPTION}/{{seal}}", {"encryption": {"key_size": "512", "cipher": None}}),
    sealed("update-location", "PUT", f"{ENCRYPTION}/{{seal}}", {"encryption": {"control_location": "x"}}),
    sealed("update-member", "PUT", f"{ENCRYPTION}/{{seal}}", {"encryption": {}}, user="alice"),
    sealed("updated", "GET"),
    sealed("delete-member", "DELETE", f"{ENCRYPTION}/{{seal}}", user="alice"),
    sealed("delete", "DELETE", f"{ENCRYPTION}/{{seal}}"),
    sealed("deleted", "GET"),
    sealed("delete-again", "DELETE", f"{ENCRYPTION}/{{seal}}"),
    sealed("update-deleted", "PUT", f"{ENCRYPTION}/{{seal}}", {"encryption": {"key_size": 512}}),
    sealed("type-delete", "DELETE", "/types/{sealed}"),
)

STEPS: Final = (*REPORTS, *DEFAULT_TYPES, *ENCRYPTIONS)
