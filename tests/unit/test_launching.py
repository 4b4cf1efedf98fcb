"""How a launch behaves when things go wrong, on the in-memory cloud with a clock of its own."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml
from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # libpass has no types
from pydantic import SecretStr

from hyperx_glance import (
    AmbiguousNameError,
    Client,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    LaunchFailedError,
    LaunchProgress,
    LaunchRequest,
    NotAllowedError,
    NotFoundError,
    Pace,
    PasswordResetError,
    QuotaExceededError,
    ServiceUnavailableError,
    Settings,
    WaitTimeoutError,
)
from hyperx_glance.launching.handle import BUILD_SECONDS
from hyperx_glance.launching.ids import draw_id, is_settled
from hyperx_glance.launching.quiet import QUIET_SECONDS
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.waiting import REPETITIONS
from tests import launches

if TYPE_CHECKING:
    from hyperx_glance.testing.memory import Recorded, ServiceName


@dataclasses.dataclass
class Clock:
    """Let time pass while somebody sleeps."""

    now: float = 0.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alice(cloud: InMemoryCloud, clock: Clock) -> Client:
    pace = Pace(first_interval=0.1, longest_interval=5.0, deadline=600, sleep=clock.sleep, clock=clock.time)
    return Client.from_session(cloud.session("alice"), settings=Settings(pace=pace))


@pytest.fixture
def image(cloud: InMemoryCloud) -> str:
    return launches.put_image(cloud)


@pytest.fixture
def iso(cloud: InMemoryCloud) -> str:
    return launches.put_image(cloud, "installer.iso")


def ask(**fields: object) -> LaunchRequest:
    return LaunchRequest.model_validate({"name": "web", "flavor": "m1.tiny", **fields})


def sent(cloud: InMemoryCloud, method: str, path: str) -> list[Recorded]:
    return [each for each in cloud.requests if each.method == method and path in each.path]


# ----------------------------------------------------------------- requests


def test_requests_do_not_depend_on_the_count(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    counted = []
    for count in (1, 10):
        cloud.requests.clear()
        alice.launch(image, ask(count=count))
        counted.append([(each.service, each.method) for each in cloud.requests if "auth" not in each.path])
        assert len(sent(cloud, "POST", "/servers")) == 1
    one, ten = map(sorted, counted)
    assert one == ten
    assert len(one) == 4 + 2  # image, flavors, limits, POST; the list at once, and until all are ACTIVE


def test_the_services_are_asked_once_each_before_anything_is_created(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    cloud.requests.clear()
    alice.launch(iso, ask(networks=("net1",)), wait=False)
    before = cloud.requests[: next(i for i, each in enumerate(cloud.requests) if each.path.endswith("/servers"))]
    assert sorted((each.service, each.method, each.path.rsplit("/", 1)[-1]) for each in before) == sorted(
        [
            ("keystone", "POST", "tokens"),
            ("glance", "GET", iso),
            ("nova", "GET", "detail"),
            ("nova", "GET", "limits"),
            ("neutron", "GET", "networks"),
            ("cinder", "GET", "limits"),
        ]
    )


def test_polls_are_one_list_each_and_grow_apart(cloud: InMemoryCloud, alice: Client, clock: Clock, image: str) -> None:
    cloud.nova.build_polls = 12
    seen: list[tuple[float, LaunchProgress]] = []
    alice.launch(image, ask(count=10), on_progress=lambda progress: seen.append((clock.now, progress)))
    times = [at for at, _ in seen]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 2 * gaps[0]
    assert len(sent(cloud, "GET", "/servers/detail")) == len(seen) + 1
    assert seen[0][1] == LaunchProgress(active=0, building=10, failed=0, count=10, elapsed_seconds=0)
    assert seen[-1][1].active == 10
    assert seen[-1][1].elapsed_seconds == pytest.approx(times[-1])


def test_more_servers_than_a_page_are_all_found(
    cloud: InMemoryCloud, alice: Client, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyperx_glance.launching.servers.PAGE", 4)
    launch = alice.launch(image, ask(count=10))
    assert [server.name for server in launch.servers] == [f"web-{number}" for number in range(1, 11)]
    pages = sent(cloud, "GET", "/servers/detail")
    assert {"marker" in page.query for page in pages} == {True, False}


@pytest.mark.parametrize("page", [1, 1000])
def test_flavors_are_found_by_name_or_id_on_any_page(
    cloud: InMemoryCloud, alice: Client, image: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyperx_glance.launching.servers.PAGE", page)
    small = next(flavor.id for flavor in cloud.nova.flavors.values() if flavor.name == "m1.small")
    assert alice.launch(image, ask(flavor="m1.small")).servers[0].flavor == "m1.small"
    assert alice.launch(image, ask(flavor=small)).servers[0].flavor == "m1.small"
    with pytest.raises(
        NotFoundError, match=r"There is no flavor m1\.large.*There are m1\.small, m1\.tiny; openstack flavor list"
    ):
        alice.launch(image, ask(flavor="m1.large"))


def test_server_groups_are_found_by_name_or_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    session = cloud.session("alice")
    for name in ("near", "far", "far"):
        body = {"server_group": {"name": name, "policies": ["affinity"]}}
        session.post("/os-server-groups", json=body, endpoint_filter=launches.COMPUTE)
    near, *_ = cloud.nova.server_groups.values()
    alice.launch(image, ask(server_group="near"))
    alice.launch(image, ask(server_group=near["id"]))
    assert len(near["members"]) == 2
    with pytest.raises(AmbiguousNameError, match="Several server groups are called far") as caught:
        alice.launch(image, ask(server_group="far"))
    assert len(caught.value.matches) == 2
    with pytest.raises(NotFoundError):
        alice.launch(image, ask(server_group="nowhere"))


def test_the_password_is_in_no_log_line_and_no_repr(
    alice: Client, cloud: InMemoryCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    image = launches.put_password_image(cloud)
    launch = alice.launch(image, ask(admin_password="Very-5ecret-indeed"))
    alice.reset_password(launch.servers[0].id, "Even-m0re-secret")
    assert caplog.text
    assert "5ecret" not in caplog.text
    assert "m0re" not in caplog.text
    assert "5ecret" not in repr(launch) + repr(launch.admin_password)
    assert cloud.nova.server("web").admin_pass == "Even-m0re-secret"


# ----------------------------------------------------------------- what is wrong beforehand


def nothing_was_created(cloud: InMemoryCloud) -> bool:
    return not cloud.nova.servers and not cloud.cinder.volumes and not sent(cloud, "POST", "/servers")


@pytest.mark.parametrize("version", ["2.1", "2.25", "2.51", "2.66"])
def test_a_nova_too_old_for_tags_is_refused_with_that_reason(
    cloud: InMemoryCloud, alice: Client, image: str, version: str
) -> None:
    cloud.nova.max_microversion = version
    with pytest.raises(ServiceUnavailableError, match=r"too old for server tags.*2\.67 is needed") as caught:
        alice.launch(image, ask())
    assert version in str(caught.value)
    assert "Stein" in caught.value.hint
    assert nothing_was_created(cloud)
    with pytest.raises(ServiceUnavailableError, match="too old"):
        alice.find_launch("launch-of-mine")


def test_a_nova_that_ignores_the_microversion_is_refused(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.fail("nova", "GET", "/flavors/detail", status=200, body={"flavors": []})
    with pytest.raises(ServiceUnavailableError, match="it answered with no microversion"):
        alice.launch(image, ask())


def test_without_cinder_an_iso_can_be_booted_live(cloud: InMemoryCloud, alice: Client, iso: str, image: str) -> None:
    cloud.keystone.services.remove(cloud.cinder)
    with pytest.raises(ServiceUnavailableError, match="no volumes") as caught:
        alice.launch(iso, ask())
    assert 'layout="live"' in caught.value.hint
    with pytest.raises(ServiceUnavailableError, match="boot_volume_gib") as caught:
        alice.launch(image, ask(boot_volume_gib=2))
    assert nothing_was_created(cloud)
    assert alice.launch(iso, ask(layout="live")).servers[0].status == "ACTIVE"


@pytest.mark.parametrize(
    ("limits", "exceeded"),
    [
        ({"instances": 2}, ("instances",)),
        ({"cores": 2}, ("cores",)),
        ({"ram": 1024}, ("ram_mib",)),
        (
            {"instances": 2, "volumes": 5, "gigabytes": 5},
            ("instances", "volumes", "volume_gib"),
        ),
        ({"volumes": 5}, ("volumes",)),
        ({"gigabytes": 5}, ("volume_gib",)),
    ],
)
def test_the_whole_count_must_fit_the_quota(
    cloud: InMemoryCloud,
    alice: Client,
    iso: str,
    limits: dict[str, int],
    exceeded: tuple[str, ...],
) -> None:
    for key, limit in limits.items():
        (cloud.cinder if key in ("volumes", "gigabytes") else cloud.nova).set_quota("dept-a", **{key: limit})
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(iso, ask(count=3))
    error = caught.value
    assert (error.department, error.resource, error.used, error.exceeded) == ("dept-a", exceeded[0], 0, exceeded)
    assert nothing_was_created(cloud)


def test_a_launch_id_is_used_once(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(launch_id="launch-of-mine"))
    with pytest.raises(ConflictError, match="launch-of-mine exists already"):
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert len(cloud.nova.servers) == 1


@pytest.mark.parametrize("image_id", ["", "no-such-image"])
def test_an_image_that_does_not_exist(cloud: InMemoryCloud, alice: Client, image_id: str) -> None:
    with pytest.raises(NotFoundError if image_id else InvalidRequestError):
        alice.launch(image_id, ask())
    assert nothing_was_created(cloud)


def test_a_reader_may_not_launch(cloud: InMemoryCloud, image: str) -> None:
    rita = Client.from_session(cloud.session("rita"))
    with pytest.raises(NotAllowedError):
        rita.launch(image, ask())
    assert not cloud.nova.servers


# ----------------------------------------------------------------- never twice


def test_a_lost_answer_is_looked_for_not_asked_again(cloud: InMemoryCloud, alice: Client) -> None:
    cloud.cut("nova", "POST", "/servers")
    launch = alice.launch(launches.put_password_image(cloud), ask(count=3))
    assert [server.name for server in launch.servers] == ["web-1", "web-2", "web-3"]
    assert launch.admin_password is not None
    (config,) = {server.user_data for server in cloud.nova.servers.values()}
    (user,) = yaml.safe_load(config)["chpasswd"]["users"]
    assert sha512_crypt.verify(launch.admin_password.get_secret_value(), user["password"])
    assert len(sent(cloud, "POST", "/servers")) == 1


@pytest.mark.parametrize("late", [1, 3, 6])
def test_servers_that_nova_creates_later_are_waited_for(
    cloud: InMemoryCloud, alice: Client, image: str, late: int
) -> None:
    cloud.cut("nova", "POST", "/servers", late=late)
    cloud.nova.visible_per_look = 1
    launch = alice.launch(image, ask(count=5))
    assert len(launch.servers) == 5
    assert {server.status for server in launch.servers} == {"ACTIVE"}
    assert len(cloud.nova.servers) == 5


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_proxy_s_answer_is_no_answer(cloud: InMemoryCloud, alice: Client, image: str, status: int) -> None:
    cloud.cut("nova", "POST", "/servers", late=2)
    cloud.fail("nova", "POST", "/servers", status=status, body=b"<html>Bad Gateway</html>")
    launch = alice.launch(image, ask(count=2))
    assert len(launch.servers) == len(cloud.nova.servers) == 2


@pytest.mark.parametrize("body", [b"null", b"{}", b"[]", b"", b'{"reserv', b'{"reservation_id": 5}'])
def test_an_answer_that_is_not_understood_is_no_answer(
    cloud: InMemoryCloud, alice: Client, image: str, body: bytes
) -> None:
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "POST", "/servers", status=200, body=body, headers=version)
    with pytest.raises(ServiceUnavailableError, match="no server of launch launch-of-mine was found") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), wait=False)
    assert caught.value.left == ("launch launch-of-mine",)


def test_a_request_that_never_arrived_raises_after_the_quiet_time_with_the_launch_id(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.fail("nova", "POST", "/servers", status=502, body=b"Bad Gateway")
    with pytest.raises(ServiceUnavailableError, match="no server of launch launch-of-mine was found") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"
    assert caught.value.status == 502
    assert "find_launch" in caught.value.hint
    assert QUIET_SECONDS <= clock.now < 2 * QUIET_SECONDS
    assert nothing_was_created(cloud) or len(sent(cloud, "POST", "/servers")) == 1


def test_nova_out_of_reach_after_a_lost_answer_is_waited_for(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.cut("nova", "GET", "/servers/detail", times=7, handled=False)
    assert len(alice.launch(image, ask(count=2)).servers) == 2


def test_nova_out_of_reach_for_good_raises_with_the_launch_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.cut("nova", "GET", "/servers/detail", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.launch(image, ask())
    assert caught.value.launch_id is not None
    assert len(sent(cloud, "POST", "/servers")) == 1


def test_without_any_connection_it_is_sent_again(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers", times=2, handled=False)
    assert len(alice.launch(image, ask(count=2)).servers) == len(cloud.nova.servers) == 2
    assert len(sent(cloud, "POST", "/servers")) == 3


def test_without_any_connection_each_time_it_gives_up(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.launch(image, ask())
    assert caught.value.launch_id
    assert not caught.value.connected
    assert not caught.value.left
    assert len(sent(cloud, "POST", "/servers")) == 1 + REPETITIONS


def test_a_rate_limit_is_a_refusal_not_a_lost_answer(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.fail("nova", "POST", "/servers", status=429, body=b"slow down")
    with pytest.raises(ServiceUnavailableError, match="slow down") as caught:
        alice.launch(image, ask())
    assert caught.value.launch_id
    assert clock.now < QUIET_SECONDS


def test_servers_that_were_never_made_are_failures_after_the_quiet_time(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.before("nova", "GET", "/servers/detail", lambda: drop("web-2"), times=1)

    def drop(name: str) -> None:
        del cloud.nova.servers[cloud.nova.server(name).id]

    with pytest.raises(LaunchFailedError, match=r"1 of 3 servers.*1 of them was never made") as caught:
        alice.launch(image, ask(count=3))
    assert caught.value.servers == ()
    assert clock.now >= QUIET_SECONDS
    assert {server.name for server in cloud.nova.servers.values()} == {"web-1", "web-3"}


# ----------------------------------------------------------------- every error names the launch


REFUSALS = [(500, ServiceUnavailableError), (401, HyperxGlanceError), (403, NotAllowedError), (404, NotFoundError)]
FOREIGN = json.dumps({"servers": [{"name": 5}]})


@pytest.mark.parametrize("status", [500, 401, 403, 404, 409, 502, 200])
def test_an_accepted_launch_is_given_whatever_the_first_look_says(
    cloud: InMemoryCloud, alice: Client, status: int
) -> None:
    image = launches.put_password_image(cloud)
    cloud.fail("nova", "GET", "/servers/detail", status=status, body=FOREIGN)
    launch = alice.launch(image, ask(count=3), wait=False)
    assert launch.admin_password is not None
    assert launch.wait() is launch
    assert len(launch.servers) == 3


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_what_ends_the_waiting_names_the_launch(
    cloud: InMemoryCloud, alice: Client, image: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    cloud.fail("nova", "GET", "/servers/detail", status=status, times=None, skip=1)  # the id is not taken
    with pytest.raises(kind) as caught:
        alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"
    assert caught.value.left == ("launch launch-of-mine",)
    assert "launch-of-mine" in str(caught.value)
    assert len(cloud.nova.servers) == 3


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
@pytest.mark.parametrize("step", ["progress", "wait", "cancel"])
def test_what_ends_a_step_of_a_handle_names_the_launch(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, image: str, step: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    launch = alice.launch(image, ask(), wait=False)
    cloud.fail("nova", "GET", "/servers/detail", status=status, times=None)
    with pytest.raises(kind, match=launch.launch_id) as caught:
        getattr(launch, step)()
    assert caught.value.launch_id == launch.launch_id


@pytest.mark.parametrize(("status", "kind"), [(401, HyperxGlanceError), (404, NotFoundError)])
def test_a_lost_answer_that_cannot_be_looked_for_names_the_launch(
    cloud: InMemoryCloud, alice: Client, image: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.fail("nova", "GET", "/servers/detail", status=status, times=None, skip=1)  # the id is not taken
    with pytest.raises(kind, match="launch-of-mine") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"


def test_a_lost_answer_of_which_something_was_seen_gives_the_handle(cloud: InMemoryCloud, alice: Client) -> None:
    """The password is in no record: without the handle nobody would ever know it."""
    image = launches.put_password_image(cloud)
    cloud.cut("nova", "POST", "/servers")
    cloud.nova.visible_per_look = 1
    cloud.fail("nova", "GET", "/servers/detail", status=500, times=None, skip=1)
    launch = alice.launch(image, ask(count=3), wait=False)
    assert launch.admin_password is not None
    assert len(launch.servers) == 1


def test_what_on_progress_raises_names_the_launch(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    class OwnError(Exception):
        pass

    def show(_: LaunchProgress) -> None:
        raise OwnError("full disk")

    with pytest.raises(OwnError) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), on_progress=show)
    assert vars(caught.value)["launch_id"] == "launch-of-mine"
    assert any("launch-of-mine" in note for note in caught.value.__notes__)
    assert len(cloud.nova.servers) == 1


def test_on_progress_may_raise_what_waiting_would_pass_over(alice: Client, image: str) -> None:
    looks = []

    def show(progress: LaunchProgress) -> None:
        looks.append(progress)
        raise ServiceUnavailableError("the caller's own service", connected=False)

    with pytest.raises(ServiceUnavailableError, match="the caller's own service"):
        alice.launch(image, ask(), on_progress=show)
    assert len(looks) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 429])
def test_a_refusal_names_nothing_as_left(cloud: InMemoryCloud, alice: Client, image: str, status: int) -> None:
    cloud.fail("nova", "POST", "/servers", status=status, body="No.", times=None)
    with pytest.raises(HyperxGlanceError) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"
    assert not caught.value.left
    assert not cloud.nova.servers


def test_what_was_deleted_after_a_failure_is_not_named_as_left(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=0), times=1)
    with pytest.raises(QuotaExceededError) as refused:
        alice.launch(iso, ask(launch_id="launch-of-mine"))
    cloud.cinder.set_quota("dept-a", volumes=10)
    cloud.nova.faults.append("No valid host was found.")
    with pytest.raises(LaunchFailedError) as failed:
        alice.launch(iso, ask(launch_id="launch-of-mine", on_failure="delete"))
    assert (refused.value.launch_id, refused.value.left) == ("launch-of-mine", ())
    assert (failed.value.launch_id, failed.value.left) == ("launch-of-mine", ())
    assert not cloud.nova.servers


def test_what_could_not_be_deleted_after_a_failure_is_named(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.faults.append("No valid host was found.")
    cloud.fail("nova", "DELETE", "/servers/", status=403, body="no", times=None)
    with pytest.raises(LaunchFailedError) as caught:
        alice.launch(image, ask(on_failure="delete"))
    assert caught.value.left == (f"launch {caught.value.launch_id}",)


def test_a_slow_answer_leaves_time_for_the_servers_to_appear(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.before("nova", "POST", "/servers", lambda: clock.sleep(QUIET_SECONDS + 1), times=1)
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": []}, headers=version, times=2)
    assert len(alice.launch(image, ask(count=2)).servers) == 2


# ----------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["5²", "٣", "①", "web-²-3", "9" * 200, "𝟚", "１２"])
def test_a_name_of_any_digits_is_a_name(cloud: InMemoryCloud, alice: Client, image: str, name: str) -> None:
    launch = alice.launch(image, ask(name=name, count=2, launch_id="launch-of-mine"))
    assert [server.name for server in launch.servers] == [f"{name}-1", f"{name}-2"]
    assert alice.find_launch("launch-of-mine").progress().active == 2
    launch.cancel()
    assert not cloud.nova.servers


# ----------------------------------------------------------------- found again


def test_a_launch_is_found_by_its_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    made = alice.launch(image, ask(count=3, launch_id="launch-of-mine", on_failure="delete"))
    found = Client.from_session(cloud.session("arthur"), settings=alice.settings).find_launch("launch-of-mine")
    assert found.servers == made.servers
    assert (found.launch_id, found.image_id, found.count) == ("launch-of-mine", image, 3)
    assert found.admin_password is None
    assert found.progress().active == 3


def test_a_launch_is_looked_for_while_nova_may_still_create_it(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.visible_per_look = 1
    alice.launch(image, ask(count=4, launch_id="launch-of-mine"), wait=False)
    assert len(alice.find_launch("launch-of-mine").servers) == 4


def test_a_launch_that_never_was_is_not_found_after_the_quiet_time(alice: Client, clock: Clock) -> None:
    with pytest.raises(NotFoundError, match="No server belongs to launch no-such-launch"):
        alice.find_launch("no-such-launch")
    assert QUIET_SECONDS <= clock.now < 2 * QUIET_SECONDS
    with pytest.raises(InvalidRequestError):
        alice.find_launch("")


def drawn(ago: timedelta) -> str:
    return draw_id(datetime.now(UTC) - ago)


def test_an_id_drawn_long_ago_is_told_to_be_unknown_at_once(cloud: InMemoryCloud, alice: Client, clock: Clock) -> None:
    cloud.requests.clear()
    with pytest.raises(NotFoundError, match="No server belongs to launch"):
        alice.find_launch(drawn(timedelta(minutes=11)))
    assert clock.now == 0
    assert [(each.service, each.method) for each in cloud.requests] == [
        ("keystone", "POST"),
        ("nova", "GET"),
        ("cinder", "GET"),
    ]


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(minutes=9), -timedelta(hours=5)])
def test_an_id_drawn_lately_is_looked_for(alice: Client, clock: Clock, ago: timedelta) -> None:
    with pytest.raises(NotFoundError):
        alice.find_launch(drawn(ago))
    assert clock.now == pytest.approx(QUIET_SECONDS, abs=0.01)


def test_a_launch_of_long_ago_is_found(cloud: InMemoryCloud, alice: Client, clock: Clock, image: str) -> None:
    launch = alice.launch(image, ask(count=2))
    old = drawn(timedelta(days=1))
    for server in cloud.nova.servers.values():
        server.tags = [f"hyperx-launch:{old}"]
    before = clock.now
    assert alice.find_launch(old).servers == launch.servers
    assert clock.now == before


def test_an_id_drawn_long_ago_starts_no_launch(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    """Otherwise find_launch would call a launch unknown that Nova is just creating."""
    cloud.requests.clear()
    with pytest.raises(InvalidRequestError, match="too long ago"):
        alice.launch(image, ask(launch_id=drawn(timedelta(minutes=6))))
    assert not cloud.requests
    lately = drawn(timedelta(minutes=4))
    assert alice.launch(image, ask(launch_id=lately)).launch_id == lately


def test_a_launch_s_own_id_tells_when_it_was_drawn(alice: Client, image: str) -> None:
    before = datetime.now(UTC)
    launch_id = alice.launch(image, ask()).launch_id
    assert not is_settled(launch_id, before)
    assert is_settled(launch_id, before + timedelta(minutes=30))


def test_the_pace_of_the_cloud_makes_waiting_for_quiet_free(cloud: InMemoryCloud) -> None:
    alice = Client.from_session(cloud.session("alice"), settings=Settings(pace=cloud.pace))
    with pytest.raises(NotFoundError):
        alice.find_launch("no-such-launch")
    assert len(sent(cloud, "GET", "/servers/detail")) < 20


def test_an_old_launch_with_a_deleted_server_is_found_at_once(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    for server in cloud.nova.servers.values():
        server.created_at -= timedelta(hours=1)
    before = clock.now
    found = alice.find_launch("launch-of-mine")
    assert [server.name for server in found.servers] == ["web-1", "web-3"]
    assert clock.now == before


@pytest.mark.parametrize("told", ["٣", "-1", "", "two", "9" * 255, "10000", "1", "²", "3 ", "+3"])
def test_a_count_that_somebody_wrote_is_no_number_of_ours(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str, told: str
) -> None:
    alice.launch(image, ask(count=2, launch_id="launch-of-mine"))
    for server in cloud.nova.servers.values():
        server.metadata["hyperx_launch_count"] = told
    before = clock.now
    found = alice.find_launch("launch-of-mine")
    assert (found.count, found.progress().active, found.progress().failed) == (2, 2, 0)
    assert clock.now == before


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_a_launch_that_nova_showed_once_and_never_again_is_an_error(
    cloud: InMemoryCloud, alice: Client, image: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    cloud.fail("nova", "GET", "/servers/detail", status=status, times=None, skip=1)
    with pytest.raises(kind, match="launch-of-mine") as caught:
        alice.find_launch("launch-of-mine")
    assert caught.value.launch_id == "launch-of-mine"


def test_a_launch_of_which_all_was_seen_is_found_by_one_look(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    cloud.fail("nova", "GET", "/servers/detail", status=500, times=None, skip=1)
    assert len(alice.find_launch("launch-of-mine").servers) == 3


def test_a_launch_whose_servers_go_while_it_is_looked_for_is_not_found(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    cloud.before("nova", "GET", "/servers/detail", cloud.nova.servers.clear, times=1, skip=1)
    with pytest.raises(NotFoundError, match="launch-of-mine") as caught:
        alice.find_launch("launch-of-mine")
    assert (caught.value.launch_id, caught.value.left) == ("launch-of-mine", ())


def test_an_old_launch_that_lacks_a_server_waits_for_none(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(count=2, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    for server in cloud.nova.servers.values():
        server.created_at -= timedelta(hours=1)
    progress = alice.find_launch("launch-of-mine").progress()
    assert (progress.active, progress.building, progress.failed) == (1, 0, 1)


def test_a_found_launch_that_goes_on_still_deletes_on_failure(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.build_polls = 5
    cloud.nova.faults.append("No valid host was found.")
    launch_id = alice.launch(image, ask(count=2, on_failure="delete"), wait=False).launch_id
    with pytest.raises(LaunchFailedError):
        alice.find_launch(launch_id).wait()
    assert not cloud.nova.servers


def test_a_launch_that_has_ended_never_deletes_what_runs(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch_id = alice.launch(image, ask(count=3, on_failure="delete")).launch_id
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    with pytest.raises(LaunchFailedError, match="deleted by somebody"):
        alice.find_launch(launch_id).wait()
    assert len(cloud.nova.servers) == 2


def test_launches_do_not_see_each_other(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(launch_id="launch-of-mine-1"))
    other = alice.launch(image, ask(name="db", launch_id="launch-of-mine-2"))
    alice.find_launch("launch-of-mine-1").cancel()
    assert [server.name for server in cloud.nova.servers.values()] == ["db"]
    assert other.progress().active == 1
    bob = Client.from_session(cloud.session("bob"), settings=alice.settings)
    with pytest.raises(NotFoundError):
        bob.find_launch("launch-of-mine-2")


# ----------------------------------------------------------------- failures


def test_servers_in_error_raise_with_each_fault_and_the_others_stay(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.faults += ["No valid host was found.", "Failed to allocate the network(s), not rescheduling."]
    with pytest.raises(LaunchFailedError, match="2 of 3 servers") as caught:
        alice.launch(image, ask(count=3))
    error = caught.value
    failed = [server.name for server in cloud.nova.servers.values() if server.status == "ERROR"]
    assert [(server.name, server.fault) for server in error.servers] == [  # type: ignore[attr-defined]  # Server
        (failed[0], "No valid host was found."),
        (failed[1], "Failed to allocate the network(s), not rescheduling."),
    ]
    assert "No valid host was found." in str(error)
    assert error.launch_id in error.hint
    assert len(cloud.nova.servers) == 3


def test_on_failure_delete_removes_all_that_the_launch_made(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.nova.faults.append("No valid host was found.")
    with pytest.raises(LaunchFailedError, match="No valid host") as caught:
        alice.launch(iso, ask(count=3, on_failure="delete"))
    assert "deleted" in caught.value.hint
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_failed_clean_up_is_a_note_on_the_first_error(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.faults.append("No valid host was found.")
    cloud.fail("nova", "DELETE", "/servers/", status=403, body="no", times=None)
    with pytest.raises(LaunchFailedError, match="No valid host") as caught:
        alice.launch(image, ask(on_failure="delete"))
    assert any("could not be deleted" in note for note in caught.value.__notes__)
    assert "find_launch" in caught.value.hint


def test_nova_s_refusal_for_quota_is_read(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    taken = cloud.nova.set_quota
    # Somebody else takes the last room between our look and the request.
    cloud.before("nova", "POST", "/servers", lambda: taken("dept-a", instances=1), times=1)
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(image, ask(count=2))
    error = caught.value
    assert (error.department, error.resource, error.limit, error.used, error.requested) == (
        "dept-a", "instances", 1, 0, 2,
    )  # fmt: skip
    assert error.status == 403
    assert not cloud.nova.servers


def test_unified_limits_refuse_in_words_of_their_own(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    text = "Project 9f is over a limit for [Resource servers is over limit of 1 due to current usage 1 and delta 2]"
    cloud.fail("nova", "POST", "/servers", status=403, body=text)
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(image, ask(count=2))
    assert (caught.value.resource, caught.value.limit) == ("instances", 1)


def test_another_403_is_no_quota(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.fail("nova", "POST", "/servers", status=403, body="Policy doesn't allow it.")
    with pytest.raises(NotAllowedError, match="Policy"):
        alice.launch(image, ask())


def test_cinder_s_refusal_inside_a_fault_is_a_quota_error_and_nothing_is_left(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=0), times=1)
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(iso, ask(count=2))
    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("dept-a", "volumes", 0)
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_quota_that_left_some_servers_is_a_failed_launch(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=2), times=1)
    with pytest.raises(LaunchFailedError, match="Maximum number of volumes") as caught:
        alice.launch(iso, ask(count=2))
    assert len(caught.value.servers) == 1
    assert len(cloud.nova.servers) == 2


def test_such_a_launch_with_on_failure_delete_is_a_quota_error(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=2), times=1)
    with pytest.raises(QuotaExceededError):
        alice.launch(iso, ask(count=2, on_failure="delete"))
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_deadline_says_what_was_seen_last_and_deletes_nothing(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.nova.build_polls = 10**6
    with pytest.raises(WaitTimeoutError, match="0 of 2 active, 2 building") as caught:
        alice.launch(image, ask(count=2), timeout=30)
    assert caught.value.last_seen == LaunchProgress(active=0, building=2, failed=0, count=2, elapsed_seconds=clock.now)
    assert 30 <= clock.now < 36
    assert caught.value.launch_id
    assert len(cloud.nova.servers) == 2
    assert len(alice.find_launch(caught.value.launch_id).servers) == 2


def test_ctrl_c_leaves_everything_and_says_the_launch_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    def interrupt(_: LaunchProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), on_progress=interrupt)
    assert any("launch-of-mine" in note for note in caught.value.__notes__)
    assert vars(caught.value)["launch_id"] == "launch-of-mine"
    assert len(cloud.nova.servers) == 1


def test_ctrl_c_while_ordering_says_the_launch_id_too(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    cloud.before("nova", "POST", "/servers", interrupt, times=1)
    with pytest.raises(KeyboardInterrupt) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert any("launch-of-mine" in note for note in caught.value.__notes__)


def test_nova_out_of_reach_while_waiting_says_the_launch_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask(count=2), wait=False)
    cloud.cut("nova", "GET", "/servers/detail", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError) as caught:
        launch.wait()
    assert caught.value.launch_id == launch.launch_id
    assert len(cloud.nova.servers) == 2


def test_a_proxy_s_hiccup_while_waiting_or_cancelling_is_passed_over(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    launch = alice.launch(image, ask(count=2), wait=False)
    cloud.fail("nova", "GET", "/servers/detail", status=502, body=b"Bad Gateway", times=3)
    assert {server.status for server in launch.wait().servers} == {"ACTIVE"}
    cloud.fail("nova", "GET", "/servers/detail", status=504, body=b"Gateway Timeout", times=3)
    launch.cancel()
    assert not cloud.nova.servers


def test_several_networks_must_be_named(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.neutron.add_network("net2", shared=True)
    with pytest.raises(ConflictError, match="Multiple possible networks") as caught:
        alice.launch(image, ask())
    assert "networks=" in caught.value.hint
    assert set(alice.launch(image, ask(networks=("net2", "net1"))).servers[0].addresses) == {"net1", "net2"}
    cloud.neutron.add_network("net2", shared=True)
    with pytest.raises(AmbiguousNameError, match="Several networks are called net2"):
        alice.launch(image, ask(networks=("net2",)))


def test_a_server_that_somebody_deletes_while_it_is_built_is_a_failure(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.build_polls = 5
    launch = alice.launch(image, ask(count=2), wait=False)
    del cloud.nova.servers[cloud.nova.server("web-1").id]
    with pytest.raises(LaunchFailedError, match="1 of 2 servers"):
        launch.wait()
    assert launch.progress() == LaunchProgress(
        active=1, building=0, failed=1, count=2, elapsed_seconds=launch.progress().elapsed_seconds
    )


def test_a_server_that_switched_itself_off_was_made(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask())
    cloud.nova.server("web").status = "SHUTOFF"
    assert launch.wait().servers[0].status == "SHUTOFF"


# ----------------------------------------------------------------- cancel


def test_cancel_returns_when_servers_and_volumes_are_gone(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.nova.delete_polls = 4
    launch = alice.launch(iso, ask(count=3))
    assert len(cloud.cinder.volumes) == 6
    launch.cancel()
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes
    assert launch.servers == ()
    launch.cancel()


def test_cancel_during_the_build(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.nova.build_polls = 5
    statuses: list[str] = []
    cloud.before("nova", "DELETE", "/servers/", lambda: statuses.append(cloud.nova.server("web-1").status), times=1)
    alice.launch(iso, ask(count=3), wait=False).cancel()
    assert statuses == ["BUILD"]
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_cancel_takes_the_kept_volumes_but_no_volume_of_the_user_s_own(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True))
    server = cloud.nova.server("web")
    own = cloud.cinder.make(server.caller, 1, name="my data")
    server.volumes.append((own.id, False))
    assert len(cloud.cinder.volumes) == 3
    launch.cancel()
    assert list(cloud.cinder.volumes) == [own.id]


@pytest.mark.parametrize(
    ("service", "method", "path", "skip"),
    [
        ("cinder", "POST", "/metadata", 0),
        ("cinder", "POST", "/metadata", 3),
        ("nova", "DELETE", "/servers/", 0),
        ("nova", "DELETE", "/servers/", 1),
        ("nova", "GET", "/servers/detail", 2),
        ("cinder", "GET", "/volumes/detail", 1),
        ("cinder", "DELETE", "/volumes/", 0),
        ("cinder", "DELETE", "/volumes/", 2),
    ],
)
def test_the_kept_volumes_of_a_cancellation_that_died_are_found(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, iso: str, service: ServiceName, method: str, path: str, skip: int
) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    launch = alice.launch(iso, ask(count=2, keep_volumes=True, launch_id="launch-of-mine"))
    own = cloud.cinder.make(cloud.nova.server("web-1").caller, 1, name="my data")
    cloud.nova.server("web-1").volumes.append((own.id, False))
    cloud.before(service, method, path, die, times=1, skip=skip)
    with pytest.raises(KeyboardInterrupt):
        launch.cancel()
    while launches.servers(cloud) and service == "cinder" and path != "/metadata":
        pass  # what was ordered goes on
    alice.find_launch("launch-of-mine").cancel()
    assert not cloud.nova.servers
    assert list(cloud.cinder.volumes) == [own.id]
    assert own.metadata == {}
    with pytest.raises(NotFoundError):
        alice.find_launch("launch-of-mine")


def test_what_is_left_of_a_cancelled_launch_tells_what_it_was(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    alice.launch(iso, ask(count=2, keep_volumes=True, launch_id="launch-of-mine"))
    cloud.fail("cinder", "DELETE", "/volumes/", status=403, times=None)
    with pytest.raises(NotAllowedError, match="launch-of-mine"):
        alice.find_launch("launch-of-mine").cancel()
    bob = Client.from_session(cloud.session("bob"), settings=alice.settings)
    with pytest.raises(NotFoundError):
        bob.find_launch("launch-of-mine")
    found = alice.find_launch("launch-of-mine")
    assert (found.servers, found.count, found.image_id) == ((), 2, iso)
    progress = found.progress()
    assert (progress.active, progress.building, progress.failed) == (0, 0, 2)
    with pytest.raises(LaunchFailedError, match="2 of 2") as caught:
        found.wait()
    assert caught.value.left == ("launch launch-of-mine",)
    assert len(cloud.cinder.volumes) == 4


def test_a_cinder_without_the_filter_gives_no_volume_of_others(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    first = alice.launch(iso, ask(keep_volumes=True, launch_id="launch-of-mine-1"))
    alice.launch(iso, ask(name="db", keep_volumes=True, launch_id="launch-of-mine-2"))
    cloud.fail("cinder", "DELETE", "/volumes/", status=403, times=None)
    with pytest.raises(NotAllowedError):
        first.cancel()
    cloud.fail("cinder", "GET", "/volumes/detail", status=200, body=_all_volumes(cloud))
    with pytest.raises(NotFoundError):
        alice.find_launch("launch-of-mine-3")


def _all_volumes(cloud: InMemoryCloud) -> dict[str, object]:
    answer = cloud.session("alice").get("/volumes/detail", endpoint_filter=launches.VOLUMES)
    found: dict[str, object] = answer.json()
    return found


def test_a_volume_that_cannot_be_marked_now_keeps_its_server_until_it_can(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True))
    volume = next(iter(cloud.cinder.volumes.values()))
    volume.status = "uploading"
    cloud.before("cinder", "POST", "/metadata", lambda: setattr(volume, "status", "in-use"), times=1, skip=3)
    servers_at_marks: list[int] = []
    cloud.before("cinder", "POST", "/metadata", lambda: servers_at_marks.append(len(cloud.nova.servers)))
    launch.cancel()
    assert set(servers_at_marks) == {1}
    assert not sent(cloud, "DELETE", "/servers/")[1:]
    assert not cloud.cinder.volumes


def test_the_volumes_of_another_launch_are_marked_by_nobody(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    alice.launch(iso, ask()).cancel()
    alice.launch(iso, ask(keep_volumes=True), wait=False)
    assert not sent(cloud, "POST", "/metadata")


@pytest.mark.parametrize(
    ("status", "body"), [(404, "No such volume."), (200, b"null"), (200, b"{}"), (200, b""), (502, b"Bad Gateway")]
)
def test_a_mark_that_was_not_written_leaves_no_volume(
    cloud: InMemoryCloud, alice: Client, iso: str, status: int, body: str | bytes
) -> None:
    cloud.fail("cinder", "POST", "/metadata", status=status, body=body, times=3)
    alice.launch(iso, ask(count=2, keep_volumes=True)).cancel()
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_launch_without_volumes_is_cancelled_where_there_is_no_cinder(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.keystone.services.remove(cloud.cinder)
    launch = alice.launch(image, ask(keep_volumes=True, launch_id="launch-of-mine"))
    launch.cancel()
    assert not cloud.nova.servers
    with pytest.raises(NotFoundError):
        alice.find_launch("launch-of-mine")


def test_the_volumes_that_are_kept_outlive_the_server(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    alice.launch(iso, ask(keep_volumes=True))
    session = cloud.session("alice")
    session.delete(f"/servers/{cloud.nova.server('web').id}", endpoint_filter=launches.COMPUTE)
    while launches.servers(cloud):
        pass
    assert len(cloud.cinder.volumes) == 2


def test_a_volume_that_nova_does_not_delete_is_deleted(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    launch = alice.launch(iso, ask())
    left, _ = cloud.cinder.volumes.values()

    def forget() -> None:
        """Let Nova forget one of its volumes, as when Cinder was out of reach."""
        cloud.nova.server("web").volumes = [pair for pair in cloud.nova.server("web").volumes if pair[0] != left.id]
        left.status, left.server_id = "available", None

    cloud.before("nova", "DELETE", "/servers/", forget, times=1)
    launch.cancel()
    assert not cloud.cinder.volumes


def test_a_volume_that_does_not_go_ends_in_a_timeout_and_cancel_goes_on(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True))
    cloud.fail("cinder", "DELETE", "/volumes/", status=400, body="Invalid volume: it goes already.", times=None)
    with pytest.raises(WaitTimeoutError, match="its volumes are not gone"):
        launch.cancel()
    cloud._interruptions.clear()
    launch.cancel()
    assert not cloud.cinder.volumes


def test_cancel_asks_once_for_each_server(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.delete_polls = 5
    alice.launch(image, ask(count=3)).cancel()
    assert len(sent(cloud, "DELETE", "/servers/")) == 3


def test_cancel_lets_servers_be_built_whose_volumes_it_has_to_learn(
    cloud: InMemoryCloud, alice: Client, clock: Clock, iso: str
) -> None:
    cloud.nova.build_polls = 10
    asked_at: list[tuple[str, float]] = []
    cloud.before(
        "nova", "DELETE", "/servers/", lambda: asked_at.append((cloud.nova.server("web").status, clock.now)), times=1
    )
    alice.launch(iso, ask(keep_volumes=True), wait=False).cancel()
    assert [status for status, _ in asked_at] == ["ACTIVE"]
    assert not cloud.cinder.volumes


def test_cancel_waits_for_no_build_for_ever(cloud: InMemoryCloud, alice: Client, clock: Clock, iso: str) -> None:
    cloud.nova.build_polls = 10**6
    asked_at: list[float] = []
    cloud.before("nova", "DELETE", "/servers/", lambda: asked_at.append(clock.now), times=1)
    alice.launch(iso, ask(keep_volumes=True), wait=False).cancel()
    assert BUILD_SECONDS <= asked_at[0] < BUILD_SECONDS + 10


@pytest.mark.parametrize("status", [403, 500])
def test_one_server_that_cannot_be_deleted_keeps_none_of_the_others(
    cloud: InMemoryCloud, alice: Client, image: str, status: int
) -> None:
    launch = alice.launch(image, ask(count=3))
    stubborn = launch.servers[0].id
    cloud.fail("nova", "DELETE", f"/servers/{stubborn}", status=status, body="no", times=None)
    with pytest.raises(HyperxGlanceError, match=launch.launch_id):
        launch.cancel()
    while len(launches.servers(cloud)) > 1:
        pass
    assert list(cloud.nova.servers) == [stubborn]


def test_a_nova_out_of_reach_is_not_asked_for_each_server(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask(count=3))
    cloud.requests.clear()
    cloud.cut("nova", "DELETE", "/servers/", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError):
        launch.cancel()
    assert len(sent(cloud, "DELETE", "/servers/")) == len(sent(cloud, "GET", "/servers/detail"))


@pytest.mark.parametrize(("service", "path"), [("nova", "/servers/"), ("cinder", "/volumes/")])
@pytest.mark.parametrize("fate", ["lost", "unreachable", "502"])
def test_cancel_finds_out_what_became_of_a_deletion(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, iso: str, service: ServiceName, path: str, fate: str
) -> None:
    launch = alice.launch(iso, ask(count=2, keep_volumes=True))
    if fate == "502":
        cloud.fail(service, "DELETE", path, status=502, body=b"Bad Gateway", times=3)
    else:
        cloud.cut(service, "DELETE", path, times=3, handled=fate == "lost")
    launch.cancel()
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_cancel_waits_for_servers_that_nova_is_still_creating(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": []}, headers=version, times=4)
    launch = alice.launch(image, ask(count=2), wait=False)
    assert launch.servers == ()
    launch.cancel()
    assert not cloud.nova.servers


def test_cancel_asks_again_where_the_state_forbids_it(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask(count=2))
    cloud.fail("nova", "DELETE", "/servers/", status=409, body="Instance is locked", times=3)
    launch.cancel()
    assert not cloud.nova.servers


def test_a_server_that_does_not_go_ends_in_a_timeout(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask())
    cloud.nova.delete_polls = 10**6
    with pytest.raises(WaitTimeoutError, match="its servers are not gone") as caught:
        launch.cancel()
    assert caught.value.launch_id == launch.launch_id
    assert [server.name for server in caught.value.last_seen] == ["web"]  # type: ignore[attr-defined]  # servers


# ----------------------------------------------------------------- passwords


def test_a_new_password_is_drawn_or_taken(cloud: InMemoryCloud, alice: Client) -> None:
    server_id = alice.launch(launches.put_password_image(cloud), ask()).servers[0].id
    drawn = alice.reset_password(server_id)
    assert cloud.nova.server("web").admin_pass == drawn.get_secret_value()
    assert len(drawn.get_secret_value()) == 20
    assert alice.reset_password(server_id, SecretStr("Of-my-0wn")).get_secret_value() == "Of-my-0wn"
    assert cloud.nova.server("web").admin_pass == "Of-my-0wn"


@pytest.mark.parametrize(
    ("how", "status", "hint"), [("no_agent", 409, "with a guest agent"), ("silent_agent", 501, "qemu-guest-agent")]
)
def test_a_guest_without_agent_takes_no_password(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, image: str, how: str, status: int, hint: str
) -> None:
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.nova.password_changes = how  # type: ignore[assignment]  # one of them
    with pytest.raises(PasswordResetError) as caught:
        alice.reset_password(server_id, "Of-my-0wn")
    assert caught.value.status == status
    assert hint in caught.value.hint
    assert "0wn" not in str(caught.value)


def test_a_stopped_server_takes_no_password(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.nova.server("web").status = "SHUTOFF"
    with pytest.raises(PasswordResetError, match="not running") as caught:
        alice.reset_password(server_id)
    assert "Start the server" in caught.value.hint


@pytest.mark.parametrize("password", ["", "two\nlines"])
def test_a_password_that_makes_no_sense_is_refused_before_any_request(
    cloud: InMemoryCloud, alice: Client, image: str, password: str
) -> None:
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.requests.clear()
    with pytest.raises(InvalidRequestError):
        alice.reset_password(server_id, password)
    with pytest.raises(InvalidRequestError):
        alice.reset_password("")
    assert not cloud.requests


def test_an_unknown_server_and_a_nova_that_fails(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    with pytest.raises(NotFoundError):
        alice.reset_password("no-such-server")
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.fail("nova", "POST", "/action", status=502, body=b"Bad Gateway")
    with pytest.raises(ServiceUnavailableError):
        alice.reset_password(server_id)
