"""A new password for a running server.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> client.reset_password(launch.servers[0].id, "Correct-h0rse")
SecretStr('**********')
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from hyperx_glance.cloud.compute import server_path
from hyperx_glance.errors import HyperxGlanceError, PasswordResetError
from hyperx_glance.launching.passwords import UnpickledPassword, draw_password
from hyperx_glance.texts import Text, say
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import answered, may_be_done

if TYPE_CHECKING:
    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.compute import ServerRecord
    from hyperx_glance.cloud.context import Context

_LOCKED: Final = (say("server-is-locked"), say("unlock-then-try-again"))
_STOPPED: Final = (say("server-not-running"), say("start-the-server"))
"""What Nova refuses, with a hint."""


def reset_password(context: Context, server_id: str, password: str | SecretStr | None) -> SecretStr:
    """Set the administrator's password of a running server through its guest agent; None draws one.

    If an exception leaves it open whether the server has the password, the exception has it as ``admin_password``.
    """
    text = password.get_secret_value() if isinstance(password, SecretStr) else password
    if text is None:
        text = draw_password()
    with MayHaveMade(admin_password=UnpickledPassword(text)) as made:
        try:
            context.cloud.post(
                "compute",
                server_path(server_id, "action"),
                json={"changePassword": {"adminPass": text}},
                confidential=True,
                secret=text,
            )
        except HyperxGlanceError as error:
            problem = _reset_problem(server_id, error)
            if problem is not None or not may_be_done(error):
                made.undone()
            if problem is None:
                raise
            message, hint = problem
            raise PasswordResetError(message, hint=hint, **error.answer()) from error
    return SecretStr(text)


def check_server(cloud: Cloud, server: ServerRecord) -> None:
    """Refuse a server whose record says that Nova would refuse; the guest and its agent are unknown."""
    if server.locked and not cloud.is_administrator:
        problem, hint = _LOCKED
    elif server.status != "ACTIVE":
        problem, hint = _STOPPED
    elif server.task_state is not None:
        problem, hint = _busy(server.id, server.task_state)
    else:
        return
    raise PasswordResetError(problem, hint=hint)


def _reset_problem(server_id: str, error: HyperxGlanceError) -> tuple[Text, Text] | None:
    """Return the meaning of a refused changePassword, and a hint (nova/api/openstack/compute/admin_password.py)."""
    if answered(error, 501):
        return say("guest-agent-silent"), say("start-the-guest-agent")
    if not answered(error, 409):
        return None
    if "in an invalid state" in error.explanation:  # Nova names no state then
        return _LOCKED
    if "vm_state" in error.explanation:
        return _STOPPED
    if task := re.search("task_state ([a-z_-]+)", error.explanation):
        return _busy(server_id, task[1])
    return say("server-takes-no-password"), say("launch-a-password-enabled-image")


def _busy(server_id: str, task: str) -> tuple[Text, Text]:
    return say("server-is-busy", server=server_id, task=task), say("try-again-when-finished")
