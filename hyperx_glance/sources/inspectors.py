"""The inspectors of oslo.utils say in our errors what they find, and not in its log.

>>> import logging
>>> from hyperx_glance.sources.inspectors import inspecting_quietly
>>> with inspecting_quietly():
...     logging.getLogger("oslo_utils.imageutils.format_inspector").warning("Safety check backing_file on ... failed")
"""

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar

_UNHEARD: ContextVar[bool] = ContextVar("_UNHEARD", default=False)


def _is_heard(_: logging.LogRecord) -> bool:
    return not _UNHEARD.get()


@contextlib.contextmanager
def inspecting_quietly() -> Iterator[None]:
    """Drop what oslo.utils logs about this thread's files; what the rest of the program logs under its name is kept.

    It warns of each check that fails, with words of the file. A program that has not set up logging would print that,
    and our errors say it.
    """
    logging.getLogger("oslo_utils.imageutils.format_inspector").addFilter(_is_heard)  # a filter is added only once
    before = _UNHEARD.set(True)
    try:
        yield
    finally:
        _UNHEARD.reset(before)
