"""The handle of one capture: look, wait, cancel.

>>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
>>> capture = client.start_capture(server.id, NewCapture(name="web with nginx"))
>>> image = capture.wait()
>>> image.name, image.captured_from == server.id
('web with nginx', True)
>>> capture.cancel()
Traceback (most recent call last):
hyperx_glance.errors.ConflictError: Capture ... is finished: image ... stays...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.arguments import callback, checked, optional, seconds
from hyperx_glance.registration.callbacks import CallbackError, teller

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.capturing.following import Following
    from hyperx_glance.models.image import Image
    from hyperx_glance.models.results import Progress


class Capture:
    """Follow one capture; threads may share it.

    What the services do goes on without it. But someone must `wait`, here or in the handle that `Client.find_capture`
    gives: then a volume's copy is uploaded, the image becomes one of the catalogue, and the copy goes.
    """

    def __init__(self, following: Following) -> None:
        self._following = following

    def __repr__(self) -> str:
        return f"Capture(capture_id={self.capture_id!r}, server_id={self.server_id!r}, image_id={self.image_id!r})"

    @property
    def capture_id(self) -> str:
        """The id by which `Client.find_capture` finds it."""
        return self._following.capture_id

    @property
    def server_id(self) -> str:
        """The id of the server that is captured."""
        return self._following.server_id

    @property
    def image_id(self) -> str | None:
        """The id of the image; None as long as its record is not there, which on volumes takes a while."""
        return self._following.image_id

    def progress(self) -> Progress:
        """Look once, and change nothing: `wait` must be called in the end."""
        with self._following.made:
            return self._following.progress()

    @checked(on_progress=optional(callback), timeout=optional(seconds))
    def wait(self, *, on_progress: Callable[[Progress], object] | None = None, timeout: float | None = None) -> Image:
        """Do what is left to do, and give the image when it is ready and nothing else is left of the capture.

        ``timeout`` is seconds, None `Pace.deadline`; when it is over only the waiting ends. A failure takes away
        what was made, and raises `CaptureFailedError`.
        """
        with self._following.made:
            try:
                return self._following.finish(teller(on_progress), timeout)
            except CallbackError as error:
                raised = error.raised
            raise raised

    def cancel(self) -> None:
        """Delete what the capture has made, and return when it is gone; again is no error.

        Cinder deletes no volume that it copies or uploads, so that this may take as long. A finished capture keeps its
        image, which raises `ConflictError`. The server is never touched.
        """
        with self._following.made:
            self._following.cancel()
