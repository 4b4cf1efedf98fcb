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
from collections.abc import Iterator, Mapping
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
from hyperx_glance.texts import NO_TEXT, Text, field_name, say
from hyperx_glance.vocabulary import VOLUMES_KEY, Kind, Lifecycle, Phase, State

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


def makes_volumes(image: Image, request: LaunchRequest) -> bool:
    """Check whether Nova makes volumes for the launch, also those that the image names."""
    return needs_volumes(image, request) or bool(image.glance_property(VOLUMES_KEY))


def volume_sizes(image: Image, request: LaunchRequest, *, flavor_disk_gib: int) -> tuple[int, ...]:
    """Return the size in GiB of each volume of one server, in boot order."""
    if is_install(image, request):
        # Cinder makes no volume from an image below its min_disk, even if only the installed disk needs it
        # (cinder/volume/flows/api/create_volume.py, _check_image_metadata).
        disc = max(_gib(image.size or 0), image.min_disk_gib, 1)
        return (request.install_disk_gib or flavor_disk_gib, disc)
    return () if request.boot_volume_gib is None else (request.boot_volume_gib,)


# ----------------------------------------------------------------- checks before anything is created


def check_way(image: Image, request: LaunchRequest, *, has_volumes: bool, project_id: str) -> None:
    """Raise if the image cannot be launched with any flavor; ``has_volumes`` is whether the cloud has Cinder."""
    check_image(image, project_id=project_id)
    check_request(image, request)
    if has_volumes or not needs_volumes(image, request):
        return
    if is_install(image, request):
        message, hint = say("no-volumes-to-install-on"), say("boot-the-iso-itself")
    else:
        field = field_name("boot_volume_gib")
        message, hint = say("no-volumes-to-boot-from", field=field), say("use-the-flavors-disk", field=field)
    raise ServiceUnavailableError(message, connected=False, service="block-storage", hint=hint)


def check_image(image: Image, *, project_id: str) -> None:
    """Raise if the image cannot be launched at all by a user who is connected to this project."""
    name = image.name or image.id
    if image.state is not State.ACTIVE:
        raise ImageNotActiveError(
            say("image-inactive", image=name, phase=image.phase),
            image_id=image.id,
            phase=image.phase,
            failure=image.failure or None,
            explanation=image.failure,
            hint=_way_out(image),
        )
    if image.lifecycle is Lifecycle.OBSOLETE:
        replaced = bool(image.replacement)
        raise ImageNotActiveError(
            say("image-obsolete", image=name),
            image_id=image.id,
            phase=image.phase,
            hint=say("use-the-replacement", image=image.replacement) if replaced else say("use-a-current-image"),
        )
    if not image.bootable:
        raise InvalidRequestError(
            say("iso-not-bootable" if image.kind is Kind.ISO else "image-not-bootable", image=name),
            hint=say("set-bootable", image=image.id),
        )
    if image.owner != project_id and image.glance_property(VOLUMES_KEY):
        # Nova makes the volumes that the image names for every server (nova/compute/api.py, _get_image_defined_bdms),
        # in the department of the user who launches: our checks do not see them, and a cancellation does not delete
        # them.
        raise InvalidRequestError(
            say("image-names-volumes", image=name, key=VOLUMES_KEY), hint=say("capture-there-instead")
        )


def _way_out(image: Image) -> Text:
    if image.phase is Phase.DISABLED:
        return say("enable-first", image=image.id)
    return say("delete-and-register-again" if image.phase is Phase.FAILED else "wait-until-ready")


def check_request(image: Image, request: LaunchRequest) -> None:
    """Raise if the image cannot be launched in this way."""
    problems = [
        say("wrong-field", field=field_name(field), problem=problem)
        for field, problem in (
            *_disk_problems(image, request),
            *_password_problems(image, request),
            *_drive_problems(image, request),
            ("tags", _tag_problem(request)),
        )
        if problem
    ]
    if problems:
        raise InvalidRequestError(say("wrong-request", problems=problems))


