"""Every example of the guide's page on the command line prints what the page shows, in its order and on one cloud."""

from __future__ import annotations

import doctest
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests import samples
from tests.support.command import Run, fake, openstack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["fake", "openstack"]

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "command-line.rst"
DRAWN = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{8}T\d{6}Z-[0-9a-f]{16}\b")


def examples() -> list[tuple[str, str]]:
    """Return each command with what is printed below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"code-block:: console\n\n((?:   .*\n|\n)+)", PAGE.read_text()):
        for line in block.replace("\n   ", "\n").removeprefix("   ").splitlines():
            if line.startswith("$ openstack "):
                found.append((line.removeprefix("$ openstack "), []))
            elif line:
                found[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in found]


def comparable(text: str) -> str:
    """Leave out random values, and the width that they give a table."""
    drawn = re.sub(r"10\.99\.0\.\d+", "ADDRESS", DRAWN.sub("ID", text))
    return re.sub(r"-{3,}", "---", re.sub(r"[ \t]+", " ", drawn)).strip()


@pytest.fixture
def cloud_of_the_guide(fake: InMemoryCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryCloud]:
    fake.keystone.add_department("images")
    fake.glance.downloads["http://files.example/debian-12.qcow2"] = samples.data("disk.qcow2")
    common: dict[str, Any] = {"status": "active", "disk_format": "qcow2", "container_format": "bare", "size": 700 << 20}
    fake.glance.add_image(name="debian-11", **common)
    fake.glance.add_image(name="licensed", visibility="private", **(common | {"size": 1 << 20}))
    fake.glance.share(
        fake.glance.add_image(name="suite", owner="dept-b", visibility="shared", **common), "dept-a", status="pending"
    )
    fake.glance.add_image(name="shared-tools", owner="dept-b", visibility="community", **common)
    fake.glance.add_image(
        name="kylin",
        owner="images",
        visibility="public",
        created_at="2026-11-24T08:00:00+00:00",
        description="稳定版",
        tags=["arm64", "stable"],
        hyperx_featured="true",
        hyperx_password_enabled="true",
        **common,
    )
    auth = {key: value for key, value in fake.auth("admin").items() if key not in ("region_name", "auth_type")}
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(yaml.safe_dump({"clouds": {"steward": {"auth": auth, "region_name": "RegionOne"}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    monkeypatch.setenv("HYPERX_STEWARD_CLOUD", "steward")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield fake
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("cloud_of_the_guide")
def test_every_example_prints_what_stands_there(openstack: Callable[..., Run]) -> None:
    checker, shown = doctest.OutputChecker(), examples()
    assert len(shown) > 15
    for command, expected in shown:
        run = openstack(command)
        wanted = comparable(expected)
        printed = [comparable(text) for text in (run.out, run.err + run.out)]
        assert any(checker.check_output(wanted, text, doctest.ELLIPSIS) for text in printed), (
            f"$ openstack {command}\n{run.err}{run.out}"
        )
        assert run.status == (1 if "Hint:" in expected else 0)
