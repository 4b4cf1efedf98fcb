"""An in-memory Placement, for reading: Nova's one host as a resource provider, with what its servers use.

>>> from hyperx_glance.testing import InMemoryCloud
>>> cloud = InMemoryCloud()
>>> cloud.placement.present = False  # a catalogue without Placement

Nothing can be written: Nova writes to the real one itself, and nobody schedules here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.nova import Nova
from hyperx_glance.testing.memory.nova.hosts import SIZE, hypervisor_id
from hyperx_glance.testing.memory.nova.records import HOST, Server
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, Service, json_reply, sentence

_CLASSES: Final = (
    *("VCPU", "MEMORY_MB", "DISK_GB", "PCI_DEVICE", "SRIOV_NET_VF", "NUMA_SOCKET", "NUMA_CORE", "NUMA_THREAD"),
    *("NUMA_MEMORY_MB", "IPV4_ADDRESS", "VGPU", "VGPU_DISPLAY_HEAD", "NET_BW_EGR_KILOBIT_PER_SEC"),
    *("NET_BW_IGR_KILOBIT_PER_SEC", "PCPU", "MEM_ENCRYPTION_CONTEXT", "FPGA", "PGPU"),
    *("NET_PACKET_RATE_KILOPACKET_PER_SEC", "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC"),
    "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
)
"""The standard classes of resources (os_resource_classes)."""
_TRAITS: Final = (
    *("COMPUTE_NODE", "OWNER_NOVA", "COMPUTE_ACCELERATORS", "COMPUTE_ADDRESS_SPACE_EMULATED"),
    *("COMPUTE_ADDRESS_SPACE_PASSTHROUGH", "COMPUTE_DEVICE_TAGGING", "COMPUTE_IMAGE_TYPE_RAW"),
    *("COMPUTE_MEM_BACKING_FILE", "COMPUTE_NET_ATTACH_INTERFACE", "COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG"),
    *("COMPUTE_SECURITY_STATELESS_FIRMWARE", "COMPUTE_STORAGE_VIRTIO_FS", "COMPUTE_TRUSTED_CERTS"),
    *("COMPUTE_VOLUME_ATTACH_WITH_TAG", "COMPUTE_VOLUME_EXTEND", "COMPUTE_VOLUME_MULTI_ATTACH"),
)
"""The traits of Nova's fake hypervisor."""
_OF_PROVIDER: Final[Mapping[str, tuple[int, int]]] = {
    "inventories": (1, 0),
    "usages": (1, 0),
    "aggregates": (1, 1),
    "traits": (1, 6),
    "allocations": (1, 11),
}
"""What a provider has, and since which microversion it links to that."""
_NEWEST: Final = (1, 39)


_VARY: Final = {"Vary": "openstack-api-version"}


class _Raised(Refused):
    """An error that a handler does not answer itself, so that its answer lacks a header."""


