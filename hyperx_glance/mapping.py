"""What the table of words cannot say: requests built from models, and what a record means.

    >>> from hyperx_glance.mapping import stored_url
    >>> stored_url("https://alice:secret@files.example/debian.qcow2?X-Amz-Signature=abc&v=12")
    StoredUrl(url='https://files.example/debian.qcow2?v=12', stripped=True)

Pure functions: a test needs a record, not a server.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from hyperx_glance import vocabulary
from hyperx_glance.models import NewImage, NewIso
from hyperx_glance.vocabulary import Category

_SECRET_PARAMETER = re.compile(
    # S3 (both signatures), Azure SAS, GCS, CloudFront, and what people call their own.
    r"^(x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|signature|sig|sv|se|sp|sr|st|spr|sip|ss|srt|skoid|sktid|skt|ske|sks|skv|sdd"
    r"|expires|policy|key-pair-id|.*token.*|.*secret.*|.*password.*|passwd|pwd|.*api[-_]?key|apikey|key|auth.*|.*credential.*|access[-_]?key.*)$",
    re.IGNORECASE,
)


class StoredUrl(NamedTuple):
    """Hold a URL as it may be kept and shown, and whether something was taken out of it."""

    url: str
    stripped: bool


def stored_url(url: str) -> StoredUrl:
    """Take user, password, signing parameters and fragment out of a URL."""
    parts = urlsplit(url)
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and not _SECRET_PARAMETER.match(pair.partition("=")[0].replace("%2D", "-"))
    ]
    host = parts.netloc.rpartition("@")[2]
    clean = urlunsplit((parts.scheme, host, parts.path, "&".join(kept), ""))
    return StoredUrl(clean, host != parts.netloc or len(kept) != len([pair for pair in parts.query.split("&") if pair]))


def scrub(text: str, url: str) -> str:
    """Replace a URL by its stored form in a text that a service or a library wrote."""
    return text.replace(url, stored_url(url).url)


def visibility_of(category: Category, public_visibility: str) -> str:
    """Give Glance's visibility for a category; featured images are always visible to everybody."""
    match category:
        case Category.FEATURED:
            return "public"
        case Category.PUBLIC:
            return public_visibility
    return "private"


def password_properties(*, enabled: bool, admin_user: str) -> dict[str, str]:
    """Give the properties of a password-enabled image; none for another."""
    if not enabled:
        return {}
    properties = {vocabulary.glance_key("password_enabled"): "true", vocabulary.GUEST_AGENT_KEY: "yes"}
    if admin_user:
        properties[vocabulary.glance_key("admin_user")] = admin_user
    return properties


def new_image_body(
    new: NewImage | NewIso,
    *,
    image_id: str,
    disk_format: str,
    public_visibility: str,
    user_id: str,
    owner: str | None,
) -> dict[str, object]:
    """Build the body of POST /v2/images.

    ``owner`` is a project id, only when it is not the caller's own: Glance lets administrators alone name one. Empty
    texts are left out, so that an image has no property that says nothing.
    """
    url = stored_url(new.url)
    body: dict[str, object] = {
        "id": image_id,
        "name": new.name,
        "disk_format": disk_format,
        "container_format": "bare",
        "visibility": visibility_of(new.category, public_visibility),
        "min_disk": new.min_disk_gib,
        "min_ram": new.min_ram_mib,
        "protected": new.protected,
        "tags": sorted(new.tags),
    }
    if owner:
        body["owner"] = owner
    texts = {
        "description": new.description,
        "os_name": new.os_name,
        "os_distro": new.os_distro,
        "os_version": new.os_version,
        "os_type": new.os_type,
        "architecture": new.architecture,
        "created_by": user_id,
        "url": url.url,
        "url_stripped": "true" if url.stripped else "",
        "checksum_wanted": new.checksum or "",
        "featured_flag": "true" if new.category is Category.FEATURED else "",
    }
    if isinstance(new, NewIso):
        texts["bootable"] = "true" if new.bootable else "false"
    else:
        texts["hypervisor"] = new.hypervisor
        body |= password_properties(enabled=new.password_enabled, admin_user=new.admin_user or "")
    return {**new.properties, **body, **_properties(texts)}


def _properties(texts: Mapping[str, str]) -> dict[str, str]:
    return {vocabulary.glance_key(field): text for field, text in texts.items() if text}
