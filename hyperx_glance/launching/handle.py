"""The handle of one launch: look, wait, cancel.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny", count=2))
>>> launch.progress()
LaunchProgress(active=2, building=0, failed=0, count=2, elapsed_seconds=...)
>>> launch.cancel()
>>> launch.servers
()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.arguments import callback, checked, optional, seconds
from hyperx_glance.waiting.callbacks import reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from hyperx_glance.launching.following import LaunchFollower
    from hyperx_glance.models.results import LaunchProgress, Server


class Launch:
    """Handle of one launch; threads may share it.

    ``servers`` are those of the last look, ordered by name ("web-2" before "web-10"). ``admin_password`` is None if the
    image is not password-enabled, and in a launch that was found again, since the password is not stored.
    """

    def __init__(self, follower: LaunchFollower, *, admin_password: SecretStr | None = None) -> None:
        self._follower = follower
        self._admin_password = admin_password

    def __repr__(self) -> str:
        return f"Launch(launch_id={self.launch_id!r}, count={self.count}, servers={len(self.servers)})"

    @property
    def launch_id(self) -> str:
        """The id with which `Client.find_launch` finds the launch."""
        return self._follower.order.launch_id

    @property
    def image_id(self) -> str:
        """The id of the image or ISO."""
        return self._follower.order.image_id

    @property
    def count(self) -> int:
        """The number of servers that were requested."""
        return self._follower.order.count

    @property
    def admin_password(self) -> SecretStr | None:
        """The administrator's password of all its servers, which is not stored anywhere else."""
        return self._admin_password

    @property
    def servers(self) -> tuple[Server, ...]:
        """All servers of the launch, as the last look showed them."""
        return self._follower.servers

    def progress(self) -> LaunchProgress:
        """Look once: one request for all servers.

        :raises ServiceUnavailableError: Nova cannot be reached, or fails
        """
        with self._follower.made:
            return self._follower.progress()

    @checked(on_progress=optional(callback), timeout=optional(seconds))
    def wait(
        self, *, on_progress: Callable[[LaunchProgress], object] | None = None, timeout: float | None = None
    ) -> Launch:
        """Wait until every server is there, and return this handle.

        After an error the launch continues, unless the error says otherwise. Every exception has the ``launch_id`` if
        anything may be left.

        :param on_progress: called with a `LaunchProgress` at each look, in this thread; if it raises an error, only the
            waiting ends
        :param timeout: seconds; None is ``Settings.pace.deadline``. After it, only the waiting ends
        :raises LaunchFailedError: servers ended in ERROR; ``servers`` has them
        :raises QuotaExceededError: quota was the reason, and nothing is left
        :raises WaitTimeoutError: ``timeout`` has passed; the launch continues
        """
        with self._follower.made:
            reported(lambda tell: self._follower.finish(tell, timeout), on_progress)
            return self

    def cancel(self) -> None:
        """Delete the servers and volumes of the launch, and return when they are gone; it may be called again.

        This includes volumes that were to be kept, since this launch made them, but no volume that a user attached
        later. If your program dies meanwhile, ``find_launch(launch_id).cancel()`` continues.

        If Nova deletes softly (its option ``reclaim_instance_interval``), ``servers`` are afterwards those that are
        SOFT_DELETED. Nova deletes them later, with their volumes.

        :raises ConflictError: a server is locked; the others are deleted. Or volumes that were to be kept belong to
            softly deleted servers: they can be deleted after these
        :raises WaitTimeoutError: servers or volumes are still there after ``Settings.pace.deadline``
        """
        with self._follower.made:
            self._follower.cancel()
