"""What each field of the public models means, and its unit: added to its entry in the reference.

A field of an image is told by the vocabulary, unless it is told here; "Model.field" is for one model alone.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from sphinx.pycode import ModuleAnalyzer

import hyperx_glance
from hyperx_glance.vocabulary import BY_NAME

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MEANINGS: Final = {
    "active": "Servers that are ACTIVE.",
    "address": "The address that answered.",
    "addresses": "Its addresses, by network.",
    "admin_password": "The administrator's password; None draws one. Only for password-enabled images.",
    "allowed_ports": "Ports that may be read; none means any.",
    "any_tags": "Tags of which it carries at least one.",
    "availability_zone": "The zone; None leaves it to Nova.",
    "available": "Whether a host works there now.",
    "boot_volume_gib": "GiB of a volume as the root disk; None takes the flavor's disk.",
    "building": "Servers that Nova is still making.",
    "by_category": "Images of each category.",
    "by_format": "Images of each disk format.",
    "by_kind": "Images of each kind.",
    "by_os": "Images of each operating system.",
    "by_owner": "Images of each department's id.",
    "by_state": "Images of each state.",
    "by_tag": "Images with each tag.",
    "bytes": "The sum of sizes in bytes, as far as they are known.",
    "bytes_done": "Bytes that are in Glance.",
    "bytes_expected": "Bytes there will be; None where nobody knows.",
    "bytes_read": "Bytes read of the packed data.",
    "bytes_to_read": "Bytes of the packed data; None where nobody knows.",
    "ca_file": "A file of authorities for TLS; None takes the system's.",
    "captured_from": "The id of the server that it was made of.",
    "category": "Private, public or featured.",
    "check": "The check's name.",
    "checksum_url": "Where its publisher lists the checksum.",
    "clock": "What tells seconds.",
    "config_drive": "Whether servers get one; None leaves it to Nova, and to what a password needs.",
    "connect": "Gives a connection to an address and a port, within seconds.",
    "content_type": "What the server says that it is.",
    "cores": "Virtual CPUs.",
    "count": "How many servers.",
    "created_after": "Created then or later; with a zone.",
    "created_before": "Created then or earlier; with a zone.",
    "deadline": "Seconds after which a wait gives up.",
    "denied_networks": "Networks that are not read, in CIDR.",
    "department": "The department's name.",
    "description_contains": "A part of the description, without regard to case.",
    "disk_gib": "GiB of its disk.",
    "elapsed_seconds": "Seconds since it began.",
    "failed": "Servers that Nova could not make.",
    "fault": "Why Nova could not make it; None where it could.",
    "file": "A path or a binary file object, in place of the URL.",
    "file_name": "The name under which a browser would save it.",
    "final_url": "Where redirects led to.",
    "fingerprint": "The key's fingerprint.",
    "first_interval": "Seconds before the first look.",
    "fits": "Whether the image can be launched with it.",
    "flavor": "The flavor's name or id.",
    "formats": "Disk formats of which it has one.",
    "growth": "How many times longer each pause is than the one before.",
    "hint": "What to do next.",
    "image": "The image.",
    "image_size_mib": "MiB of data in the store.",
    "images": "Images and ISOs.",
    "install_disk_gib": "GiB of the empty disk of an ISO's server; None takes the flavor's.",
    "instances": "Servers.",
    "key_name": "The key pair's name.",
    "keep_volumes": "Whether volumes stay when the server goes.",
    "kind": "Image or ISO.",
    "launch_id": "An id of your own, 8 to 40 characters, by which the launch is found again.",
    "layout": '"install": an empty disk and the ISO as a CD-ROM; "live": the ISO itself; "auto": what fits.',
    "level": '"ok", "warning" or "error".',
    "limit": "How many at most; None is no limit.",
    "longest_interval": "Seconds between two looks at most.",
    "max_redirects": "How many redirects are followed.",
    "max_size": "Bytes at most.",
    "message": "A sentence for people.",
    "metadata": "Texts that Nova keeps with the servers.",
    "min_size": "Bytes at least.",
    "min_disk_gib": "GiB that a flavor's disk must have.",
    "min_ram_mib": "MiB of memory that a flavor must have.",
    "name_contains": "A part of the name, without regard to case.",
    "network": "How servers of files are reached.",
    "networks": '"auto", "none", or names or ids.',
    "next": "The cursor of the next page; None where there is none.",
    "no_tags": "Tags of which it carries none.",
    "on_failure": '"keep" servers that were made, or "delete" all where one fails.',
    "only_hosts": "The only hosts that are read; none means any.",
    "os_name_contains": "A part of the operating system's name, without regard to case.",
    "pace": "How often to look, and when to give up.",
    "packed": 'What it is packed with; "" where it is not.',
    "page_size": "Images in one request, 1 to 1000.",
    "phase": "How far it has come.",
    "preflight": "Whether a URL is looked at before it is registered.",
    "previous": "The cursor of the page before; None where there is none.",
    "project_id": "The id of its department.",
    "properties": "Other Glance properties, by their keys.",
    "public_visibility": 'What Glance is told of a public image: "community" or "public".',
    "ram_mib": "MiB of memory.",
    "reason": 'Why it does not fit; "" where it does.',
    "remedy": "What to do about it.",
    "remove_properties": "Keys of properties that go.",
    "resolve": "Gives the addresses of a host.",
    "search": "Words that must all occur somewhere.",
    "secure": "Gives TLS over a connection.",
    "security_groups": "Names of security groups; none means the default one.",
    "server_group": "The server group's name or id.",
    "servers": "Servers; None where nobody asked.",
    "shared": "Whether other departments use it, too.",
    "sleep": "What waits for seconds.",
    "sort": 'Columns, "-" before one for descending.',
    "staging_mib": "MiB on their way through Glance.",
    "state": "ACTIVE or INACTIVE.",
    "status": "The word of the service for how it is.",
    "through": '"image", "volume" or "iso": how the server was made of it.',
    "timeout_seconds": "Seconds for the look at a URL, and for each silence.",
    "total": "All images.",
    "transfer": 'Who reads URLs: "import" is Glance, "stream" the client, "auto" either.',
    "trusted_hosts": "Hosts that may be read on denied networks, too.",
    "unpack": "Whether packed data is unpacked; refused otherwise.",
    "updated_after": "Changed then or later; with a zone.",
    "updated_before": "Changed then or earlier; with a zone.",
    "uploading": "Images that are being imported or uploaded.",
    "url_policy": "Which URLs may be read.",
    "used": "How much is used.",
    "user_data": "What cloud-init reads, up to 48 KiB with a password.",
    "view": "The tab.",
    "volume_gib": "GiB of volumes.",
    "volume_type": "The type of a launch's volumes.",
    "volumes": "Volumes.",
    "warnings": "What a person should know about it.",
    "would_download": "Whether a browser would open a download window.",
    "Deletion.image": "The image that was deleted; None where it was not there.",
    "Department.id": "The project's id in Keystone.",
    "ImagePage.images": "The images of the page.",
    "KeyPair.kind": '"ssh" or "x509".',
    "LaunchRequest.tags": "Nova's tags of the servers.",
    "ServerRef.status": "Nova's word for how it is.",
    "UrlReport.status": "The HTTP status.",
    "UrlReport.size": "Bytes that the server announces; None where it does not.",
    "UrlReport.disk_format": "What the first bytes say; None where they say nothing.",
    "Usage.limit": "How much may be used; None is unlimited.",
    "NewImage.checksum": '"md5:", "sha256:" or "sha512:" and the digest, of what the URL or file holds.',
    "NewIso.checksum": '"md5:", "sha256:" or "sha512:" and the digest, of what the URL or file holds.',
    "NewImage.id": "An id of your own, by which the image is found again; None draws one.",
    "NewIso.id": "An id of your own, by which the image is found again; None draws one.",
    "NewImage.owner": "Another department's name or id, for administrators; None is the caller's.",
    "NewIso.owner": "Another department's name or id, for administrators; None is the caller's.",
}


def meaning(model: str, field: str) -> str:
    """Say what a field means; "" where nobody has said."""
    told = MEANINGS.get(f"{model}.{field}") or MEANINGS.get(field)
    if told or field not in BY_NAME:
        return told or ""
    known = BY_NAME[field]
    return known.description or f"{known.title}."


def setup(_: Sphinx) -> dict[str, bool]:
    """Give them to autodoc, as if they stood below the fields in the source."""
    for name in hyperx_glance.__all__:
        model = getattr(hyperx_glance, name)
        fields = getattr(
            model, "model_fields", getattr(model, "__dataclass_fields__", getattr(model, "__annotations__", {}))
        )
        if not isinstance(model, type) or issubclass(model, Exception | Enum):
            continue
        source = ModuleAnalyzer.for_module(model.__module__)
        source.analyze()
        for field in fields:
            if text := meaning(name, field):
                source.attr_docs.setdefault((model.__qualname__, field), [text, ""])
    return {"parallel_read_safe": True}
