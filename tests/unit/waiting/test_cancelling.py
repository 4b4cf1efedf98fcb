"""What an asyncio task has started is cancelled with it, at whatever moment the cancellation comes."""

from __future__ import annotations

import asyncio
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, LaunchRequest, NewCapture, NewImage, Pace, Settings, UrlRejectedError, cancelling
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Coroutine

URL = "https://files.example/debian-12.qcow2"
DISK = b"QFI\xfb\0\0\0\3" + bytes(12) + b"\0\0\0\x10" + (1 << 30).to_bytes(8) + bytes(65504)
NEW = NewImage(name="debian", url=URL)
SECONDS = 20


class Gate:
    """A request that waits until it is let through."""

    def __init__(self, cloud: InMemoryCloud, method: str, path: str) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        cloud.before("glance", method, path, self._wait)

    def _wait(self) -> None:
        self.reached.set()
        assert self.opened.wait(SECONDS)


@pytest.fixture
def cloud() -> InMemoryCloud:
    cloud = InMemoryCloud()
    cloud.glance.downloads[URL] = DISK
    return cloud


@pytest.fixture
def client(cloud: InMemoryCloud) -> Client:
    pace = Pace(first_interval=0.01, longest_interval=0.05)  # real time: the cloud's own pace makes hours pass at once
    settings = Settings(network=cloud.network, pace=pace)
    return Client.from_session(cloud.session("alice"), settings=settings)


def run(program: Coroutine[object, object, None]) -> None:
    asyncio.run(asyncio.wait_for(program, SECONDS))


async def reached(event: threading.Event) -> None:
    while not event.is_set():  # noqa: ASYNC110  # a thread sets it
        await asyncio.sleep(0.01)


async def registered(client: Client) -> str:
    async with cancelling(client.start_registration, NEW) as registration:
        return (await asyncio.to_thread(registration.wait)).id


def test_a_block_that_ends_normally_cancels_nothing(client: Client) -> None:
    async def program() -> None:
        image_id = await registered(client)
        assert [image.id for image in client.images()] == [image_id]

    run(program())


@pytest.mark.parametrize("times", [1, 3])
def test_a_task_that_is_cancelled_while_it_waits_leaves_nothing(
    cloud: InMemoryCloud, client: Client, times: int
) -> None:
    cloud.glance.import_polls = 10**9
    gate = Gate(cloud, "GET", "/images/")

    async def program() -> None:
        task = asyncio.create_task(registered(client))
        await reached(gate.reached)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.count() == 0

    run(program())


@pytest.mark.parametrize("path", ["/images$", "/import$"])
def test_a_task_that_is_cancelled_while_it_starts_leaves_nothing(
    cloud: InMemoryCloud, client: Client, path: str
) -> None:
    gate = Gate(cloud, "POST", path)

    async def program() -> None:
        task = asyncio.create_task(registered(client))
        await reached(gate.reached)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.count() == 0

    run(program())


def test_a_time_out_cancels(cloud: InMemoryCloud, client: Client) -> None:
    cloud.glance.import_polls = 10**9

    async def program() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), cancelling(client.start_registration, NEW):
                await asyncio.sleep(SECONDS)
        assert client.count() == 0

    run(program())


def test_what_start_raises_is_raised(client: Client) -> None:
    async def program() -> None:
        with pytest.raises(UrlRejectedError):
            async with cancelling(client.start_registration, NewImage(name="a", url="https://files.example/none")):
                pytest.fail("nothing was started")

    run(program())


def test_an_error_of_the_block_cancels_and_is_raised(client: Client) -> None:
    async def program() -> None:
        with pytest.raises(ZeroDivisionError):
            async with cancelling(client.start_registration, NEW):
                _ = 1 / 0
        assert client.count() == 0

    run(program())


def test_a_failure_to_cancel_is_a_note_on_the_first_error(cloud: InMemoryCloud, client: Client) -> None:
    async def failing() -> None:
        async with cancelling(client.start_registration, NEW):
            cloud.fail("glance", "DELETE", "/images/", status=500, times=None)
            raise ZeroDivisionError

    async def program() -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            await failing()
        assert "It could not be cancelled" in "".join(traceback.format_exception(caught.value))

    run(program())


def test_a_task_that_is_cancelled_while_it_cleans_up_ends_as_cancelled(cloud: InMemoryCloud, client: Client) -> None:
    gate = Gate(cloud, "DELETE", "/images/")

    async def failing() -> None:
        async with cancelling(client.start_registration, NEW):
            raise ZeroDivisionError

    async def program() -> None:
        task = asyncio.create_task(failing())
        await reached(gate.reached)
        task.cancel()
        await asyncio.sleep(0.05)
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert client.count() == 0

    run(program())


def test_cancelling_does_not_queue_behind_the_threads_that_wait(cloud: InMemoryCloud, client: Client) -> None:
    """asyncio's pool has one thread here, in which the registration waits that is to be cancelled."""
    cloud.glance.import_polls = 10**9
    waits = threading.Event()

    async def waiting() -> None:
        async with cancelling(client.start_registration, NEW) as registration:
            await asyncio.to_thread(registration.wait, on_progress=lambda _: waits.set())

    async def program() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        tasks = [asyncio.create_task(waiting()) for _ in range(3)]
        await reached(waits)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 3
        assert client.count() == 0

    run(program())


def test_a_program_that_ends_cancels_what_its_tasks_have_started(cloud: InMemoryCloud, client: Client) -> None:
    cloud.glance.import_polls = 10**9
    gate = Gate(cloud, "GET", "/images/")
    gate.opened.set()
    tasks = []

    async def program() -> None:
        tasks.append(asyncio.create_task(registered(client)))
        await reached(gate.reached)

    run(program())

    assert tasks[0].cancelled()
    assert client.count() == 0


def test_launches_and_captures_are_cancelled_too(client: Client) -> None:
    image = client.register(NEW)
    (server,) = client.launch(image, LaunchRequest(name="base", flavor="m1.tiny")).servers

    web = LaunchRequest(name="web", flavor="m1.tiny", count=2)

    async def program() -> None:
        with pytest.raises(ZeroDivisionError):
            async with cancelling(client.launch, image, web, wait=False):
                _ = 1 / 0
        with pytest.raises(ZeroDivisionError):
            async with cancelling(client.start_capture, server.id, NewCapture(name="copy")):
                _ = 1 / 0

    run(program())

    assert [each.name for each in client.servers_using(image).servers] == ["base"]
    assert [each.name for each in client.images()] == ["debian"]
