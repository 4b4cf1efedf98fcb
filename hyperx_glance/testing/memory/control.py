"""The control of a served cloud, by JSON over HTTP: everything that a test in Python sets in the object.

======  ======================  =======================================================================================
GET     /control                the names of the clouds
PUT     /NAME/control           a fresh cloud of this name: makes one, or resets it
GET     /NAME/control/state     everything that the cloud holds, as one document: ``InMemoryCloud.state``
PUT     /NAME/control/state     a cloud of this name with the state of that document, which may be of another server
GET     /NAME/control/requests  every request in order
GET     /NAME/control/failures  what the cloud could not answer by a mistake of its own
GET     /NAME/control/unused    what was planned to fail and has not failed: ``InMemoryCloud.unused_failures``
POST    /NAME/control/fail      ``InMemoryCloud.fail``: service, method, path, status, body, headers, times, skip
POST    /NAME/control/cut       ``InMemoryCloud.cut``: service, method, path, times, skip, handled, late
POST    /NAME/control/delay     ``InMemoryCloud.delay``: service, method, path, seconds, times, skip
POST    /NAME/control/kill      ``InMemoryCloud.kill``: service
POST    /NAME/control/restart   ``InMemoryCloud.restart``: service
POST    /NAME/control/image     ``Glance.add_image``: owner, name, status, size and any property; returns the id
POST    /NAME/control/download  what a URL holds: url or name, and either base64, size (so many zeros) or status; it
                                returns the url. That of a name is /NAME/files/name of this server, for any client
POST    /NAME/control/user      ``Keystone.add_user``: name, department, role, password; the department is made
POST    /NAME/control/quota     ``Nova.set_quota``: department, instances, cores, ram
POST    /NAME/control/set       settings of a service: service, and any of its plain attributes, such as build_polls
======  ======================  =======================================================================================

A request with a body must say ``Content-Type: application/json``, which a web page cannot send to another origin. If
the server has a public URL, each request must send ``Authorization: Bearer TOKEN``, with the token of its start.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import known, origins
from hyperx_glance.testing.memory.wire import Reply, json_reply, read_json, seen
from hyperx_glance.texts import Text

if TYPE_CHECKING:
    from hyperx_glance.testing.memory.answering import ServiceName
    from hyperx_glance.testing.memory.cloud import InMemoryCloud
    from hyperx_glance.testing.memory.serving import Server

LARGEST_STATE: Final = 256 << 20
"""The most bytes of a state that is loaded: 100,000 images have 70 to 150 MB, without their data."""
_NAME: Final = r"[A-Za-z0-9._-]+"
_PATH: Final = re.compile(rf"/(?P<name>{_NAME})/control(?:/(?P<what>[a-z]+))?")
_BELOW: Final = re.compile(r"(?:/[^/?#]*)?/control(?:[/?#].*)?", re.DOTALL)
_NOT_SET: Final = ("failures", "first_endpoints")
_LARGEST_NUMBER: Final = 10**9
_LARGEST_DOWNLOAD: Final = 1 << 30
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\xa0-\xff]*")


def check_name(name: str) -> None:
    """Raise `InvalidRequestError` if a cloud cannot have this name."""
    if not re.fullmatch(_NAME, name):
        raise InvalidRequestError(Text(f"A cloud's name must be letters, digits, dots, - and _, not {name!r}."))


def is_at(path: str) -> bool:
    """Check whether a path is one of the control's."""
    return _BELOW.fullmatch(path) is not None


def refusal() -> Reply:
    """Answer a request without the token."""
    text = "The control needs the token that the server printed at its start, as Authorization: Bearer TOKEN."
    return json_reply(401, {"error": text}, **{"WWW-Authenticate": "Bearer"})


