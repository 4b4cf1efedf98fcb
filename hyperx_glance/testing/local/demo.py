"""The whole story on a fresh cloud: register from URLs, look, launch, capture, edit, delete; `tox -e demo` runs it.

>>> from datetime import UTC, datetime
>>> size(1_572_864), size(None), when(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
('1.5 MiB', '-', '2026-01-02 03:04')

Every step checks what it shows: the exit status is 0 only when all was really seen to happen.
"""

import functools
import http.server
import lzma
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from hyperx_glance import (
    Client,
    HyperxGlanceError,
    Image,
    Launch,
    LaunchProgress,
    LaunchRequest,
    NewCapture,
    NewImage,
    NewIso,
    Progress,
    State,
    UrlProblem,
    UrlRejectedError,
)
from hyperx_glance.testing.extras import needed
from hyperx_glance.testing.local.local_cloud import LocalCloud
from hyperx_glance.testing.profiles import small_image

with needed("localcloud"):
    import prettytable

INSTALLER = Path(__file__).with_name("installer.iso.xz")
COLUMNS = (
    "名称 Name",
    "创建日期 Created",
    "格式 Format",
    "大小 Size",
    "状态 State",
    "所有者 Owner",
    "密码启用 Password",
    "说明 Description",
)


class DemoError(Exception):
    """A step that did not show the expected result."""


