"""The ways in which a request gets no answer.

>>> NoAnswer("timeout").silence
'timeout'
"""

from __future__ import annotations

from typing import Literal

Silence = Literal["refused", "reset", "timeout"]


class NoAnswer(Exception):  # noqa: N818 - one of the outcomes of a request, as an answer is
    """A request without an answer: the connection is refused or reset, or no answer arrives in time."""

    def __init__(self, silence: Silence) -> None:
        super().__init__(silence)
        self.silence = silence
