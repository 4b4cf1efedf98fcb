"""A verb returns a right result or raises an error of this library, regardless of the shape of a response."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import requests_mock

from hyperx_glance import (
    Client,
    DepartmentQuota,
    HyperxGlanceError,
    LaunchRequest,
    ServersUsing,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, REGION
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from hyperx_glance.testing.memory import ServiceName

DEEP = 100_000
OTHER_SHAPES: dict[str, bytes] = {
    "null": b"null",
    "a boolean": b"true",
    "a number": b"5",
    "a text": b'"x"',
    "a list": b"[]",
    "a list of null": b"[null]",
    "another object": b'{"colour": "red"}',
    "nothing": b"",
    "no JSON": b"Welcome",
    "bytes": b"\xff\xfe\x00",
    "half a pair": b'{"x": "\\ud800"}',
    "no number": b'{"x": NaN',
    "a long number": b'{"x": ' + b"9" * 5000 + b"}",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
}
VALUES: tuple[object, ...] = (None, True, 5, -1, 1e300, "x", "", [], [None], {}, {"a": None}, [[[[[[]]]]]], "9" * 5000)
MUTANTS = 12


class Verb(NamedTuple):
    user: str
    call: Callable[[Client, str], object]
    gives_findings: bool = False


VERBS: dict[str, Verb] = {
    "images": Verb("alice", lambda client, _: [image.id for image in client.images(search="a")]),
    "image": Verb("alice", lambda client, image: client.image(image)),
    "summary": Verb("alice", lambda client, _: client.summary()),
    "tags": Verb("alice", lambda client, _: client.tags()),
    "owner_name": Verb("admin", lambda client, image: client.owner_name(image)),
    "unfinished": Verb("alice", lambda client, _: list(client.unfinished_registrations(older_than_seconds=5))),
    "servers_using": Verb("admin", lambda client, image: client.servers_using(image)),
    "servers": Verb("alice", lambda client, _: list(client.servers(name_contains="w"))),
    "flavors": Verb("alice", lambda client, image: client.flavors(image)),
    "networks": Verb("alice", lambda client, _: client.networks()),
    "key_pairs": Verb("alice", lambda client, _: client.key_pairs()),
    "availability_zones": Verb("alice", lambda client, _: client.availability_zones()),
    "departments": Verb("alice", lambda client, _: client.departments()),
    "regions": Verb("alice", lambda client, _: client.regions()),
    "find_launch": Verb("alice", lambda client, _: client.find_launch("my-launch").servers),
    "quota": Verb("alice", lambda client, _: client.quota()),
    "quota of another": Verb("admin", lambda client, _: client.quota("dept-b")),
    "set_quota": Verb("admin", lambda client, _: client.set_quota("dept-b", images=None, cores=None, volumes=None)),
    "doctor": Verb("alice", lambda client, _: client.doctor(), gives_findings=True),
    "leave": Verb("admin", lambda client, _: client.leave()),
    "install_metadefs": Verb("admin", lambda client, _: client.install_metadefs()),
}


class Meddler:
    """A filter that changes answers on their way, and keeps their origins and contents."""

    def __init__(self, cloud: InMemoryCloud, user: str) -> None:
        self.session = cloud.session(user)
        self.session.session.hooks["response"].append(self._meddle)
        self.seen: dict[tuple[str, str], bytes] = {}
        self.instead: dict[tuple[str, str], bytes] = {}

    def client(self) -> Client:
        return Client.from_session(self.session, region_name=REGION, settings=HASTY)

    def _meddle(self, response: requests.Response, **_: object) -> requests.Response | None:
        place = str(response.request.method), str(urlsplit(response.request.url or "").path)
        if response.ok and response.content:
            self.seen.setdefault(place, response.content)
        if place not in self.instead or not response.ok:
            return None
        return requests_mock.create_response(
            response.request,
            status_code=response.status_code,
            content=self.instead[place],
            headers={**response.headers, "Content-Type": "application/json"},
        )


@pytest.fixture(scope="module")
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture(scope="module")
def image(cloud: InMemoryCloud) -> str:
    image = make_image(cloud, "alice", name="a", tags=["linux"], min_disk=1)
    make_image(cloud, "alice", sample=None, name="b", hyperx_created_by=cloud.users["alice"])
    alice = Client.from_session(cloud.session("alice"), region_name=REGION, settings=HASTY)
    alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny", launch_id="my-launch", boot_volume_gib=1))
    return image


def answers_of(cloud: InMemoryCloud, verb: Verb, image: str) -> tuple[object, dict[tuple[str, str], bytes]]:
    """Run a verb undisturbed; return its result and the answers that it read."""
    meddler = Meddler(cloud, verb.user)
    result = verb.call(meddler.client(), image)
    return result, {place: content for place, content in meddler.seen.items() if content[:1] in (b"{", b"[")}


@pytest.mark.parametrize("name", VERBS)
def test_another_shape_is_never_a_wrong_result(cloud: InMemoryCloud, image: str, name: str) -> None:
    verb = VERBS[name]
    right, answers = answers_of(cloud, verb, image)
    assert answers

    for place, shape in itertools.product(answers, OTHER_SHAPES):
        meddler = Meddler(cloud, verb.user)
        meddler.instead = {place: OTHER_SHAPES[shape]}
        try:
            result = verb.call(meddler.client(), image)
        except ServiceUnavailableError:
            continue
        if isinstance(result, ServersUsing | DepartmentQuota) and result.not_looked_at:
            continue  # it says that it is incomplete
        assert verb.gives_findings or result == right, (place, shape)


@pytest.mark.parametrize("name", VERBS)
def test_a_wrong_value_anywhere_is_never_a_built_in_exception(cloud: InMemoryCloud, image: str, name: str) -> None:
    verb = VERBS[name]
    _, answers = answers_of(cloud, verb, image)
    draw = random.Random(name)

    for place, content in answers.items():
        mutants = list(mutations(json.loads(content)))
        for mutant in draw.sample(mutants, min(MUTANTS, len(mutants))):
            meddler = Meddler(cloud, verb.user)
            meddler.instead = {place: json.dumps(mutant).encode()}
            with contextlib.suppress(HyperxGlanceError):
                verb.call(meddler.client(), image)


def mutations(document: Any) -> Iterator[Any]:  # noqa: ANN401  # as JSON is
    """Put every wrong value in every place, and leave out every key."""
    if isinstance(document, dict):
        for key, value in document.items():
            rest = {other: kept for other, kept in document.items() if other != key}
            yield rest
            yield from ({**rest, key: other} for other in VALUES)
            yield from ({**rest, key: other} for other in mutations(value))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            before, behind = document[:index], document[index + 1 :]
            yield from ([*before, other, *behind] for other in (*VALUES, *mutations(value)))


def test_a_token_that_cannot_be_read_is_fetched_anew(cloud: InMemoryCloud, image: str) -> None:
    meddler = Meddler(cloud, "alice")
    client = meddler.client()
    meddler.instead = {("POST", "/v3/auth/tokens"): b'{"token": {"expires_at": 5}}'}
    for _ in range(2):
        with pytest.raises(ServiceUnavailableError, match="identity service sent"):
            client.image(image)

    meddler.instead = {}

    assert client.image(image).id == image


@pytest.mark.parametrize(
    ("service", "name", "call"),
    [
        ("nova", "servers", lambda client: client.servers_using("7c1")),
        ("nova", "servers", lambda client: list(client.servers())),
        ("cinder", "volumes", lambda client: client.find_launch("our-launch")),
        (
            "neutron",
            "networks",
            lambda client: client.launch("7c1", LaunchRequest(name="a", flavor="m1.tiny", networks=["c"])),
        ),
        ("nova", "flavors", lambda client: client.launch("7c1", LaunchRequest(name="a", flavor="m1.tiny"))),
    ],
)
def test_a_list_that_does_not_go_on_is_an_error(
    service: ServiceName, name: str, call: Callable[[Client], object]
) -> None:
    cloud = InMemoryCloud()
    cloud.glance.add_image(id="7c1", status="active", disk_format="qcow2", container_format="bare", size=1)
    record = {"id": "81f", "name": "a", "vcpus": 1, "ram": 1, "disk": 1}
    page = {name: [record], f"{name}_links": [{"rel": "next", "href": "http://cloud.test/"}]}
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail(service, "GET", f"/{name}(/detail)?$", status=200, body=page, headers=version, times=None)

    with pytest.raises(ServiceUnavailableError, match="does not continue behind 81f"):
        call(Client.from_session(cloud.session("alice"), settings=HASTY))


@pytest.mark.parametrize("following", ["5", '"http://["', "[]", '{"marker": "a"}', "true"])
@pytest.mark.parametrize("records", ["", '{"id": "a"}'])
def test_a_way_to_the_next_page_that_is_none(cloud: InMemoryCloud, following: str, records: str) -> None:
    meddler = Meddler(cloud, "alice")
    meddler.instead = {("GET", "/v2/images"): f'{{"images": [{records}], "next": {following}}}'.encode()}

    with pytest.raises(ServiceUnavailableError):
        list(meddler.client().images())


def test_a_time_without_a_zone_is_utc(cloud: InMemoryCloud) -> None:
    records = [{"id": text, "created_at": f"2026-01-01T{text}"} for text in ("10:00:00", "11:00:00Z", "12:00:00+00:00")]
    meddler = Meddler(cloud, "alice")
    meddler.instead = {("GET", "/v2/images"): json.dumps({"images": records}).encode()}

    found = [image.created_at for image in meddler.client().images()]

    assert all(time is not None and time.tzinfo for time in found)
