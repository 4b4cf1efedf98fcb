"""The one table of an image's fields: their keys in Glance, how Glance stores them, and who may write them.

    >>> from hyperx_glance.vocabulary import FIELDS, glance_key
    >>> glance_key("password_enabled")
    'hyperx_password_enabled'
    >>> [field.name for field in FIELDS if field.title_zh == "说明"]
    ['description']

Everything else follows from it: names of `Image`, requests to Glance, filters, commands, metadefs, the mapping page.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args


class Kind(StrEnum):
    """The kind of an image: a disk, or an installation disc."""

    IMAGE = "image"
    ISO = "iso"


class Category(StrEnum):
    """The category of an image: who sees it, and in which tab of the console."""

    FEATURED = "featured"
    PUBLIC = "public"
    PRIVATE = "private"


class State(StrEnum):
    """The state of an image: whether servers can be launched from it."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Phase(StrEnum):
    """The progress of an image, in more detail than its state."""

    REGISTERED = "registered"
    DOWNLOADING = "downloading"
    STORING = "storing"
    READY = "ready"
    FAILED = "failed"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


class Lifecycle(StrEnum):
    """Whether an image is recommended: current, deprecated (it can still be launched), or obsolete."""

    CURRENT = "current"
    DEPRECATED = "deprecated"
    OBSOLETE = "obsolete"


class View(StrEnum):
    """The tabs of the console, and more lists: ``offered`` is what others share with us and we have not accepted."""

    ALL = "all"
    FEATURED = "featured"
    PUBLIC = "public"
    PRIVATE = "private"
    SHARED = "shared"
    OFFERED = "offered"
    EVERYTHING = "everything"


class ShareStatus(StrEnum):
    """The answer of a department with which an image is shared; it decides only in which lists the image is."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Action(StrEnum):
    """The actions for which a console has a button.

    ``edit`` changes name, description, operating system and tags; ``publish`` and ``withdraw`` set the category to
    public and private, ``feature`` to featured; ``protect`` refuses deletion, and ``unprotect`` no longer does;
    ``download`` reads the data from Glance; ``share`` is the owner's, and ``accept`` and ``decline`` are those of a
    department with which an image is shared.
    ``deprecate`` no longer recommends an image, and ``reinstate`` recommends it again.
    """

    LAUNCH = "launch"
    EDIT = "edit"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    FEATURE = "feature"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    DOWNLOAD = "download"
    SHARE = "share"
    ACCEPT = "accept"
    DECLINE = "decline"
    DEPRECATE = "deprecate"
    REINSTATE = "reinstate"


class UrlProblem(StrEnum):
    """The reason why the data of a URL or a file cannot become an image."""

    BAD_URL = "bad_url"
    DENIED_SCHEME = "denied_scheme"
    DENIED_ADDRESS = "denied_address"
    DENIED_PORT = "denied_port"
    NAME_NOT_FOUND = "name_not_found"
    REFUSED = "refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    REDIRECT_LOOP = "redirect_loop"
    HTTP_STATUS = "http_status"
    HTML = "html"
    EMPTY = "empty"
    PACKED = "packed"
    WRONG_FORMAT = "wrong_format"
    UNSAFE_IMAGE = "unsafe_image"
    UNKNOWN_FORMAT = "unknown_format"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    UNWRITABLE = "unwritable"
    TOO_LARGE = "too_large"
    NO_CHECKSUM = "no_checksum"
    AMBIGUOUS_CHECKSUM = "ambiguous_checksum"


class FailureReason(StrEnum):
    """The reason why a registration failed, if no problem of its URL is known."""

    GLANCE = "glance"
    CHECKSUM = "checksum"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    UNVERIFIABLE = "unverifiable"


class Writer(StrEnum):
    """The lowest role that may write a field; each role includes those before it."""

    NOBODY = "nobody"
    REGISTRATION = "registration"
    OWNER = "owner"
    STEWARD = "steward"


class Stored(StrEnum):
    """How Glance stores a field: as a column, or as an additional property, which is text and may be a flag."""

    COLUMN = "column"
    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of `Image`, or a part of one.

    ``key`` is the key in Glance. ``part_of`` names the field of `Image` that shows this one, if `Image` has no field of
    this name. With ``searched``, the quick search looks here; with ``listed``, ``--long`` shows the field. A field that
    is not ``inherited`` describes one record only: Nova and Cinder must not copy it. Titles and descriptions are for
    consoles.
    """

    name: str
    key: str
    stored: Stored
    writer: Writer
    title: str
    title_zh: str
    description: str = ""
    description_zh: str = ""
    part_of: str = ""
    searched: bool = False
    listed: bool = False
    inherited: bool = True

    @property
    def own(self) -> bool:
        """Whether this product adds the property to OpenStack; these properties make the metadef namespace."""
        return self.key.startswith(OWN_PREFIX)


