"""The in-memory Nova's key pairs (nova/api/openstack/compute/keypairs.py)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from hyperx_glance.testing.memory.nova.microversions import KEYPAIR, microversion, shown
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import check_keys, check_limit, enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_BRIEF = ("name", "public_key", "fingerprint", "type")
_NAME = r"[_\- a-zA-Z0-9]+"
# A key pair that Nova generates: always the same one, since generating one takes a second. It opens nothing.
_PUBLIC = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC7eKIL+giM5c+NXNAU4FKp7tizJArapsCB1306klsFvIOP4uyo2LlAc6JIWi474gUQuM4P"
    "il8ARgWrOyQJLP3S+ZGL3POVS1y35SLGiIuMNXZnnJxubRyaOVqH9ZxaqTWwNFiwXxlvbR7oVnakwR3W0/fJSWwtRm+ODDBTZNYB"
    "PbiOPUFjbVKILYLuFrDsc5yA9DmOa9yr7gkckObJYz74uvCiDrllHdWvnFq0gCQvuXwkUtvBiFg+OEVxutb9jzJchwUp6S1NIhXy"
    "3y1dG716ReTVIluKw0BIQWPJ9H3aLbcKTM6GQI7G0e/RFveSMtPkDYqjEe3kATpotDiVEWcF"
)
_PRIVATE = """-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAu3iiC/oIjOXPjVzQFOBSqe7YsyQK2qbAgdd9OpJbBbyDj+Ls
qNi5QHOiSFouO+IFELjOD4pfAEYFqzskCSz90vmRi9zzlUtct+UixoiLjDV2Z5yc
bm0cmjlah/WcWqk1sDRYsF8Zb20e6FZ2pMEd1tP3yUlsLUZvjgwwU2TWAT24jj1B
Y21SiC2C7haw7HOcgPQ5jmvcq+4JHJDmyWM++Lrwog65ZR3Vr5xatIAkL7l8JFLb
wYhYPjhFcbrW/Y8yXIcFKektTSIV8t8tXRu9ekXk1SJbisNASEFjyfR92i23CkzO
hkCOxtHv0Rb3kjLT5A2KoxHt5AE6aLQ4lRFnBQIDAQABAoIBAAXYBj3MgEDmIVtq
fH5eGhg71AuiML1tS8cbC3IMjGOoI0tpsI9jMW550aH4P680Wzc7ejQ/+mNPi3nc
ONdutzCBAOwPdJS05Jxt5duITPNPWlQeAhQAzjlc1tPcpeWp7HzEO6HZ1mOOZFOB
QycHxxFCinDpm0KTtW1ZN2tuE1a2rcCx/ieJbWVLoJdRBtqUIwnHsurnHSobe5/I
0PCV0KFHSlNMgwfyeojnC45qWXnTKfBDwlPornMzmlzJCQ85s15hGd/ngg9H4mAo
BaUdDe4G23qnC4/5LWZlPI1/EPBp7K2OcsvjuU5uWHb/GDxVYI8yR3TTwNx/4Sxy
FLPiI8kCgYEA3W8tjv9yx/0/PeorB29OlcONdwKThOabZ74SJkBN11zhzQ1DHdfY
gzAwTHvX8/IYa8ilhsaqE1ExQQsDn9JeFfUMsL3PTQavjiCqppYYxBtllrGlkyAW
v4t9blRSkhsL9mtwJZbLV4XUMpDNQZywFxOtolpveyrTAJh7hGan1xkCgYEA2Lw+
YjK9+OHqI1r/OHdJmj3Iv9GGRs4g16hvpRgi0T6lzPg9VpgZObjQoh05xY7tleLP
imzJBpvXETfEp1d06c9wBb9FJOt9MZdydyjACB2lq1u9FRAd9OGRpHq5WgiEv0FF
JV5gYRPxljHb+Mzyr2Alw8i1HeMuic35zMyIaM0CgYBcDtKT9qNTfXeDWA0XhDDZ
lnkDlzCZOf41vRFykZ1LAbRmOTND/u5ma+xIf9wh8O4yMTKPu5wNd93QOrIBCcZP
vpbOC7tZPIRTxETuCMy3CuTLJ4O8jMSoUWeOLMQ/NbtdcQEov24+LscvVn/e3TNg
BLBVJN/gBse+IaaIPt1cUQKBgFftpvF33JKINNE7Lafe3UFyJ2uKuYsoPTLA5up3
rEhvvhw16cyj0DgWvq3GZZW8sq7IYaKrF7NSriISGfo6BPiGa9ApFQgxcY0ZABtP
sPiZ7ohio4dUDpM2oDu2flQEeLaO6FqMu1UnHi/s8m0x2JNF0oxndPM3I75MjjeE
EyNRAoGBANNSbwkn88lmeftoPjP7b5KcZJIwK9XI22f0PucAn7CEo1OXfeFh3i9R
q6fNcDZxiZYDCePhJjiT9YqlU6CmEzOPEg+zLVZ0HZ6KsvvM1NFlkJyRx5/S+pn5
Z5TCjkHEJ67IWZr9VuCeu/SF1A5jW6viIA79/QzVZ4go2UTynSky
-----END RSA PRIVATE KEY-----
"""


class KeyPairs(State):
    """The part of Nova that handles key pairs, which belong to their users."""

    def add_keypair(self, name: str, public_key: str, user_id: str, kind: str = "ssh") -> Record:
        """Create a key pair of a user; return its record."""
        own = self.keypairs.setdefault(user_id, {})
        fingerprint = _fingerprint(public_key)
        if name in own:
            raise Refused(409, f"Key pair '{name}' already exists.")
        own[name] = {
            "name": name,
            "public_key": public_key,
            "fingerprint": fingerprint,
            "user_id": user_id,
            "type": kind,
            "id": next(self._keypair_ids),
            "created_at": microseconds(self.now()),
        }
        return own[name]

    def _list_keypairs(self, call: Call) -> Reply:
        check_limit(call)
        own = sorted(self.keypairs.get(self._keypair_user(call), {}).values(), key=lambda pair: str(pair["name"]))
        version = microversion(call)
        if version < (2, 35):
            found, links = own, {}
        else:
            found = cut_page(call, own, key=lambda pair: str(pair["name"]), largest=self.max_limit)
            links = self._next("keypairs_links", call, [str(pair["name"]) for pair in found])
        brief = [{key: pair[key] for key in _BRIEF if key in pair} for pair in found]
        return json_reply(200, {"keypairs": [{"keypair": shown(pair, KEYPAIR, version)} for pair in brief], **links})

    def _create_keypair(self, call: Call) -> Reply:
        version = microversion(call)
        asked = enveloped(call, "keypair")
        more = [*(["type"] if version >= (2, 2) else []), *(["user_id"] if version >= (2, 10) else [])]
        required = ["name", *(["public_key"] if version >= (2, 92) else [])]
        check_keys("keypair", asked, allowed=["name", "public_key", *more], required=required)
        name, kind = asked["name"], asked.get("type", "ssh")
        _check_name(name)
        if kind not in ("ssh", "x509"):
            raise invalid("type", kind, f"{kind!r} is not one of ['ssh', 'x509']")
        if not call.who.may_write:
            raise Refused(403, "Policy doesn't allow os_compute_api:os-keypairs:create to be performed.")
        user_id = str(asked.get("user_id") or call.who.user_id)
        if user_id != call.who.user_id and not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow os_compute_api:os-keypairs:create to be performed.")
        pair = self.add_keypair(name, asked.get("public_key") or _PUBLIC, user_id, kind)
        view = {key: pair[key] for key in (*_BRIEF, "user_id")}
        if not asked.get("public_key"):
            view["private_key"] = _PRIVATE
        return json_reply(201 if version >= (2, 2) else 200, {"keypair": shown(view, KEYPAIR, version)})

    def _show_keypair(self, call: Call, name: str) -> Reply:
        pair = self._keypair(call, name)
        always = {"deleted": False, "deleted_at": None, "updated_at": None}
        return json_reply(200, {"keypair": shown({**pair, **always}, KEYPAIR, microversion(call))})

    def _delete_keypair(self, call: Call, name: str) -> Reply:
        self._keypair(call, name)
        del self.keypairs[self._keypair_user(call)][name]
        return Reply(204 if microversion(call) >= (2, 2) else 202)

    def _keypair_user(self, call: Call) -> str:
        asked = call.value("user_id") if microversion(call) >= (2, 10) else ""
        if asked and asked != call.who.user_id and not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow os_compute_api:os-keypairs:index to be performed.")
        return asked or call.who.user_id

    def _keypair(self, call: Call, name: str) -> Record:
        user_id = self._keypair_user(call)
        own = self.keypairs.get(user_id, {})
        if name not in own:
            raise Refused(404, f"Keypair {name} not found for user {user_id}")
        return own[name]


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise invalid("name", name, f"{name!r} is not of type 'string'")
    if not name:
        raise invalid("name", name, f"{name!r} should be non-empty")
    if len(name) > 255:
        raise invalid("name", name, f"{name!r} is too long")
    if not re.fullmatch(_NAME, name):
        raise invalid("name", name, f"{name!r} does not match '^[_\\\\- a-zA-Z0-9]+$'")


def _fingerprint(public: object) -> str:
    """Take the fingerprint of a public key as nova/crypto.py does; refuse anything else."""
    if not isinstance(public, str):
        raise invalid("public_key", public, f"{public!r} is not of type 'string'")
    kind, _, rest = public.strip().partition(" ")
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
        raise Refused(400, "Keypair data is invalid: failed to generate fingerprint")
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
