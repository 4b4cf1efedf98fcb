"""How a request comes to nothing.

>>> NoAnswer("timeout").silence
'timeout'
"""

from __future__ import annotations

from typing import Literal

Silence = Literal["refused", "reset", "timeout"]


class NoAnswer(Exception):  # noqa: N818 - what a request may come to, as an answer is
    """Let a request come to nothing: the connection is refused, reset, or no answer comes in time."""

    def __init__(self, silence: Silence) -> None:
        super().__init__(silence)
        self.silence = silence