class Placement(Service):
    """The in-memory Placement."""

    name: ClassVar[str] = "placement"
    type: ClassVar[str] = "placement"

    def __init__(self, nova: Nova) -> None:
        super().__init__()
        self.traits: list[str] = list(_TRAITS)
        """The traits of the host."""
        self._nova = nova

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        one = "/resource_providers/([^/]+)"
        return (
            Route("GET", "/?", self._versions, public=True),
            Route("GET", "/resource_providers", self._list_providers),
            Route("GET", one, self._show_provider),
            Route("GET", one + "/inventories", self._list_inventories),
            Route("GET", one + "/inventories/([^/]+)", self._show_inventory),
            Route("GET", one + "/usages", self._provider_usages),
            Route("GET", one + "/aggregates", self._list_aggregates),
            Route("GET", one + "/traits", self._provider_traits),
            Route("GET", one + "/allocations", self._provider_allocations),
            Route("GET", "/allocations/([^/]+)", self._show_allocations),
            Route("GET", "/usages", self._total_usages),
            Route("GET", "/resource_classes", self._list_classes),
            Route("GET", "/resource_classes/([^/]+)", self._show_class),
            Route("GET", "/traits", self._list_traits),
            Route("GET", "/traits/([^/]+)", self._show_trait),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request, and report the microversion (microversion_parse/middleware.py)."""
        try:
            version = _version(call)
        except Refused as refused:
            return self.problem(call, refused)
        reply = super().handle(call)
        if call.caller is not None:
            reply.headers["OpenStack-API-Version"] = f"placement {'.'.join(map(str, version))}"
            if reply.status < 400:
                reply.headers |= _VARY
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Placement does (placement/util.py, json_error_formatter)."""
        titles = {404: "Not Found", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed"}
        titles |= {401: "Unauthorized", 406: "Not Acceptable", 500: "Internal Server Error"}
        status = refused.status
        told = f"{sentence(status)}\n\n {refused.message}  "
        if status == 405:
            told = f"{refused.message}\n\n The method specified is not allowed for this resource."
        elif status == 406:
            told = "The resource could not be generated that was acceptable to your browser (content of type"
            told += f" application/json. \n\n {refused.message}"
        error: Record = {
            "status": status,
            "title": titles.get(status, "Error"),
            "detail": told,
            "request_id": call.request_id,
        }
        if status == 406:
            error |= {"max_version": ".".join(map(str, _NEWEST)), "min_version": "1.0"}
        elif _is_since(call, (1, 23)):
            error["code"] = "placement.undefined_code"
        reply = json_reply(status, {"errors": [error]})
        if not isinstance(refused, _Raised) and (refused.message or refused.detail):
            reply.headers |= _VARY
        return reply

    def _versions(self, call: Call) -> Reply:
        del call
        version = {"id": "v1.0", "max_version": ".".join(map(str, _NEWEST)), "min_version": "1.0"}
        return json_reply(200, {"versions": [{**version, "status": "CURRENT", "links": [{"rel": "self", "href": ""}]}]})

    # ------------------------------------------------------------- providers

    def _list_providers(self, call: Call) -> Reply:
        _demand_administrator(call, "placement:resource_providers:list")
        _check_query(call, ("name", "uuid", "in_tree", "member_of", "resources", "required"))
        provider = hypervisor_id()
        wanted = {"name": HOST, "uuid": provider, "in_tree": provider}
        found = all(call.value(key, value) == value for key, value in wanted.items())
        return json_reply(
            200, {"resource_providers": [self._view(call)] if found and not call.value("member_of") else []}
        )

    def _show_provider(self, call: Call, provider: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:show")
        _demand_provider(provider)
        return json_reply(200, self._view(call))

    def _view(self, call: Call) -> Record:
        provider = hypervisor_id()
        links = [{"rel": "self", "href": f"/resource_providers/{provider}"}]
        links += [
            {"rel": part, "href": f"/resource_providers/{provider}/{part}"}
            for part, since in _OF_PROVIDER.items()
            if _is_since(call, since)
        ]
        view: Record = {"uuid": provider, "name": HOST, "generation": 1, "links": links}
        if _is_since(call, (1, 14)):
            view |= {"parent_provider_uuid": None, "root_provider_uuid": provider}
        return view

    def _inventories(self) -> Record:
        return {
            kind: {
                "total": total,
                "reserved": reserved,
                "min_unit": 1,
                "max_unit": total,
                "step_size": 1,
                "allocation_ratio": ratio,
            }
            for kind, total, reserved, ratio in (
                ("VCPU", SIZE["vcpus"], 0, 4.0),
                ("MEMORY_MB", SIZE["memory_mb"], 512, 1.0),
                ("DISK_GB", SIZE["local_gb"], 0, 1.0),
            )
        }

    def _list_inventories(self, call: Call, provider: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:inventories:list")
        _demand_provider(provider, "No resource provider with uuid {0} found : ")
        return json_reply(200, {"resource_provider_generation": 1, "inventories": self._inventories()})

    def _show_inventory(self, call: Call, provider: str, kind: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:inventories:show")
        _demand_provider(provider)
        inventories = self._inventories()
        if kind not in inventories:
            raise Refused(404, f"No inventory of class {kind} for {provider}")
        return json_reply(200, {**inventories[kind], "resource_provider_generation": 1})

    def _list_aggregates(self, call: Call, provider: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:aggregates:list")
        _demand_provider(provider)
        return json_reply(200, {"aggregates": [], "resource_provider_generation": 1})

    def _provider_traits(self, call: Call, provider: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:traits:list")
        _demand_provider(provider, "No resource provider with uuid {0} found: ")
        return json_reply(200, {"traits": self.traits, "resource_provider_generation": 1})

    # ------------------------------------------------------------- what servers use

    def _provider_usages(self, call: Call, provider: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:usages")
        _demand_provider(provider, "No resource provider with uuid {0} found: ")
        used = _used(self._nova.servers.values())
        return json_reply(200, {"resource_provider_generation": 1, "usages": used})

    def _provider_allocations(self, call: Call, provider: str) -> Reply:
        _demand_administrator(call, "placement:resource_providers:allocations:list")
        _demand_provider(provider, "Resource provider '{0}' not found: ")
        allocations = {server.id: {"resources": _used([server])} for server in self._nova.servers.values()}
        return json_reply(200, {"resource_provider_generation": 1, "allocations": allocations})

    def _show_allocations(self, call: Call, consumer: str) -> Reply:
        _demand_administrator(call, "placement:allocations:list")
        server = self._nova.servers.get(consumer)
        body: Record = {"allocations": {}}
        if server is not None:
            body["allocations"] = {hypervisor_id(): {"resources": _used([server]), "generation": 1}}
            body |= {"project_id": server.caller.project_id, "user_id": server.caller.user_id}
            body |= {"consumer_generation": 1, "consumer_type": "INSTANCE"}
        return json_reply(200, body)

    def _total_usages(self, call: Call) -> Reply:
        _demand_version(call, (1, 9))
        project_id = call.value("project_id")
        if not call.who.is_administrator and project_id != call.who.project_id:
            raise _Raised(403, "Policy does not allow placement:usages to be performed.")
        _check_query(call, ("project_id", "user_id", "consumer_type"), required="project_id")
        servers = [
            server
            for server in self._nova.servers.values()
            if server.caller.project_id == project_id
            and call.value("user_id", server.caller.user_id) == server.caller.user_id
        ]
        used: Record = _used(servers) if servers else {}
        if _is_since(call, (1, 38)):
            used = {"INSTANCE": {**used, "consumer_count": len(servers)}} if servers else {}
        return json_reply(200, {"usages": used})

    # ------------------------------------------------------------- classes and traits

    def _list_classes(self, call: Call) -> Reply:
        _demand_version(call, (1, 2))
        _demand_administrator(call, "placement:resource_classes:list")
        return json_reply(200, {"resource_classes": [_class_view(name) for name in _CLASSES]})

    def _show_class(self, call: Call, name: str) -> Reply:
        _demand_version(call, (1, 2))
        _demand_administrator(call, "placement:resource_classes:show")
        if name not in _CLASSES:
            raise _Raised(404, f"No such resource class {name}.")
        return json_reply(200, _class_view(name))

    def _list_traits(self, call: Call) -> Reply:
        _demand_version(call, (1, 6))
        _demand_administrator(call, "placement:traits:list")
        operation, colon, value = call.value("name").partition(":")
        if operation and (not colon or operation not in ("in", "startswith")):
            words = "Badly formatted name parameter. Expected name query string parameter in form:"
            raise Refused(400, f'{words} ?name=[in|startswith]:[name1,name2|prefix]. Got: "{call.value("name")}"')
        names = value.split(",")
        found = [
            trait
            for trait in self.traits
            if not operation or (trait.startswith(value) if operation == "startswith" else trait in names)
        ]
        return json_reply(200, {"traits": found})

    def _show_trait(self, call: Call, name: str) -> Reply:
        _demand_version(call, (1, 6))
        _demand_administrator(call, "placement:traits:show")
        if name not in self.traits:
            raise Refused(404, f"No such trait(s): {name}.")
        return Reply(204)


def _version(call: Call) -> tuple[int, int]:
    """Return the requested microversion; refuse one that is unknown or no version."""
    asked = call.headers.get("openstack-api-version", "")
    wanted = next((part.split()[1] for part in asked.split(",") if part.strip().startswith("placement ")), "1.0")
    if wanted == "latest":
        return _NEWEST
    if not re.fullmatch(r"\d+\.\d+", wanted):
        words = f"invalid version string: {wanted}; invalid literal for int() with base 10: {wanted!r}"
        raise _Raised(400, f"Invalid microversion: {words}")
    major, minor = map(int, wanted.split("."))
    if not (1, 0) <= (major, minor) <= _NEWEST:
        raise _Raised(406, f"Invalid microversion: Unacceptable version header: {wanted}")
    return major, minor


def _is_since(call: Call, version: tuple[int, int]) -> bool:
    try:
        return _version(call) >= version
    except Refused:
        return False


def _demand_version(call: Call, version: tuple[int, int]) -> None:
    if not _is_since(call, version):
        raise Refused(404, detail="microversion")


def _demand_administrator(call: Call, action: str) -> None:
    if not call.who.is_administrator:
        raise _Raised(403, f"Policy does not allow {action} to be performed.")


def _demand_provider(provider: str, before: str = "") -> None:
    if provider != hypervisor_id():
        refusal = Refused if before else _Raised
        raise refusal(404, f"{before.format(provider)}No resource provider with uuid {provider} found")


def _check_query(call: Call, known: Sequence[str], required: str = "") -> None:
    unknown = sorted({key for key, _ in call.query} - set(known))
    if unknown:
        were = "were" if len(unknown) > 1 else "was"
        words = f"Additional properties are not allowed ({', '.join(map(repr, unknown))} {were} unexpected)"
        raise Refused(400, f"Invalid query string parameters: {words}")
    if required and not call.value(required):
        raise Refused(400, f"Invalid query string parameters: {required!r} is a required property")
    for key in ("uuid", "in_tree"):
        if call.value(key) and not is_uuid(call.value(key)):
            words = f"{call.value(key)!r} is not a 'uuid'  Failed validating 'format' in schema['properties'][{key!r}]:"
            words += f"     {{'type': 'string', 'format': 'uuid'}}  On instance[{key!r}]:     {call.value(key)!r}"
            raise Refused(400, f"Invalid query string parameters: {words}")


def _used(servers: Iterable[Server]) -> dict[str, int]:
    flavors = [server.flavor for server in servers]
    return {
        "VCPU": sum(flavor.vcpus for flavor in flavors),
        "MEMORY_MB": sum(flavor.ram for flavor in flavors),
        "DISK_GB": sum(flavor.disk + flavor.ephemeral for flavor in flavors),
    }


def _class_view(name: str) -> Record:
    return {"name": name, "links": [{"rel": "self", "href": f"/resource_classes/{name}"}]}
