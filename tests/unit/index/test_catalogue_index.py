"""The index refreshes itself, and its pages go on whatever becomes of its file, its login and the clocks."""

from __future__ import annotations

import gc
import os
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.identity.v3 import Token

from hyperx_glance import (
    AuthenticationError,
    CatalogueIndex,
    Client,
    InvalidRequestError,
    Pace,
    ServiceUnavailableError,
    Settings,
)
from hyperx_glance.index import filling
from hyperx_glance.index.store import Store
from tests.support.lists import lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory.glance.records import ImageRecord

REFRESH, REBUILD = 15.0, 3600.0


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.sqlite"


def client(cloud: InMemoryCloud, user: str = "alice", clock: Clock | None = None) -> Client:
    pace = Pace(clock=clock) if clock else Pace()
    return Client.from_session(cloud.session(user), settings=Settings(pace=pace))


def public(cloud: InMemoryCloud, name: str, **record: Any) -> str:  # noqa: ANN401  # columns and properties
    record = {"owner": "dept-b", "visibility": "public", "status": "active", **record}
    return cloud.glance.add_image(name=name, **record)


@pytest.fixture
def index(hyperx_cloud: InMemoryCloud, clock: Clock, path: Path) -> Iterator[CatalogueIndex]:
    public(hyperx_cloud, "debian 12")
    with CatalogueIndex(client(hyperx_cloud, "rita", clock), path=path) as made:
        assert made.refresh().error is None
        hyperx_cloud.requests.clear()
        yield made


def file_of(path: Path, cloud: InMemoryCloud) -> Store:
    """Open the file as another worker does."""
    return Store(path, f"{cloud.glance.url}/v2")


def names(index: CatalogueIndex, user: Client, search: str = "debian", **criteria: Any) -> list[str]:  # noqa: ANN401
    return [image.name for image in index.page(user, search=search, sort=["-name"], **criteria).images]


def settled(index: CatalogueIndex) -> CatalogueIndex:
    """Wait for a rebuild that was begun in a thread."""
    index.close()
    return index


def whole_lists(cloud: InMemoryCloud) -> int:
    """Count requests that read what the user's own client would read."""
    return sum(asked.get("visibility") == "all" and "id" not in asked for asked in lists(cloud))


# ----------------------------------------------------------------- requests


