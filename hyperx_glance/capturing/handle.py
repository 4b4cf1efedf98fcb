"""The handle of one capture: look, wait, cancel.

>>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
>>> capture = client.start_capture(server.id, NewCapture(name="web with nginx"))
>>> image = capture.wait()
>>> image.name, image.captured_from == server.id
('web with nginx', True)
>>> capture.cancel()
Traceback (most recent call last):
hyperx_glance.errors.ConflictError: Capture ... has finished; image ... is kept...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.arguments import callback, checked, optional, seconds
from hyperx_glance.waiting.callbacks import reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.capturing.following import CaptureFollower
    from hyperx_glance.models.image import Image
    from hyperx_glance.models.results import Progress


class Capture:
    """Handle of one capture; threads may share it.

    The services continue without it. But `wait` must be called, here or on the handle that `Client.find_capture`
    returns: it uploads a volume's copy, makes the image one of the catalogue, and deletes the copy.
    """

    def __init__(self, follower: CaptureFollower) -> None:
        self._follower = follower

    def __repr__(self) -> str:
        return f"Capture(capture_id={self.capture_id!r}, server_id={self.server_id!r}, image_id={self.image_id!r})"

    @property
    def capture_id(self) -> str:
        """The id with which `Client.find_capture` finds the capture."""
        return self._follower.capture_id

    @property
    def server_id(self) -> str:
        """The id of the captured server."""
        return self._follower.server_id

    @property
    def image_id(self) -> str | None:
        """The id of the image; None until its record exists, which takes a while for volumes."""
        return self._follower.image_id

    def progress(self) -> Progress:
        """Look once, and change nothing. `wait` must still be called in the end.

        :raises CaptureFailedError: the capture has failed
        :raises ServiceUnavailableError: a service cannot be reached, or fails
        """
        with self._follower.made:
            return self._follower.progress()

    @checked(on_progress=optional(callback), timeout=optional(seconds))
    def wait(self, *, on_progress: Callable[[Progress], object] | None = None, timeout: float | None = None) -> Image:
        """Finish the capture; return the image when it is ready and everything else of the capture is gone.

        :param on_progress: called with a `Progress` at each look, in this thread; if it raises an error, only the
            waiting ends
        :param timeout: seconds; None is ``Settings.pace.deadline``. After it, only the waiting ends
        :raises CaptureFailedError: the capture failed; what it made is deleted
        :raises WaitTimeoutError: ``timeout`` has passed; the capture continues
        """
        with self._follower.made:
            return reported(lambda tell: self._follower.finish(tell, timeout), on_progress)

    def cancel(self) -> None:
        """Delete what the capture has made, and return when it is gone; it may be called again.

        If Nova or Cinder is still writing to the record, wait for them, 30 seconds at most. Cinder does not delete a
        volume while it copies or uploads it, so this may take as long. The server is never touched.

        :raises ConflictError: the capture has finished; its image is kept
        :raises PlaceLostError: the record is deleted, but its quota may still count it
        :raises WaitTimeoutError: something is still there after ``Settings.pace.deadline``
        """
        with self._follower.made:
            self._follower.cancel()