OWN_PREFIX = "hyperx_"
_COLUMN, _TEXT, _FLAG = Stored
_NOBODY, _REGISTRATION, _OWNER, _STEWARD = Writer

# fmt: off
FIELDS = (
    Field("id", "id", _COLUMN, _NOBODY, "Id", "编号"),
    Field("name", "name", _COLUMN, _STEWARD, "Name", "名称", searched=True),
    Field("failure", "hyperx_failure", _TEXT, _REGISTRATION, "Failure", "失败原因",
          "Why the upload failed.", "上传失败的原因。", inherited=False),
    Field("description", "description", _TEXT, _STEWARD, "Description", "说明", searched=True),
    Field("disk_format", "disk_format", _COLUMN, _REGISTRATION, "Format", "格式", searched=True),
    Field("container_format", "container_format", _COLUMN, _REGISTRATION, "Container format", "容器格式"),
    Field("size", "size", _COLUMN, _NOBODY, "Size", "大小"),
    Field("virtual_size", "virtual_size", _COLUMN, _NOBODY, "Virtual size", "虚拟大小"),
    Field("created_at", "created_at", _COLUMN, _NOBODY, "Created", "创建日期"),
    Field("updated_at", "updated_at", _COLUMN, _NOBODY, "Updated", "更新日期"),
    Field("owner", "owner", _COLUMN, _REGISTRATION, "Owner", "所有者"),
    Field("created_by", "hyperx_created_by", _TEXT, _REGISTRATION, "Created by", "创建者",
          "Id of the user who registered the image.", "注册该镜像的用户的编号。", inherited=False),
    Field("captured_from", "hyperx_captured_from", _TEXT, _REGISTRATION, "Captured from", "封装自",
          "Id of the server that the image was made from.", "封装成该镜像的虚拟机的编号。",
          listed=True, inherited=False),
    Field("capture_id", "hyperx_capture_id", _TEXT, _REGISTRATION, "Capture id", "封装编号",
          "Id of the capture that made the image.", "生成该镜像的封装操作的编号。", inherited=False),
    Field("edited_by", "hyperx_edited_by", _TEXT, _STEWARD, "Edited by", "编辑者",
          "Id of the last user of another department who edited the public image.",
          "最近编辑该公共镜像的其他部门用户的编号。", inherited=False),
    Field("family", "hyperx_family", _TEXT, _REGISTRATION, "Family", "镜像族系",
          "The family of images of which this one is a release.", "该镜像作为发布版本所属的镜像族系。",
          inherited=False),
    Field("version", "hyperx_version", _TEXT, _REGISTRATION, "Version", "版本号",
          "The version of the release in its family.", "该发布版本在其族系中的版本号。", inherited=False),
    Field("released_at", "hyperx_released_at", _TEXT, _REGISTRATION, "Released", "发布时间",
          "When the image was released, in UTC.", "镜像的发布时间（UTC）。", inherited=False),
    Field("deprecated_at", "hyperx_deprecated_at", _TEXT, _REGISTRATION, "Deprecated", "弃用时间",
          "When the image ceases to be recommended, in UTC.", "镜像不再被推荐的时间（UTC）。", inherited=False),
    Field("obsolete_at", "hyperx_obsolete_at", _TEXT, _REGISTRATION, "Obsolete", "淘汰时间",
          "When the image can no longer be launched, in UTC.", "镜像不能再用于创建虚拟机的时间（UTC）。",
          inherited=False),
    Field("replacement", "hyperx_replacement", _TEXT, _REGISTRATION, "Replacement", "替代镜像",
          "Id of the image to use instead.", "应改用的镜像的编号。", inherited=False),
    Field("password_enabled", "hyperx_password_enabled", _FLAG, _STEWARD, "Password enabled", "密码启用",
          "Servers made from the image get an administrator password, which can be reset.",
          "使用该镜像创建的虚拟机带有管理员密码，并可重置。"),
    Field("admin_user", "os_admin_user", _TEXT, _STEWARD, "Administrative user", "管理员账号"),
    Field("bootable", "hyperx_bootable", _FLAG, _OWNER, "Bootable", "可启动",
          "Whether a server can start from the ISO.", "虚拟机能否从该 ISO镜像启动。"),
    Field("os_name", "hyperx_os_name", _TEXT, _STEWARD, "Operating system", "操作系统",
          "The display name of the operating system.", "操作系统的显示名称。", searched=True, listed=True),
    Field("os_distro", "os_distro", _TEXT, _STEWARD, "OS distribution", "操作系统发行版"),
    Field("os_version", "os_version", _TEXT, _STEWARD, "OS version", "操作系统版本"),
    Field("os_type", "os_type", _TEXT, _STEWARD, "OS type", "操作系统类型"),
    Field("hypervisor", "hyperx_hypervisor", _TEXT, _REGISTRATION, "Virtualization technology", "虚拟化技术",
          "The display name of the virtualization technology.", "虚拟化技术的显示名称。", searched=True),
    Field("architecture", "architecture", _TEXT, _OWNER, "Architecture", "架构", listed=True),
    Field("tags", "tags", _COLUMN, _STEWARD, "Tags", "标签", searched=True, listed=True),
    Field("min_disk_gib", "min_disk", _COLUMN, _OWNER, "Minimum disk (GiB)", "最小磁盘 (GiB)"),
    Field("min_ram_mib", "min_ram", _COLUMN, _OWNER, "Minimum memory (MiB)", "最小内存 (MiB)"),
    Field("protected", "protected", _COLUMN, _OWNER, "Protected", "受保护"),
    Field("hidden", "os_hidden", _COLUMN, _OWNER, "Hidden", "隐藏"),
    Field("visibility", "visibility", _COLUMN, _OWNER, "Visibility", "可见性"),
    Field("glance_status", "status", _COLUMN, _NOBODY, "Glance status", "Glance 状态"),
    Field("url", "hyperx_url", _TEXT, _REGISTRATION, "URL", "URL",
          "Where the data came from, without credentials.", "数据来源，不含凭据。", inherited=False),
    Field("checksum", "checksum", _COLUMN, _NOBODY, "MD5 checksum", "MD5 校验和"),
    Field("hash_algorithm", "os_hash_algo", _COLUMN, _NOBODY, "Hash algorithm", "散列算法"),
    Field("hash_value", "os_hash_value", _COLUMN, _NOBODY, "Hash", "散列值"),
    Field("stores", "stores", _COLUMN, _REGISTRATION, "Stores", "存储"),
    Field("featured_flag", "hyperx_featured", _FLAG, _OWNER, "Featured", "精选",
          "Recommended by an administrator; counts only on an image that is visible to everybody.",
          "由管理员推荐；仅在镜像对所有人可见时有效。", part_of="category", inherited=False),
    Field("guest_agent_before", "hyperx_guest_agent_before", _TEXT, _STEWARD, "Guest agent before",
          "原有客户机代理设置",
          "The value of hw_qemu_guest_agent before the password flag was set; it is restored when the flag is removed.",
          "设置“密码启用”之前 hw_qemu_guest_agent 的值；取消“密码启用”时恢复。", part_of="password_enabled"),
    Field("url_stripped", "hyperx_url_stripped", _FLAG, _REGISTRATION, "URL stripped", "URL 已去除凭据",
          "Credentials were removed from the stored URL.", "保存的 URL 已去除凭据。", part_of="url", inherited=False),
    Field("packed", "hyperx_packed", _TEXT, _REGISTRATION, "Packed with", "压缩格式",
          "How the data was packed at its source; it was unpacked on the way.",
          "数据来源处的压缩格式；上传时已解压。", part_of="url", inherited=False),
    Field("expected_size", "hyperx_expected_size", _TEXT, _REGISTRATION, "Expected size", "预期大小",
          "Bytes that the source announced before the upload.", "上传前数据来源声明的字节数。",
          part_of="size", inherited=False),
    Field("checksum_wanted", "hyperx_checksum", _TEXT, _REGISTRATION, "Expected checksum", "预期校验和",
          "Algorithm and hexadecimal digest, such as sha256:9f86d0...", "算法与十六进制摘要，例如 sha256:9f86d0...",
          part_of="checksum", inherited=False),
    Field("checksum_verified", "hyperx_checksum_verified", _FLAG, _REGISTRATION, "Checksum verified", "校验和已验证",
          "The data had the expected checksum, whose algorithm is not one that Glance computes.",
          "数据与预期校验和一致；Glance 不计算该算法的摘要。", part_of="checksum", inherited=False),
    Field("converted_from", "hyperx_converted_from", _TEXT, _REGISTRATION, "Converted from", "转换前",
          "Format of the source, if Glance converted the data during the import.",
          "Glance 在导入时转换了数据：来源数据的格式。", part_of="disk_format", inherited=False),
    Field("release_name", "hyperx_release_name", _TEXT, _REGISTRATION, "Release name", "发布名称",
          "The name that the image has while it is the latest of its family.", "该镜像为族系最新版本时使用的名称。",
          part_of="name", inherited=False),
    Field("hypervisor_type", "hypervisor_type", _TEXT, _REGISTRATION, "Nova's hypervisor", "Nova 虚拟化技术",
          part_of="hypervisor"),
    Field("image_hypervisor_type", "img_hv_type", _TEXT, _REGISTRATION, "Nova's hypervisor", "Nova 虚拟化技术",
          part_of="hypervisor"),
    Field("import_task", "os_glance_import_task", _TEXT, _NOBODY, "Import lock", "导入锁", part_of="phase"),
    Field("importing_to", "os_glance_importing_to_stores", _TEXT, _NOBODY, "Importing to", "正在导入的存储",
          part_of="phase"),
    Field("failed_import", "os_glance_failed_import", _TEXT, _NOBODY, "Failed import", "导入失败的存储",
          part_of="phase"),
)
# fmt: on

