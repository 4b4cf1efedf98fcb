"""The samples are what they claim to be, by the inspector that Glance uses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from oslo_utils.imageutils import format_inspector

from tests import samples

if TYPE_CHECKING:
    from pathlib import Path


def inspect(content: bytes) -> dict[str, format_inspector.FileInspector]:
    stream = format_inspector.InspectWrapper(io.BytesIO(content))
    while stream.read(65536):
        pass
    stream.close()
    assert stream.formats is not None
    return {str(inspector): inspector for inspector in stream.formats}


@pytest.mark.parametrize(("name", "disk_format"), samples.DISK_FORMATS.items())
def test_content_is_of_its_format_and_safe(name: str, disk_format: str) -> None:
    matches = inspect(samples.data(name))

    # glance/location.py takes a GPT or MBR as raw, and an ISO with one as ISO
    assert set(matches) in ({disk_format}, {"gpt", disk_format}, {"gpt"} if disk_format == "raw" else set())
    for inspector in matches.values():
        inspector.safety_check()


@pytest.mark.parametrize(("name", "reason"), samples.DANGEROUS.items())
def test_dangerous_content_fails_the_safety_check(name: str, reason: str) -> None:
    matches = inspect(samples.data(name))

    assert set(matches) == {"qcow2"}
    with pytest.raises(format_inspector.SafetyCheckFailed) as caught:
        matches["qcow2"].safety_check()
    assert set(caught.value.failures) == {reason}


def test_hybrid_iso_is_both_a_disk_and_an_iso() -> None:
    assert set(inspect(samples.data("hybrid.iso"))) == {"gpt", "iso"}


def test_huge_disk_is_a_small_file() -> None:
    content = samples.data("huge.qcow2")

    assert len(content) < 1 << 20
    assert inspect(content)["qcow2"].virtual_size == 4 << 40


def test_every_stored_file_is_listed() -> None:
    stored = {path.stem for path in (samples.FOLDER / "files").glob("*.xz")}

    assert stored == {*samples.DISK_FORMATS, *samples.DANGEROUS}


def test_sparse_file_takes_no_room(tmp_path: Path) -> None:
    path = samples.sparse_file(tmp_path / "big.raw", 64 << 30, head=b"start")

    assert path.stat().st_size == 64 << 30
    assert path.stat().st_blocks * 512 < 1 << 20
    with path.open("rb") as file:
        assert file.read(6) == b"start\0"
