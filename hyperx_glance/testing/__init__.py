"""Two clouds for tests: `InMemoryCloud` in this process, `LocalCloud` with the real services on loopback.

Either is imported when it is first used, since each needs its own extra: [testing] or [localcloud].

>>> from hyperx_glance import testing
>>> testing.__all__
['InMemoryCloud', 'LocalCloud']
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hyperx_glance.testing.local import LocalCloud
    from hyperx_glance.testing.memory import InMemoryCloud

__all__ = ["InMemoryCloud", "LocalCloud"]

_MODULES: Final = {"InMemoryCloud": "memory", "LocalCloud": "local"}


def __getattr__(name: str) -> object:
    """Import a cloud on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
