"""What consumers use of providers, and who could be served, in the in-memory Placement (handlers/allocation.py)."""

from __future__ import annotations

import re
from typing import Final

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.placement import bodies
from hyperx_glance.testing.memory.placement.providers import Providers, capacity, free
from hyperx_glance.testing.memory.placement.records import Consumer, Provider
from hyperx_glance.testing.memory.placement.state import (
    CONCURRENT,
    Raised,
    asked_version,
    check_query,
    conflict,
    demand_administrator,
    demand_version,
    is_since,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_UUID: Final = "^[0-9a-fA-F-]{36}$"
_AMOUNTS = bodies.mapping(bodies.CLASS, bodies.number(1), least=1)
_OF_PROVIDER = bodies.fields({"generation": bodies.number(), "resources": _AMOUNTS}, ["resources"])
_OWNERS = {"project_id": bodies.text(), "user_id": bodies.text()}
_OLD = bodies.each(
    bodies.fields(
        {"resource_provider": bodies.fields({"uuid": bodies.identifier}, ["uuid"]), "resources": _AMOUNTS},
        ["resource_provider", "resources"],
    )
)
_DICTIONARY, _GENERATIONS, _MAPPINGS, _TYPES = (1, 12), (1, 28), (1, 34), (1, 38)
_MORE: Final = ("required", "member_of", "in_tree", "group_policy", "limit", "root_required", "same_subtree")


class Allocations(Providers):
    """The part of Placement that handles allocations, usages and candidates."""

    # ------------------------------------------------------------- reading

    def _provider_usages(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, "placement:resource_providers:usages")
        provider = self._provider(provider_id, "No resource provider with uuid {0} found: ")
        used = self.usages_of(provider)
        return json_reply(200, {"resource_provider_generation": provider.generation, "usages": used})

    def _provider_allocations(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, "placement:resource_providers:allocations:list")
        provider = self._provider(provider_id, "Resource provider '{0}' not found: ")
        found = {
            each.id: {
                "resources": each.allocations[provider_id],
                **({"consumer_generation": each.generation} if is_since(call, _GENERATIONS) else {}),
            }
            for each in self.every_consumer()
            if provider_id in each.allocations
        }
        return json_reply(200, {"resource_provider_generation": provider.generation, "allocations": found})

    def _show_allocations(self, call: Call, consumer_id: str) -> Reply:
        demand_administrator(call, "placement:allocations:list")
        found = next((each for each in self.every_consumer() if each.id == consumer_id and each.allocations), None)
        body: Record = {"allocations": {}}
        if found is not None:
            body["allocations"] = {
                provider_id: {"resources": resources, "generation": self.providers[provider_id].generation}
                for provider_id, resources in found.allocations.items()
            }
            if is_since(call, _DICTIONARY):
                body |= {"project_id": found.project_id, "user_id": found.user_id}
            if is_since(call, _GENERATIONS):
                body["consumer_generation"] = found.generation
            if is_since(call, _TYPES):
                body["consumer_type"] = found.type
        return json_reply(200, body)

    def _total_usages(self, call: Call) -> Reply:
        demand_version(call, (1, 9))
        project_id = call.value("project_id")
        if not call.who.is_administrator and project_id != call.who.project_id:
            raise Raised(403, "Policy does not allow placement:usages to be performed.")
        check_query(call, ("project_id", "user_id", "consumer_type"), required="project_id")
        consumers = [
            each
            for each in self.every_consumer()
            if each.project_id == project_id
            and each.allocations
            and call.value("user_id", each.user_id) == each.user_id
            and call.value("consumer_type", each.type) in (each.type, "all")
        ]
        if not is_since(call, _TYPES):
            return json_reply(200, {"usages": _sum(consumers)})
        kinds = dict.fromkeys(each.type for each in consumers)
        by_kind = {kind: [each for each in consumers if each.type == kind] for kind in kinds}
        told = {kind: {**_sum(found), "consumer_count": len(found)} for kind, found in by_kind.items()}
        return json_reply(200, {"usages": told})

    # ------------------------------------------------------------- writing

    def _set_allocations(self, call: Call, consumer_id: str) -> Reply:
        demand_administrator(call, "placement:allocations:update")
        if not is_uuid(consumer_id):
            raise Refused(400, f"Malformed consumer_uuid: {consumer_id}")
        asked = bodies.checked(call, _check(call, single=True))
        if not is_since(call, _DICTIONARY):
            listed = asked["allocations"]
            asked["allocations"] = {
                each["resource_provider"]["uuid"]: {"resources": each["resources"]} for each in listed
            }
        self._allocate(call, {consumer_id: asked}, f"Unable to allocate inventory for consumer {consumer_id}:")
        return Reply(204)

    def _set_several_allocations(self, call: Call) -> Reply:
        demand_version(call, (1, 13))
        demand_administrator(call, "placement:allocations:manage")
        asked = bodies.checked(call, bodies.mapping(_UUID, _check(call, single=False), least=1))
        self._allocate(call, asked, "Unable to allocate inventory")
        return Reply(204)

    def _allocate(self, call: Call, asked: Record, unknown: str) -> None:
        consumers = [self._consumer(call, consumer_id, each) for consumer_id, each in asked.items()]
        for consumer, each in zip(consumers, asked.values(), strict=True):
            for provider_id, part in each["allocations"].items():
                if provider_id not in self.providers:
                    # Placement keeps the consumer, whom nobody can then give anything but by its generation.
                    self.consumers.setdefault(consumer.id, consumer)
                    raise Refused(400, f"Allocation for resource provider '{provider_id}' that does not exist.")
                self._check_amounts(self.providers[provider_id], consumer, part["resources"], unknown)
        for consumer, each in zip(consumers, asked.values(), strict=True):
            touched = {*consumer.allocations, *each["allocations"]}
            consumer.allocations = {key: dict(part["resources"]) for key, part in each["allocations"].items()}
            consumer.generation += 1
            self.consumers[consumer.id] = consumer
            if not consumer.allocations:
                del self.consumers[consumer.id]
            for provider_id in touched:
                self.providers[provider_id].generation += 1

    def _consumer(self, call: Call, consumer_id: str, asked: Record) -> Consumer:
        """Return the consumer of a request, at the generation that it says; a new one is at 0."""
        found = self.consumers.get(consumer_id)
        if is_since(call, _GENERATIONS):
            given, expected = asked["consumer_generation"], None if found is None else found.generation
            if given != expected:
                told = "null" if expected is None else expected
                raise conflict(f"consumer generation conflict - expected {told} but got {given}", CONCURRENT)
        project_id, user_id = asked.get("project_id", ""), asked.get("user_id", "")
        consumer = found or Consumer(consumer_id, project_id, user_id, {}, generation=0)
        consumer.project_id, consumer.user_id = project_id, user_id
        consumer.type = asked.get("consumer_type", consumer.type)
        return consumer

    def _check_amounts(self, provider: Provider, consumer: Consumer, resources: dict[str, int], unknown: str) -> None:
        """Refuse what a provider does not have, or no more of (placement/objects/allocation.py)."""
        used = self.usages_of(provider)
        own = consumer.allocations.get(provider.id, {})
        for name, amount in resources.items():
            if name not in self.known_classes():
                raise Refused(400, f"{unknown} No such resource class {name}.")
            found = provider.inventories.get(name)
            if found is None:
                words = f"Inventory for '{name}' on resource provider '{provider.id}' invalid."
                raise conflict(f"Unable to allocate inventory: {words}")
            words = f"Unable to create allocation for '{name}' on resource provider '{provider.id}'."
            units = found["min_unit"] <= amount <= found["max_unit"] and amount % found["step_size"] == 0
            if not units:
                words += " The requested amount would violate inventory constraints."
                raise conflict(f"Unable to allocate inventory: {words}")
            if free(provider, used, name) + own.get(name, 0) < amount:
                words += " The requested amount would exceed the capacity."
                raise conflict(f"Unable to allocate inventory: {words}")

    def _delete_allocations(self, call: Call, consumer_id: str) -> Reply:
        demand_administrator(call, "placement:allocations:delete")
        consumer = self.consumers.get(consumer_id)
        if consumer is None or not consumer.allocations:
            raise Refused(404, f"No allocations for consumer '{consumer_id}'")
        for provider_id in consumer.allocations:
            self.providers[provider_id].generation += 1
        del self.consumers[consumer_id]
        return Reply(204)

    # ------------------------------------------------------------- candidates

    def _list_candidates(self, call: Call) -> Reply:
        demand_version(call, (1, 10))
        demand_administrator(call, "placement:allocation_candidates:list")
        check_query(call, ("resources", *_MORE))
        limit = call.value("limit")
        if limit and not re.search("^[1-9][0-9]*$", limit):
            raise Refused(400, f"Invalid query string parameters: {limit!r} does not match '^[1-9][0-9]*$'")
        if not call.value("resources"):
            words = "There must be at least one resources or resources[$S] parameter."
            raise Refused(400, words, detail="placement.query.missing_value")
        wanted = self._asked_resources(call.value("resources"))
        found = [each for each in self.providers.values() if self._is_asked_for(call, each)]
        found = found[: int(limit)] if limit else found
        requests = [_candidate(call, each, wanted) for each in found]
        summaries = {each.id: self._summary(call, each, wanted) for each in found}
        return json_reply(200, {"allocation_requests": requests, "provider_summaries": summaries})

    def _summary(self, call: Call, provider: Provider, wanted: dict[str, int]) -> Record:
        used = self.usages_of(provider)
        names = provider.inventories if is_since(call, (1, 27)) else wanted
        summary: Record = {
            "resources": {
                name: {"capacity": capacity(provider.inventories[name]), "used": used.get(name, 0)} for name in names
            }
        }
        if is_since(call, (1, 17)):
            summary["traits"] = self.traits_of(provider)
        if is_since(call, (1, 29)):
            summary |= {"parent_provider_uuid": provider.parent_id, "root_provider_uuid": self.root_of(provider).id}
        return summary


def _check(call: Call, *, single: bool) -> bodies.Check:
    """Return the check of one consumer's allocations, as a microversion has them; several may be none."""
    version = asked_version(call)
    if version < _DICTIONARY:
        keys = {"allocations": _OLD, **(_OWNERS if version >= (1, 8) else {})}
        return bodies.fields(keys, list(keys))
    emptied = version >= _GENERATIONS or not single
    keys = {"allocations": bodies.mapping(_UUID, _OF_PROVIDER, least=0 if emptied else 1), **_OWNERS}
    if version >= _GENERATIONS:
        keys["consumer_generation"] = bodies.optional(bodies.number())
    if version >= _TYPES:
        keys["consumer_type"] = bodies.text(pattern=bodies.CLASS)
    required = list(keys)
    if version >= _MAPPINGS:
        keys["mappings"] = bodies.mapping("", lambda _: None)
    return bodies.fields(keys, required)


def _candidate(call: Call, provider: Provider, wanted: dict[str, int]) -> Record:
    if not is_since(call, _DICTIONARY):
        return {"allocations": [{"resource_provider": {"uuid": provider.id}, "resources": wanted}]}
    found: Record = {"allocations": {provider.id: {"resources": wanted}}}
    return {**found, "mappings": {"": [provider.id]}} if is_since(call, _MAPPINGS) else found


def _sum(consumers: list[Consumer]) -> dict[str, int]:
    total: dict[str, int] = {}
    for consumer in consumers:
        for resources in consumer.allocations.values():
            for name, amount in resources.items():
                total[name] = total.get(name, 0) + amount
    return total
