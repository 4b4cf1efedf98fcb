"""The state of the in-memory Placement, and rules for every part: microversions, policies, generations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.nova import Nova
from hyperx_glance.testing.memory.nova.hosts import hypervisor_id
from hyperx_glance.testing.memory.nova.records import Server
from hyperx_glance.testing.memory.placement.records import CLASSES, OTHER_TRAITS, TRAITS, Consumer, Provider
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Service

NEWEST: Final = (1, 39)
CONCURRENT: Final = "placement.concurrent_update"


class Raised(Refused):
    """An error that a handler does not answer itself, so that its answer lacks a header."""


class State(Service):
    """The state that the parts of this Placement share."""

    name: ClassVar[str] = "placement"
    type: ClassVar[str] = "placement"

    def __init__(self, nova: Nova) -> None:
        super().__init__()
        self.traits: list[str] = list(TRAITS)
        """The traits of the host."""
        self.providers: dict[str, Provider] = {hypervisor_id(): Provider.of_host()}
        """Resource providers by id, the host first."""
        self.consumers: dict[str, Consumer] = {}
        """Consumers by id, besides Nova's servers."""
        self.custom_classes: list[str] = []
        """Classes of resources that requests made."""
        self.custom_traits: list[str] = []
        """Traits that requests made."""
        self._nova = nova

    def known_classes(self) -> list[str]:
        """Return all classes of resources."""
        return [*CLASSES, *self.custom_classes]

    def known_traits(self) -> list[str]:
        """Return all traits, those of the host first."""
        return list(dict.fromkeys([*self.traits, *OTHER_TRAITS, *TRAITS, *self.custom_traits]))

    def traits_of(self, provider: Provider) -> list[str]:
        """Return the traits of a provider."""
        return self.traits if provider.id == hypervisor_id() else provider.traits

    def every_consumer(self) -> list[Consumer]:
        """Return all consumers: Nova's servers, and those that requests made."""
        servers = [
            Consumer(each.id, each.caller.project_id, each.caller.user_id, {hypervisor_id(): used_by(each)})
            for each in self._nova.servers.values()
        ]
        return [*servers, *self.consumers.values()]

    def usages_of(self, provider: Provider) -> dict[str, int]:
        """Return how much of each class of a provider is used."""
        used = dict.fromkeys(provider.inventories, 0)
        for consumer in self.every_consumer():
            for name, amount in consumer.allocations.get(provider.id, {}).items():
                used[name] = used.get(name, 0) + amount
        return used

    def root_of(self, provider: Provider) -> Provider:
        """Return the root of a provider's tree."""
        while provider.parent_id is not None:
            provider = self.providers[provider.parent_id]
        return provider

    def _provider(self, provider_id: str, before: str = "") -> Provider:
        """Return a provider; refuse one that is unknown, in the words of a handler or of the application."""
        if provider_id not in self.providers:
            refusal = Refused if before else Raised
            raise refusal(404, f"{before.format(provider_id)}No resource provider with uuid {provider_id} found")
        return self.providers[provider_id]


def used_by(server: Server) -> dict[str, int]:
    """Return what a server uses of its host."""
    size = server.flavor
    return {"VCPU": size.vcpus, "MEMORY_MB": size.ram, "DISK_GB": size.disk + size.ephemeral}


def asked_version(call: Call) -> tuple[int, int]:
    """Return the requested microversion; refuse one that is unknown or no version."""
    asked = call.headers.get("openstack-api-version", "")
    wanted = next((part.split()[1] for part in asked.split(",") if part.strip().startswith("placement ")), "1.0")
    if wanted == "latest":
        return NEWEST
    if not re.fullmatch(r"\d+\.\d+", wanted):
        words = f"invalid version string: {wanted}; invalid literal for int() with base 10: {wanted!r}"
        raise Raised(400, f"Invalid microversion: {words}")
    major, minor = map(int, wanted.split("."))
    if not (1, 0) <= (major, minor) <= NEWEST:
        raise Raised(406, f"Invalid microversion: Unacceptable version header: {wanted}")
    return major, minor


def is_since(call: Call, version: tuple[int, int]) -> bool:
    """Check whether a request asks for this microversion or a newer one."""
    try:
        return asked_version(call) >= version
    except Refused:
        return False


def demand_version(call: Call, version: tuple[int, int]) -> None:
    """Refuse what older microversions do not have."""
    if not is_since(call, version):
        raise Refused(404, detail="microversion")


def demand_administrator(call: Call, action: str) -> None:
    """Refuse everybody but administrators."""
    if not call.who.is_administrator:
        raise Raised(403, f"Policy does not allow {action} to be performed.")


def check_query(call: Call, known: Sequence[str], required: str = "") -> None:
    """Refuse unknown and missing keys of a query, and ids that are none."""
    unknown = sorted({key for key, _ in call.query} - set(known))
    if unknown:
        were = "were" if len(unknown) > 1 else "was"
        words = f"Additional properties are not allowed ({', '.join(map(repr, unknown))} {were} unexpected)"
        raise Refused(400, f"Invalid query string parameters: {words}")
    if required and not call.value(required):
        raise Refused(400, f"Invalid query string parameters: {required!r} is a required property")
    for key in ("uuid", "in_tree"):
        if call.value(key) and not is_uuid(call.value(key)):
            raise Refused(400, f"Invalid query string parameters: {call.value(key)!r} is not a 'uuid'")


def conflict(words: str, code: str = "placement.undefined_code") -> Refused:
    """Return a refusal because of what others did, with its code."""
    return Refused(409, words, detail=code)


def class_view(name: str) -> Record:
    """Show a class of resources."""
    return {"name": name, "links": [{"rel": "self", "href": f"/resource_classes/{name}"}]}
