"""Make an image of the catalogue from a server: one record, one patch, nothing left behind.

    >>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
    >>> image = client.capture(server.id, NewCapture(name="web with nginx", tags=["web"]))
    >>> image.state, image.category, client.count(search="nginx")
    (<State.ACTIVE: 'ACTIVE'>, <Category.PRIVATE: 'private'>, 1)

`order` says what it is to become and how that travels, `template` what makes an image of the catalogue of it (both
pure); `services` speaks to Nova, Cinder and Glance, `checking` asks them before anything exists, `starting` sends the
first request, `following` does the rest, `handle` is what the caller holds, `finding` finds it again.
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
    """Capture and wait; whatever ends the waiting takes away what was made, unless a service is out of reach.

    What interrupts the first request leaves what that may still make, and names the capture: to find out would take the
    quiet time.
    """
    follower = start(context, check(context, server_id, new))
    with follower.made:
        return reported(
            lambda tell: follower.finish(tell, timeout),
            on_progress,
            withdraw=follower.withdraw,
            more_time="What it had made is deleted. Allow more time: timeout=..., or start_capture and wait.",
        )


def start_capture(context: Context, server_id: str, new: NewCapture) -> Capture:
    """Check everything, and order the copy of the disk."""
    return Capture(start(context, check(context, server_id, new)))


def find_capture(context: Context, capture_id: str) -> Capture:
    """Find a capture by its id."""
    return Capture(find(context, capture_id))
