"""The actions on a server of the in-memory Nova, ``POST /servers/ID/action``: one table."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Final

from hyperx_glance.testing.memory.glance.records import visible
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.migrations import Migrations
from hyperx_glance.testing.memory.nova.networks import Networks
from hyperx_glance.testing.memory.nova.quotas import Quotas
from hyperx_glance.testing.memory.nova.records import GIB, VM_STATES, Server, kept_properties
from hyperx_glance.testing.memory.nova.servers import Servers
from hyperx_glance.testing.memory.nova.validation import check_keys, check_metadata, check_name, invalid
from hyperx_glance.testing.memory.nova.volume_snapshots import VolumeSnapshots
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_UP: Final = ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED")


@dataclasses.dataclass(frozen=True)
class Action:
    """An action on a server: who may do it, in which states, and its effect."""

    policy: str
    statuses: tuple[str, ...] = ()
    """The states in which it is possible; () means all."""
    becomes: str = ""
    allowed: tuple[str, ...] | None = None
    """The keys that its body, an object, may have; None means any."""
    required: tuple[str, ...] = ()
    administrators: bool = False
    ignores_lock: bool = False
    until: tuple[int, int] = (2, 999)
    """The last microversion that has it."""


ACTIONS: Final[Mapping[str, Action]] = {
    "changePassword": Action("os-admin-password", ("ACTIVE",), allowed=("adminPass",), required=("adminPass",)),
    "os-start": Action("servers:start", ("SHUTOFF",), "ACTIVE"),
    "os-stop": Action("servers:stop", ("ACTIVE", "ERROR"), "SHUTOFF"),
    "reboot": Action("servers:reboot", (*_UP, "ERROR"), "ACTIVE", allowed=("type",), required=("type",)),
    "pause": Action("os-pause-server:pause", ("ACTIVE",), "PAUSED"),
    "unpause": Action("os-pause-server:unpause", ("PAUSED",), "ACTIVE"),
    "suspend": Action("os-suspend-server:suspend", ("ACTIVE",), "SUSPENDED"),
    "resume": Action("os-suspend-server:resume", ("SUSPENDED",), "ACTIVE"),
    "lock": Action("os-lock-server:lock", ignores_lock=True),
    "unlock": Action("os-lock-server:unlock", ignores_lock=True),
    "shelve": Action("os-shelve:shelve", _UP, "SHELVED_OFFLOADED"),
    "shelveOffload": Action("os-shelve:shelve_offload", ("SHELVED",), "SHELVED_OFFLOADED", administrators=True),
    "unshelve": Action("os-shelve:unshelve", ("SHELVED", "SHELVED_OFFLOADED"), "ACTIVE"),
    "rescue": Action("os-rescue", ("ACTIVE", "SHUTOFF", "ERROR"), "RESCUE"),
    "unrescue": Action("os-unrescue", ("RESCUE",), "ACTIVE"),
    "rebuild": Action("servers:rebuild", ("ACTIVE", "SHUTOFF", "ERROR"), required=("imageRef",)),
    "resize": Action("servers:resize", ("ACTIVE", "SHUTOFF"), "VERIFY_RESIZE", required=("flavorRef",)),
    "migrate": Action("os-migrate-server:migrate", ("ACTIVE", "SHUTOFF"), "VERIFY_RESIZE", administrators=True),
    "confirmResize": Action("servers:confirm_resize", ("VERIFY_RESIZE",), "ACTIVE"),
    "revertResize": Action("servers:revert_resize", ("VERIFY_RESIZE",), "ACTIVE"),
    "forceDelete": Action("os-deferred-delete:force"),
    "restore": Action("os-deferred-delete:restore", ("SOFT_DELETED",), "ACTIVE"),
    "createImage": Action(
        "servers:create_image", _UP, allowed=("name", "metadata"), required=("name",), ignores_lock=True
    ),
    "createBackup": Action(
        "os-create-backup",
        _UP,
        allowed=("name", "backup_type", "rotation", "metadata"),
        required=("name", "backup_type", "rotation"),
        ignores_lock=True,
    ),
    "os-getConsoleOutput": Action("os-console-output", ignores_lock=True),
    "os-getVNCConsole": Action("os-remote-consoles", allowed=("type",), required=("type",), until=(2, 5)),
    "os-resetState": Action(
        "os-admin-actions:reset_state", allowed=("state",), required=("state",), administrators=True
    ),
    "resetNetwork": Action("os-admin-actions:reset_network", administrators=True),
    "injectNetworkInfo": Action("os-admin-actions:inject_network_info", administrators=True),
    "os-migrateLive": Action("os-migrate-server:migrate_live", ("ACTIVE", "PAUSED"), administrators=True),
    "addSecurityGroup": Action("os-security-groups:add", allowed=("name",), required=("name",), ignores_lock=True),
    "removeSecurityGroup": Action(
        "os-security-groups:remove", allowed=("name",), required=("name",), ignores_lock=True
    ),
    "addFloatingIp": Action("os-floating-ips:add", until=(2, 43)),
    "removeFloatingIp": Action("os-floating-ips:remove", until=(2, 43)),
}


class Acting(Servers, Quotas, Networks, VolumeSnapshots, Migrations):
    """The part of Nova that handles actions on servers."""

    def _act(self, call: Call, server_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or len(body) != 1:
            raise Refused(400, "Malformed request body")
        name = next(iter(body))
        action = ACTIONS.get(name)
        if action is None or microversion(call) > action.until:
            raise Refused(400, f"There is no such action: {name}")
        asked = body[name] if isinstance(body[name], dict) else {}
        if action.allowed is not None:
            check_keys(name, asked, allowed=action.allowed, required=action.required)
        else:
            check_keys(name, asked, allowed=list(asked), required=action.required)
        self._check_words(name, asked)
        server = self._writable(call, server_id, action.policy)
        if action.administrators and not call.who.is_administrator:
            raise Refused(403, f"Policy doesn't allow os_compute_api:{action.policy} to be performed.")
        if server.locked and not action.ignores_lock and not call.who.is_administrator:
            # Only nova/api/openstack/compute/admin_password.py does not tell a lock from a state.
            password = name == "changePassword"
            state = f"is in an invalid state for {name!r}" if password else "is locked"
            raise Refused(409, f"Instance {server_id} {state}")
        self._demand_status(server, name, action)
        if name in ("createImage", "createBackup"):
            self._check_image_items(call, asked.get("metadata", {}))
        former = server.status
        idle = name == "lock" and server.locked
        reply = self._handlers().get(name, _nothing)(call, server, asked)
        if not idle:
            self._note(call, server, _TOLD.get(name, name))
        if action.becomes and server.status == former:
            server.status = action.becomes
        return reply or Reply(204 if name == "confirmResize" else 202)

    def _demand_status(self, server: Server, name: str, action: Action) -> None:
        word = _VERBS.get(name, name)
        if action.statuses and server.status not in action.statuses:
            state = VM_STATES[server.status]
            raise Refused(409, f"Cannot '{word}' instance {server.id} while it is in vm_state {state}")
        if server.snapshot_id is not None and name in ("createImage", "createBackup"):
            message = f"Cannot '{word}' instance {server.id} while it is in task_state image_uploading"
            raise Refused(409, message)

    def _check_words(self, name: str, asked: Record) -> None:
        """Refuse values that the schema of an action does not allow."""
        if name == "changePassword" and not isinstance(asked["adminPass"], str):
            raise invalid("adminPass", asked["adminPass"], f"{asked['adminPass']!r} is not of type 'string'")
        kinds = ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]
        if name == "reboot" and asked["type"] not in kinds:
            raise invalid("type", asked["type"], f"{asked['type']!r} is not one of {kinds!r}")
        if name in ("createImage", "createBackup"):
            check_name(asked["name"])
            check_metadata(asked.get("metadata", {}))
        if name == "os-resetState" and asked["state"] not in ("active", "error"):
            raise invalid("state", asked["state"], f"{asked['state']!r} is not one of ['active', 'error']")
        rotation = asked.get("rotation", 0)
        if name == "createBackup" and not (str(rotation).isdigit()):
            raise invalid("rotation", rotation, f"{rotation} is less than the minimum of 0")

    def _handlers(self) -> Mapping[str, Callable[[Call, Server, Record], Reply | None]]:
        return {
            "changePassword": self._change_password,
            "lock": self._lock,
            "unlock": self._unlock,
            "rescue": self._rescue,
            "rebuild": self._rebuild,
            "resize": self._resize,
            "migrate": self._migrate,
            "confirmResize": self._confirm,
            "revertResize": self._revert,
            "shelve": self._shelve,
            "unshelve": self._unshelve,
            "forceDelete": self._force_delete,
            "createImage": self._create_image,
            "createBackup": self._create_backup,
            "os-getConsoleOutput": self._console_output,
            "os-getVNCConsole": self._old_console,
            "os-resetState": self._reset_state,
            "os-migrateLive": self._migrate_live,
            "addSecurityGroup": self._add_group,
            "removeSecurityGroup": self._remove_group,
            "addFloatingIp": self._add_floating,
            "removeFloatingIp": self._remove_floating,
        }

    # ------------------------------------------------------------- what each of them does besides

    def _change_password(self, call: Call, server: Server, asked: Record) -> None:
        del call
        agent = server.image_properties.get("hw_qemu_guest_agent", "").lower() in ("yes", "true", "1")
        if self.password_changes == "no_agent" or (self.password_changes == "by_image" and not agent):
            raise Refused(409, "QEMU guest agent is not enabled")
        if self.password_changes == "silent_agent":
            raise Refused(501, "Unable to set password on instance")
        server.admin_pass = asked["adminPass"]

    def _lock(self, call: Call, server: Server, asked: Record) -> None:
        if microversion(call) >= (2, 73):
            check_keys("lock", asked, allowed=["locked_reason"])
            server.locked_reason = asked.get("locked_reason")
        server.locked = "admin" if call.who.is_administrator else "owner"

    def _unlock(self, call: Call, server: Server, asked: Record) -> None:
        del asked
        if server.locked == "admin" and not call.who.is_administrator:
            words = "Policy doesn't allow os_compute_api:os-lock-server:unlock:unlock_override to be performed."
            raise Refused(403, words)
        server.locked, server.locked_reason = "", None

    def _rescue(self, call: Call, server: Server, asked: Record) -> Reply:
        check_keys("rescue", asked, allowed=["adminPass", "rescue_image_ref"])
        if asked.get("rescue_image_ref"):
            self._bootable(call, asked["rescue_image_ref"])
        if self._root_volume(server) and microversion(call) < (2, 87):
            words = "Cannot rescue a volume-backed instance"
            raise Refused(400, f"Instance {server.id} cannot be rescued: {words}")
        password = asked.get("adminPass") or self.ids.uuid4().hex[:12]
        return json_reply(200, {"adminPass": password} if self.shows_admin_password else {})

    def _bootable(self, call: Call, image_id: object) -> None:
        image = self._glance.image(str(image_id))
        if image is None or not visible(call.who, image):
            raise Refused(400, "Cannot find image for rebuild")
        if image.status != "active":
            raise Refused(400, f"Image {image.id} is not active.")

    def _rebuild(self, call: Call, server: Server, asked: Record) -> Reply:
        if not re.fullmatch("[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", str(asked["imageRef"])):
            raise invalid("imageRef", asked["imageRef"], f"{asked['imageRef']!r} is not a 'uuid'")
        version = microversion(call)
        more = {"description": (2, 19), "key_name": (2, 54), "user_data": (2, 57), "hostname": (2, 90)}
        more["trusted_image_certificates"] = (2, 63)
        keys = [
            *_REBUILD_KEYS,
            *(["personality"] if version < (2, 57) else []),
            *(key for key, since in more.items() if version >= since),
        ]
        check_keys("rebuild", asked, allowed=keys, required=["imageRef"])
        check_metadata(asked.get("metadata", {}))
        self._check_files(call, asked)
        if "name" in asked:
            check_name(asked["name"])
        if asked.get("key_name") and asked["key_name"] not in self.keypairs.get(call.who.user_id, {}):
            raise Refused(400, "Invalid key_name provided.")
        image_id = str(asked["imageRef"]).rsplit("/", 1)[-1]
        self._bootable(call, image_id)
        image = self._glance.images[image_id]
        if server.flavor.disk and max(image.min_disk, 0) > server.flavor.disk:
            raise Refused(400, "Flavor's disk is smaller than the minimum size specified in image metadata.")
        if server.flavor.disk and (image.size or 0) > server.flavor.disk * GIB:
            raise Refused(400, "Flavor's disk is too small for requested image.")
        server.image_id, server.image_properties = image_id, kept_properties(image)
        server.name, server.hostname = asked.get("name", server.name), asked.get("hostname", server.hostname)
        if "metadata" in asked:
            server.metadata = dict(asked["metadata"])
        server.body = {
            **server.body,
            **{key: asked[key] for key in asked if key not in ("name", "metadata", "adminPass")},
        }
        server.admin_pass = asked.get("adminPass") or self.ids.uuid4().hex[:12]
        server.becomes = "SHUTOFF" if server.status == "SHUTOFF" else "ACTIVE"
        server.status, server.reads_left = "REBUILD", self.build_polls
        view = self._rebuilt_view(call, server)
        return json_reply(202, {"server": view}, Location=f"{self.url}/v2.1/servers/{server.id}")

    def _rebuilt_view(self, call: Call, server: Server) -> Record:
        version = microversion(call)
        view = self._updated_view(call, server)
        if self.shows_admin_password:
            view["adminPass"] = server.admin_pass
        if version >= (2, 54):
            view["key_name"] = server.body.get("key_name")
        if version >= (2, 57):
            view["user_data"] = server.body.get("user_data")
        view.pop("OS-EXT-SRV-ATTR:user_data", None)
        return view

    def _resize(self, call: Call, server: Server, asked: Record) -> None:
        check_keys("resize", asked, allowed=["flavorRef", "OS-DCF:diskConfig"], required=["flavorRef"])
        flavor = self._usable_flavor(call, asked["flavorRef"])
        if flavor.id == server.flavor.id:
            raise Refused(400, "When resizing, instances must change flavor!")
        if flavor.disk < server.flavor.disk and flavor.disk == 0:
            raise Refused(400, "Resize to zero disk flavor is not allowed.")
        self._check_growth(server, flavor)
        if not self.resizes:
            raise Refused(400, "No valid host was found. No valid host found for resize")
        server.former_flavor, server.flavor = server.flavor, flavor.copied()
        self._note_migration(call, server, "resize")
        server.becomes = server.status
        if "OS-DCF:diskConfig" in asked:
            server.body = {**server.body, "OS-DCF:diskConfig": asked["OS-DCF:diskConfig"]}

    def _migrate(self, call: Call, server: Server, asked: Record) -> None:
        del asked
        if not self.resizes:
            raise Refused(400, "No valid host was found. No valid host found for cold migrate")
        server.former_flavor, server.becomes = server.flavor, server.status
        self._note_migration(call, server, "migration")

    def _migrate_live(self, call: Call, server: Server, asked: Record) -> None:
        del call, server, asked
        raise Refused(400, "No valid host was found. There are not enough hosts available.")  # it has one

    def _confirm(self, call: Call, server: Server, asked: Record) -> None:
        del call, asked
        server.former_flavor = None
        self._end_resize(server, "confirmed")

    def _revert(self, call: Call, server: Server, asked: Record) -> None:
        del call, asked
        server.flavor, server.former_flavor = server.former_flavor or server.flavor, None
        self._end_resize(server, "reverted")

    def _end_resize(self, server: Server, how: str) -> None:
        """Give a server the status that it had before: one that was stopped stays so."""
        server.status, server.becomes = server.becomes or "ACTIVE", ""
        self._end_migration(server, how)

    def _shelve(self, call: Call, server: Server, asked: Record) -> None:
        del asked
        if self._root_volume(server) is None:
            image = self._glance.make(
                call.who, self._inherited(call, server, {"name": f"{server.name}-shelved"}, on_volume=False)
            )
            self._glance.fill(image, "raw", bytes(512))
            server.shelved_id = image.id

    def _unshelve(self, call: Call, server: Server, asked: Record) -> None:
        del call, asked
        if server.shelved_id is not None and self._glance.image(server.shelved_id) is not None:
            self._glance.remove_image(server.shelved_id)
        server.shelved_id = None

    def _force_delete(self, call: Call, server: Server, asked: Record) -> None:
        del call, asked
        server.deleting, server.deleting_softly, server.reads_left = True, False, self.delete_polls

    def _create_backup(self, call: Call, server: Server, asked: Record) -> Reply:
        if self._root_volume(server) is not None:
            raise Refused(400, f"Backup is not supported for volume-backed instances ({server.id}).")
        body = self._inherited(call, server, asked, on_volume=False)
        body |= {"image_type": "backup", "backup_type": str(asked["backup_type"])}
        image = self._glance.make(call.who, body)
        server.snapshot_id, server.snapshot_reads_left = image.id, self.snapshot_polls
        own = [
            each
            for each in self._glance.images.values()
            if not each.deleted
            and each.properties.get("instance_uuid") == server.id
            and each.properties.get("backup_type") == asked["backup_type"]
        ]
        for old in sorted(own, key=lambda each: each.created_at, reverse=True)[int(asked["rotation"]) :]:
            self._glance.remove_image(old.id)
        if int(asked["rotation"]) == 0:
            server.snapshot_id = None
            return Reply(202)
        if microversion(call) >= (2, 45):
            return json_reply(202, {"image_id": image.id})
        return Reply(202, headers={"Location": f"{self._glance.url}/images/{image.id}"})

    def _console_output(self, call: Call, server: Server, asked: Record) -> Reply:
        del call
        if server.status != "ACTIVE":
            raise Refused(409, f"Instance {server.id} is not ready")
        length = asked.get("length")
        if length is not None and not str(length).lstrip("-").isdigit():
            raise invalid("length", length, f"{length!r} does not match '^-?[0-9]+$'")
        return json_reply(200, {"output": _CONSOLE})

    def _old_console(self, call: Call, server: Server, asked: Record) -> Reply:
        del call
        return json_reply(200, {"console": {"type": asked["type"], "url": self._console_url(server)}})

    def _console_url(self, server: Server) -> str:
        if server.status != "ACTIVE":
            raise Refused(409, f"Instance {server.id} is not ready")
        return f"http://127.0.0.1:6080/vnc_auto.html?path=%3Ftoken%3D{self.ids.uuid4()}"

    def _reset_state(self, call: Call, server: Server, asked: Record) -> None:
        del call
        server.status = {"active": "ACTIVE", "error": "ERROR"}[asked["state"]]

    def _group_named(self, server: Server, name: str) -> Record:
        for group in self._neutron.groups_of(server.caller):
            if name in (group["name"], group["id"]):
                return group
        raise Refused(404, f"Security group {name} is not found for project {server.caller.project_id}")

    def _add_group(self, call: Call, server: Server, asked: Record) -> None:
        del call
        group = self._group_named(server, asked["name"])
        for port in self._ports(server):
            if group["id"] in port["security_groups"]:
                words = f"Invalid input for security_groups. Reason: Duplicate items in the list: '{group['id']}'."
                raise Refused(400, f"{words}\nNeutron server returns request_ids: ['req-{self.ids.uuid4()}']")
        for port in self._ports(server):
            port["security_groups"].append(group["id"])

    def _remove_group(self, call: Call, server: Server, asked: Record) -> None:
        del call
        group = self._group_named(server, asked["name"])
        if all(group["id"] not in port["security_groups"] for port in self._ports(server)):
            words = f"Security group {group['name']} not associated with the instance {server.id}"
            raise Refused(404, words)
        for port in self._ports(server):
            port["security_groups"] = [each for each in port["security_groups"] if each != group["id"]]


_REBUILD_KEYS = (
    "name",
    "imageRef",
    "adminPass",
    "metadata",
    "preserve_ephemeral",
    "OS-DCF:diskConfig",
    "accessIPv4",
    "accessIPv6",
)
_CONSOLE = "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE"
"""The output of Nova's fake hypervisor (nova/virt/fake.py, get_console_output)."""
_VERBS: Final = {"os-start": "start", "os-stop": "stop"}
_TOLD: Final = {"os-start": "start", "os-stop": "stop"}


def _nothing(call: Call, server: Server, asked: Record) -> None:
    del call, server, asked
