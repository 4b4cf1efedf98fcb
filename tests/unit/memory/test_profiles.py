"""What the profiles of the test clouds contain."""

from __future__ import annotations

import struct

from hyperx_glance.testing.profiles import small_image


def test_the_small_image_can_be_opened() -> None:
    """Qemu refuses a qcow2 whose first table has too few entries for its size (block/qcow2.c, qcow2_do_open)."""
    bits, size, _, entries = struct.unpack_from(">IQII", small_image(), 20)
    cluster = 1 << bits

    assert entries * (cluster // 8) * cluster >= size
