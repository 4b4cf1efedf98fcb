"""The clients of the test clouds: each cloud gives its own settings, and a test those that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from hyperx_glance.client import Client
from hyperx_glance.settings import Settings

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from hyperx_glance.models.urls import UrlPolicy
    from hyperx_glance.sources.network import Network
    from hyperx_glance.waiting.pace import Pace


class ClientSettings(TypedDict, total=False):
    """The fields of `~hyperx_glance.Settings`."""

    public_visibility: Literal["community", "public"]
    transfer: Literal["auto", "import", "stream"]
    share_acceptance: Literal["member", "steward"]
    url_policy: UrlPolicy
    pace: Pace
    page_size: int
    network: Network


def client(session: Session, region_name: str, **settings: Unpack[ClientSettings]) -> Client:
    """Return a new client of this session's user."""
    return Client.from_session(session, region_name=region_name, settings=Settings(**settings))
