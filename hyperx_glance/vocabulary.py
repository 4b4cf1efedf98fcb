"""The one table of words: what each field of an image is called in Glance, who writes it, and who can filter by it.

    >>> from hyperx_glance.vocabulary import WORDS, glance_key
    >>> glance_key("password_enabled")
    'hyperx_password_enabled'
    >>> [word.field for word in WORDS if word.title_zh == "说明"]
    ['description']

`Image` takes its aliases from here; the mapping page of the documentation and the metadef namespace are made from it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args


class Kind(StrEnum):
    """Say what an image is: a disk, or an installation disc."""

    IMAGE = "image"
    ISO = "iso"


class Category(StrEnum):
    """Say who sees an image in which tab of the console."""

    FEATURED = "featured"
    PUBLIC = "public"
    PRIVATE = "private"


class State(StrEnum):
    """Say whether servers can be launched from an image."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Phase(StrEnum):
    """Say how far an image has come; finer than its state."""

    REGISTERED = "registered"
    DOWNLOADING = "downloading"
    STORING = "storing"
    READY = "ready"
    FAILED = "failed"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


class View(StrEnum):
    """Name the tabs of the console, and two more lists."""

    ALL = "all"
    FEATURED = "featured"
    PUBLIC = "public"
    PRIVATE = "private"
    SHARED = "shared"
    EVERYTHING = "everything"


