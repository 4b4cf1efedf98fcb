"""What an operator sets up for HYPERX, and a check that says whether it is.

    >>> from hyperx_glance.deployment import property_protections
    >>> "[^hyperx_featured$]" in property_protections().splitlines()
    True
    >>> for finding in client.doctor():
    ...     print(finding.level, finding.check)
    ok identity
    ok image
    ok compute
    ...

Writing metadefs needs an administrator. The doctor is worth running as a member too: what a member is refused, only a
member finds out.
"""

from hyperx_glance.deployment.examination import doctor
from hyperx_glance.deployment.metadefs import NAMESPACE, install_metadefs
from hyperx_glance.deployment.protections import CINDER_OPTION, NOVA_OPTION, property_protections

__all__ = ["CINDER_OPTION", "NAMESPACE", "NOVA_OPTION", "doctor", "install_metadefs", "property_protections"]
