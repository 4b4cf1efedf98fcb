"""The plan of a launch: checked against image and flavor, counted, and written as a request to Nova.

>>> from hyperx_glance.launching.plan import volume_sizes
>>> from hyperx_glance.models.image import Image
>>> from hyperx_glance.models.launching import LaunchRequest
>>> iso = Image(id="42", name="installer", disk_format="iso", size=700 * 2**20)
>>> volume_sizes(iso, LaunchRequest(name="web", flavor="m1.small", install_disk_gib=30), flavor_disk_gib=20)
(30, 1)

Pure: no request is made here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hyperx_glance.cloud.cloud import Json
from hyperx_glance.errors import (
    FlavorTooSmallError,
    ImageNotActiveError,
    InvalidRequestError,
    ServiceUnavailableError,
)
from hyperx_glance.launching.order import TAG_PREFIX, LaunchOrder, launch_tag
from hyperx_glance.launching.passwords import draw_password, hash_password
from hyperx_glance.launching.user_data import encode, with_password
from hyperx_glance.models.image import Image
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.vocabulary import VOLUMES_KEY, Kind, Phase, State

GIB = 2**30
MAX_TAGS = 50
"""Tags of a server, ours included (nova/objects/instance.py, MAX_TAG_COUNT)."""
# Keys of a server's metadata that cloudbase-init reads (cloudbaseinit/metadata/services/baseopenstackservice.py).
WINDOWS_USER_KEY = "admin_username"
WINDOWS_PASSWORD_KEY = "admin_pass"  # noqa: S105  # a key, no password
ACCOUNT_NAME = re.compile(r"[^\s:,]{1,64}")
LINUX_ADMINISTRATOR = "root"
"""The account whose password Nova changes if the image does not name one (nova/virt/libvirt/driver.py)."""
AS_USUAL = LaunchRequest(name="any", flavor="any")
"""A launch with the default layout, for checks that ignore its names."""


@dataclass(frozen=True, slots=True)
class Flavor:
    """The part of a flavor that matters to a launch."""

    id: str
    name: str
    cores: int
    ram_mib: int
    disk_gib: int


@dataclass(frozen=True, slots=True)
class Network:
    """A network."""

    id: str
    name: str


# ----------------------------------------------------------------- the kind of image


def is_install(image: Image, request: LaunchRequest) -> bool:
    """Check whether an installer runs from the ISO onto a blank disk."""
    return image.kind is Kind.ISO and request.layout == "install"


def needs_volumes(image: Image, request: LaunchRequest) -> bool:
    """Check whether the launch needs Cinder."""
    return is_install(image, request) or request.boot_volume_gib is not None


def volume_sizes(image: Image, request: LaunchRequest, *, flavor_disk_gib: int) -> tuple[int, ...]:
    """Return the size in GiB of each volume of one server, in boot order."""
    if is_install(image, request):
        # Cinder makes no volume from an image below its min_disk, even if only the installed disk needs it
        # (cinder/volume/flows/api/create_volume.py, _check_image_metadata).
        disc = max(_gib(image.size or 0), image.min_disk_gib, 1)
        return (request.install_disk_gib or flavor_disk_gib, disc)
    return () if request.boot_volume_gib is None else (request.boot_volume_gib,)


# ----------------------------------------------------------------- checks before anything is created


_WAYS_OUT = {
    Phase.DISABLED: "Enable it first: enable(image).",
    Phase.FAILED: "Delete the record, and register the image again.",
}


def check_way(image: Image, request: LaunchRequest, *, has_volumes: bool, project_id: str) -> None:
    """Raise if the image cannot be launched with any flavor; ``has_volumes`` is whether the cloud has Cinder."""
    check_image(image, project_id=project_id)
    check_request(image, request)
    if has_volumes or not needs_volumes(image, request):
        return
    iso = is_install(image, request)
    raise ServiceUnavailableError(
        f"This cloud has no volumes (Cinder), which {'installing an ISO' if iso else 'boot_volume_gib'} needs.",
        connected=False,
        service="block-storage",
        hint='Boot the ISO itself: layout="live".' if iso else "Leave boot_volume_gib out: the flavor has a disk.",
    )


def check_image(image: Image, *, project_id: str) -> None:
    """Raise if the image cannot be launched at all by a user who is connected to this project."""
    if image.state is not State.ACTIVE:
        reason = f": {image.failure.removesuffix('.')}" if image.failure else ""
        raise ImageNotActiveError(
            f"Image {image.name or image.id} is INACTIVE, {image.phase}{reason}.",
            image_id=image.id,
            phase=image.phase,
            failure=image.failure or None,
            hint=_WAYS_OUT.get(image.phase, "Wait until it is ready."),
        )
    if not image.bootable:
        kind = "ISO" if image.kind is Kind.ISO else "Image"
        raise InvalidRequestError(
            f"{kind} {image.name or image.id} is not bootable.",
            hint="If it is, set the flag: update(image, bootable=True).",
        )
    if image.owner != project_id and image.glance_property(VOLUMES_KEY):
        # Nova makes the volumes that the image names for every server (nova/compute/api.py, _get_image_defined_bdms),
        # in the department of the user who launches: our checks do not see them, and a cancellation does not delete
        # them.
        raise InvalidRequestError(
            f"Image {image.name or image.id} of another department names volumes ({VOLUMES_KEY}), which Nova would make"
            " in yours.",
            hint="Ask its department to capture the server instead: the image then has its own data.",
        )


def check_request(image: Image, request: LaunchRequest) -> None:
    """Raise if the image cannot be launched in this way."""
    problems = []
    if image.kind is Kind.ISO:
        if request.boot_volume_gib is not None:
            problems.append("boot_volume_gib: an ISO has no root disk; its blank disk is install_disk_gib")
        if request.layout == "live" and request.install_disk_gib is not None:
            problems.append('install_disk_gib: layout="live" boots the ISO itself, without a disk')
    else:
        if request.layout == "live":
            problems.append("layout: only ISOs can be booted live")
        if request.install_disk_gib is not None:
            problems.append("install_disk_gib: only ISOs are installed; the disk of an image is boot_volume_gib")
    if request.volume_type is not None and not needs_volumes(image, request):
        problems.append("volume_type: this launch does not make a volume")
    if not request.networks:
        problems.append('networks: name at least one, or "auto", or "none"')
    problems += _password_problems(image, request) + _drive_problems(image, request) + _tag_problems(request)
    if problems:
        raise InvalidRequestError("\n".join(problems))


def _password_problems(image: Image, request: LaunchRequest) -> list[str]:
    if request.admin_password is not None and not image.password_enabled:
        return [f"admin_password: image {image.name or image.id} is not password-enabled"]
    if not image.password_enabled:
        return []
    if not is_windows(image):
        if ACCOUNT_NAME.fullmatch(image.admin_user or LINUX_ADMINISTRATOR):
            return []
        return [f"image: {image.admin_user!r} is not a valid account name; change its admin_user"]
    problems = []
    if request.config_drive is False:
        problems.append("config_drive: Windows guests read their password from the config drive")
    if WINDOWS_PASSWORD_KEY in request.metadata:
        problems.append(f"metadata: {WINDOWS_PASSWORD_KEY} would replace the password; use admin_password instead")
    return problems


def _drive_problems(image: Image, request: LaunchRequest) -> list[str]:
    has_data = image.password_enabled or bool(request.user_data)
    if has_data and request.networks == "none" and request.config_drive is False:
        return ["config_drive: a guest without a network reads its password and user data only from the config drive"]
    return []


def _tag_problems(request: LaunchRequest) -> list[str]:
    """Protect the tag that ties a server to its launch, since canceling a launch deletes all servers with its tag."""
    if len(request.tags) >= MAX_TAGS:
        return [f"tags: at most {MAX_TAGS - 1} are allowed, since one more ties a server to its launch"]
    if any(tag.startswith(TAG_PREFIX) for tag in request.tags):
        return [f"tags: {TAG_PREFIX} is reserved; use launch_id to choose the id of a launch"]
    return []


def check_flavor(image: Image, flavor: Flavor, request: LaunchRequest, *, is_administrator: bool) -> None:
    """Raise if the flavor or the disk is too small for the image."""
    name = image.name or image.id
    if flavor.ram_mib < image.min_ram_mib:
        raise FlavorTooSmallError(
            f"Flavor {flavor.name} has {flavor.ram_mib} MiB of memory; image {name} needs {image.min_ram_mib}."
        )
    asked = request.install_disk_gib if is_install(image, request) else request.boot_volume_gib
    disk = flavor.disk_gib if asked is None else asked
    if is_install(image, request):
        needed, field = image.min_disk_gib, "install_disk_gib"
        if disk == 0:
            raise FlavorTooSmallError(
                f"Flavor {flavor.name} has no disk to install on.",
                hint="Choose a larger flavor, or set install_disk_gib.",
            )
    else:
        needed, field = max(image.min_disk_gib, _gib(max(image.size or 0, image.virtual_size or 0))), "boot_volume_gib"
        if disk == 0 and not is_administrator:
            # Nova's policy zero_disk_flavor; for administrators the disk is as large as the image.
            raise FlavorTooSmallError(
                f"Flavor {flavor.name} has no root disk.", hint="Choose another, or set boot_volume_gib."
            )
        if disk == 0:
            return
    if disk >= needed:
        return
    if asked is not None:
        raise InvalidRequestError(f"{field}: image {name} needs a disk of at least {needed} GiB, not {disk}")
    raise FlavorTooSmallError(f"Flavor {flavor.name} has a disk of {disk} GiB; image {name} needs {needed}.")


def room(image: Image, flavor: Flavor, request: LaunchRequest) -> dict[str, int]:
    """Count the resources of the whole launch, by the fields of `DepartmentQuota`."""
    sizes = volume_sizes(image, request, flavor_disk_gib=flavor.disk_gib)
    needed = {
        "instances": request.count,
        "cores": request.count * flavor.cores,
        "ram_mib": request.count * flavor.ram_mib,
    }
    if sizes:
        needed |= {"volumes": request.count * len(sizes), "volume_gib": request.count * sum(sizes)}
    return needed


# ----------------------------------------------------------------- password and request


def is_windows(image: Image) -> bool:
    """Check whether the guest is set up by cloudbase-init instead of cloud-init."""
    return image.os_type.lower() == "windows"


def admin_password(image: Image, request: LaunchRequest) -> str | None:
    """Return the requested password, or draw one; None if the image is not password-enabled."""
    if not image.password_enabled:
        return None
    if request.admin_password is None:
        return draw_password()
    return request.admin_password.get_secret_value()


def guest_data(image: Image, request: LaunchRequest, password: str | None) -> str | None:
    """Return the user data as Nova expects it, with the password for guests that take it from there.

    cloudbase-init takes a Windows guest's password from Nova's adminPass on the config drive.
    """
    data = request.user_data
    if password is not None and not is_windows(image):
        data = with_password(data, user=image.admin_user or LINUX_ADMINISTRATOR, password_hash=hash_password(password))
    return encode(data) if data else None


def server_body(
    image: Image,
    flavor: Flavor,
    networks: tuple[Network, ...],
    request: LaunchRequest,
    *,
    order: LaunchOrder,
    password: str | None,
    server_group_id: str | None,
) -> dict[str, Json]:
    """Build the body of the one POST /servers."""
    metadata = {**request.metadata, **order.metadata()}
    user_data = guest_data(image, request, password)
    windows_password = password if is_windows(image) else None
    # Without a network the guest reaches no metadata service, so the config drive is its only source.
    alone = request.networks == "none" and user_data is not None
    if windows_password is not None and image.admin_user:
        metadata.setdefault(WINDOWS_USER_KEY, image.admin_user)
    server: dict[str, Json] = {
        "name": request.name,
        "flavorRef": flavor.id,
        "networks": request.networks
        if isinstance(request.networks, str)
        else [{"uuid": network.id} for network in networks],
        "min_count": request.count,
        "max_count": request.count,
        # The response then contains no password. It would describe only the first server; a list describes all.
        "return_reservation_id": True,
        "metadata": metadata,
        "tags": [launch_tag(order.launch_id), *sorted(request.tags)],
    }
    devices = _block_devices(image, flavor, request)
    if devices:
        server["block_device_mapping_v2"] = devices
    else:
        server["imageRef"] = image.id
    optional: Mapping[str, Json] = {
        # Nova writes it in clear text onto every config drive (nova/virt/libvirt/driver.py, extra_md): for Windows
        # only.
        "adminPass": windows_password,
        "user_data": user_data,
        "config_drive": True if windows_password is not None or alone else request.config_drive,
        "key_name": request.key_name,
        "security_groups": [{"name": group} for group in request.security_groups] or None,
        "availability_zone": request.availability_zone,
    }
    server |= {key: value for key, value in optional.items() if value is not None}
    body: dict[str, Json] = {"server": server}
    if server_group_id is not None:
        body["os:scheduler_hints"] = {"group": server_group_id}
    return body


def _block_devices(image: Image, flavor: Flavor, request: LaunchRequest) -> list[dict[str, Json]]:
    """Return the volumes of one server, as Nova expects them; none if the server has a disk of Nova.

    The blank disk comes first and the ISO second: the empty disk cannot boot, so the installer runs; afterwards the
    installed disk does. Boot indexes have no gap (nova/compute/api.py, _validate_bdm).
    """
    sizes = volume_sizes(image, request, flavor_disk_gib=flavor.disk_gib)
    common: dict[str, Json] = {"destination_type": "volume", "delete_on_termination": not request.keep_volumes}
    if request.volume_type is not None:
        common["volume_type"] = request.volume_type
    if is_install(image, request):
        disk, disc = sizes
        return [
            {**common, "boot_index": 0, "source_type": "blank", "volume_size": disk, "device_type": "disk"},
            {
                **common,
                "boot_index": 1,
                "source_type": "image",
                "uuid": image.id,
                "volume_size": disc,
                "device_type": "cdrom",
            },
        ]
    return [
        {**common, "boot_index": 0, "source_type": "image", "uuid": image.id, "volume_size": size} for size in sizes
    ]


def name_order(name: str) -> tuple[tuple[int, str], ...]:
    """Return the key that sorts "web-2" before "web-10".

    Digits are compared by their count and as strings, since int() refuses very long ones.
    """
    texts_and_numbers = re.split("([0-9]+)", name)
    parts = [(0, part) for part in texts_and_numbers]
    parts[1::2] = [(1 + len(digits), digits) for digits in (part.lstrip("0") for part in texts_and_numbers[1::2])]
    return (*parts, (0, name))


def _gib(size: int) -> int:
    return -(-size // GIB)
