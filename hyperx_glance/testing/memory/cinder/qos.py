"""QoS specs of the in-memory Cinder, which administrators give to types (cinder/api/contrib/qos_specs_manage.py)."""

from __future__ import annotations

import uuid

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import QosSpecs, VolumeType
from hyperx_glance.testing.memory.cinder.state import State, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_CONSUMERS = ("back-end", "front-end", "both")
_NEW = valid.fields({"name": valid.stripped_name}, required=["name"], closed=False)
_CHANGE = valid.metadata(null_values=True)
_POLICY = "volume_extension:qos_specs_manage:"


def _keys(value: object) -> str | None:
    return None if isinstance(value, list) else f"{value!r} is not of type 'array'"


class Qos(State):
    """The part of Cinder that handles QoS specs."""

    def _list_qos(self, call: Call) -> Reply:
        self._demand(call, f"{_POLICY}get_all", administrator=True)
        return json_reply(200, {"qos_specs": [_view(specs) for specs in reversed(list(self.qos_specs.values()))]})

    def _create_qos(self, call: Call) -> Reply:
        asked = dict(valid.checked(call, "qos_specs", _NEW))
        self._demand(call, f"{_POLICY}create", administrator=True)
        name, consumer = asked.pop("name").strip(), asked.pop("consumer", "back-end")
        _check_consumer(consumer)
        if any(specs.name == name for specs in self.qos_specs.values()):
            raise Refused(409, f"QoS Specs {name} already exists.")
        specs = QosSpecs(str(uuid.uuid4()), name, consumer, asked)
        self.qos_specs[specs.id] = specs
        return self._shown(call, specs)

    def _shown(self, call: Call, specs: QosSpecs) -> Reply:
        return json_reply(200, {"qos_specs": _view(specs), "links": self._links(call, "qos-specs", specs.id)})

    def _found_qos(self, call: Call, specs_id: str, action: str) -> QosSpecs:
        self._demand(call, f"{_POLICY}{action}", administrator=True)
        if specs_id not in self.qos_specs:
            raise Refused(404, f"No such QoS spec {specs_id}.")
        return self.qos_specs[specs_id]

    def _show_qos(self, call: Call, specs_id: str) -> Reply:
        return self._shown(call, self._found_qos(call, specs_id, "get"))

    def _update_qos(self, call: Call, specs_id: str) -> Reply:
        given = valid.checked(call, "qos_specs", _CHANGE)
        specs = self._found_qos(call, specs_id, "update")
        consumer = given.get("consumer", specs.consumer)
        _check_consumer(consumer)
        specs.consumer = consumer
        specs.specs.update({key: value for key, value in given.items() if key != "consumer"})
        return json_reply(200, {"qos_specs": given})

    def _delete_qos_keys(self, call: Call, specs_id: str) -> Reply:
        keys = valid.checked(call, "keys", _keys)
        specs = self._found_qos(call, specs_id, "delete")
        for key in keys:
            if key not in specs.specs:
                raise Refused(404, f"QoS spec {specs_id} has no spec with key {key}.")
            del specs.specs[key]
        return plain(202)

    def _delete_qos(self, call: Call, specs_id: str) -> Reply:
        specs = self._found_qos(call, specs_id, "delete")
        force = call.value("force").lower() in ("true", "1")
        if self._types_with(specs) and not force:
            raise Refused(400, "Qos specs still in use.")
        self._part(specs)
        del self.qos_specs[specs_id]
        return plain(202)

    # ------------------------------------------------------------- types

    def _types_with(self, specs: QosSpecs) -> list[VolumeType]:
        return [kind for kind in self.volume_types.values() if kind.qos_specs_id == specs.id]

    def _part(self, specs: QosSpecs) -> None:
        for kind in self._types_with(specs):
            kind.qos_specs_id = None

    def _list_associations(self, call: Call, specs_id: str) -> Reply:
        kinds = self._types_with(self._found_qos(call, specs_id, "get_all"))
        found = [{"association_type": "volume_type", "name": kind.name, "id": kind.id} for kind in kinds]
        return json_reply(200, {"qos_associations": found})

    def _type_of(self, call: Call) -> VolumeType:
        wanted = call.value("vol_type_id")
        if not wanted:
            raise Refused(400, "Volume Type id must not be None.")
        if wanted not in self.volume_types:
            raise Refused(404, f"Volume type {wanted} could not be found.")
        return self.volume_types[wanted]

    def _associate(self, call: Call, specs_id: str) -> Reply:
        specs = self._found_qos(call, specs_id, "update")
        kind = self._type_of(call)
        if kind.qos_specs_id not in (None, specs.id):
            words = f"Type {kind.id} is already associated with another qos specs: {kind.qos_specs_id}"
            raise Refused(400, f"Invalid volume type: {words}")
        kind.qos_specs_id = specs.id
        return plain(202)

    def _disassociate(self, call: Call, specs_id: str) -> Reply:
        self._found_qos(call, specs_id, "update")
        self._type_of(call).qos_specs_id = None
        return plain(202)

    def _disassociate_all(self, call: Call, specs_id: str) -> Reply:
        self._part(self._found_qos(call, specs_id, "update"))
        return plain(202)


def _check_consumer(consumer: object) -> None:
    if consumer not in _CONSUMERS:
        words = "QoSConsumerValues(default=<class 'oslo_versionedobjects.fields.UnspecifiedDefault'>,nullable=False"
        words = f"Valid consumer of QoS specs are: {words},valid_values={_CONSUMERS})"
        raise Refused(400, f"Invalid qos specs: {words}")


def _view(specs: QosSpecs) -> Record:
    return {"id": specs.id, "name": specs.name, "consumer": specs.consumer, "specs": specs.specs}