def answer(
    server: Server, method: str, path: str, media_type: str, source: bytes | Iterable[bytes] | None
) -> Reply | None:
    """Answer a request for the control path; None if it is for another path."""
    if path == "/control":
        return json_reply(200, {"clouds": list(server.clouds)})
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    name, what = match["name"], match["what"] or ""
    if method == "PUT" and what in ("", "state"):
        return _put(server, name, what, media_type, source)
    cloud = server.clouds.get(name)
    if cloud is None:
        return json_reply(404, {"error": f"There is no cloud {name}. PUT /{name}/control makes one."})
    if (method, what) in _READINGS:
        return _READINGS[method, what](cloud)
    if (method, what) not in _CHANGES:
        return json_reply(404, {"error": f"There is no {method} {path}."})
    if media_type != "application/json":
        return _not_json()
    text = source if isinstance(source, bytes) else b"".join(source or ())
    try:
        return json_reply(200, _CHANGES[method, what](cloud, **_asked(server, name, what, text)))
    except (TypeError, ValueError) as error:
        return json_reply(400, {"error": str(error)})
    except (AttributeError, LookupError) as error:
        return json_reply(400, {"error": f"{type(error).__name__}: {error}"})


def is_state(path: str) -> bool:
    """Check whether a path is that of a state, which may be longer than other JSON."""
    match = _PATH.fullmatch(path)
    return match is not None and match["what"] == "state"


def _put(server: Server, name: str, what: str, media_type: str, source: bytes | Iterable[bytes] | None) -> Reply:
    """Put a cloud in place of the one of this name: a fresh one, or one with the state in the body."""
    if what == "":
        server.add(name)
        return Reply(204)
    if media_type != "application/json":
        return _not_json()
    try:
        server.add(name, source if isinstance(source, bytes) else b"".join(source or ()))
    except ValueError as error:
        return json_reply(400, {"error": str(error)})
    return Reply(204)


def _not_json() -> Reply:
    return json_reply(415, {"error": "The body must be JSON, with the header Content-Type: application/json."})


def files_url(server: Server, cloud: str, name: object) -> str:
    """Return the URL at which the caller finds a file of a cloud on the server itself."""
    if not isinstance(name, str) or not name:
        raise TypeError("name must be a string, and not empty.")
    return seen(f"{server.told_url}/{cloud}/files/{quote(name)}")


def _asked(server: Server, cloud: str, what: str, text: bytes) -> dict[str, Any]:
    body = read_json(text or b"{}")
    if not isinstance(body, dict):
        raise TypeError("The body must be a JSON object.")
    if what == "set" and "url" in body and not origins.leads_to(str(body["url"]), server.exposure.hosts):
        raise ValueError("The URL of a service must lead to this server.")
    if what == "download" and "name" in body:
        body["url"] = files_url(server, cloud, body.pop("name"))
    return body


def _requests(cloud: InMemoryCloud) -> Reply:
    return json_reply(200, {"requests": [dataclasses.asdict(request) for request in list(cloud.requests)]})


def _failures(cloud: InMemoryCloud) -> Reply:
    return json_reply(200, {"failures": [dataclasses.asdict(failure) for failure in cloud.failures]})


def _unused(cloud: InMemoryCloud) -> Reply:
    return json_reply(200, {"unused_failures": cloud.unused_failures})


def _state(cloud: InMemoryCloud) -> Reply:
    try:
        document = cloud.state()
    except ValueError as error:
        return json_reply(400, {"error": str(error)})
    if len(document) > LARGEST_STATE:
        told = f"The state has {len(document)} bytes"
        return json_reply(400, {"error": f"{told}; at most {LARGEST_STATE} can be loaded."})
    return Reply(200, document, {"Content-Type": "application/json"})


