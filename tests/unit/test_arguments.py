"""Arguments are checked before anything is done, and refused in our own words."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import io
import os
import re
import typing
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openstack.connection import Connection

import hyperx_glance
from hyperx_glance import (
    Capture,
    Client,
    HyperxGlanceError,
    Image,
    ImageChanges,
    ImageCriteria,
    ImageFields,
    ImageQuery,
    InvalidRequestError,
    Launch,
    LaunchRequest,
    NewCapture,
    NewImage,
    NewIso,
    Pace,
    PageQuery,
    QuotaLimits,
    Registration,
    Settings,
    UrlPolicy,
)
from hyperx_glance.arguments import checked, reference, seconds
from hyperx_glance.sources.network import Network
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import HASTY, ClientFactory, Clock
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.file_server import FileServer

HALF = "half \ud83d"


class StrangePath(os.PathLike[Any]):
    """A path by its type alone."""

    def __init__(self, path: object) -> None:
        self.path = path

    def __fspath__(self) -> Any:  # noqa: ANN401  # it returns what it was given
        return self.path


class NoZone(tzinfo):
    """A zone without an offset, so that Python takes a time in it for one without a zone."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> None:
        return None


NONSENSE: dict[str, object] = {
    "None": None,
    "5": 5,
    "0": 0,
    "-1": -1,
    "-0.5": -0.5,
    "10**30": 10**30,
    "10**400": 10**400,
    "nan": float("nan"),
    "inf": float("inf"),
    "True": True,
    "empty text": "",
    "text": "nonsense",
    "half a pair": HALF,
    "NUL": "a\x00b",
    "dot": ".",
    "dots": "..",
    "slash": "../7c1",
    "encoded": "%2e%2E",
    "encoded twice": "..%252f7c1",
    "backslash": "..\\7c1",
    "long": "x" * 70_000,
    "bytes": b"7c1",
    "list": [],
    "deep list": [[["x"]]],
    "list of numbers": [5],
    "list of halves": [HALF],
    "dictionary": {},
    "dictionary of numbers": {"x": 5},
    "dictionary of halves": {HALF: "x"},
    "strange keys": {5: "x"},
    "class": dict,
    "object": object(),
    "exception": ValueError("x"),
    "iterator": iter([]),
    "half a path": Path(HALF),
    "a path of a number": StrangePath(5),
    "a path of bytes": StrangePath(b"x"),
    "an empty path": StrangePath(""),
    "a time of no zone": datetime(2026, 3, 1, 12, tzinfo=NoZone()),
}
PATHS = ("dot", "dots", "slash", "encoded", "encoded twice", "backslash")


class Given:
    """The objects that the verbs need: a client, an image, handles."""

    def __init__(self, cloud: InMemoryCloud, url: str) -> None:
        self.cloud = cloud
        clock = Clock()
        pace = Pace(first_interval=1, longest_interval=5, deadline=60, sleep=clock.sleep, clock=clock)
        self.client = ClientFactory(cloud, dataclasses.replace(HASTY, pace=pace))("admin")
        self.image = make_image(cloud, "admin")
        cloud.requests.clear()
        self.new = NewImage(name="debian", url=url)

    @functools.cached_property
    def registration(self) -> Registration:
        return self.client.start_registration(self.new)

    @functools.cached_property
    def launch(self) -> Launch:
        return self.client.launch(self.image, LaunchRequest(name="web", flavor="m1.tiny"))

    @functools.cached_property
    def capture(self) -> Capture:
        return self.client.start_capture(self.launch.servers[0].id, NewCapture(name="web"))


