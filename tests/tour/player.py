"""Plays a tour on a cloud: each request in order, each answer with what differs from run to run taken out."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests
    from keystoneauth1.session import Session

    from tests.support.clouds import CloudUnderTest

HEADERS: Final = (
    "Accept-Patch",
    "Content-Type",
    "Content-Range",
    "OpenStack-API-Version",
    "OpenStack-image-import-methods",
    "OpenStack-image-store-ids",
    "Retry-After",
    "Vary",
    "X-OpenStack-Nova-API-Version",
)
_UUID: Final = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_WRONG: Final = "(?:JSON does not validate|Invalid query string parameters)"
"""What Placement says before a sentence and a schema, of which only the sentence is compared."""
_PATTERNS: Final = (
    (re.compile(r"file://\S*?/glance/"), "file://<directory>/"),
    (re.compile(rf"({_WRONG}: .*?)\s+Failed validating.*", re.DOTALL), r"\1  "),
    (re.compile(r"^/\S*?cinder/volumes/"), "<directory>/"),
    (re.compile(r"https?://[a-z0-9.-]+(:\d+)?"), "<service>"),
    (re.compile(_UUID), "<id>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "<time>"),
    (re.compile(r"\b([0-9a-f]{2}:){15}[0-9a-f]{2}\b"), "<fingerprint>"),
    (re.compile(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b"), "<mac>"),
    (re.compile(r"\br-[a-z0-9]{8}\b"), "<reservation>"),
    (re.compile(r"\breq-<id>"), "<request>"),
    (re.compile(r"(?<=_policy_change-)\d+"), "<number>"),
    (re.compile(r"\b(10\.\d+|198\.51)\.\d+\.\d+\b"), "<address>"),
)
_DRAWN: Final = {
    "adminPass": "<password>",
    "audit_ids": ["<audit>"],
    "auth_key": "<key>",
    "boot_roles": "<roles>",
    "dest_host": "<address>",
    "generation": "<number>",
    "hostId": "<host>",
    "last_accessed": "<time>",
    "last_modified": "<time>",
    "new_instance_type_id": "<number>",
    "old_instance_type_id": "<number>",
    "resource_provider_generation": "<number>",
    "standard_attr_id": "<number>",
}
_UNORDERED: Final = ("default_security_group_rules", "role_assignments", "rules", "security_group_rules", "traits")
"""Lists that the services give in the order of ids, which are drawn."""


@dataclasses.dataclass(frozen=True)
class Step:
    """A request: ``{name}`` in path and body stands for what an earlier step has kept under that name."""

    name: str
    service: str
    method: str
    path: str
    body: object = None
    _: dataclasses.KW_ONLY
    user: str = "alice"
    version: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    data: bytes | None = None
    keep: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name and place, such as ``{"server": "server.id"}``, of what later steps need."""
    again: str = ""
    """Repeat the request, for twenty seconds at most, until this text is in the answer; "-" is until it is refused."""
    gone: str = ""
    """And until this text is in it no more."""


def play(cloud: CloudUnderTest, tour: Sequence[Step]) -> Iterator[tuple[Step, dict[str, Any]]]:
    """Send one request after the other, and return the answers."""
    sessions: dict[str, Session] = {}
    kept: dict[str, str] = {}
    for step in tour:
        session = sessions.setdefault(step.user, cloud.session(step.user))
        for _ in range(200):
            answer = _ask(session, step, kept)
            if _as_wanted(step, answer):
                break
            _pause(cloud)
        for name, place in step.keep.items():
            kept[name] = _found(answer, place, step)
        yield step, _told(answer)


def _as_wanted(step: Step, answer: requests.Response) -> bool:
    if step.again == "-":
        return answer.status_code >= 400
    return step.again in answer.text and not (step.gone and step.gone in answer.text)


def _pause(cloud: CloudUnderTest) -> None:
    if hasattr(cloud, "directory"):
        import time  # noqa: PLC0415 - the real services take real time

        time.sleep(0.1)


def _ask(session: Any, step: Step, kept: Mapping[str, str]) -> requests.Response:  # noqa: ANN401
    options: dict[str, Any] = {"headers": {"Accept": "application/json", **step.headers}}
    if step.body is not None:
        options["json"] = _filled(step.body, kept)
    if step.data is not None:
        options["data"] = step.data
    if step.version is not None:
        options["headers"]["OpenStack-API-Version"] = f"compute {step.version}"
    answer: requests.Response = session.request(
        _filled(step.path, kept),
        step.method,
        endpoint_filter={"service_type": step.service},
        raise_exc=False,
        redirect=False,
        **options,
    )
    return answer


def _filled(value: Any, kept: Mapping[str, str]) -> Any:  # noqa: ANN401
    match value:
        case str():
            return re.sub(r"\{(\w+)\}", lambda match: kept.get(match[1], match[0]), value)
        case dict():
            return {_filled(key, kept): _filled(each, kept) for key, each in value.items()}
        case list():
            return [_filled(each, kept) for each in value]
        case _:
            return value


def _found(answer: requests.Response, place: str, step: Step) -> str:
    value = answer.json()
    for part in place.split("."):
        try:
            value = _in_order(value)[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError):
            raise AssertionError(f"{step.name}: no {place} in {answer.status_code} {answer.text}") from None
    return str(value)


def _in_order(items: list[Any]) -> list[Any]:
    """Put things that have names in the order of these: Nova lists flavors in that of their ids, which are random."""
    if all(isinstance(each, dict) and "name" in each for each in items):
        return sorted(items, key=lambda each: str(each["name"]))
    return items


def _told(answer: requests.Response) -> dict[str, Any]:
    headers = {name: _plain(answer.headers[name]) for name in HEADERS if name in answer.headers}
    body: Any = None
    if answer.content:
        try:
            body = _plain(json.loads(answer.content))
        except ValueError:
            body = _plain(answer.text) if answer.content.isascii() else f"<{len(answer.content)} bytes>"
    return {"status": answer.status_code, "headers": headers, "body": body}


def _plain(value: Any) -> Any:  # noqa: ANN401
    match value:
        case str():
            for pattern, word in _PATTERNS:
                value = pattern.sub(word, value)
            return value
        case dict():
            if "alias" in value:  # of an extension: its name is a fact, and its description is a text of others
                value = {**value, "description": "<words>"}
            return {_plain(key): _plain_item(key, each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in _in_order(value)]
        case _:
            return value


def _plain_item(key: str, value: Any) -> Any:  # noqa: ANN401
    if value and key in _DRAWN:
        return _DRAWN[key]
    plain = _plain(value)
    if key in _UNORDERED and isinstance(plain, list):
        return sorted(plain, key=lambda each: json.dumps(each, sort_keys=True))
    return plain
