"""The state of a cloud in memory: saved whole, loaded into another cloud, and refused if anything is wrong with it."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hyperx_glance import InvalidRequestError, NewImage, UrlPolicy
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import NoAnswer, saving, shapes
from tests.support.file_server import Held, Reply as FileReply
from tests.tour.player import play
from tests.tour.steps import TOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hyperx_glance.testing.memory import Reply
    from tests.support.file_server import FileServer

WIRING = {
    "cloud": {
        "keystone", "glance", "neutron", "nova", "cinder", "placement",  # which are saved themselves
        "requests", "network", "files_url", "_ended", "_entered", "_interceptor", "_lock", "_mocker",
    },
    "keystone": {"services"},
    "glance": {"lookers", "writers", "_keystone", "_orphans", "_pages", "_positions"},
    "nova": {"_cinder", "_glance", "_keystone", "_neutron"},
    "cinder": {"_glance", "_keystone"},
    "neutron": set(),
    "placement": {"_nova"},
}  # fmt: skip
"""What a new cloud has of its own: clocks, addresses, locks, and the services' ways to each other."""
EVERY_SERVICE = {"now", "ids", "url", "failures", "_routes", "_sealed"}
NO_DATA = {"Job": {"thread"}, "Call": {"source", "pause"}}
"""Fields that begin anew: no download runs while a state is saved, and the body of a waiting request was read."""
URL = "http://files.example/disk.raw"


class Reloaded(InMemoryCloud):
    """A cloud that goes on in a new process after every few requests, so to speak."""

    def __init__(self) -> None:
        super().__init__()
        self.present = InMemoryCloud()

    def answer(self, method: str, url: str, headers: Mapping[str, str], source: object) -> Reply:
        if len(self.present.requests) == 3:
            loaded = InMemoryCloud()
            loaded.restore(self.present.state())
            self.present = loaded
        return self.present.answer(method, url, headers, source)


def changed(document: bytes, change: Callable[[Any], object]) -> bytes:
    """Return a document with one change."""
    content = json.loads(document)
    change(content)
    return json.dumps(content).encode()


# ------------------------------------------------------------- what it has


@pytest.mark.parametrize("name", WIRING)
def test_every_attribute_is_saved_or_known_to_be_none_of_the_state(name: str) -> None:
    part = saving.parts(InMemoryCloud())[name]

    left_out = vars(part).keys() - dict(saving.saved(part))

    assert left_out == WIRING[name] | (EVERY_SERVICE if name != "cloud" else set())


def test_every_field_of_every_class_is_saved_or_known_to_be_none_of_the_state() -> None:
    classes: dict[str, Any] = {}
    for part in saving.parts(InMemoryCloud()).values():
        for _, hint in saving.saved(part):
            classes |= {cls.__name__: cls for cls in dataclasses_in(hint)}

    fields = {name: {field.name for field in dataclasses.fields(cls)} for name, cls in classes.items()}
    kept = {name: set(shapes.fields(cls)) for name, cls in classes.items()}

    assert len(classes) > 10
    assert {name: fields[name] - kept[name] for name in classes if fields[name] != kept[name]} == NO_DATA


