"""An in-memory Placement: Nova's one host as a resource provider, and the providers that requests make.

>>> from hyperx_glance.testing import InMemoryCloud
>>> cloud = InMemoryCloud()
>>> cloud.placement.present = False  # a catalogue without Placement

What Nova's servers use is read from them: Nova writes to the real Placement itself, and nobody schedules here.
"""

from hyperx_glance.testing.memory.placement.service import Placement

__all__ = ["Placement"]
