"""A Glance that converts qcow2 to raw when it imports: with its plug-in image_conversion, and in memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hyperx_glance.testing import InMemoryCloud
from tests import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.clouds import CloudUnderTest

CONVERSION: Final = {
    "image_import_opts": {"image_import_plugins": "[image_conversion]"},
    "image_conversion": {"output_format": "raw"},
}
QEMU_IMG: Final = """#!/bin/sh
# As glance/async_/flows/plugins/image_conversion.py calls it: "info", and "convert" with the target as last argument.
case "$1" in
info) echo '{"format": "qcow2", "virtual-size": 1048576}' ;;
convert) for last; do :; done; cp "$(dirname "$0")/disk.raw" "$last" ;;
esac
"""


@contextmanager
def qemu_img(tools: Path) -> Iterator[None]:
    """Put a qemu-img there that converts everything to the sample disk.raw."""
    program, result = tools / "qemu-img", tools / "disk.raw"
    result.write_bytes(samples.data("disk.raw"))
    program.write_text(QEMU_IMG)
    program.chmod(0o755)
    try:
        yield
    finally:
        program.unlink()
        result.unlink()


@contextmanager
def converting(cloud: CloudUnderTest, tools: Callable[[], Path]) -> Iterator[None]:
    """Let a cloud convert for a while; ``tools`` tells where the real one looks for programs."""
    if isinstance(cloud, InMemoryCloud):
        cloud.glance.converter = lambda name, data: (
            ("raw", samples.data("disk.raw")) if name == "qcow2" else (name, data)
        )
        yield
        cloud.glance.converter = None
        return
    with qemu_img(tools()), cloud.configured("glance", CONVERSION):  # type: ignore[attr-defined]  # LocalCloud
        yield
