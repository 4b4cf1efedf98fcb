"""Lists of an in-memory Glance: fill it, read it, see what it was asked, let it answer as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from hyperx_glance import Client, ImageCriteria, Settings
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST = r"/v2/images$"
JSON = {"Content-Type": "application/json"}


def fill(cloud: InMemoryCloud, amount: int, **record: object) -> list[str]:
    """Add images, a second apart, and return their ids, the newest first."""
    return [
        cloud.glance.add_image(
            **{  # type: ignore[arg-type]  # columns and properties
                "name": f"image {number}",
                "status": "active",
                "visibility": "private",
                "created_at": f"2026-03-01T12:{59 - number // 60:02}:{59 - number % 60:02}+00:00",
                **record,
            }
        )
        for number in range(amount)
    ]


def connect(cloud: InMemoryCloud, user: str = "alice", page_size: int = 1000) -> Client:
    return Client.from_session(cloud.session(user), settings=Settings(page_size=page_size))


def ids(client: Client, **criteria: Unpack[ImageCriteria]) -> list[str]:
    return [image.id for image in client.images(**criteria)]


def lists(cloud: InMemoryCloud) -> list[dict[str, str]]:
    """Return the parameters of each list that was requested."""
    return [
        {key: ",".join(values) for key, values in request.query.items()}
        for request in cloud.requests
        if (request.service, request.method, request.path) == ("glance", "GET", "/v2/images")
    ]


def answer_with(
    cloud: InMemoryCloud,
    images: Sequence[object],
    following: str | None = None,
    *,
    times: int | None = 1,
    skip: int = 0,
) -> None:
    """Answer the next lists with this."""
    body: dict[str, object] = {"images": images, "first": "/v2/images", "schema": "/v2/schemas/images"}
    if following is not None:
        body["next"] = following
    cloud.fail("glance", "GET", LIST, status=200, body=body, times=times, skip=skip)


def record(image_id: str) -> dict[str, object]:
    return {"id": image_id, "name": image_id, "status": "active", "created_at": "2026-03-01T12:00:00Z"}
