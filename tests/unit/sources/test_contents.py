"""What the checks of oslo.utils find is told in our errors, and not on standard error."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from oslo_utils.imageutils import format_inspector

from hyperx_glance import Client, HyperxGlanceError, NewImage, Settings, UrlPolicy
from hyperx_glance.sources.contents import examine
from hyperx_glance.testing import InMemoryCloud
from tests import samples

ROOT = Path(__file__).parents[3]
URL = "https://files.example/disk"
WRONG_DESCRIPTOR = samples.data("disk.vmdk").replace(b"RW ", b"RX ", 1)
WRONG_PARTITION = bytes(446) + b"\x7f" + bytes(3) + b"\x83" + bytes(59) + b"\x55\xaa" + bytes(1 << 16)


def cloud_with(data: bytes) -> tuple[InMemoryCloud, Client]:
    cloud = InMemoryCloud()
    cloud.glance.downloads[URL] = data
    settings = Settings(network=cloud.network, pace=cloud.pace)
    return cloud, Client.from_session(cloud.session("alice"), settings=settings)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (samples.data("backed.qcow2"), "it refers to a backing file"),
        (samples.data("external.qcow2"), "it keeps its data in another file"),
        (WRONG_DESCRIPTOR, "not accept: Invalid VMDK descriptor data. Hint"),
        (WRONG_PARTITION, "is malformed: MBR PTE 0 has invalid boot flag. Hint"),
    ],
    ids=["backing file", "data file", "descriptor", "partition table"],
)
def test_an_error_says_what_the_checks_found(data: bytes, told: str, caplog: pytest.LogCaptureFixture) -> None:
    _, client = cloud_with(data)

    with pytest.raises(HyperxGlanceError, match="dangerous to open") as caught:
        client.register(NewImage(name="disk", url=URL))

    assert told in str(caught.value)
    assert client.check_url(URL).problem is not None
    assert [record for record in caplog.records if record.name.startswith("oslo")] == []


def test_a_cloud_in_memory_says_nothing_on_its_own_when_an_import_is_unsafe(caplog: pytest.LogCaptureFixture) -> None:
    cloud, _ = cloud_with(samples.data("backed.qcow2"))
    careless = Client.from_session(
        cloud.session("alice"),
        settings=Settings(network=cloud.network, pace=cloud.pace, url_policy=UrlPolicy(preflight=False)),
    )

    with pytest.raises(HyperxGlanceError):
        careless.register(NewImage(name="disk", url=URL, disk_format="qcow2"))

    assert [record for record in caplog.records if record.name.startswith("oslo")] == []


def test_a_program_without_logging_prints_nothing() -> None:
    program = """
from tests.unit.sources.test_contents import URL, cloud_with, samples
_, client = cloud_with(samples.data("backed.qcow2"))
print(client.check_url(URL).problem)
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)

    assert (done.stdout, done.stderr) == ("unsafe_image\n", "")


def test_what_another_part_of_the_program_inspects_is_still_logged(caplog: pytest.LogCaptureFixture) -> None:
    examine(samples.data("backed.qcow2"), whole=True)
    inspector = format_inspector.QcowInspector()
    inspector.eat_chunk(samples.data("backed.qcow2"))

    with caplog.at_level(logging.WARNING), pytest.raises(format_inspector.SafetyCheckFailed):
        inspector.safety_check()

    assert "backing_file" in caplog.text
