"""An index of the public and community images, for consoles with many images: answers while one types.

    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-b", name="debian 12", visibility="public", status="active")
    >>> from hyperx_glance import CatalogueIndex
    >>> with CatalogueIndex(client) as index:
    ...     index.refresh().images
    ...     [image.name for image in index.page(client, search="debian").images]
    1
    ['debian 12']

Everybody may see these images, so the index decides no right. No image of a page is shown from the index: each is read
again by the user's own session, and tested against the query again.
"""

from hyperx_glance.index.catalogue_index import CatalogueIndex
from hyperx_glance.index.store import IndexState

__all__ = ["CatalogueIndex", "IndexState"]