BY_NAME = {field.name: field for field in FIELDS}
HYPERVISOR_KEYS = tuple(field.key for field in FIELDS if "hypervisor" in (field.name, field.part_of))
"""The properties that can name a virtualization technology; the first that an image has counts."""
GUEST_AGENT_KEY = "hw_qemu_guest_agent"
SNAPSHOT_KEY, SNAPSHOT_VALUE = "image_type", "snapshot"
MADE_OF_SERVERS = (SNAPSHOT_VALUE, "backup")
VOLUMES_KEY, VOLUMES_MARK = "block_device_mapping", "bdm_v2"
"""Properties that Nova writes into a snapshot of a server on volumes (nova/compute/api.py, snapshot_volume_backed)."""
SERVER_NOTE_KEY = "instance_uuid"
"""The server of which a record is made, as Nova notes it (nova/compute/utils.py, create_image)."""
NOTES_OF_SERVERS = (VOLUMES_KEY, SERVER_NOTE_KEY, "base_image_ref")
"""Properties that only Nova writes, into each image that it makes of a server (nova/compute/utils.py)."""
OWNER_NOTE_KEY = "instance_owner"
"""The department with which Nova shares a snapshot that it makes (nova/image/glance.py, create)."""
CAPTURE_ORDER_PREFIX = "hyperx_capture_order_"
"""Keys of the pieces of a capture's order, on its record and its copy of a volume until it is finished."""
CAPTURE_ORDER_KEY = f"{CAPTURE_ORDER_PREFIX}0"
"""The first piece. The patch that removes it decides whether the capture is finished or cancelled."""
CAPTURE_CANCELLED_KEY = f"{CAPTURE_ORDER_PREFIX}cancelled"
"""The property with the capture's id that replaces the first piece if the capture is to be deleted."""
LAUNCH_IMAGE_KEY = "hyperx_image_id"
"""The key in the metadata of the servers of a launch that names the image."""
SHARE_STATUS_KEY = "os_glance_share_status"
"""The key under which an image keeps its `ShareStatus`: Glance's record has none, and nobody can write such a key."""
RESERVED_PREFIX = "os_glance"
"""Glance refuses keys with this prefix with 403 (glance/api/v2/images.py, _reserved_namespaces)."""
USUAL_OWN_PROPERTIES, MOST_OWN_PROPERTIES = 6, 17
"""The properties that this library writes on an image: with a URL and a checksum alone, and with every field."""
BASE_KEYS = frozenset({field.key for field in FIELDS if field.stored is Stored.COLUMN}) | {
    "self", "file", "schema", "locations", "direct_url", "location", "deleted", "deleted_at", "backing_image",
}  # fmt: skip
"""Keys of a Glance record that are not properties (glance/api/v2/images.py, get_base_properties)."""
UNCHANGEABLE_KEYS = frozenset({
    "base", "context", "deactivate", "delete", "extra_properties", "get_data", "get_payload", "get_super_class",
    "helper", "image_id", "member", "notifier", "reactivate", "repo", "send_notification", "set_data",
})  # fmt: skip
"""A PATCH of these sets an attribute of Glance's own object: Glance answers 200 and writes no property
(glance/api/v2/images.py, _do_add; glance/notifier.py, ImageProxy)."""

