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
    "addresses": "The server's addresses, by network.",
    "admin_password": "The administrator's password; None draws one. Only for password-enabled images.",
    "allowed_ports": "Ports that may be read; none means any.",
    "any_tags": "The image has at least one of these tags.",
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
    "bytes_expected": "Bytes in the end; None if nobody knows.",
    "bytes_read": "Bytes read of the packed data.",
    "bytes_to_read": "Bytes of the packed data; None if nobody knows.",
    "ca_file": "A file of authorities for TLS; None takes the system's.",
    "captured_from": "The id of the server from which the image was captured.",
    "category": "Private, public or featured.",
    "check": "The check's name.",
    "checksum_url": "The URL of the publisher's file of checksums.",
    "clock": "A function that gives the time in seconds.",
    "config_drive": "Whether servers get a config drive; with None, Nova decides, and a password may need one.",
    "connect": "A function that connects to an address and a port, within so many seconds.",
    "content_type": "The type of the data, as the server tells it.",
    "cores": "Virtual CPUs.",
    "count": "How many servers.",
    "created_after": "Created then or later; with a zone.",
    "created_before": "Created then or earlier; with a zone.",
    "deadline": "Seconds after which a wait gives up.",
    "denied_networks": "Networks that are not read, in CIDR.",
    "department": "The department's name.",
    "description_contains": "A part of the description, without regard to case.",
    "disk_gib": "GiB of the flavor's disk.",
    "elapsed_seconds": "Seconds since the beginning.",
    "failed": "Servers that Nova could not make.",
    "fault": "Why Nova could not make the server; None if it could.",
    "file": "A path or a binary file object, in place of the URL.",
    "file_name": "The name under which a browser would save the file.",
    "final_url": "Where redirects led to.",
    "fingerprint": "The key's fingerprint.",
    "first_interval": "Seconds before the first look.",
    "fits": "Whether the image can be launched with it.",
    "flavor": "The flavor's name or id.",
    "formats": "The image has one of these disk formats.",
    "growth": "How many times longer each interval is than the one before.",
    "hint": "What to do next.",
    "image": "The image.",
    "image_size_mib": "MiB of data in the store.",
    "images": "Images and ISOs.",
    "install_disk_gib": "GiB of the empty disk of an ISO's server; None takes the flavor's.",
    "instances": "Servers.",
    "key_name": "The key pair's name.",
    "keep_volumes": "Whether volumes stay when the server is deleted.",
    "kind": "Image or ISO.",
    "launch_id": "An id of your own, 8 to 40 characters, with which you can find the launch again.",
    "layout": 'For ISOs. "install": an empty disk, and the ISO as a CD-ROM; "live": the ISO itself.',
    "level": '"ok", "warning" or "error".',
    "limit": "How many at most; None means no limit.",
    "longest_interval": "The longest time between two looks, in seconds.",
    "max_redirects": "How many redirects are followed.",
    "max_size": "The largest size, in bytes.",
    "message": "A sentence for people.",
    "metadata": "Texts that Nova keeps with the servers.",
    "min_size": "The smallest size, in bytes.",
    "min_disk_gib": "GiB that a flavor's disk must have.",
    "min_ram_mib": "MiB of memory that a flavor must have.",
    "name_contains": "A part of the name, without regard to case.",
    "network": "How servers of files are reached.",
    "networks": '"auto", "none", or names or ids.',
    "next": "The cursor of the next page; None if there is none.",
    "no_tags": "The image has none of these tags.",
    "on_failure": 'If a server fails: "keep" the others, or "delete" all.',
    "only_hosts": "The only hosts that may be read; none means any.",
    "os_name_contains": "A part of the operating system's name, without regard to case.",
    "pace": "How often to look, and when to give up.",
    "packed": 'How the data is packed; "" if it is not packed.',
    "page_size": "Images in one request, 1 to 1000.",
    "phase": "The state in more detail.",
    "preflight": "Whether a URL is looked at before it is registered.",
    "previous": "The cursor of the previous page; None if there is none.",
    "project_id": "The id of the server's department.",
    "properties": "Other Glance properties, by their keys.",
    "public_visibility": 'The visibility in Glance of a public image: "community" or "public".',
    "ram_mib": "MiB of memory.",
    "reason": 'Why the flavor does not fit; "" if it fits.',
    "remedy": "What to do.",
    "remove_properties": "Keys of properties to remove.",
    "resolve": "A function that gives the addresses of a host.",
    "search": "Words that must all occur somewhere.",
    "secure": "A function that starts TLS on a connection.",
    "security_groups": "Names of security groups; none means the default one.",
    "server_group": "The server group's name or id.",
    "servers": "The servers; None if nobody asked for them.",
    "shared": "Whether other departments use the network, too.",
    "sleep": "A function that waits for so many seconds.",
    "sort": 'Columns, "-" before one for descending.',
    "staging_mib": "MiB on their way through Glance.",
    "state": "ACTIVE or INACTIVE.",
    "status": "The service's own word for the state.",
    "through": 'How the server was made from the image: "image", "volume" or "iso".',
    "timeout_seconds": "Seconds for the look at a URL, and for each silence of its server.",
    "total": "All images.",
    "transfer": 'Who reads URLs: "import" means Glance, "stream" the client, "auto" either.',
    "trusted_hosts": "Hosts that may be read even in denied networks.",
    "unpack": "Whether packed data is unpacked; if not, it is refused.",
    "updated_after": "Changed then or later; with a zone.",
    "updated_before": "Changed then or earlier; with a zone.",
    "uploading": "Images that are being imported or uploaded.",
    "url_policy": "Which URLs may be read.",
    "used": "How much is used.",
    "user_data": "What cloud-init reads, up to 48 KiB with a password.",
    "view": "The tab of the console.",
    "volume_gib": "GiB of volumes.",
    "volume_type": "The type of a launch's volumes.",
    "volumes": "Volumes.",
    "warnings": "Sentences about what a person should know.",
    "would_download": "Whether a browser would open a download window.",
    "Deletion.image": "The image that was deleted; None if there was none.",
    "Departure.image_id": "The image's id.",
    "Departure.name": "The image's name.",
    "Departure.owner": "The id of the department that owns the image.",
    "outcome": 'What became of the image: "removed", "listed", "skipped", "refused" or "failed".',
    "removed": "Keys of the properties that were removed.",
    "left": "Keys of the properties that may still be there.",
    "Departure.reason": 'Why some are left; "" if none is.',
    "Department.id": "The project's id in Keystone.",
    "ImagePage.images": "The images of the page.",
    "KeyPair.kind": '"ssh" or "x509".',
    "LaunchRequest.tags": "Nova's tags of the servers.",
    "ServerRef.status": "Nova's own word for the state.",
    "UrlReport.status": "The HTTP status.",
    "UrlReport.size": "Bytes that the server announces; None if it announces none.",
    "UrlReport.disk_format": "The format that the first bytes tell; None if they tell none.",
    "UrlReport.problem": "Why the URL cannot be registered; None if it can be.",
    "Usage.limit": "How much may be used; None is unlimited.",
    "NewImage.checksum": '"md5:", "sha256:" or "sha512:" and the digest, of what the URL or file holds.',
    "NewIso.checksum": '"md5:", "sha256:" or "sha512:" and the digest, of what the URL or file holds.',
    "NewImage.id": "An id of your own, with which you can find the image again; None draws one.",
    "NewIso.id": "An id of your own, with which you can find the image again; None draws one.",
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