class Story:
    """A printer of the steps and their times."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._terminal = sys.stdout.isatty()
        self._last = ""

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    def title(self, text: str) -> None:
        """Start a step."""
        print(f"\n── {text}", flush=True)

    def progress(self, text: str) -> None:
        """Show the current activity: one changing line on a terminal, plain lines elsewhere."""
        if self._terminal:
            print(f"\r\033[K          … {text}", end="", flush=True)
        elif text != self._last:
            print(f"          … {text}", flush=True)
        self._last = text

    def clear(self) -> None:
        """End the line that changes."""
        self._last = ""
        if self._terminal:
            print("\r\033[K", end="", flush=True)


def main(python: Path | None = None) -> int:
    """Run the demo, on the services of another Python if one is given; return the exit status."""
    story = Story()
    cloud = LocalCloud(python=python)
    try:
        with ExitStack() as stack:
            url = stack.enter_context(file_server())
            story.title("A real OpenStack starts on loopback: Keystone, Glance, Placement, Neutron, Nova, Cinder")
            stack.enter_context(cloud)
            directory = cloud.directory
            story.say(
                f"all six of OpenStack {cloud.release} are healthy; Keystone answers at {cloud.auth()['auth_url']}"
            )
            tell(story, cloud, url)
            story.title("The cloud is removed")
        seen(not directory.exists(), "the cloud's directory is gone")
        story.say("no process, port or file is left")
    except (DemoError, HyperxGlanceError) as error:
        story.clear()
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    print("\nEvery step succeeded.")
    return 0


def tell(story: Story, cloud: LocalCloud, url: str) -> None:
    """Go through the main job as alice of dept-a, with bob of dept-b looking on."""
    alice, bob = cloud.client("alice"), cloud.client("bob")
    story.title("创建镜像 / 创建ISO: Glance downloads an image and an ISO from their URLs")
    image, iso = register(story, alice, url)
    refuse(story, alice, url)

    story.title("镜像: the catalogue as alice sees it")
    show(alice)
    quota = alice.quota().images
    seen(quota is not None and quota.used == 2, "two images count against the quota of dept-a")
    story.say(f"dept-a uses {quota.used if quota else '?'} of {quota.limit if quota else '?'} images")

    story.title("启动: a server from the image")
    launch = start(story, alice, image)

    story.title("封装: the server becomes an image, and bob launches from it")
    captured = capture(story, alice, launch)
    launch_as_another(story, bob, captured)
    alice.delete(captured)
    story.say(f"deleted {captured.name}")

    story.title("编辑镜像: alice renames the image and makes it public")
    edited = alice.update(image, name="Debian 12 (base)", description="云平台基础镜像", category="public")
    seen((edited.name, edited.category) == ("Debian 12 (base)", "public"), "the edit is in the catalogue")
    seen([found.name for found in bob.images(view="public")] == [edited.name], "bob of dept-b sees it under 公共")
    show(bob)

    story.title("删除镜像: the images go, the server stays")
    for gone in (edited, iso):
        alice.delete(gone)
        story.say(f"deleted {gone.name}")
    seen(not list(alice.images()) and not list(bob.images()), "the catalogue is empty")
    servers = alice.find_launch(launch.launch_id).servers
    seen([server.status for server in servers] == ["ACTIVE"], "the server is still ACTIVE")
    story.say(f"{servers[0].name} is still ACTIVE")
    launch.cancel()
    seen(not launch.servers, "the server is gone")
    story.say(f"deleted {servers[0].name}")


def register(story: Story, alice: Client, url: str) -> tuple[Image, Image]:
    """Register an image and an ISO, both from URLs."""

    def follow(progress: Progress) -> None:
        story.progress(f"{progress.phase} {progress.message}".strip())

    wanted = (
        NewImage(
            name="debian-12",
            url=f"{url}/disk.qcow2",
            description="Debian 12 with cloud-init",
            os_distro="debian",
            os_version="12",
            password_enabled=True,
            tags=frozenset({"base"}),
        ),
        NewIso(name="installer", url=f"{url}/installer.iso", description="安装光盘", os_name="Debian 12 netinst"),
    )
    made = []
    for new in wanted:
        image = alice.register(new, on_progress=follow)
        story.clear()
        seen(image.state is State.ACTIVE, f"{image.name} is ACTIVE")
        story.say(f"{image.name}: {image.disk_format}, {size(image.size)}, {image.state}")
        made.append(image)
    return made[0], made[1]


def refuse(story: Story, alice: Client, url: str) -> None:
    """Make the most common mistake: a page instead of a file."""
    try:
        alice.register(NewImage(name="mistake", url=f"{url}/index.html"))
    except UrlRejectedError as error:
        seen(error.reason == UrlProblem.HTML, "the reason is that the URL is a page")
        story.say(f"mistake: refused before anything was created, {error}")
    else:
        raise DemoError("a page was accepted as an image")
    seen(not list(alice.images(name="mistake")), "the wrong URL left no record")


def start(story: Story, alice: Client, image: Image) -> Launch:
    """Launch one server and wait until it is ACTIVE."""

    def follow(progress: LaunchProgress) -> None:
        story.progress(f"{progress.active} active, {progress.building} building of {progress.count}")

    launch = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny"), on_progress=follow)
    story.clear()
    (server,) = launch.servers
    seen(server.status == "ACTIVE", "the server is ACTIVE")
    seen(launch.admin_password is not None, "a password-enabled image gives a password")
    addresses = ", ".join(address for network in server.addresses.values() for address in network)
    story.say(f"{server.name} is {server.status}, {server.flavor}, {addresses}; its password was generated")
    return launch


def capture(story: Story, alice: Client, launch: Launch) -> Image:
    """Capture the server as a public image; the server keeps running."""

    def follow(progress: Progress) -> None:
        story.progress(f"{progress.phase} {progress.message}".strip())

    (server,) = launch.servers
    new = NewCapture(name="debian-12 with nginx", description="预装 nginx", category="public", tags=frozenset({"web"}))
    image = alice.capture(server.id, new, on_progress=follow)
    story.clear()
    seen((image.state, image.captured_from) == (State.ACTIVE, server.id), "the server's image is ACTIVE")
    seen(image.password_enabled and image.os_distro == "debian", "it has the properties of the image of the server")
    seen([each.status for each in launch.wait().servers] == ["ACTIVE"], "the server keeps running")
    story.say(f"{image.name}: {image.disk_format}, {size(image.size)}, made of {server.name}, which keeps running")
    return image


def launch_as_another(story: Story, bob: Client, image: Image) -> None:
    """Launch a server of another department from a public image."""
    seen(image.id in [found.id for found in bob.images(view="public")], "bob sees the image under 公共")
    launch = bob.launch(image, LaunchRequest(name="bobs-web", flavor="m1.tiny"))
    seen(launch.admin_password is not None, "its servers get passwords of their own")
    story.say(
        f"bob of dept-b launched {launch.servers[0].name} from it: {launch.servers[0].status}, with a new password"
    )
    launch.cancel()


def show(client: Client) -> None:
    """Print the catalogue with the console's columns."""
    table = prettytable.PrettyTable(COLUMNS, align="l")
    for image in client.images():
        table.add_row(
            [
                image.name,
                when(image.created_at),
                image.disk_format,
                size(image.size),
                image.state,
                client.owner_name(image),
                "是 yes" if image.password_enabled else "否 no",
                image.description,
            ]
        )
    print(table, flush=True)


def size(count: int | None) -> str:
    """Format bytes for people."""
    return "-" if count is None else f"{count / 2**20:.1f} MiB"


def when(time: datetime | None) -> str:
    """Write a time to the minute."""
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M}"


def seen(fact: bool, what: str) -> None:  # noqa: FBT001  # the fact is what is said
    """Fail the demo if something did not happen."""
    if not fact:
        raise DemoError(f"not seen: {what}")


@contextmanager
def file_server() -> Iterator[str]:
    """Serve a disk, an ISO and a page by HTTP on loopback; return the address."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "disk.qcow2").write_bytes(small_image())
        (Path(folder) / "installer.iso").write_bytes(lzma.decompress(INSTALLER.read_bytes()))
        (Path(folder) / "index.html").write_text("<!doctype html><title>Downloads</title>")
        server = _FileServer(("127.0.0.1", 0), functools.partial(_QuietHandler, directory=folder))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _FileServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up: a check of a URL reads only its first bytes."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # a socket, and its address


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Log nothing: the demo prints its own steps."""
