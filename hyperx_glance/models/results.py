"""Results of verbs, besides images and quotas.

>>> from hyperx_glance.models.results import LaunchProgress
>>> LaunchProgress(active=1, building=1, failed=0, count=2)
LaunchProgress(active=1, building=1, failed=0, count=2, elapsed_seconds=0.0)
"""

from datetime import datetime
from typing import Literal

from hyperx_glance.models.described import Described
from hyperx_glance.models.image import Image
from hyperx_glance.models.times import Time
from hyperx_glance.texts import NO_TEXT, Text
from hyperx_glance.vocabulary import Category, Kind, Phase, ShareStatus, State, UrlProblem


class Server(Described):
    """A server; ``addresses`` maps network names to IP addresses, ``fault`` says why it is in ERROR."""

    id: str
    name: str
    status: str
    addresses: dict[str, tuple[str, ...]] = {}
    flavor: str = ""
    created_at: datetime | None = None
    fault: str | None = None


class ListedServer(Server):
    """A server of a list, and why it cannot be captured, or its password not be set; "" if nothing is known against it.

    ``image_id`` is the image that the server was made from, None if it runs on a volume.
    """

    image_id: str | None = None
    why_not_capture: Text = NO_TEXT
    why_not_reset_password: Text = NO_TEXT


class ServerRef(Described):
    """A server that was made from an image; ``through`` says how the server uses the image."""

    id: str
    name: str
    status: str
    project_id: str
    through: Literal["image", "volume", "iso"]


class ImagePage(Described):
    """One page of a list; ``next`` and ``previous`` are cursors for `Client.page`, None if there is no page."""

    images: tuple[Image, ...]
    next: str | None = None
    previous: str | None = None


class Summary(Described):
    """Counts of images, in total and by several fields; ``bytes`` is the sum of their sizes, as far as these are known.

    ``by_category``, ``by_kind`` and ``by_state`` have every word, even if its count is 0. The others have only values
    that occur, the most frequent first: ``by_format`` the disk format, ``by_os`` the name of the operating system,
    ``by_owner`` the id of the department; "" counts images without a value. An image counts once in each of them, but
    in ``by_tag`` once for each of its tags.
    """

    total: int
    bytes: int
    by_category: dict[Category, int]
    by_kind: dict[Kind, int]
    by_state: dict[State, int]
    by_format: dict[str, int]
    by_os: dict[str, int]
    by_tag: dict[str, int]
    by_owner: dict[str, int]


class FlavorChoice(Described):
    """A flavor, and whether it fits an image; if not, ``reason`` is the sentence with which a launch would fail.

    Memory is in MiB, the disk in GiB.
    """

    id: str
    name: str
    cores: int
    ram_mib: int
    disk_gib: int
    fits: bool = True
    reason: Text = NO_TEXT


class NetworkChoice(Described):
    """A network into which servers can be launched; ``owner`` is the id of the network's department."""

    id: str
    name: str
    owner: str
    shared: bool


class KeyPair(Described):
    """One of the caller's key pairs; ``kind`` is "ssh" or "x509"."""

    name: str
    kind: str
    fingerprint: str


class AvailabilityZone(Described):
    """An availability zone; if it is not ``available``, none of its hosts works at this moment."""

    name: str
    available: bool


class ServersUsing(Described):
    """The servers that were made from an image, by name.

    The list is incomplete if ``not_looked_at`` names a service: "block-storage" was asked for the servers that run on
    volumes, and did not answer.
    """

    servers: tuple[ServerRef, ...]
    not_looked_at: tuple[str, ...] = ()


class Deletion(Described):
    """The result of a deletion: ``image`` is None if there was none.

    ``servers`` is None if they were not requested, or if Nova did not list them. ``not_looked_at`` names the services
    that did not list theirs, because they did not answer or a policy forbids it, so that servers may be missing:
    "compute" or "block-storage".
    """

    image: Image | None
    servers: tuple[ServerRef, ...] | None = None
    not_looked_at: tuple[str, ...] = ()


class Share(Described):
    """A department with which an image is shared; it can read and launch the image, whatever its ``status``.

    ``department`` is its name, or its id if Keystone does not show the name. ``since`` is when it was invited, or when
    it answered.
    """

    department_id: str
    department: str
    status: ShareStatus
    since: Time


class Progress(Described):
    """The progress of a registration, capture or download; bytes are None if they are not known.

    ``bytes_expected`` and ``bytes_done`` count the image. ``bytes_to_read`` and ``bytes_read`` count what this process
    reads from the URL or file, which is less if the data is packed. ``elapsed_seconds`` counts from the creation of the
    handle; for `Client.progress`, from the creation of the record. ``message`` says why nothing goes on, and
    ``explanation`` what the service said about it.
    """

    phase: Phase
    bytes_expected: int | None = None
    bytes_done: int | None = None
    bytes_to_read: int | None = None
    bytes_read: int | None = None
    elapsed_seconds: float = 0.0
    message: Text = NO_TEXT
    explanation: str = ""


class LaunchProgress(Described):
    """The number of servers, of ``count``, that are active, still building, or failed."""

    active: int
    building: int
    failed: int
    count: int
    elapsed_seconds: float = 0.0


class UrlReport(Described):
    """What a URL leads to; ``would_download`` means that a browser would download it, and not show a page.

    ``size`` is bytes, None if the server does not send it; ``disk_format`` is None if the first bytes do not show it.
    ``packed`` is the compression: "xz", "gzip", "bzip2" and "zstd" are unpacked on the way to Glance, and
    ``disk_format`` and ``problem`` are then those of the unpacked data.
    ``problem`` is the reason why it cannot be registered, None if it can; the first of the ``warnings`` says it,
    and ``explanation`` has what a library said about it, in its own words.
    """

    url: str
    final_url: str
    address: str
    status: int
    size: int | None = None
    content_type: str = ""
    file_name: str = ""
    disk_format: str | None = None
    packed: str = ""
    would_download: bool = False
    problem: UrlProblem | None = None
    explanation: str = ""
    warnings: tuple[Text, ...] = ()


class Finding(Described):
    """The result of one check of a deployment; ``level`` is "ok", "warning" or "error".

    ``explanation`` is what a service said, in its own words.
    """

    check: str
    level: Literal["ok", "warning", "error"]
    message: Text
    remedy: Text = NO_TEXT
    explanation: str = ""


class Family(Described):
    """A family of images of one department; ``latest`` is None if it has no release that is current.

    ``owner`` is the id of the department, and ``releases`` counts its releases, hidden and deprecated ones too.
    """

    name: str
    owner: str
    latest: Image | None
    releases: int


class Retirement(Described):
    """What became of one release when its family was retired; ``reason`` says why it was kept or skipped.

    ``image`` is the release as it is afterwards, or as it was before it was deleted. In a dry run, ``action`` is what
    would have been done.
    """

    image: Image
    action: Literal["kept", "deprecated", "disabled", "deleted", "skipped"]
    reason: Text = NO_TEXT


class Departure(Described):
    """A record of Glance that has properties of HYPERX, and what became of them when HYPERX left.

    ``outcome`` is "removed" if none is left; "listed" in a dry run; "skipped" if a registration, a capture or a launch
    is under way; "refused" if Glance refused to remove some; "failed" otherwise. ``removed`` and ``left`` have the keys
    of the properties, ``reason`` is one sentence that says why some are left, and ``explanation`` what Glance said.
    """

    image_id: str
    name: str
    owner: str
    outcome: Literal["listed", "removed", "skipped", "refused", "failed"]
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    reason: Text = NO_TEXT
    explanation: str = ""