@pytest.fixture
def given(file_server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    monkeypatch.chdir(tmp_path)  # some texts are paths
    return Given(InMemoryCloud(), file_server.serve("/disk.qcow2", samples.data("disk.qcow2")))


VALID: dict[str, Callable[[Given], dict[str, Any]]] = {
    "Client": lambda given: {"cloud": given.client.cloud},
    "Client.from_connection": lambda given: {"connection": Connection(session=given.cloud.session("alice"))},
    "Client.from_session": lambda given: {"session": given.cloud.session("alice")},
    "Client.image": lambda _: {"name_or_id": "debian"},
    "Client.owner_name": lambda given: {"image": given.image},
    "Client.register": lambda given: {"new": given.new},
    "Client.start_registration": lambda given: {"new": given.new},
    "Client.resume_registration": lambda given: {"image": given.image},
    "Client.cancel_registration": lambda given: {"image": given.image},
    "Client.download": lambda given: {"image": given.image, "path_or_file": io.BytesIO()},
    "Client.check_url": lambda given: {"url": given.new.url},
    "Client.why_not": lambda given: {"image": Image(id=given.image), "action": "launch"},
    "Client.update": lambda given: {"image": given.image},
    "Client.disable": lambda given: {"image": given.image},
    "Client.enable": lambda given: {"image": given.image},
    "Client.delete": lambda given: {"image": given.image},
    "Client.servers_using": lambda given: {"image": given.image},
    "Client.release": lambda given: {"new": given.new, "family": "debian-12"},
    "Client.latest": lambda _: {"family": "debian-12"},
    "Client.releases": lambda _: {"family": "debian-12"},
    "Client.deprecate": lambda given: {"image": given.image},
    "Client.reinstate": lambda given: {"image": given.image},
    "Client.retire": lambda _: {"family": "debian-12"},
    "Client.launch": lambda given: {
        "image": given.image, "request": LaunchRequest(name="web", flavor="m1.tiny")
    },
    "Client.find_launch": lambda _: {"launch_id": "7c1e4b20"},
    "Client.capture": lambda _: {"server_id": "7c1e4b20", "new": NewCapture(name="web")},
    "Client.start_capture": lambda _: {"server_id": "7c1e4b20", "new": NewCapture(name="web")},
    "Client.find_capture": lambda _: {"capture_id": "7c1e4b20"},
    "Client.reset_password": lambda _: {"server_id": "7c1e4b20"},
    "Client.share": lambda given: {"image": given.image, "department": "dept-b"},
    "Client.unshare": lambda given: {"image": given.image, "departments": "dept-b"},
    "Client.set_quota": lambda _: {"department": "dept-a"},
}  # fmt: skip
"""What must be given beside the value under test."""


def public() -> dict[str, Callable[..., Any]]:
    """Collect every public function and method that takes something, and the constructor of the client."""
    found: dict[str, Callable[..., Any]] = {"connect": hyperx_glance.connect, "Client": Client}
    for kind in (Client, Registration, Launch, Capture):
        names = [name for name in dir(kind) if not name.startswith("_") and inspect.isroutine(getattr(kind, name))]
        found |= {f"{kind.__name__}.{name}": getattr(kind, name) for name in names}
    return found


INTERNAL = {"Registration.interrupted_by"}
"""`register` asks it about an exception that it caught."""
PARAMETERS = [
    (name, parameter.name)
    for name, function in public().items()
    if name not in INTERNAL
    for parameter in inspect.signature(function).parameters.values()
    if parameter.name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
]


def call(given: Given, name: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  # any result
    """Call a public function with keywords, as far as it takes any; of several values, this gives one."""
    owner = {"Registration": "registration", "Launch": "launch", "Capture": "capture", "Client": "client"}.get(
        name.partition(".")[0]
    )
    function: Callable[..., Any] = public()[name]
    if owner and "." in name:
        function = getattr(getattr(given, owner), name.partition(".")[2])
    arguments = dict(arguments)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(function).parameters.values()
    positional = [arguments.pop(each.name) for each in parameters if each.kind in kinds and each.name in arguments]
    return function(*positional, **arguments)


ONE_OF_SEVERAL = {"more": "department", "departments": "department"}
"""How errors name a value of a parameter that takes several."""


def refusal(ask: Callable[[], object]) -> InvalidRequestError | None:
    """Return the error for the arguments, or None if they are accepted or another error is raised."""
    try:
        ask()
    except InvalidRequestError as error:
        return error
    except HyperxGlanceError:
        return None
    return None


def legal(annotation: str, value: object) -> bool:
    """Check whether the type of a parameter allows a value, so that the verb may do its work, or say why not."""
    if value is None:
        return "None" in annotation
    if isinstance(value, bool):
        return "bool" in annotation
    if annotation in ("int", "int | None"):  # the size of a page, or how many releases are kept
        return isinstance(value, int) and 1 <= value <= 1000
    if isinstance(value, int | float):
        return "float" in annotation and 0 <= value <= 10**9
    if isinstance(value, str):
        return bool(re.search(r"\bstr\b", annotation)) and HALF not in value and "\x00" not in value
    return callable(value) and "Callable" in annotation


@pytest.mark.parametrize(("name", "place"), PARAMETERS)
def test_every_argument_is_checked_before_anything_is_done(given: Given, name: str, place: str) -> None:
    annotation = str(inspect.signature(public()[name]).parameters[place].annotation)
    arguments = VALID[name](given) if name in VALID else {}
    if name.startswith(("Registration", "Launch", "Capture")):
        assert getattr(given, name.partition(".")[0].lower())  # its own requests come before

    for word, value in NONSENSE.items():
        before = len(given.cloud.requests)
        refused = refusal(functools.partial(call, given, name, {**arguments, place: value}))
        if legal(annotation, value):
            continue  # what the verb finds out about it is its own affair
        assert refused is not None, word
        assert re.match(rf"{ONE_OF_SEVERAL.get(place, place)}: ", str(refused)), word
        assert str(refused).isprintable(), word
        assert len(given.cloud.requests) == before, word


def test_everything_public_is_examined() -> None:
    examined = {name for name, _ in PARAMETERS}

    assert {"connect", "Client", "Client.launch", "Registration.wait", "Launch.wait", "Capture.wait"} <= examined
    assert VALID.keys() <= examined


# ----------------------------------------------------------------- ids


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client, path: client.owner_name(path),
        lambda client, path: client.delete(path),
        lambda client, path: client.delete(Image(id=path)),
        lambda client, path: client.update(path, name="other"),
        lambda client, path: client.disable(path),
        lambda client, path: client.share(path, "dept-b"),
        lambda client, path: client.unshare(path, everyone=True),
        lambda client, path: client.shares(path),
        lambda client, path: client.accept(path),
        lambda client, path: client.decline(path),
        lambda client, path: client.servers_using(path),
        lambda client, path: client.resume_registration(path),
        lambda client, path: client.flavors(path),
        lambda client, path: client.launch(path, LaunchRequest(name="web", flavor="m1.tiny")),
        lambda client, path: client.find_launch(path),
        lambda client, path: client.reset_password(path),
        lambda client, path: client.capture(path, NewCapture(name="web")),
        lambda client, path: client.start_capture(path, NewCapture(name="web")),
        lambda client, path: client.find_capture(path),
    ],
)
def test_no_id_leads_to_another_path(given: Given, ask: Callable[[Client, str], object], path: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"neither \. nor \.\."):
        ask(given.client, str(NONSENSE[path]))
    assert given.cloud.requests == []