def _fail(cloud: InMemoryCloud, *, service: ServiceName, method: str, path: str, **asked: Any) -> object:  # noqa: ANN401 - as the client says
    _check_number("status", asked.get("status", 500), least=200, most=599)
    _check_times(asked)
    headers = asked.get("headers") or {}
    if not all(isinstance(text, str) and _HEADER.fullmatch(f"{name}: {text}") for name, text in headers.items()):
        raise ValueError("headers must be names and strings that HTTP can carry.")
    if not isinstance(asked.get("body", ""), str | dict):
        raise TypeError("body must be a string or an object.")
    cloud.fail(service, method, path, **asked)
    return {}


def _cut(cloud: InMemoryCloud, *, service: ServiceName, method: str, path: str, **asked: Any) -> object:  # noqa: ANN401 - as the client says
    _check_times(asked)
    cloud.cut(service, method, path, **asked)
    return {}


def _delay(cloud: InMemoryCloud, *, service: ServiceName, method: str, path: str, **asked: Any) -> object:  # noqa: ANN401 - as the client says
    _check_times(asked)
    cloud.delay(service, method, path, **asked)
    return {}


def _check_times(asked: Mapping[str, object]) -> None:
    for name in ("times", "skip", "late"):
        if asked.get(name) is not None:
            _check_number(name, asked[name])


def _check_number(name: str, value: object, *, least: int = 0, most: int = _LARGEST_NUMBER) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least} to {most}.")


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
    if not urlsplit(url).hostname:
        raise ValueError("url must be a URL.")
    if size is not None:
        _check_number("size", size, most=_LARGEST_DOWNLOAD)
    if status is not None:
        _check_number("status", status, least=200, most=599)
    cloud.glance.downloads[url] = _decoded(base64) if base64 is not None else status or bytes(size or 0)
    return {"url": url}


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _user(cloud: InMemoryCloud, *, name: str, department: str, role: str, **options: str) -> object:
    if not all(isinstance(text, str) for text in (name, department, *options.values())):
        raise TypeError("name, department and password must be strings.")
    cloud.keystone.role_id(role)
    if department not in cloud.departments:
        cloud.keystone.add_department(department)
    user_id = cloud.keystone.add_user(name, department, role=role, **options)
    return {"id": user_id, "project_id": cloud.departments[department]}


def _quota(cloud: InMemoryCloud, *, department: str, **limits: int) -> object:
    for name, limit in limits.items():
        _check_number(name, limit, least=-1)
    cloud.nova.set_quota(department, **limits)
    return {}


def _set(cloud: InMemoryCloud, *, service: str, **settings: object) -> object:
    services = {each.name: each for each in cloud.keystone.services}
    known.require("service", service, services)
    chosen = services[service]
    for name, value in settings.items():
        if name.startswith("_") or name in _NOT_SET or not _fits(vars(chosen).get(name, ...), value):
            raise ValueError(f"{service} has no setting {name}, or not for such a value.")
    for name, value in settings.items():
        setattr(chosen, name, value)
    return {}


def _fits(current: object, value: object) -> bool:
    """Check whether a value can replace that of a setting: it must be as plain, and of the same kind."""
    if isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        return False
    match current:
        case None:
            return value is None or type(value) is int
        case list():
            return isinstance(value, list) and all(isinstance(each, str) for each in [*current, *value])
        case bool() | int() | str():
            return type(value) is type(current)
        case float():
            return type(value) in (int, float)
        case _:
            return False


_READINGS: Final[Mapping[tuple[str, str], Callable[[InMemoryCloud], Reply]]] = {
    ("GET", "requests"): _requests,
    ("GET", "failures"): _failures,
    ("GET", "unused"): _unused,
    ("GET", "state"): _state,
}
_CHANGES: Final[Mapping[tuple[str, str], Callable[..., object]]] = {
    ("POST", "fail"): _fail,
    ("POST", "cut"): _cut,
    ("POST", "delay"): _delay,
    ("POST", "kill"): _kill,
    ("POST", "restart"): _restart,
    ("POST", "image"): _image,
    ("POST", "download"): _download,
    ("POST", "user"): _user,
    ("POST", "quota"): _quota,
    ("POST", "set"): _set,
}
