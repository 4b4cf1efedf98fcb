"""Image families: release images that are rebuilt, find the latest one, take old ones out of use.

    >>> from hyperx_glance import NewImage
    >>> image = client.release(
    ...     NewImage(name="Debian 12", url="https://files.example/debian-12.qcow2"), family="debian-12", version="12.9"
    ... )
    >>> client.latest("debian-12") == image, image.name, image.version
    (True, 'Debian 12', '12.9')

There is no record that points to the latest release: what is latest is computed from the releases themselves
(docs/decisions, 111). `finding` reads and computes, `releasing` publishes, `lifecycle` deprecates and reinstates,
`retiring` takes old releases out of use, and `names` lets the latest release have the name of its family.

Unlike other verbs, these are made of verbs: a release registers, and a retirement disables and deletes.
"""

from hyperx_glance.families.finding import families, latest, releases
from hyperx_glance.families.lifecycle import deprecate, reinstate
from hyperx_glance.families.releasing import release
from hyperx_glance.families.retiring import retire

__all__ = ["deprecate", "families", "latest", "reinstate", "release", "releases", "retire"]