@pytest.mark.parametrize("path", ["dot", "dots", "encoded"])
def test_no_department_is_called_as_a_step_of_a_path(given: Given, path: str) -> None:
    name = str(NONSENSE[path])
    asks: list[Callable[[str], object]] = [
        given.client.quota,
        lambda name: given.client.set_quota(name, images=1),
        ask_for_owner,
        lambda name: given.client.share(given.image, name),
        lambda name: given.client.unshare(given.image, name),
    ]
    for ask in asks:
        with pytest.raises(InvalidRequestError, match=r"neither \. nor \.\."):
            ask(name)
    assert given.cloud.requests == []


def ask_for_owner(name: str) -> object:
    return ImageQuery(owner=name)


def test_a_department_whose_name_holds_a_slash_is_asked_for_by_its_name_alone(given: Given) -> None:
    with pytest.raises(HyperxGlanceError):
        given.client.quota("sales/../users")

    assert not [request for request in given.cloud.requests if "sales" in request.path.partition("?")[0]]


@pytest.mark.parametrize("plain", ["7c1", "a.b", "...", "镜像", "%", "a b", "7c1e4b20-0000-4000-8000-000000000000"])
def test_an_id_may_be_any_text_that_is_one_segment(plain: str) -> None:
    assert reference(plain) == ""


# ----------------------------------------------------------------- models


