"""What a launch asks for: checked against image and flavor, counted, and written as Nova's request.

>>> from hyperx_glance.launching.plan import volume_sizes
>>> from hyperx_glance.models.image import Image
>>> from hyperx_glance.models.launching import LaunchRequest
>>> iso = Image(id="42", name="installer", disk_format="iso", size=700 * 2**20)
>>> volume_sizes(iso, LaunchRequest(name="web", flavor="m1.small", install_disk_gib=30), flavor_disk_gib=20)
(30, 1)

Pure functions: no request is made here.
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
from hyperx_glance.launching.passwords import draw_password, hash_password
from hyperx_glance.launching.user_data import encode, with_password
from hyperx_glance.models.image import Image
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.vocabulary import VOLUMES_KEY, Kind, Phase, State

GIB = 2**30
TAG_PREFIX = "hyperx-launch:"
COUNT_KEY = "hyperx_launch_count"
IMAGE_KEY = "hyperx_image_id"
ON_FAILURE_KEY = "hyperx_launch_on_failure"
KEEP_VOLUMES_KEY = "hyperx_launch_keep_volumes"
LAUNCH_KEY = "hyperx_launch_id"
"""Says on a volume which launch made it, once the launch is being cancelled; servers have a tag instead."""
MAX_TAGS = 50
"""Tags of a server, ours included (nova/objects/instance.py, MAX_TAG_COUNT)."""
# What cloudbase-init reads of a server's metadata (cloudbaseinit/metadata/services/baseopenstackservice.py).
WINDOWS_USER_KEY = "admin_username"
WINDOWS_PASSWORD_KEY = "admin_pass"  # noqa: S105  # a key, no password
ACCOUNT_NAME = re.compile(r"[^\s:,]{1,64}")
LINUX_ADMINISTRATOR = "root"
"""The account whose password Nova changes where the image names none (nova/virt/libvirt/driver.py)."""


@dataclass(frozen=True, slots=True)
class Flavor:
    """Show what matters of a flavor."""

    id: str
    name: str
    cores: int
    ram_mib: int
    disk_gib: int


@dataclass(frozen=True, slots=True)
class Network:
    """Name a network."""

    id: str
    name: str


def launch_tag(launch_id: str) -> str:
    """Give the tag that every server of a launch carries."""
    return f"{TAG_PREFIX}{launch_id}"


# ----------------------------------------------------------------- what the image is


def is_install(image: Image, request: LaunchRequest) -> bool:
    """Tell whether an installer runs from the ISO onto a blank disk."""
    return image.kind is Kind.ISO and request.layout == "install"


def needs_volumes(image: Image, request: LaunchRequest) -> bool:
    """Tell whether Cinder has a part in it."""
    return is_install(image, request) or request.boot_volume_gib is not None


def volume_sizes(image: Image, request: LaunchRequest, *, flavor_disk_gib: int) -> tuple[int, ...]:
    """Give the GiB of each volume of one server, in boot order."""
    if is_install(image, request):
        # Cinder makes no volume from an image below its min_disk, even where only the installed disk needs it
        # (cinder/volume/flows/api/create_volume.py, _check_image_metadata).
        disc = max(_gib(image.size or 0), image.min_disk_gib, 1)
        return (request.install_disk_gib or flavor_disk_gib, disc)
    return () if request.boot_volume_gib is None else (request.boot_volume_gib,)


# ----------------------------------------------------------------- checks before anything is created


_WAYS_OUT = {
    Phase.DISABLED: "Enable it first: enable(image).",
    Phase.FAILED: "Delete the record, and register the image anew.",
}


def check_way(image: Image, request: LaunchRequest, *, has_volumes: bool, project_id: str) -> None:
    """Raise where no flavor would do; ``has_volumes`` tells whether the cloud has Cinder."""
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
    """Raise where the image cannot be launched at all by a user who is connected to this project."""
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
            f"{kind} {image.name or image.id} is not bootable.", hint="If it is, say so: update(image, bootable=True)."
        )
    if image.owner != project_id and image.glance_property(VOLUMES_KEY):
        # Nova makes what it says for every server (nova/compute/api.py, _get_image_defined_bdms), in the department of
        # whoever launches: no check of ours sees it, and no cancellation deletes it.
        raise InvalidRequestError(
            f"Image {image.name or image.id} of another department names volumes ({VOLUMES_KEY}), which Nova would make"
            " in yours.",
            hint="Ask its department to capture the server instead: the image then has its own data.",
        )


def check_request(image: Image, request: LaunchRequest) -> None:
    """Raise where the image cannot be launched in this way."""
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
        problems.append("volume_type: this launch makes no volume")
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
        return [f"image: {image.admin_user!r} is no name of an account; give it another admin_user"]
    problems = []
    if request.config_drive is False:
        problems.append("config_drive: Windows guests read their password from it")
    if WINDOWS_PASSWORD_KEY in request.metadata:
        problems.append(f"metadata: {WINDOWS_PASSWORD_KEY} would replace the password; give it as admin_password")
    return problems


def _drive_problems(image: Image, request: LaunchRequest) -> list[str]:
    told = image.password_enabled or bool(request.user_data)
    if told and request.networks == "none" and request.config_drive is False:
        return ["config_drive: a guest without a network reads its password and user data from nowhere else"]
    return []


def _tag_problems(request: LaunchRequest) -> list[str]:
    """Keep the tag that says which launch a server belongs to: who cancels another launch would delete it, too."""
    if len(request.tags) >= MAX_TAGS:
        return [f"tags: at most {MAX_TAGS - 1}, since one says which launch a server belongs to"]
    if any(tag.startswith(TAG_PREFIX) for tag in request.tags):
        return [f"tags: {TAG_PREFIX} says which launch a server belongs to; give launch_id instead"]
    return []


def check_flavor(image: Image, flavor: Flavor, request: LaunchRequest, *, is_administrator: bool) -> None:
    """Raise where flavor or disk are too small for the image."""
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
                f"Flavor {flavor.name} has no disk to install on.", hint="Choose another one, or give install_disk_gib."
            )
    else:
        needed, field = max(image.min_disk_gib, _gib(max(image.size or 0, image.virtual_size or 0))), "boot_volume_gib"
        if disk == 0 and not is_administrator:
            # Nova's policy zero_disk_flavor; for administrators the disk is as large as the image.
            raise FlavorTooSmallError(
                f"Flavor {flavor.name} has no root disk.", hint="Choose another one, or give boot_volume_gib."
            )
        if disk == 0:
            return
    if disk >= needed:
        return
    if asked is not None:
        raise InvalidRequestError(f"{field}: image {name} needs a disk of at least {needed} GiB, not {disk}")
    raise FlavorTooSmallError(f"Flavor {flavor.name} has a disk of {disk} GiB; image {name} needs {needed}.")


def room(image: Image, flavor: Flavor, request: LaunchRequest) -> dict[str, int]:
    """Count what the whole launch takes, by the fields of `DepartmentQuota`."""
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
    """Tell whether the guest is set up by cloudbase-init instead of cloud-init."""
    return image.os_type.lower() == "windows"


def admin_password(image: Image, request: LaunchRequest) -> str | None:
    """Take or draw the password of a password-enabled image; None for another."""
    if not image.password_enabled:
        return None
    if request.admin_password is None:
        return draw_password()
    return request.admin_password.get_secret_value()


def guest_data(image: Image, request: LaunchRequest, password: str | None) -> str | None:
    """Give the user data as Nova wants it, with the password for the guests that take it from there.

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
    launch_id: str,
    password: str | None,
    user_data: str | None,
    server_group_id: str | None,
) -> dict[str, Json]:
    """Build the body of the one POST /servers."""
    metadata = {
        **request.metadata,
        COUNT_KEY: str(request.count),
        IMAGE_KEY: image.id,
        ON_FAILURE_KEY: request.on_failure,
    }
    if request.keep_volumes:
        metadata[KEEP_VOLUMES_KEY] = "true"
    windows_password = password if is_windows(image) else None
    # Without a network the guest reaches no metadata service, and its password would never come.
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
        # The answer then holds no password, and what else it would tell of the first server a list tells of all.
        "return_reservation_id": True,
        "metadata": metadata,
        "tags": [launch_tag(launch_id), *sorted(request.tags)],
    }
    devices = _block_devices(image, flavor, request)
    if devices:
        server["block_device_mapping_v2"] = devices
    else:
        server["imageRef"] = image.id
    optional: Mapping[str, Json] = {
        # Nova writes it in clear text onto any config drive (nova/virt/libvirt/driver.py, extra_md): for Windows alone.
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
    """Lay out the volumes of one server; none where Nova's own disk serves.

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


def told_count(metadata: Mapping[str, str], *, at_least: int) -> int:
    """Read how many servers a launch has; whoever may change a server's metadata may have written something else."""
    told = metadata.get(COUNT_KEY, "")
    count = int(told) if re.fullmatch("[0-9]{1,4}", told) else 0
    return max(count, at_least)


def name_order(name: str) -> tuple[tuple[int, str], ...]:
    """Give the key that sorts "web-2" before "web-10".

    Digits are compared by their number and text, since int() refuses very long ones.
    """
    texts_and_numbers = re.split("([0-9]+)", name)
    parts = [(0, part) for part in texts_and_numbers]
    parts[1::2] = [(1 + len(digits), digits) for digits in (part.lstrip("0") for part in texts_and_numbers[1::2])]
    return (*parts, (0, name))


def _gib(size: int) -> int:
    return -(-size // GIB)
