"""What tests of image families share: families of their own, images to release, and records past this library."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from hyperx_glance import NewImage
from tests import samples
from tests.support.clouds import unique
from tests.support.records import make_image

if TYPE_CHECKING:
    from hyperx_glance import Client, Image
    from tests.support.clouds import CloudUnderTest

RAW, QCOW2 = "disk.raw", "disk.qcow2"
PAST = "2020-01-01T00:00:00Z"


def family() -> str:
    """Return the name of a family that no other test uses: all share one cloud."""
    return unique("debian")


def nightly(of: str, sample: str = QCOW2, **fields: Any) -> NewImage:  # noqa: ANN401  # of many kinds
    """Return what a nightly build releases: its name is that of its family."""
    data = {"file": io.BytesIO(samples.data(sample)), "disk_format": samples.DISK_FORMATS[sample]}
    return NewImage.model_validate({"name": of, **data, **fields})


def released(client: Client, of: str, *versions: str, sample: str = QCOW2, **fields: Any) -> list[Image]:  # noqa: ANN401  # as above
    """Release versions in this order."""
    return [client.release(nightly(of, sample, **fields), family=of, version=version) for version in versions]


def names(client: Client, of: str) -> dict[str, tuple[str, bool]]:
    """Return the name of each release, and whether it is hidden, by its version."""
    return {image.version: (image.name, image.hidden) for image in client.releases(of)}


def settled(of: str, latest: str, *others: str) -> dict[str, tuple[str, bool]]:
    """Return what `names` returns when all is well."""
    return {latest: (of, False)} | {version: (f"{of} ({version})", True) for version in others}


def claim(cloud: CloudUnderTest, user: str, of: str, version: str, **body: Any) -> str:  # noqa: ANN401  # of many kinds
    """Create an image that claims to be a release, past this library, and return its id."""
    rows = {"hyperx_family": of, "hyperx_version": version, "hyperx_released_at": PAST}
    record: dict[str, Any] = {**rows, "name": of, **body}
    return make_image(cloud, user, **record)
