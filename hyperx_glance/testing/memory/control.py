"""What a program sets on a served cloud, by JSON over HTTP: all that a test in Python sets in the object.

======  ======================  =======================================================================================
GET     /control                the names of the clouds
PUT     /NAME/control           a fresh cloud of this name: makes one, or resets it
GET     /NAME/control/requests  every request in order
GET     /NAME/control/failures  what the cloud could not answer by a mistake of its own
POST    /NAME/control/fail      ``InMemoryCloud.fail``: service, method, path, status, body, headers, times, skip
POST    /NAME/control/cut       ``InMemoryCloud.cut``: service, method, path, times, skip, handled, late
POST    /NAME/control/kill      ``InMemoryCloud.kill``: service
POST    /NAME/control/restart   ``InMemoryCloud.restart``: service
POST    /NAME/control/image     ``Glance.add_image``: owner, name, status, size and any property; gives the id
POST    /NAME/control/download  what a URL holds: url, and either base64, size (so many zeros) or status
POST    /NAME/control/user      ``Keystone.add_user``: name, department, role, password; the department is made
POST    /NAME/control/quota     ``Nova.set_quota``: department, instances, cores, ram
POST    /NAME/control/set       settings of a service: service, and any of its plain attributes, such as build_polls
======  ======================  =======================================================================================
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from hyperx_glance.testing.memory.wire import Reply, json_reply

if TYPE_CHECKING:
    from hyperx_glance.testing.memory.cloud import InMemoryCloud, ServiceName
    from hyperx_glance.testing.memory.serving import Server

_PATH: Final = re.compile(r"/(?P<name>[A-Za-z0-9._-]+)/control(?:/(?P<what>[a-z]+))?")
_SETTABLE: Final = (bool, int, float, str, list, type(None))


def answer(server: Server, method: str, path: str, source: bytes | Iterable[bytes] | None) -> Reply | None:
    """Answer a request for the control path; None where it is for another."""
    if path == "/control":
        return json_reply(200, {"clouds": list(server.clouds)})
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    name, what = match["name"], match["what"] or ""
    if (method, what) == ("PUT", ""):
        server.add(name)
        return Reply(204)
    cloud = server.clouds.get(name)
    if cloud is None:
        return json_reply(404, {"error": f"There is no cloud {name}. PUT /{name}/control makes one."})
    if (method, what) in _READINGS:
        return json_reply(200, _READINGS[method, what](cloud))
    if (method, what) not in _CHANGES:
        return json_reply(404, {"error": f"There is no {method} {path}."})
    try:
        # curl -d calls its body a form's, which comes in chunks.
        text = source if isinstance(source, bytes) else b"".join(source or ())
        body = json.loads(text or "{}")
        return json_reply(200, _CHANGES[method, what](cloud, **body))
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
        return json_reply(400, {"error": f"{type(error).__name__}: {error}"})


def _requests(cloud: InMemoryCloud) -> object:
    return {"requests": [dataclasses.asdict(request) for request in list(cloud.requests)]}


def _failures(cloud: InMemoryCloud) -> object:
    return {"failures": [dataclasses.asdict(failure) for failure in cloud.failures]}


def _fail(cloud: InMemoryCloud, **asked: Any) -> object:  # noqa: ANN401 - as the client says
    cloud.fail(asked.pop("service"), asked.pop("method"), asked.pop("path"), **asked)
    return {}


def _cut(cloud: InMemoryCloud, **asked: Any) -> object:  # noqa: ANN401 - as the client says
    cloud.cut(asked.pop("service"), asked.pop("method"), asked.pop("path"), **asked)
    return {}


def _kill(cloud: InMemoryCloud, *, service: ServiceName) -> object:
    cloud.kill(service)
    return {}


def _restart(cloud: InMemoryCloud, *, service: ServiceName) -> object:
    cloud.restart(service)
    return {}


def _image(cloud: InMemoryCloud, **asked: object) -> object:
    return {"id": cloud.glance.add_image(**asked)}  # type: ignore[arg-type]  # as the client says


def _download(
    cloud: InMemoryCloud, *, url: str, base64: str | None = None, size: int | None = None, status: int | None = None
) -> object:
    given = [value for value in (base64, size, status) if value is not None]
    if len(given) != 1:
        raise ValueError("A download is either base64, size or status.")
    cloud.glance.downloads[url] = _decoded(base64) if base64 is not None else status or bytes(size or 0)
    return {}


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _user(cloud: InMemoryCloud, *, name: str, department: str, role: str, **options: str) -> object:
    if department not in cloud.departments:
        cloud.keystone.add_department(department)
    user_id = cloud.keystone.add_user(name, department, role=role, **options)
    return {"id": user_id, "project_id": cloud.departments[department]}


def _quota(cloud: InMemoryCloud, *, department: str, **limits: int) -> object:
    cloud.nova.set_quota(department, **limits)
    return {}


def _set(cloud: InMemoryCloud, *, service: str, **settings: object) -> object:
    chosen = next((each for each in cloud.keystone.services if each.name == service), None)
    if chosen is None:
        raise ValueError(f"There is no service {service}.")
    for name, value in settings.items():
        if name.startswith("_") or not isinstance(vars(chosen).get(name, ...), _SETTABLE):
            raise ValueError(f"{service} has no setting {name}.")
        setattr(chosen, name, value)
    return {}


_READINGS: Final[Mapping[tuple[str, str], Callable[[InMemoryCloud], object]]] = {
    ("GET", "requests"): _requests,
    ("GET", "failures"): _failures,
}
_CHANGES: Final[Mapping[tuple[str, str], Callable[..., object]]] = {
    ("POST", "fail"): _fail,
    ("POST", "cut"): _cut,
    ("POST", "kill"): _kill,
    ("POST", "restart"): _restart,
    ("POST", "image"): _image,
    ("POST", "download"): _download,
    ("POST", "user"): _user,
    ("POST", "quota"): _quota,
    ("POST", "set"): _set,
}
