"""Routes for the list page: rows, the numbers on the tabs, the department's quota.

>>> [route.path for route in router.routes]
['/api/images', '/api/tabs', '/api/summary', '/api/quota', '/api/departments']
"""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from hyperx_glance import (
    CatalogueIndex,
    Category,
    Client,
    Department,
    NotAllowedError,
    PageQuery,
    Summary,
    View,
)
from hyperx_glance.testing.console.answers import InLanguage, shown
from hyperx_glance.testing.console.parts import Caller, Shared
from hyperx_glance.testing.console.rows import Row, row_of

LARGEST_PAGE: Final = 100
router = APIRouter(prefix="/api")
Wanted = Annotated[PageQuery, Query()]


class Page(BaseModel):
    """The rows of a page, and the cursors of the next and the previous page."""

    rows: list[Row]
    next: str | None
    previous: str | None


class Tabs(BaseModel):
    """The numbers on the tabs, and every tag with its number; ``age_seconds`` if an index has counted."""

    counts: dict[View, int]
    tags: dict[str, int]
    age_seconds: float | None


@router.get("/images")
def images(query: Wanted, client: Caller, shared: Shared, language: InLanguage) -> Page:
    """Return one page; a larger one than the table offers is cut."""
    query = query.model_copy(update={"size": min(query.size, LARGEST_PAGE)})
    page = shared.index().page(client, query) if shared.index else client.page(query)
    rows = [row_of(client, image, language) for image in page.images]
    return Page(rows=rows, next=page.next, previous=page.previous)


@router.get("/tabs")
def tabs(client: Caller, shared: Shared) -> Tabs:
    """Count the images of every tab that the caller has."""
    index = shared.index() if shared.index else None
    whole = _summary(client, index)
    counts = {View.ALL: whole.total, View.FEATURED: whole.by_category[Category.FEATURED]}
    for view in (View.PUBLIC, View.PRIVATE, View.SHARED, View.OFFERED, View.EVERYTHING):
        with contextlib.suppress(NotAllowedError):  # then there is no such tab
            counts[view] = index.count(client, view=view) if index else client.count(view=view)
    return Tabs(counts=counts, tags=whole.by_tag, age_seconds=index.state.age_seconds if index else None)


@router.get("/summary")
def summary(query: Wanted, client: Caller, shared: Shared) -> Summary:
    """Count the images of a list by their fields, for what the filters offer."""
    return _summary(client, shared.index() if shared.index else None, query)


def _summary(client: Client, index: CatalogueIndex | None, query: PageQuery | None = None) -> Summary:
    return index.summary(client, query) if index else client.summary(query)


@router.get("/quota")
def quota(client: Caller, language: InLanguage) -> dict[str, Any]:
    """Return what the department uses and may use."""
    return shown(client.quota(), language)


@router.get("/departments")
def departments(client: Caller) -> list[Department]:
    """Return the departments that the caller may see."""
    return client.departments()
