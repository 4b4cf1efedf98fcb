"""A process that registers one image and reports, as JSON, how long it took and how much memory.

The argument is JSON: ``auth`` (a session's keywords), ``small`` (the path of an image that is registered first, so that
all is imported), ``request`` (``url``, or ``file`` as a path). What was registered is downloaded again, and hashed.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

from hyperx_glance import Client, NewImage
from tests.local.registrant import connect

MIB = 1024 * 1024


def memory(key: str) -> float:
    """Read a figure of this process, in MiB: VmRSS is now, VmHWM the most since it was set back."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:"))


class Hashing(io.RawIOBase):
    """A file that keeps only the digest of the data written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:  # noqa: ANN401  # whatever is bytes
        self.digest.update(data)
        return len(data)


def main(order: dict[str, Any]) -> dict[str, object]:
    client: Client = connect(order)
    warm = client.register(NewImage(name="small", file=Path(order["small"])))
    client.delete(warm)
    request = dict(order["request"])
    if "file" in request:
        request["file"] = Path(request["file"])
    start = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    began, used = time.monotonic(), time.process_time()
    image = client.register(NewImage.model_validate({"name": "big", **request}))
    result: dict[str, object] = {
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - used,
        "start": start,
        "more": memory("VmHWM") - start,
        "size": image.size,
    }
    Path("/proc/self/clear_refs").write_text("5")
    start, began = memory("VmRSS"), time.monotonic()
    saved = Hashing()
    client.download(image, saved)  # type: ignore[arg-type]  # it takes bytes
    result |= {
        "sha256": saved.digest.hexdigest(),
        "download seconds": time.monotonic() - began,
        "download more": memory("VmHWM") - start,
    }
    client.delete(image)
    return result


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