def test_a_rare_word_is_found_in_few_requests(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    for number in range(100):
        public(hyperx_cloud, f"ubuntu {number}")
    index.refresh()
    user = client(hyperx_cloud)
    user.departments()
    hyperx_cloud.requests.clear()

    assert names(index, user) == ["debian 12"]
    assert len(lists(hyperx_cloud)) <= 4
    for view in ("featured", "public"):
        hyperx_cloud.requests.clear()
        names(index, user, view=view)
        assert len(lists(hyperx_cloud)) <= 2


def test_a_refresh_without_news_is_two_requests(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    index.refresh()

    assert [request.method for request in hyperx_cloud.requests] == ["GET", "GET"]


def test_what_glance_can_filter_is_asked_of_glance(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    user = client(hyperx_cloud)
    user.page()
    hyperx_cloud.requests.clear()

    index.page(user)
    index.page(user, kind="image", os_distro="debian", state="ACTIVE")
    index.page(user, view="private", search="x")

    assert all("id" not in asked for asked in lists(hyperx_cloud))


@pytest.mark.parametrize(
    "wanted", [{"description": ""}, {"hyperx_bootable": "maybe"}, {"hyperx_deprecated_at": "2020-01-01T00:00:00Z"}]
)
def test_what_only_glance_can_tell_is_asked_of_glance(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, wanted: dict[str, str]
) -> None:
    public(hyperx_cloud, "debian 13", **wanted)
    index.refresh()
    user = client(hyperx_cloud)

    assert names(index, user, properties=wanted) == ["debian 13"]
    assert index.count(user, properties=wanted) == index.summary(user, properties=wanted).total == 1


def test_words_in_chinese_of_two_letters_are_found(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    public(hyperx_cloud, "银河麒麟 V10")
    index.refresh()

    assert names(index, client(hyperx_cloud), "麒麟") == ["银河麒麟 V10"]


@pytest.mark.parametrize(
    "word", ["a", "ab", 'a"b', "' OR 1", "麒麟", "银河麒麟", "a\nb", "100%", "a_b", "AND", "deadbeef-"]
)
def test_any_word_is_found_in_the_index_as_in_glance(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, word: str
) -> None:
    for name in (f"x{word}y", f"{word.upper()} 2", "xaby", "nothing"):
        public(hyperx_cloud, name)
    index.refresh()
    user = client(hyperx_cloud)
    live = [image.name for image in user.page(search=word, sort=["-name"]).images]

    assert f"x{word}y" in live
    assert names(index, user, word) == live
    assert names(index, user, "", name_contains=word) == [
        image.name for image in user.page(name_contains=word, sort=["-name"]).images
    ]


def test_a_part_of_a_changed_image_is_found_and_its_former_part_is_not(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path
) -> None:
    (image_id,) = hyperx_cloud.glance.images
    client(hyperx_cloud, "admin").update(image_id, name="fedora 40")
    index.refresh()

    assert names(index, client(hyperx_cloud), "fedora") == ["fedora 40"]
    store = file_of(path, hyperx_cloud)
    assert (store.few(["fedora"]), store.few(["debian"])) == ([1], [])
    store.close()


def test_more_images_than_are_looked_up_by_a_word_are_found_as_well(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path
) -> None:
    for number in range(2000):
        public(hyperx_cloud, f"debian {number}")
    index.refresh()
    store = file_of(path, hyperx_cloud)

    assert store.few(["debian"]) is None
    assert store.few(["a\0b"]) is store.few(["ab"]) is None
    assert index.count(client(hyperx_cloud), search="debian") == 2001
    assert len(names(index, client(hyperx_cloud))) == 20
    store.close()


# ----------------------------------------------------------------- what changes


def test_counts_of_the_index_are_those_of_the_user_s_client(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    tags = ["linux", "\x1f", "\x1e", "\x1e1", "a\x1fb", ""]
    for number in range(12):
        odd = {"disk_format": "iso", "hyperx_featured": "true"} if number % 2 else {"hyperx_os_name": "麒麟"}
        later = {"status": "queued"} if number % 3 else {"size": 2**40 + number}
        public(hyperx_cloud, f"image {number}", tags=tags[: number % 7], **odd, **later)
    public(hyperx_cloud, "hidden", os_hidden=True)
    public(hyperx_cloud, "snapshot", image_type="snapshot")
    own = public(hyperx_cloud, "soon private", owner="dept-a")
    index.refresh()
    alice = client(hyperx_cloud)

    for view in ("all", "featured", "public"):
        for criteria in ({}, {"kind": "iso"}, {"kind": "image"}, {"state": "ACTIVE"}, {"formats": ["iso", "raw"]}):
            asked: dict[str, Any] = {"view": view, **criteria}
            assert index.count(alice, **asked) == alice.count(**asked), asked
            assert index.summary(alice, **asked) == alice.summary(**asked), asked
    assert index.tags(alice) == alice.tags()
    hyperx_cloud.glance.images[own].visibility = "private"
    assert index.count(alice) == alice.count(), "an image that the index still has is counted once"


def test_no_record_is_read_to_count_what_asks_for_nothing_in_it(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET record = x'00'")
    connection.close()
    alice = client(hyperx_cloud)

    assert index.count(alice, view="public", state="ACTIVE") == 1
    assert index.summary(alice, kind="image").total == 1
    assert index.tags(alice) == {}
    assert index.state.error is None


def test_a_change_is_shown_when_the_index_is_refreshed(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock
) -> None:
    user = client(hyperx_cloud)
    public(hyperx_cloud, "debian 13")
    assert names(index, user) == ["debian 12"]

    clock.now += REFRESH + 1

    assert names(index, user) == ["debian 13", "debian 12"]
    state = index.state
    assert (state.images, state.age_seconds, state.error) == (2, 0, None)


def test_what_is_gone_is_never_shown(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    kept = public(hyperx_cloud, "debian 13")
    withdrawn, deleted, hidden, renamed = (public(hyperx_cloud, f"debian {number}") for number in range(4))
    index.refresh()
    glance = hyperx_cloud.glance
    glance.show_to(withdrawn, "private")
    glance.remove_image(deleted)
    glance.images[hidden].os_hidden = True
    glance.images[renamed].name = "ubuntu"

    page = index.page(client(hyperx_cloud), search="debian", size=20)

    assert {image.id for image in page.images} >= {kept}
    assert {image.name for image in page.images} == {"debian 13", "debian 12"}


def test_what_a_user_did_not_find_is_looked_for_by_the_next_refresh(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock
) -> None:
    (found,) = index.page(client(hyperx_cloud), search="debian").images
    hyperx_cloud.glance.remove_image(found.id)
    assert index.count(client(hyperx_cloud)) == 1

    assert names(index, client(hyperx_cloud)) == []
    clock.now += REFRESH + 1
    assert index.count(client(hyperx_cloud)) == 0


def test_an_image_that_one_user_may_not_see_stays_for_the_others(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock
) -> None:
    (found,) = index.page(client(hyperx_cloud), search="debian").images
    hyperx_cloud.glance.hidden_by_policy.add(found.id)
    assert names(index, client(hyperx_cloud)) == []
    hyperx_cloud.glance.hidden_by_policy.clear()
    clock.now += REFRESH + 1

    assert names(index, client(hyperx_cloud)) == ["debian 12"]


def test_a_page_whose_images_are_all_gone_is_read_from_glance(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex
) -> None:
    ids = [public(hyperx_cloud, f"debian {number}") for number in range(100)]
    index.refresh()
    for image_id in ids:
        hyperx_cloud.glance.remove_image(image_id)

    assert names(index, client(hyperx_cloud), size=5) == ["debian 12"]


def test_a_rebuild_forgets_what_is_gone(hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock) -> None:
    (found,) = index.page(client(hyperx_cloud), search="debian").images
    hyperx_cloud.glance.remove_image(found.id)
    clock.now += REBUILD + 1

    index.count(client(hyperx_cloud))
    assert settled(index).count(client(hyperx_cloud)) == 0


def edited(dice: random.Random, image: ImageRecord) -> bool:
    """Publish, withdraw, rename, disable or hide an image; return False if it shall be deleted."""
    match dice.randrange(6):
        case 0:
            image.visibility = "public"
        case 1:
            image.visibility = "private"
        case 2:
            image.name = dice.choice(("debian", "ubuntu"))
        case 3:
            image.status = dice.choice(("active", "deactivated"))
        case 4:
            image.os_hidden = dice.random() < 0.3
        case _:
            return False
    return True


def test_ten_thousand_edits_show_nothing_stale_or_foreign(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock
) -> None:
    dice = random.Random(2026)
    began = datetime.now(UTC)
    glance = hyperx_cloud.glance
    user = client(hyperx_cloud)
    user.departments()
    ids = [public(hyperx_cloud, f"debian {number}") for number in range(200)]
    index.refresh()
    for number in range(10_000):
        image_id = dice.choice(ids)
        if not edited(dice, glance.images[image_id]):
            glance.remove_image(image_id)
            ids[ids.index(image_id)] = public(hyperx_cloud, f"debian {number}")
        if number % 100 == 0:
            page = index.page(user, search="debian active", size=1000)
            for shown in page.images:
                now = glance.images[shown.id]
                assert (now.visibility, now.status, now.os_hidden, now.deleted) == ("public", "active", False, False)
                assert now.name == shown.name
                assert "debian" in now.name
        if number % 1000 == 999:
            for each in ids:  # as Glance's own clock has it
                glance.images[each].updated_at = began + timedelta(seconds=clock.now - 1000)
            clock.now += REFRESH + 1
            found = {image.id for image in index.page(user, search="debian active", size=1000).images}
            assert found == {image.id for image in user.page(search="debian active", size=1000).images}


# ----------------------------------------------------------------- the file


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\0" + b"x" * 8000])
def test_a_damaged_file_is_made_anew_and_pages_go_on(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path, damage: bytes
) -> None:
    index.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(damage)

    assert names(index, client(hyperx_cloud)) == ["debian 12"]
    assert names(settled(index), client(hyperx_cloud)) == ["debian 12"]
    assert index.refresh().error is None
    assert index.state.images == 1
    assert path.with_name(path.name + ".damaged").read_bytes()[:8] == damage[:8]


def test_damage_in_the_middle_of_the_file_is_noticed(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path
) -> None:
    for number in range(200):
        public(hyperx_cloud, f"debian {number}")
    index.refresh()
    index.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = b"\xff" * (len(content) - 4096 - 8192)
    path.write_bytes(content)

    expected = [image.name for image in client(hyperx_cloud).page(search="debian", sort=["-name"]).images]
    assert names(index, client(hyperx_cloud)) == expected
    assert names(settled(index), client(hyperx_cloud)) == expected
    assert index.refresh().images == 201


@pytest.mark.parametrize("column", ["category", "kind", "state"])
def test_a_word_that_no_program_has_written_is_damage(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path, column: str
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE images SET {column} = 'other'")
    connection.close()

    assert index.summary(client(hyperx_cloud)).total == 1
    assert index.state.error is not None
    assert settled(index).summary(client(hyperx_cloud)).total == 1


def test_a_record_that_cannot_be_read_is_damage(hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET record = x'00'")
    connection.close()

    assert names(index, client(hyperx_cloud)) == ["debian 12"]
    assert names(settled(index), client(hyperx_cloud)) == ["debian 12"]


@pytest.mark.parametrize(
    "change", ["PRAGMA user_version = 0", "PRAGMA application_id = 7", "DROP TABLE images", "DROP TABLE trigrams"]
)
def test_a_file_of_another_version_is_made_anew(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path, change: str
) -> None:
    index.close()
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()

    assert names(index, client(hyperx_cloud)) == ["debian 12"]
    assert names(settled(index), client(hyperx_cloud)) == ["debian 12"]
    assert index.refresh().images == 1


def test_a_file_about_another_glance_is_made_anew(index: CatalogueIndex, path: Path) -> None:
    index.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE facts SET fact = 'http://elsewhere.example' WHERE name = 'glance'")
    connection.close()

    assert index.refresh().error is None
    assert index.state.images == 1


def test_a_full_disk_stops_refreshing_but_no_page(
    hyperx_cloud: InMemoryCloud, clock: Clock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*arguments: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  # as sqlite3 takes them
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr("sqlite3.connect", noted)
    public(hyperx_cloud, "debian 12")
    with CatalogueIndex(client(hyperx_cloud, "rita", clock), path=path) as index:
        index.refresh()
        for number in range(50):
            public(hyperx_cloud, f"debian new {number}", description="x" * 10_000)
        (pages,) = opened[0].execute("PRAGMA page_count").fetchone()
        opened[0].execute(f"PRAGMA max_page_count = {pages}")  # as on a disk that is full
        clock.now += REFRESH + 1

        assert names(index, client(hyperx_cloud)) == ["debian 12"]
        error = index.state.error
        assert error is not None
        assert "full" in error.explanation

        opened[0].execute("PRAGMA max_page_count = 1000000")
        clock.now += REFRESH + 1
        assert len(names(index, client(hyperx_cloud), size=100)) == 51
        assert index.state.error is None


def test_a_file_that_cannot_be_made_leaves_the_users_pages(hyperx_cloud: InMemoryCloud, tmp_path: Path) -> None:
    public(hyperx_cloud, "debian 12")
    with CatalogueIndex(client(hyperx_cloud, "rita"), path=tmp_path / "missing" / "images.sqlite") as index:
        assert names(index, client(hyperx_cloud)) == ["debian 12"]
        state = index.refresh()
        assert state.error is not None
        assert (state.images, state.age_seconds, state.rebuilt_at) == (0, None, None)


def test_without_a_path_the_file_is_temporary(hyperx_cloud: InMemoryCloud, tmp_path: Path, monkeypatch: Any) -> None:  # noqa: ANN401
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    public(hyperx_cloud, "debian 12")
    index = CatalogueIndex(client(hyperx_cloud, "rita"))
    assert index.refresh().images == 1
    assert any(tmp_path.iterdir())
    index.close()

    assert not any(tmp_path.iterdir())


def test_only_its_owner_may_read_the_file(index: CatalogueIndex, path: Path) -> None:
    assert index.state.images == 1
    assert path.stat().st_mode & 0o777 == 0o600


# ----------------------------------------------------------------- logins and clocks


def test_pages_go_on_when_the_login_of_the_index_ends(hyperx_cloud: InMemoryCloud, path: Path, clock: Clock) -> None:
    public(hyperx_cloud, "debian 12")
    filler = hyperx_cloud.session("rita")
    with CatalogueIndex(Client.from_session(filler, settings=Settings(pace=Pace(clock=clock))), path=path) as index:
        index.refresh()
        filler.auth = Token("http://keystone.cloud.test/v3", token="ended", project_id="dept-a")
        user = client(hyperx_cloud)
        clock.now += REFRESH + 1
        assert names(index, user) == ["debian 12"]
        assert index.state.error is not None
        clock.now += REBUILD + 1
        with pytest.raises(ServiceUnavailableError, match="could not be refreshed"):
            names(index, user)
        settled(index)


def test_an_index_that_never_could_log_in_leaves_the_users_pages(
    hyperx_cloud: InMemoryCloud, path: Path, clock: Clock
) -> None:
    public(hyperx_cloud, "debian 12")
    filler = hyperx_cloud.session("rita")
    filler.auth = Token("http://keystone.cloud.test/v3", token="ended", project_id="dept-a")
    with CatalogueIndex(Client.from_session(filler, settings=Settings(pace=Pace(clock=clock))), path=path) as index:
        user = client(hyperx_cloud)
        names(index, user)
        logins = sum(request.path == "/v3/auth/tokens" for request in hyperx_cloud.requests)
        for _ in range(3):
            assert names(index, user) == ["debian 12"]
        assert sum(request.path == "/v3/auth/tokens" for request in hyperx_cloud.requests) == logins
        assert isinstance(index.state.error, AuthenticationError)


def test_glance_out_of_reach_is_the_users_error(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    hyperx_cloud.cut("glance", "GET", ".*", times=None, handled=False)

    with pytest.raises(ServiceUnavailableError):
        names(index, client(hyperx_cloud))


@pytest.mark.parametrize("jump", [-5000.0, 100_000.0])
def test_a_clock_that_jumps_is_followed_by_a_rebuild(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock, jump: float
) -> None:
    clock.now += jump
    public(hyperx_cloud, "debian 13")

    names(index, client(hyperx_cloud))
    assert names(settled(index), client(hyperx_cloud)) == ["debian 13", "debian 12"]
    assert index.state.age_seconds == 0


@pytest.mark.parametrize("seconds", [-100, 100])
def test_glances_whose_clocks_differ_a_little_are_both_refreshed(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock, seconds: int
) -> None:
    time = datetime.now(UTC) + timedelta(seconds=seconds)
    public(hyperx_cloud, "debian 13", created_at=time.isoformat(), updated_at=time.isoformat())
    clock.now += REFRESH + 1

    assert "debian 13" in names(index, client(hyperx_cloud))


def test_a_glance_whose_clock_is_far_behind_is_seen_by_the_rebuild(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock
) -> None:
    old = "2026-01-01T00:00:00+00:00"
    public(hyperx_cloud, "debian 13", created_at=old, updated_at=old)
    clock.now += REFRESH + 1
    assert names(index, client(hyperx_cloud)) == ["debian 12"]
    clock.now += REBUILD + 1

    names(index, client(hyperx_cloud))
    assert names(settled(index), client(hyperx_cloud)) == ["debian 13", "debian 12"]


# ----------------------------------------------------------------- several at once


def test_two_workers_share_one_file_and_one_of_them_refreshes(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path, clock: Clock
) -> None:
    with CatalogueIndex(client(hyperx_cloud, "rita", clock), path=path) as second:
        file = file_of(path, hyperx_cloud)
        assert filling.lease(file, clock, "refreshing_until")
        clock.now += REFRESH + 1
        public(hyperx_cloud, "debian 13")
        assert names(index, client(hyperx_cloud)) == ["debian 12"]
        filling.release(file, "refreshing_until")
        clock.now += REFRESH + 1
        assert names(second, client(hyperx_cloud)) == ["debian 13", "debian 12"]
        hyperx_cloud.requests.clear()
        assert names(index, client(hyperx_cloud)) == ["debian 13", "debian 12"]
        assert not [asked for asked in lists(hyperx_cloud) if "updated_at" in asked]


def test_a_rebuild_by_another_worker_stops_no_refresh(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock, path: Path
) -> None:
    assert filling.lease(file_of(path, hyperx_cloud), clock, "rebuilding_until")
    public(hyperx_cloud, "debian 13")
    clock.now += REFRESH + 1

    assert names(index, client(hyperx_cloud)) == ["debian 13", "debian 12"]


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 300, "body": {}, "headers": {"Date": "yesterday"}}])
def test_a_glance_that_does_not_tell_its_time_is_refreshed(
    hyperx_cloud: InMemoryCloud, path: Path, clock: Clock, answer: dict[str, Any]
) -> None:
    hyperx_cloud.fail("glance", "GET", "^/$", times=None, **answer)
    public(hyperx_cloud, "debian 12")
    with CatalogueIndex(client(hyperx_cloud, "rita", clock), path=path) as index:
        assert index.refresh().error is None
        public(hyperx_cloud, "debian 13")
        clock.now += REFRESH + 1
        assert names(index, client(hyperx_cloud)) == ["debian 13", "debian 12"]


def test_the_lease_of_a_dead_worker_ends(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock, path: Path
) -> None:
    assert filling.lease(file_of(path, hyperx_cloud), clock, "refreshing_until")
    public(hyperx_cloud, "debian 13")
    clock.now += filling.LEASE_SECONDS + 1

    assert names(index, client(hyperx_cloud)) == ["debian 13", "debian 12"]


def in_a_child(work: Callable[[], str]) -> str:
    """Return what a forked child says."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, work().encode())
        except BaseException as error:  # noqa: BLE001  # a child must not go on as pytest
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


def test_a_forked_worker_has_a_connection_of_its_own(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, path: Path
) -> None:
    file = file_of(path, hyperx_cloud)
    with index._lock, file.writing() as write:  # noqa: SLF001  # another thread of the parent is in the middle of it
        write.note(since=0.0)
        assert in_a_child(lambda: ",".join(names(index, client(hyperx_cloud)))) == "debian 12"
    assert names(index, client(hyperx_cloud)) == ["debian 12"]


def test_a_forked_worker_cannot_refresh_with_the_parents_login(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, clock: Clock
) -> None:
    clock.now += REFRESH + 1

    def work() -> str:
        found = names(index, client(hyperx_cloud))
        return f"{found} {index.state.error}"

    assert "['debian 12'] This client was made in another process" in in_a_child(work)
    assert names(index, client(hyperx_cloud)) == ["debian 12"]
    assert index.state.error is None


def test_threads_share_an_index(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    users = [client(hyperx_cloud) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: names(index, users[number % 8]), range(64)))

    assert found == [["debian 12"]] * 64


def test_the_users_pages_are_used_until_the_index_is_complete(hyperx_cloud: InMemoryCloud, path: Path) -> None:
    public(hyperx_cloud, "debian 12")
    with CatalogueIndex(client(hyperx_cloud, "rita"), path=path) as index:
        assert names(index, client(hyperx_cloud)) == ["debian 12"]
        assert whole_lists(hyperx_cloud) == 1
        settled(index)
        hyperx_cloud.requests.clear()
        assert names(index, client(hyperx_cloud)) == ["debian 12"]
        assert whole_lists(hyperx_cloud) == 0


def test_both_read_each_others_cursors(hyperx_cloud: InMemoryCloud, index: CatalogueIndex) -> None:
    for number in range(9):
        public(hyperx_cloud, f"debian {number}")
    index.refresh()
    user = client(hyperx_cloud)
    for sort in (["name"], ["-created_at", "id"]):
        first = index.page(user, search="debian", size=4, sort=sort)
        second = user.page(search="debian", size=4, sort=sort, cursor=first.next)
        third = index.page(user, search="debian", size=4, sort=sort, cursor=second.next)
        back = index.page(user, search="debian", size=4, sort=sort, cursor=third.previous)
        assert third.next is None
        assert [image.id for image in back.images] == [image.id for image in second.images]
        together = [image.id for page in (first, second, third) for image in page.images]
        assert together == [image.id for image in user.images(search="debian", sort=sort)]


def test_arguments_are_checked(hyperx_cloud: InMemoryCloud) -> None:
    user = client(hyperx_cloud)
    for wrong in ({"path": 5}, {"refresh_after": -1}, {"rebuild_after": "x"}):
        with pytest.raises(InvalidRequestError):
            CatalogueIndex(user, **wrong)
    index = CatalogueIndex(user)
    with pytest.raises(InvalidRequestError):
        index.page("alice")  # type: ignore[arg-type]  # that is the test
    with pytest.raises(InvalidRequestError):
        index.count(user, search=5)  # type: ignore[arg-type]  # as above
    with pytest.raises(Exception, match="view"):
        index.page(user, view="everything", search="x")


def test_the_connection_of_a_thread_is_closed_when_the_thread_ends(
    hyperx_cloud: InMemoryCloud, index: CatalogueIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(hyperx_cloud, "debian 13")
    index.refresh()
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noting(*arguments: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  # those of sqlite3
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noting)
    thread = threading.Thread(target=lambda: names(index, client(hyperx_cloud), "debian"))
    thread.start()
    thread.join()
    gc.collect()

    (connection,) = opened
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