class Action(StrEnum):
    """Name what a console has a button for.

    ``edit`` changes name, description, operating system and tags; ``publish`` and ``withdraw`` set the category public
    and private, ``feature`` sets featured; ``protect`` refuses deletion; ``download`` reads the data from Glance.
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
    DOWNLOAD = "download"


class UrlProblem(StrEnum):
    """Say why a URL cannot become an image."""

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
    TOO_LARGE = "too_large"


class FailureReason(StrEnum):
    """Say why a registration failed though its URL is good, or where nobody knows of the URL."""

    GLANCE = "glance"
    CHECKSUM = "checksum"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    UNVERIFIABLE = "unverifiable"


class Writer(StrEnum):
    """Say who may write a field, each including those before it."""

    NOBODY = "nobody"
    REGISTRATION = "registration"
    OWNER = "owner"
    STEWARD = "steward"


class Side(StrEnum):
    """Say which side evaluates a filter: Glance (checked again here), or this library alone."""

    GLANCE = "glance"
    HERE = "here"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Word:
    """Describe one field of `Image`.

    ``key`` is Glance's word. ``own`` marks the properties that this product adds to OpenStack (they make the metadef
    namespace); ``custom`` marks those that Glance keeps as additional properties rather than columns.
    """

    field: str
    key: str
    writer: Writer
    side: Side
    title: str
    title_zh: str
    description: str = ""
    description_zh: str = ""
    custom: bool = False
    own: bool = False
    choices: tuple[str, ...] = ()


FLAG = ("true", "false")

WORDS = (
    Word("id", "id", Writer.NOBODY, Side.HERE, "Id", "编号"),
    Word("name", "name", Writer.STEWARD, Side.GLANCE, "Name", "名称"),
    Word("visibility", "visibility", Writer.OWNER, Side.GLANCE, "Visibility", "可见性"),
    Word("glance_status", "status", Writer.NOBODY, Side.GLANCE, "Glance status", "Glance 状态"),
    Word("disk_format", "disk_format", Writer.REGISTRATION, Side.GLANCE, "Format", "格式"),
    Word("container_format", "container_format", Writer.REGISTRATION, Side.NONE, "Container format", "容器格式"),
    Word("size", "size", Writer.NOBODY, Side.GLANCE, "Size", "大小"),
    Word("virtual_size", "virtual_size", Writer.NOBODY, Side.NONE, "Virtual size", "虚拟大小"),
    Word("min_disk_gib", "min_disk", Writer.OWNER, Side.NONE, "Minimum disk (GiB)", "最小磁盘 (GiB)"),
    Word("min_ram_mib", "min_ram", Writer.OWNER, Side.NONE, "Minimum memory (MiB)", "最小内存 (MiB)"),
    Word("created_at", "created_at", Writer.NOBODY, Side.GLANCE, "Created", "创建日期"),
    Word("updated_at", "updated_at", Writer.NOBODY, Side.GLANCE, "Updated", "更新日期"),
    Word("owner", "owner", Writer.REGISTRATION, Side.GLANCE, "Owner", "所有者"),
    Word("protected", "protected", Writer.OWNER, Side.GLANCE, "Protected", "受保护"),
    Word("hidden", "os_hidden", Writer.OWNER, Side.GLANCE, "Hidden", "隐藏"),
    Word("checksum", "checksum", Writer.NOBODY, Side.NONE, "MD5 checksum", "MD5 校验和"),
    Word("hash_algorithm", "os_hash_algo", Writer.NOBODY, Side.NONE, "Hash algorithm", "散列算法"),
    Word("hash_value", "os_hash_value", Writer.NOBODY, Side.NONE, "Hash", "散列值"),
    Word("tags", "tags", Writer.STEWARD, Side.GLANCE, "Tags", "标签"),
    Word("stores", "stores", Writer.REGISTRATION, Side.NONE, "Stores", "存储"),
    Word("description", "description", Writer.STEWARD, Side.HERE, "Description", "说明", custom=True),
    Word("os_distro", "os_distro", Writer.STEWARD, Side.GLANCE, "OS distribution", "操作系统发行版", custom=True),
    Word("os_version", "os_version", Writer.STEWARD, Side.GLANCE, "OS version", "操作系统版本", custom=True),
    Word("os_type", "os_type", Writer.STEWARD, Side.GLANCE, "OS type", "操作系统类型", custom=True),
    Word("architecture", "architecture", Writer.OWNER, Side.GLANCE, "Architecture", "架构", custom=True),
    Word("admin_user", "os_admin_user", Writer.STEWARD, Side.NONE, "Administrative user", "管理员用户", custom=True),
    Word(
        "hypervisor_type",
        "hypervisor_type",
        Writer.REGISTRATION,
        Side.NONE,
        "Nova's hypervisor",
        "Nova 虚拟化类型",
        custom=True,
    ),
    Word(
        "image_hypervisor_type",
        "img_hv_type",
        Writer.REGISTRATION,
        Side.NONE,
        "Nova's hypervisor",
        "Nova 虚拟化类型",
        custom=True,
    ),
    Word("import_task", "os_glance_import_task", Writer.NOBODY, Side.NONE, "Import lock", "导入锁", custom=True),
    Word(
        "importing_to",
        "os_glance_importing_to_stores",
        Writer.NOBODY,
        Side.NONE,
        "Importing to",
        "正在导入的存储",
        custom=True,
    ),
    Word(
        "failed_import",
        "os_glance_failed_import",
        Writer.NOBODY,
        Side.NONE,
        "Failed import",
        "导入失败的存储",
        custom=True,
    ),
    Word(
        "featured_flag",
        "hyperx_featured",
        Writer.OWNER,
        Side.GLANCE,
        "Featured",
        "精选",
        "Recommended by an administrator; counts only on an image that is visible to everybody.",
        "由管理员推荐；仅对所有人可见的镜像有效。",
        custom=True,
        own=True,
        choices=FLAG,
    ),
    Word(
        "password_enabled",
        "hyperx_password_enabled",
        Writer.STEWARD,
        Side.GLANCE,
        "Password enabled",
        "密码启用",
        "Servers made from the image get an administrator password, which can be reset.",
        "使用该镜像创建的虚拟机带有管理员密码，并可重置。",
        custom=True,
        own=True,
        choices=FLAG,
    ),
    Word(
        "guest_agent_before",
        "hyperx_guest_agent_before",
        Writer.STEWARD,
        Side.NONE,
        "Guest agent before",
        "原有客户机代理设置",
        "What hw_qemu_guest_agent was before the password switch was set; it comes back when the switch goes.",
        "设置密码启用之前 hw_qemu_guest_agent 的值；取消密码启用时恢复。",
        custom=True,
        own=True,
    ),
    Word(
        "bootable",
        "hyperx_bootable",
        Writer.OWNER,
        Side.HERE,
        "Bootable",
        "可启动",
        "Whether a server can start from the ISO.",
        "虚拟机能否从该 ISO 启动。",
        custom=True,
        own=True,
        choices=FLAG,
    ),
    Word(
        "os_name",
        "hyperx_os_name",
        Writer.STEWARD,
        Side.HERE,
        "Operating system",
        "操作系统",
        "The operating system as people call it.",
        "操作系统的显示名称。",
        custom=True,
        own=True,
    ),
    Word(
        "hypervisor",
        "hyperx_hypervisor",
        Writer.REGISTRATION,
        Side.GLANCE,
        "Virtualization technology",
        "虚拟化技术",
        "The virtualization technology as people call it.",
        "虚拟化技术的显示名称。",
        custom=True,
        own=True,
    ),
    Word(
        "created_by",
        "hyperx_created_by",
        Writer.REGISTRATION,
        Side.GLANCE,
        "Created by",
        "创建者",
        "Id of the user who registered the image.",
        "注册该镜像的用户编号。",
        custom=True,
        own=True,
    ),
    Word(
        "edited_by",
        "hyperx_edited_by",
        Writer.STEWARD,
        Side.NONE,
        "Edited by",
        "编辑者",
        "Id of the last user of another department who edited the public image.",
        "最近编辑该公共镜像的其他部门用户的编号。",
        custom=True,
        own=True,
    ),
    Word(
        "url",
        "hyperx_url",
        Writer.REGISTRATION,
        Side.NONE,
        "URL",
        "URL",
        "Where the data came from, without credentials.",
        "数据来源，不含凭据。",
        custom=True,
        own=True,
    ),
    Word(
        "url_stripped",
        "hyperx_url_stripped",
        Writer.REGISTRATION,
        Side.NONE,
        "URL stripped",
        "URL 已去除凭据",
        "Credentials were taken out of the stored URL.",
        "保存的 URL 已去除凭据。",
        custom=True,
        own=True,
        choices=FLAG,
    ),
    Word(
        "checksum_wanted",
        "hyperx_checksum",
        Writer.REGISTRATION,
        Side.NONE,
        "Expected checksum",
        "期望的校验和",
        "Algorithm and hexadecimal digest, such as sha256:9f86d0...",
        "算法与十六进制摘要，例如 sha256:9f86d0...",
        custom=True,
        own=True,
    ),
    Word(
        "checksum_verified",
        "hyperx_checksum_verified",
        Writer.REGISTRATION,
        Side.NONE,
        "Checksum verified",
        "校验和已验证",
        "The data had the expected checksum, of an algorithm that Glance keeps no digest of.",
        "数据与期望的校验和一致，其算法的摘要 Glance 不保存。",
        custom=True,
        own=True,
        choices=FLAG,
    ),
    Word(
        "failure",
        "hyperx_failure",
        Writer.REGISTRATION,
        Side.NONE,
        "Failure",
        "失败原因",
        "Why the upload failed.",
        "上传失败的原因。",
        custom=True,
        own=True,
    ),
)

BY_FIELD = {word.field: word for word in WORDS}
GUEST_AGENT_KEY = "hw_qemu_guest_agent"
SNAPSHOT_KEY, SNAPSHOT_VALUE = "image_type", "snapshot"
MADE_OF_SERVERS = (SNAPSHOT_VALUE, "backup")
VOLUMES_KEY, VOLUMES_MARK = "block_device_mapping", "bdm_v2"
"""What Nova writes into a snapshot of a server on volumes (nova/compute/api.py, snapshot_volume_backed)."""
OWN_PREFIX = "hyperx_"
RESERVED_PREFIX = "os_glance"
"""Glance refuses any key that begins so with 403 (glance/api/v2/images.py, _reserved_namespaces)."""
BASE_KEYS = frozenset({word.key for word in WORDS if not word.custom}) | {
    "self", "file", "schema", "locations", "direct_url", "location", "deleted", "deleted_at", "backing_image",
}  # fmt: skip
"""Keys of a Glance record that are no properties (glance/api/v2/images.py, get_base_properties)."""
UNCHANGEABLE_KEYS = frozenset({
    "base", "context", "deactivate", "delete", "extra_properties", "get_data", "get_payload", "get_super_class",
    "helper", "image_id", "member", "notifier", "reactivate", "repo", "send_notification", "set_data",
})  # fmt: skip
"""A PATCH of these sets an attribute of Glance's own object: it answers 200 and writes no property
(glance/api/v2/images.py, _do_add; glance/notifier.py, ImageProxy)."""

ActionWord = Literal[
    "launch", "edit", "publish", "withdraw", "feature", "enable", "disable", "delete", "protect", "download"
]
KindWord = Literal["image", "iso"]
CategoryWord = Literal["featured", "public", "private"]
StateWord = Literal["ACTIVE", "INACTIVE"]
ViewWord = Literal["all", "featured", "public", "private", "shared", "everything"]
"""The texts of the enumerations above, for type checkers and editors."""

ImageFormat = Literal["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "ploop"]
DiskFormat = Literal["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "ploop", "iso", "ami", "ari", "aki"]
"""What Glance knows by default (glance/common/config.py, disk_formats)."""
DiskFormatWord = DiskFormat | Literal["RAW", "QCOW2", "VMDK", "VHD", "VHDX", "VDI", "PLOOP", "ISO", "AMI", "ARI", "AKI"]
ImageFormatWord = ImageFormat | Literal["RAW", "QCOW2", "VMDK", "VHD", "VHDX", "VDI", "PLOOP"]
"""The same as the tables print them: a format is read without case."""
IMAGE_FORMATS: tuple[str, ...] = get_args(ImageFormat)
DISK_FORMATS: tuple[str, ...] = get_args(DiskFormat)
ISO_FORMAT = "iso"


def glance_key(field: str) -> str:
    """Give Glance's key for a field of `Image`; a derived field has none and keeps its name."""
    return BY_FIELD[field].key if field in BY_FIELD else field