ActionWord = Literal[
    "launch", "edit", "publish", "withdraw", "feature", "enable", "disable", "delete", "protect", "unprotect",
    "download", "share", "accept", "decline", "deprecate", "reinstate",
]  # fmt: skip
KindWord = Literal["image", "iso"]
CategoryWord = Literal["featured", "public", "private"]
StateWord = Literal["ACTIVE", "INACTIVE"]
LifecycleWord = Literal["current", "deprecated", "obsolete"]
ViewWord = Literal["all", "featured", "public", "private", "shared", "offered", "everything"]
"""The values of the enumerations above, for type checkers and editors."""

ImageFormat = Literal["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "ploop"]
DiskFormat = Literal["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "ploop", "iso", "ami", "ari", "aki"]
"""The formats that Glance knows by default (glance/common/config.py, disk_formats)."""
DiskFormatWord = DiskFormat | Literal["RAW", "QCOW2", "VMDK", "VHD", "VHDX", "VDI", "PLOOP", "ISO", "AMI", "ARI", "AKI"]
ImageFormatWord = ImageFormat | Literal["RAW", "QCOW2", "VMDK", "VHD", "VHDX", "VDI", "PLOOP"]
"""The same, also as tables print them: formats are accepted in any case."""
IMAGE_FORMATS: tuple[str, ...] = get_args(ImageFormat)
DISK_FORMATS: tuple[str, ...] = get_args(DiskFormat)
ISO_FORMAT = "iso"


def glance_key(name: str) -> str:
    """Return Glance's key for a field of `Image`; a derived field has no key and keeps its name."""
    return BY_NAME[name].key if name in BY_NAME else name
