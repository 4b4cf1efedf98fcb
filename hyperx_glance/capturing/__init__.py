"""Making an image of the catalogue from a server: one record, one patch, nothing left behind.

    >>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
    >>> image = client.capture(server.id, NewCapture(name="web with nginx", tags=["web"]))
    >>> image.state, image.category, client.count(search="nginx")
    (<State.ACTIVE: 'ACTIVE'>, <Category.PRIVATE: 'private'>, 1)

`order` describes the image that was ordered and how the order travels, `template` turns a record into that image (both
are pure). `services` sends requests to Nova, Cinder and Glance. `checking` asks them before anything exists, `starting`
sends the first request, `following` does the rest, `handle` is its public face, and `finding` finds a capture again.
"""

from collections.abc import Callable

from hyperx_glance.capturing.checking import check
from hyperx_glance.capturing.finding import find
from hyperx_glance.capturing.handle import Capture
from hyperx_glance.capturing.starting import start
from hyperx_glance.cloud.context import Context
from hyperx_glance.models.capturing import NewCapture
from hyperx_glance.models.image import Image
from hyperx_glance.models.results import Progress
from hyperx_glance.texts import say
from hyperx_glance.waiting.callbacks import reported

__all__ = ["Capture", "capture", "find_capture", "start_capture"]


def capture(
    context: Context,
    server_id: str,
    new: NewCapture,
    *,
    on_progress: Callable[[Progress], object] | None,
    timeout: float | None,
) -> Image:
    """Capture a server, and wait. If waiting ends early, delete what was made, unless a service is out of reach.

    An exception during the first request deletes nothing, and has the capture's id: finding out what that request makes
    would take the quiet time.
    """
    follower = start(context, check(context, server_id, new))
    with follower.made:
        return reported(
            lambda tell: follower.finish(tell, timeout),
            on_progress,
            withdraw=follower.withdraw,
            more_time=say("allow-the-capture-more-time"),
        )


def start_capture(context: Context, server_id: str, new: NewCapture) -> Capture:
    """Check everything, and order the copy of the disk."""
    return Capture(start(context, check(context, server_id, new)))


def find_capture(context: Context, capture_id: str) -> Capture:
    """Find a capture by its id."""
    return Capture(find(context, capture_id))