def _disk_problems(image: Image, request: LaunchRequest) -> Iterator[tuple[str, Text]]:
    if image.kind is Kind.ISO:
        if request.boot_volume_gib is not None:
            yield "boot_volume_gib", say("iso-has-no-root-disk", other=field_name("install_disk_gib"))
        if request.layout == "live" and request.install_disk_gib is not None:
            yield "install_disk_gib", say("live-has-no-disk")
    else:
        if request.layout == "live":
            yield "layout", say("only-isos-boot-live")
        if request.install_disk_gib is not None:
            yield "install_disk_gib", say("only-isos-are-installed", other=field_name("boot_volume_gib"))
    if request.volume_type is not None and not needs_volumes(image, request):
        yield "volume_type", say("makes-no-volume")
    if not request.networks:
        yield "networks", say("name-a-network")


def _password_problems(image: Image, request: LaunchRequest) -> Iterator[tuple[str, Text]]:
    if request.admin_password is not None and not image.password_enabled:
        yield "admin_password", say("image-without-password", image=image.name or image.id)
    if not image.password_enabled:
        return
    if not is_windows(image):
        if not ACCOUNT_NAME.fullmatch(image.admin_user or LINUX_ADMINISTRATOR):
            account = repr(image.admin_user)
            yield "image", say("bad-account-name", account=account, other=field_name("admin_user"))
        return
    if request.config_drive is False:
        yield "config_drive", say("windows-needs-config-drive")
    if WINDOWS_PASSWORD_KEY in request.metadata:
        other = field_name("admin_password")
        yield "metadata", say("would-replace-the-password", key=WINDOWS_PASSWORD_KEY, other=other)


def _drive_problems(image: Image, request: LaunchRequest) -> Iterator[tuple[str, Text]]:
    has_data = image.password_enabled or bool(request.user_data)
    if has_data and request.networks == "none" and request.config_drive is False:
        yield "config_drive", say("only-the-config-drive")


def _tag_problem(request: LaunchRequest) -> Text:
    """Protect the tag that ties a server to its launch, since canceling a launch deletes all servers with its tag."""
    if len(request.tags) >= MAX_TAGS:
        return say("too-many-server-tags", most=MAX_TAGS - 1)
    if any(tag.startswith(TAG_PREFIX) for tag in request.tags):
        return say("reserved-server-tag", prefix=TAG_PREFIX, other=field_name("launch_id"))
    return NO_TEXT


def check_flavor(image: Image, flavor: Flavor, request: LaunchRequest) -> None:
    """Raise if the flavor or the disk is too small for the image.

    Nova judges flavors without a root disk: its policy zero_disk_flavor decides, and no API shows it.
    """
    name = image.name or image.id
    if flavor.ram_mib < image.min_ram_mib:
        raise FlavorTooSmallError(
            say(
                "flavor-memory-too-small",
                flavor=flavor.name,
                memory=flavor.ram_mib,
                image=name,
                needed=image.min_ram_mib,
            )
        )
    asked = request.install_disk_gib if is_install(image, request) else request.boot_volume_gib
    disk = flavor.disk_gib if asked is None else asked
    if is_install(image, request):
        needed, field = image.min_disk_gib, field_name("install_disk_gib")
        if disk == 0:
            raise FlavorTooSmallError(
                say("flavor-has-no-disk", flavor=flavor.name), hint=say("larger-flavor-or-install-disk", field=field)
            )
    else:
        needed = max(image.min_disk_gib, _gib(max(image.size or 0, image.virtual_size or 0)))
        field = field_name("boot_volume_gib")
        if disk == 0:
            return
    if disk >= needed:
        return
    if asked is not None:
        problem = say("disk-too-small", image=name, needed=needed, given=disk)
        raise InvalidRequestError(say("wrong-field", field=field, problem=problem))
    raise FlavorTooSmallError(say("flavor-disk-too-small", flavor=flavor.name, disk=disk, image=name, needed=needed))


def instead_of_local_disk(image: Image, *, another_flavor: bool) -> Text:
    """Return the hint for launches for which Nova refuses a disk of its own; ``another_flavor`` if one may help."""
    if image.kind is Kind.ISO:
        return say("another-flavor-or-install" if another_flavor else "only-on-volumes-install")
    field = field_name("boot_volume_gib")
    return say("another-flavor-or-boot-volume" if another_flavor else "only-on-volumes", field=field)


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
