"""The setup of a deployment for HYPERX, the doctor, which checks it, and the way out.

    >>> from hyperx_glance.deployment import property_protections
    >>> "[^hyperx_featured$]" in property_protections().splitlines()
    True
    >>> for finding in client.doctor():
    ...     print(finding.level, finding.check)
    ok identity
    ok image
    ok compute
    ...

Writing metadefs requires an administrator. Run the doctor as a member, too: only a member's requests show what members
are refused.

``protections`` and ``metadefs`` set a deployment up, and ``leaving`` removes what HYPERX wrote on images. ``findings``
is the doctor: ``facts`` is what all of its checks read, ``reading_checks``, ``rights`` (lists and properties that the
caller may read), ``sharing_checks`` and ``inheritance`` change nothing, ``limit_checks`` and ``launch_checks`` read and
try, ``scratch_record`` tries changes, and ``probe_checks`` judges the trials.

Names are imported from their modules on first use: the services of a local cloud need the protections, but do not have
the libraries that the doctor needs.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hyperx_glance.deployment.findings import doctor
    from hyperx_glance.deployment.leaving import leave
    from hyperx_glance.deployment.metadefs import NAMESPACE, install_metadefs
    from hyperx_glance.deployment.protections import CINDER_OPTION, NOVA_OPTION, property_protections

__all__ = ["CINDER_OPTION", "NAMESPACE", "NOVA_OPTION", "doctor", "install_metadefs", "leave", "property_protections"]

_MODULES: Final = {
    "CINDER_OPTION": "protections",
    "NAMESPACE": "metadefs",
    "NOVA_OPTION": "protections",
    "doctor": "findings",
    "install_metadefs": "metadefs",
    "leave": "leaving",
    "property_protections": "protections",
}


def __getattr__(name: str) -> object:
    """Import a name on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
