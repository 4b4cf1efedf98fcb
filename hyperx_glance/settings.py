"""Settings that a deployment or a caller may choose; all of them have defaults.

>>> from hyperx_glance import Pace, Settings, UrlPolicy
>>> Settings(url_policy=UrlPolicy(only_hosts=("files.example",)), pace=Pace(deadline=600)).transfer
'auto'
"""

from dataclasses import dataclass, field, fields
from typing import Literal

from hyperx_glance.arguments import choice, instance, number, require
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources.network import Network, default
from hyperx_glance.waiting.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one client.

    ``public_visibility`` is the visibility in Glance of a PUBLIC image; use "public" only if members may publicize.
    ``transfer`` "import" lets Glance download a URL and import a file that this process stages, "stream" uploads the
    data through this process, and "auto" imports if Glance can and uploads otherwise. ``page_size`` is the number of
    images of a request, 1 to 1000. ``share_acceptance`` says who accepts images that departments share: "member" is
    somebody in the other department, "steward" the steward, at once. ``network`` is how the servers of URLs are
    reached; the in-memory cloud has its own.
    """

    public_visibility: Literal["community", "public"] = "community"
    transfer: Literal["auto", "import", "stream"] = "auto"
    share_acceptance: Literal["member", "steward"] = "member"
    url_policy: UrlPolicy = field(default_factory=UrlPolicy)
    pace: Pace = field(default_factory=Pace)
    page_size: int = 1000
    network: Network = field(default_factory=default, repr=False)

    def __post_init__(self) -> None:
        require(((f"settings.{each.name}", getattr(self, each.name)) for each in fields(self)), _CHECKS)


_CHECKS = {
    "settings.public_visibility": choice("community", "public"),
    "settings.transfer": choice("auto", "import", "stream"),
    "settings.share_acceptance": choice("member", "steward"),
    "settings.url_policy": instance(UrlPolicy),
    "settings.pace": instance(Pace),
    # Glance sends no more images in one response (its option api_limit_max).
    "settings.page_size": lambda value: number(value, least=1, most=1000, whole=True),
    "settings.network": instance(Network),
}


def usual() -> Settings:
    """Return the settings of a client that is given none; a back end makes a client for each web request."""
    network, made = default(), _usual[-1]
    if made.network is not network:
        made = _usual[-1] = Settings(network=network)
    return made


_usual = [Settings()]