def dataclasses_in(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - any annotation
    """Yield the dataclasses in an annotation, and in the annotations of their fields."""
    for argument in typing.get_args(hint):
        yield from dataclasses_in(argument)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
        for field in typing.get_type_hints(hint, include_extras=True).values():
            yield from dataclasses_in(field)
    elif isinstance(hint, type) and hasattr(hint, "_fields"):
        for field in typing.get_type_hints(hint).values():
            yield from dataclasses_in(field)


def test_the_tour_is_answered_as_if_the_cloud_were_not_saved_and_loaded_again_and_again() -> None:
    steady, reloaded = InMemoryCloud(), Reloaded()

    for (step, expected), (_, answer) in zip(play(steady, TOUR), play(reloaded, TOUR), strict=True):
        assert answer == expected, step.name
    assert reloaded.present.failures == steady.failures == []
    for service in steady.keystone.services:
        assert service.url.encode() not in reloaded.present.state()


def test_what_is_under_way_goes_on_in_the_other_cloud() -> None:
    saved, loaded = InMemoryCloud(), InMemoryCloud()
    saved.glance.downloads[URL] = bytes(4096)
    saved.glance.import_polls = saved.nova.build_polls = 3
    alice = saved.client("alice")
    following = alice.start_registration(NewImage(name="disk", url=URL, disk_format="raw"))
    flavor = next(iter(saved.nova.flavors))
    ready = saved.glance.add_image(name="ready", status="active", size=1)
    server = {"name": "web", "flavorRef": flavor, "imageRef": ready, "networks": "auto"}
    compute = {"endpoint_filter": {"service_type": "compute"}, "headers": {"OpenStack-API-Version": "compute 2.37"}}
    saved.session("alice").post("/servers", json={"server": server}, **compute)
    alice.image(following.image_id)

    loaded.restore(saved.state())

    assert loaded.client("alice").resume_registration(following.image_id).wait().size == 4096
    assert loaded.glance.images[following.image_id].data == bytes(4096)
    looks = [loaded.session("alice").get("/servers/detail", **compute).json()["servers"][0]["status"] for _ in range(4)]
    assert looks == ["BUILD", "BUILD", "BUILD", "ACTIVE"]


def test_plans_and_settings_are_those_of_the_saved_cloud() -> None:
    saved, loaded = InMemoryCloud(profile="devstack", release="2025.1"), InMemoryCloud()
    saved.glance.downloads |= {URL: b"data", f"{URL}?1": 404, f"{URL}?2": OSError("no route to host")}
    saved.nova.faults.append("No valid host was found.")
    saved.nova.set_quota("demo", instances=2)
    saved.keystone.set_limit(saved.glance, "image_count_total", "demo", 5)
    saved.glance.stores = []
    saved.kill("cinder")
    saved.fail("glance", "GET", "/v2/images$", status=503, body={"busy": True}, skip=1)
    saved.fail("nova", "GET", "/servers$", status=500, body=b"\xff")
    saved.cut("glance", "POST", "/v2/images$", late=2)
    saved.delay("neutron", "GET", "/networks$", seconds=0.01)

    loaded.restore(saved.state())

    assert loaded.unused_failures == saved.unused_failures
    assert (loaded.profile, loaded.release, loaded.glance.lacks) == ("devstack", "2025.1", saved.glance.lacks)
    assert (loaded.glance.stores, loaded.cinder.running, loaded.nova.quotas) == ([], False, saved.nova.quotas)
    assert [loaded.glance.downloads[url] for url in (URL, f"{URL}?1")] == [b"data", 404]
    assert str(loaded.glance.downloads[f"{URL}?2"]) == "no route to host"
    assert loaded.state() == saved.state()
    token = {"x-auth-token": str(loaded.session("demo").get_token())}
    statuses = [loaded.answer("GET", f"{loaded.glance.url}/v2/images", token, None).status for _ in range(3)]
    assert statuses == [200, 503, 200]
    assert loaded.answer("GET", f"{loaded.nova.url}/v2.1/servers", token, None).content == b"\xff"


def test_a_request_that_is_handled_late_is_handled_in_the_other_cloud() -> None:
    saved, loaded = InMemoryCloud(), InMemoryCloud()
    token = {"x-auth-token": str(saved.session("alice").get_token()), "content-type": "application/json"}
    saved.cut("glance", "POST", "/v2/images$", late=1)
    with pytest.raises(NoAnswer):
        saved.answer("POST", f"{saved.glance.url}/v2/images", token, b'{"name": "late"}')

    loaded.restore(saved.state())

    for _ in range(2):
        loaded.answer("GET", f"{loaded.glance.url}/v2/images", token, None)
    assert [image.name for image in loaded.glance.images.values()] == ["late"]


def test_a_cloud_without_demo_and_with_a_user_without_a_password_can_still_be_served() -> None:
    saved, loaded = InMemoryCloud(profile="devstack"), InMemoryCloud()
    admin = saved.session("admin")
    admin.delete(f"/users/{saved.users['demo']}", endpoint_filter={"service_type": "identity"})
    admin.post("/users", json={"user": {"name": "new"}}, endpoint_filter={"service_type": "identity"})

    loaded.restore(saved.state())

    names = yaml.safe_load(loaded.clouds_yaml())["clouds"]
    assert names.keys() >= {"new", "admin", "devstack-admin"}
    assert "devstack" not in names


def test_a_real_download_is_awaited_before_the_cloud_is_saved(file_server: FileServer) -> None:
    saved, loaded = InMemoryCloud(), InMemoryCloud()
    held = Held(file_server.url("/disk.raw"))
    url = file_server.reply("/disk.raw", FileReply(bytes(4096), hold_after=1024, held=held))
    policy = UrlPolicy(trusted_hosts=("127.0.0.1",), preflight=False)
    following = saved.client("alice", url_policy=policy).start_registration(
        NewImage(name="disk", url=url, disk_format="raw")
    )

    release = threading.Timer(0.2, held.release)
    release.start()

    loaded.restore(saved.state())

    release.join()
    file_server.close()
    assert loaded.client("alice").resume_registration(following.image_id).wait().size == 4096


@pytest.mark.parametrize(
    ("plan", "place"),
    [
        (lambda cloud: cloud.before("glance", "GET", "/v2/images$", print), "cloud._plans.callback"),
        (lambda cloud: cloud.glance.downloads.update({URL: bytes}), "glance.downloads"),
        (lambda cloud: setattr(cloud.glance, "converter", print), "glance.converter"),
        (lambda cloud: setattr(cloud.glance, "while_a_status_is_set", print), "glance.while_a_status_is_set"),
    ],
)
def test_a_function_cannot_be_saved(plan: Callable[[InMemoryCloud], object], place: str) -> None:
    cloud = InMemoryCloud()
    plan(cloud)

    with pytest.raises(InvalidRequestError, match=f"{place} is a function"):
        cloud.state()


def test_an_image_of_a_wrong_type_cannot_be_saved() -> None:
    cloud = InMemoryCloud()
    cloud.glance.add_image(name="disk", min_disk="much")

    with pytest.raises(InvalidRequestError, match=r"no document can hold: (min_disk|a value) must be of type int\.$"):
        cloud.state()


# ------------------------------------------------------------- what is refused


def refusal(document: bytes) -> str:
    """Return why a cloud does not load a document, after a check that nothing has changed."""
    cloud = InMemoryCloud()
    cloud.glance.add_image(name="mine")
    before = cloud.state()
    with pytest.raises(InvalidRequestError) as caught:
        cloud.restore(document)
    assert cloud.state() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def document() -> bytes:
    """Return the state of a cloud with something in each of its tables."""
    cloud = InMemoryCloud()
    list(play(cloud, TOUR[: len(TOUR) // 2]))
    return cloud.state()


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"{}", b'{"hyperx_glance": 1}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000],
)
def test_what_is_no_state_is_refused(text: bytes) -> None:
    assert refusal(text).startswith("This is no state of a cloud in memory. Hint: Save one")


def test_a_text_is_no_document(document: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="must be bytes, not str"):
        InMemoryCloud().restore(document.decode())  # type: ignore[arg-type]


def test_records_that_lack_something_break_answers_and_nothing_else() -> None:
    """A record is free JSON, so that only a request can tell; the cloud says itself that it could not answer."""
    cloud = InMemoryCloud()
    token = {"x-auth-token": str(cloud.session("admin").get_token())}
    content = json.loads(cloud.state())
    tables = [("neutron", "networks"), ("nova", "server_groups"), ("nova", "aggregates"), ("glance", "tasks")]
    for part, name in tables:
        content[part][name] = {"1": {}}
    cloud.restore(json.dumps(content).encode())

    for service in cloud.keystone.services:
        for route in service.routes():
            if route.method == "GET" and "(" not in route.pattern:
                url = f"{service.url}{route.pattern}"
                assert cloud.answer("GET", url, token, None).status <= 500
    assert cloud.failures


def test_a_state_of_another_version_is_refused(document: bytes) -> None:
    other = changed(document, lambda content: content.update(hyperx_glance="0.0.1"))

    assert refusal(other).startswith("This state was saved by version '0.0.1' of hyperx-glance, and this is ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.update(more=1), "more: extra inputs are not permitted."),
        (lambda content: content.pop("nova"), "nova: field required."),
        (lambda content: content["glance"].update(imagse={}), "glance.imagse: extra inputs are not permitted."),
        (lambda content: content["glance"].pop("images"), "glance.images: field required."),
        (lambda content: content["glance"]["images"].update(a={"id": "a"}), "glance.images.a.owner: "),
        (lambda content: content["cloud"].update(profile="huge"), "cloud.profile: input should be 'default' or "),
        (lambda content: content["glance"].update(import_polls=float("nan")), "expected value at line 1"),
        (
            lambda content: content["glance"].update(import_polls="1"),
            "glance.import_polls: input should be a valid int",
        ),
        (lambda content: content["glance"]["_jobs"].update(a={"task": "b"}), "glance._jobs.a.task: "),
        (lambda content: content["glance"]["downloads"].update({"ftp://a/b": 404}), "must begin with http"),
        (lambda content: content["cloud"].update(release="xena"), "release must be a name such as"),
        (lambda content: content["cloud"]["_plans"].append({"path": "("}), "cloud._plans.0."),
        (
            lambda content: content["keystone"]["users"].update(eve="1"),
            "users has no record of 'eve'.",
        ),
        (lambda content: content["keystone"]["records"].pop("projects"), "keystone.records.projects has no record "),
    ],
)
def test_a_state_of_another_shape_is_refused(document: bytes, change: Callable[[Any], object], words: str) -> None:
    assert words in refusal(changed(document, change))


def test_a_wrong_type_is_refused_in_every_place(document: bytes) -> None:
    """In each attribute, and in the first entry of each table."""
    content = json.loads(document)
    places = [(part, name) for part in saving.parts(InMemoryCloud()) for name in content[part]]
    assert len(places) > 100
    for part, name in places:
        value = content[part][name]
        assert refusal(changed(document, lambda given: given[part].update({name: [[value]]}))), name  # noqa: B023
        if isinstance(value, dict) and value:
            key = next(iter(value))
            assert refusal(changed(document, lambda given: given[part][name].update({key: [[value]]}))), name  # noqa: B023


def test_a_long_list_of_mistakes_is_told_by_its_first(document: bytes) -> None:
    worst = changed(document, lambda content: content["glance"].update(images={str(n): n for n in range(100_000)}))

    assert "glance.images.0: " in refusal(worst)
    assert len(refusal(worst)) < 300


# ------------------------------------------------------------- equal ids


def drawn(cloud: InMemoryCloud) -> list[str]:
    """Play the tour, and return all ids, passwords and tokens that came of it."""
    list(play(cloud, TOUR))
    content = json.loads(cloud.state())
    secrets = [found["secret"] for found in content["keystone"]["records"].get("application_credentials", {}).values()]
    passwords = [server["admin_pass"] for server in content["nova"]["servers"].values()]
    return [*secrets, *passwords, *re.findall(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", json.dumps(content))]


def test_clouds_with_the_same_seed_draw_the_same() -> None:
    first, second, other = (drawn(InMemoryCloud(seed=seed)) for seed in (1, 1, 2))

    assert first == second
    assert len(set(first) - set(other)) > len(set(first)) / 2


def test_a_seed_goes_on_where_the_state_was_saved() -> None:
    saved, loaded = InMemoryCloud(seed=1), InMemoryCloud()
    first = saved.glance.add_image(name="one")
    loaded.restore(saved.state())

    assert loaded.glance.add_image(name="two") == saved.glance.add_image(name="two") != first


def test_a_cloud_without_a_seed_never_draws_the_same_again() -> None:
    """A token of the time before the cloud was loaded must not become somebody else's."""
    cloud = InMemoryCloud()
    saved = cloud.state()
    before = cloud.session("alice").get_token()
    cloud.restore(saved)

    assert before not in {cloud.session("bob").get_token(), *cloud.keystone.tokens}


@pytest.mark.parametrize("seed", ["1", 1.5, True])
def test_a_seed_is_a_number(seed: int) -> None:
    with pytest.raises(InvalidRequestError, match="seed must be a whole number"):
        InMemoryCloud(seed=seed)


def test_everything_random_comes_from_the_source_of_ids() -> None:
    package = Path(saving.__file__).parent
    random = re.compile(r"uuid\.uuid[14]\(|\bsecrets\.|\brandom\.|urandom")

    found = {path.name for path in package.rglob("*.py") if random.search(path.read_text())}

    assert found - {"serving.py"} == {"ids.py"}  # a server is no part of a cloud
