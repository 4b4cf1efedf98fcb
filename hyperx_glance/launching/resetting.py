"""A new password for a running server.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> client.reset_password(launch.servers[0].id, "Correct-h0rse")
SecretStr('**********')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from hyperx_glance.cloud.compute import server_path
from hyperx_glance.errors import HyperxGlanceError, PasswordResetError
from hyperx_glance.launching.passwords import UnpickledPassword, draw_password
from hyperx_glance.texts import Text, say
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import answered, may_be_done

if TYPE_CHECKING:
    from hyperx_glance.cloud.context import Context


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
            problem = _reset_problem(error)
            if problem is not None or not may_be_done(error):
                made.undone()
            if problem is None:
                raise
            message, hint = problem
            raise PasswordResetError(message, hint=hint, **error.answer()) from error
    return SecretStr(text)


def _reset_problem(error: HyperxGlanceError) -> tuple[Text, Text] | None:
    """Return the meaning of a refused changePassword, and a hint (nova/api/openstack/compute/admin_password.py)."""
    if answered(error, 501):
        return say("guest-agent-silent"), say("start-the-guest-agent")
    if not answered(error, 409):
        return None
    if "vm_state" in error.explanation:
        return say("server-not-running"), say("start-the-server")
    return say("server-takes-no-password"), say("launch-a-password-enabled-image")
