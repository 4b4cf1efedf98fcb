"""A browser that reaches nothing but loopback, and a console on each cloud."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect, sync_playwright

from hyperx_glance import Client
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.console import Console
from hyperx_glance.testing.timing import scaled
from tests.browser.visitor import Visitor
from tests.packages import debian
from tests.support import launches
from tests.support.clouds import REGION, image_ids, remove_images

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import Browser

    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer

CHROMIUM: Final = Path("/usr/bin/chromium")
# Features of Chromium that ask its maker for something, or that Playwright switches off; the last such option counts.
FEATURES: Final = (
    "AimEnabled", "AutofillServerCommunication", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationGuideModelDownloading", "OptimizationHints", "PaintHolding",
    "PreconnectToSearch",
)  # fmt: skip
NOWHERE: Final = "http://127.0.0.1:9/"
QUIET: Final = (
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-pings",
    "--safebrowsing-disable-auto-update",
    f"--component-updater=url-source={NOWHERE}",
    f"--disable-features={','.join(FEATURES)}",
    f"--gaia-url={NOWHERE}",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""Chromium asks its maker for nothing, and finds no host but this one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run write the pictures of the documentation."""
    parser.addoption("--pictures", action="store_true", help="write the pictures of docs/_static/console again")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what each person's page says."""
    report = yield
    visits = getattr(item, "funcargs", {}).get("visit")
    if report.failed and report.when == "call" and visits is not None:
        report.sections += [(visitor.page.url, visitor.page.inner_text("body")) for visitor in visits.here]
    return report


class Outside(socketserver.ThreadingTCPServer):
    """A proxy for all that a browser would send to other hosts: it notes each request, and answers none."""

    daemon_threads = True  # a browser keeps connections that it may use

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Refusing)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Refusing(socketserver.StreamRequestHandler):
    server: Outside

    def handle(self) -> None:
        """Read the first line."""
        self.server.asked.append(self.rfile.readline())
        self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    """Run the proxy of all browsers."""
    with Outside() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium(outside: Outside) -> Iterator[Browser]:
    """Start Debian's Chromium; it must not have asked for anything outside at the end."""
    missing = debian.steps(["browser"])
    assert not missing, f"run: {' && '.join(missing)}"
    with sync_playwright() as playwright:
        # As an option of Chromium's own: with Playwright's, what is on loopback would go through the proxy, too.
        proxy = f"--proxy-server={outside.url}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, proxy])
        expect.set_options(timeout=scaled(20) * 1000)
        yield browser
        browser.close()


@dataclass
class World:
    """A cloud with a console in front of it, and a server of files."""

    cloud: InMemoryCloud | LocalCloud
    console: Console
    serve: Callable[[str, bytes], str]
    is_real: bool

    def client(self, user: str) -> Client:
        """Return the library's client of a person, for what no page can show."""
        return Client.from_session(self.cloud.session(user), region_name=REGION)


@pytest.fixture(params=["memory", pytest.param("local", marks=pytest.mark.local)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Start a console on a cloud; what a test leaves behind in the real one is removed."""
    if request.param == "memory":
        memory = InMemoryCloud()

        def keep(path: str, data: bytes) -> str:
            url = f"http://files.example{path}"
            memory.glance.downloads[url] = data
            return url

        with memory, Console.of(memory) as console:  # within the block, the console's own sessions reach the cloud
            yield World(memory, console, keep, is_real=False)
        return
    local: LocalCloud = request.getfixturevalue("local_cloud")
    server: FileServer = request.getfixturevalue("file_server")
    before = image_ids(local)
    with Console.of(local) as console:
        yield World(local, console, server.serve, is_real=True)
    for user in ("alice", "bob"):
        launches.remove_servers(local, user)
    remove_images(local, image_ids(local) - before)


@dataclass
class Visits:
    """The browsers of a test: ``visit("alice", "zh")`` opens one and logs her in, ``visit()`` shows the login."""

    chromium: Browser
    console: Console
    here: list[Visitor] = field(default_factory=list)

    def __call__(self, user: str = "", language: str = "en", *, path: str = "/", **looks: Any) -> Visitor:  # noqa: ANN401  # as Playwright takes them
        """Open a browser with nothing in it yet."""
        locale = "zh-CN" if language == "zh" else "en-GB"
        size = {"width": 1180, "height": 760}
        context = self.chromium.new_context(**{"locale": locale, "viewport": size, "reduced_motion": "reduce"} | looks)
        context.set_default_timeout(scaled(20) * 1000)
        visitor = Visitor(context, self.console.url + path, language)
        self.here.append(visitor)
        if user:
            visitor.log_in(user)
        return visitor


@pytest.fixture
def visit(chromium: Browser, world: World, outside: Outside) -> Iterator[Visits]:
    """Open browsers; the page's program must not fail in any, and nothing may be asked of other hosts."""
    visits = Visits(chromium, world.console)
    yield visits
    for visitor in visits.here:
        visitor.context.close()
    assert [error for visitor in visits.here for error in visitor.errors] == []
    assert outside.asked == []