def fields(model: type[Any]) -> list[str]:
    return list(getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", None) or ())


def build(model: type[Any], field: str, value: object) -> object:
    return model(**{**NEEDED[model], field: value})


NEEDED: dict[type[Any], dict[str, Any]] = {
    NewImage: {"name": "debian", "url": "http://files.example/debian.qcow2"},
    NewIso: {"name": "debian", "url": "http://files.example/debian.iso"},
    LaunchRequest: {"name": "web", "flavor": "m1.tiny"},
    NewCapture: {"name": "web"},
    ImageQuery: {},
    PageQuery: {},
    ImageChanges: {},
    UrlPolicy: {},
    Settings: {},
    Pace: {},
    Network: {},
}


@pytest.mark.parametrize(("model", "field"), [(model, field) for model in NEEDED for field in fields(model)], ids=str)
def test_a_model_takes_a_value_or_names_its_field_in_one_line(model: type[Any], field: str) -> None:
    for word, value in NONSENSE.items():
        error = refusal(functools.partial(build, model, field, value))

        lines = str(error or "").splitlines()
        assert all(re.match(rf"((pace|settings|network)\.)?{field}\b.*: ", line) for line in lines), (word, lines)
        assert len({line.partition(":")[0] for line in lines}) == len(lines), word
        assert all(line.isprintable() for line in lines), word
        assert not re.search("Input should|String |pydantic", "".join(lines)), word


@pytest.mark.parametrize(
    "model", [NewImage, NewIso, LaunchRequest, NewCapture, ImageQuery, PageQuery, ImageChanges, UrlPolicy]
)
@pytest.mark.parametrize("value", [True, b"x", b"", HALF, "a\x00b"])
def test_a_text_is_a_text(model: type[Any], value: object) -> None:
    hints = typing.get_type_hints(model)
    texts = [field for field in fields(model) if hints[field] in (str, str | None)]
    assert texts
    for field in texts:
        with pytest.raises(InvalidRequestError, match=f"^{field}: "):
            model(**{**NEEDED[model], field: value})


@pytest.mark.parametrize("model", [NewImage, NewIso, LaunchRequest, NewCapture])
def test_positions_are_refused_with_what_to_write(model: type[Any]) -> None:
    needed = ", ".join(f"{field}=..." for field in NEEDED[model])
    name = model.__name__

    with pytest.raises(InvalidRequestError, match=re.escape(f"{name} takes keywords only: {name}({needed})")):
        model("debian", "http://files.example/debian.qcow2")


def test_a_misspelt_field_is_told_with_the_nearest() -> None:
    with pytest.raises(InvalidRequestError, match="categry: unknown field; did you mean category"):
        ImageChanges(categry="public")  # type: ignore[call-arg]  # that is what the test shows


VERBS: dict[str, tuple[type[Any], Callable[[Given, dict[str, Any]], object]]] = {
    "images": (ImageCriteria, lambda given, criteria: list(given.client.images(**criteria))),
    "count": (ImageCriteria, lambda given, criteria: given.client.count(**criteria)),
    "update": (ImageFields, lambda given, changes: given.client.update(given.image, **changes)),
    "set_quota": (QuotaLimits, lambda given, limits: given.client.set_quota("dept-a", **limits)),
}


@pytest.mark.parametrize("verb", VERBS)
def test_keywords_are_checked_before_anything_is_done(given: Given, verb: str) -> None:
    keywords, ask = VERBS[verb]
    for keyword in typing.get_type_hints(keywords):
        for word, value in NONSENSE.items():
            before = len(given.cloud.requests)
            error = refusal(functools.partial(ask, given, {keyword: value}))
            if error is not None and error.service is None:
                assert len(given.cloud.requests) == before, (keyword, word)
                assert keyword in str(error), word


# ----------------------------------------------------------------- words, formats, ranges


def test_formats_are_read_without_case() -> None:
    assert ImageQuery(formats=["QCOW2", "iso"]).formats == frozenset[object](["qcow2", "iso"])
    assert NewImage(**NEEDED[NewImage], disk_format="QCOW2").disk_format == "qcow2"


def test_an_unknown_format_is_refused_with_those_that_are_known(given: Given) -> None:
    for ask in (
        lambda: given.client.images(formats=["qcow3"]),  # type: ignore[list-item]  # that is what the test shows
        lambda: given.client.check_url(given.new.url or "", disk_format="qcow3"),
        lambda: NewImage(**NEEDED[NewImage], disk_format="qcow3"),  # type: ignore[arg-type]  # as above
    ):
        with pytest.raises(InvalidRequestError, match=r"'?qcow2'?, "):
            ask()


@pytest.mark.parametrize(
    ("criteria", "least"),
    [
        ({"min_size": 5, "max_size": 1}, "min_size"),
        ({"created_after": "2026-02-01T00:00:00Z", "created_before": "2026-01-01T00:00:00Z"}, "created_after"),
        ({"updated_after": "2026-02-01T00:00:00Z", "updated_before": "2026-01-01T00:00:00Z"}, "updated_after"),
    ],
)
def test_an_empty_range_is_refused(given: Given, criteria: dict[str, Any], least: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{least}: must not be greater than "):
        given.client.images(**criteria)
    assert given.cloud.requests == []


def test_a_range_of_one_value_is_none_too_small() -> None:
    assert ImageQuery(min_size=5, max_size=5).min_size == 5


# ----------------------------------------------------------------- times


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), float("inf"), 10**400, True])
def test_a_time_to_wait_is_no_nonsense(given: Given, timeout: float) -> None:
    for ask in (
        lambda: given.client.register(given.new, timeout=timeout),
        lambda: given.client.launch(given.image, LaunchRequest(name="web", flavor="m1.tiny"), timeout=timeout),
        lambda: Pace(deadline=timeout),
        lambda: Pace(first_interval=timeout),
    ):
        with pytest.raises(InvalidRequestError, match="must be between 0 and 1000000000 seconds"):
            ask()
    assert given.cloud.requests == []


def test_no_time_is_one_look(given: Given) -> None:
    assert seconds(0) == ""
    assert given.launch.wait(timeout=0) is given.launch


def test_a_decorator_that_forgets_an_argument_makes_no_function() -> None:
    with pytest.raises(TypeError, match="differ"):

        @checked(timeout=seconds)
        def forgetful(timeout: float, *, again: bool) -> None: ...
