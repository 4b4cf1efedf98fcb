"""Threads and forked processes that share a client get their own answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance.cloud.cloud import Cloud
from tests.support.file_server import FileServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class Images(FileServer):
    """A handler that answers with the id in the path."""

    def reply_for(self, path: str) -> Reply:
        body = json.dumps({"id": path.rpartition("/")[2]}).encode()
        return Reply(body, headers={"Content-Type": "application/json"})


@pytest.fixture
def images() -> Iterator[Images]:
    with Images() as server:
        yield server


def test_every_process_gets_its_own_answers(images: Images) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.forked_reader", images.url("").rstrip("/")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "parent: []" in done.stdout


def test_threads_that_share_a_client_get_their_own_answers(images: Images) -> None:
    session = Session(auth=Token(images.url("").rstrip("/"), "token"))
    cloud = Cloud.from_session(session)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: cloud.image(str(number)).id, range(200)))
    session.session.close()

    assert found == [str(number) for number in range(200)]
