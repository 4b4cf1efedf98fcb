"""The in-memory Nova's key pairs."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.wire import Call, Refused, Reply, json_reply


class KeyPairs(State):
    """Answer for key pairs, of which every user has their own."""

    def _list_keypairs(self, call: Call) -> Reply:
        own = self.keypairs.get(call.who.user_id, {})
        return json_reply(200, {"keypairs": [{"keypair": keypair} for keypair in own.values()]})

    def _create_keypair(self, call: Call) -> Reply:
        asked = call.json()["keypair"]
        keypair = {"type": "ssh", "public_key": "", **asked, "fingerprint": "00", "user_id": call.who.user_id}
        self.keypairs.setdefault(call.who.user_id, {})[asked["name"]] = keypair
        return json_reply(201, {"keypair": keypair})

    def _show_keypair(self, call: Call, name: str) -> Reply:
        own = self.keypairs.get(call.who.user_id, {})
        if name not in own:
            raise Refused(404, f"Keypair {name} not found for user {call.who.user_id}")
        return json_reply(200, {"keypair": own[name]})

    def _delete_keypair(self, call: Call, name: str) -> Reply:
        if self.keypairs.get(call.who.user_id, {}).pop(name, None) is None:
            raise Refused(404, f"Keypair {name} not found for user {call.who.user_id}")
        return Reply(204)
