"""A console that people can look at: a page with the images of a cloud, and this library behind it.

It stands on loopback only, and uses what every back end can use: `hyperx_glance`, FastAPI, keystoneauth. It needs the
extra [console].

    with LocalCloud() as cloud, Console.of(cloud) as console:
        print(console.url)

>>> from hyperx_glance.testing import console
>>> console.__all__
['Console', 'create_app']

Names are imported when they are first used, and say then what must be installed.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hyperx_glance.testing.console.application import create_app
    from hyperx_glance.testing.console.serving import Console

__all__ = ["Console", "create_app"]

_MODULES: Final = {"Console": "serving", "create_app": "application"}


def __getattr__(name: str) -> object:
    """Import a name on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hyperx_glance.testing.extras import needed  # noqa: PLC0415

    with needed("console"):
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
