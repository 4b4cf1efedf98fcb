"""The handle of a registration: look, wait, cancel.

>>> registration = client.start_registration(NewImage(name="debian", url="https://files.example/debian-12.qcow2"))
>>> registration.progress().phase is Phase.FAILED
False
>>> registration.wait().phase
<Phase.READY: 'ready'>
>>> registration.cancel()
>>> client.count()
0
"""

from collections.abc import Callable

from hyperx_glance.arguments import callback, checked, optional, seconds
from hyperx_glance.models.image import Image
from hyperx_glance.models.results import Progress
from hyperx_glance.registration.following import RegistrationFollower
from hyperx_glance.registration.order import Deadline
from hyperx_glance.waiting.callbacks import reported


class Registration:
    """Handle of one registration; threads may share it."""

    def __init__(self, follower: RegistrationFollower) -> None:
        self._follower = follower
        self._record = follower.record

    def __repr__(self) -> str:
        """Show the id, and no secrets such as the URL's."""
        return f"Registration(image_id={self.image_id!r})"

    @property
    def image_id(self) -> str:
        """The id of the image, for `Client.resume_registration` and `Client.delete`."""
        return self._record.image_id

    def progress(self) -> Progress:
        """Look once. At the end, call `wait` too: it verifies the image, or cleans up and raises the failure.

        :raises RegistrationFailedError: the record is gone, or the registration was cancelled
        :raises ServiceUnavailableError: Glance cannot be reached, or fails
        """
        with self._record.named():
            return self._follower.progress()

    @checked(on_progress=optional(callback), timeout=optional(seconds))
    def wait(self, *, on_progress: Callable[[Progress], object] | None = None, timeout: float | None = None) -> Image:
        """Wait until the image is ready and verified, and return it; a streamed image is transferred in this thread.

        A failure deletes the record, or marks it if ``keep_failed`` is set; another call of wait raises the same
        failure. An image that was ready when the registration was resumed is only verified, and never deleted or marked
        as failed.

        :param on_progress: called with a `Progress` at each look, in this thread; if it raises an error, only the
            waiting ends
        :param timeout: seconds; None is ``Settings.pace.deadline``. After it, only the waiting ends
        :raises RegistrationFailedError: the registration failed, or was cancelled
        :raises ChecksumMismatchError: the data does not have the promised checksum
        :raises QuotaExceededError: the data is larger than the department's room
        :raises WaitTimeoutError: ``timeout`` has passed; the registration continues
        """
        end = Deadline.after(self._record.context.settings.pace, timeout)
        with self._record.named():
            return reported(lambda tell: self._follower.finish(tell, end), on_progress)

    def cancel(self) -> None:
        """Delete the record in any phase, from any thread; a second call is not an error.

        The record does not come back, but Glance may read the URL to its end. Wait for an upload of another thread, for
        at most 5 seconds. A thread that waits for this registration gets `RegistrationFailedError`.

        :raises PlaceLostError: the record is deleted, but its quota may still count it
        :raises ProtectedError: an image that was ready when it was resumed keeps its protection
        """
        with self._record.named():
            self._record.cancel()
