"""The initial content of a test cloud: users, flavors, networks and an image; one table for both clouds.

>>> sorted(PROFILES)
['default', 'devstack']
>>> auth = {"auth_url": "http://127.0.0.1/v3", "username": "alice", "region_name": "RegionOne"}
>>> print(written(entries(lambda user: auth, ["alice"], "default")), end="")
clouds:
  alice:
    auth:
      auth_url: http://127.0.0.1/v3
      username: alice
    region_name: RegionOne
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

ProfileName = Literal["default", "devstack"]


class Person(NamedTuple):
    """A role of a user in a department."""

    department: str
    role: str


class FlavorSize(NamedTuple):
    """The size of servers: MiB, GiB, processors; the id "" is replaced by a generated one."""

    name: str
    ram: int
    disk: int
    vcpus: int
    ephemeral: int = 0
    id: str = ""


class NetworkPlan(NamedTuple):
    """The purpose of a network, and its subnet's addresses."""

    name: str
    cidr: str
    shared: bool = False
    external: bool = False
    """Whether floating addresses come from it."""
    department: str = "admin"
    subnet: str = ""
    """The name of its subnet."""


ROUTER: Final = "router1"
KEY_PAIR: Final = "devstack"
# Of a key that was thrown away when it was made.
PUBLIC_KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOzn+CIn++vKkalJhEQd6zBAB+0r4km6qbgM+kqF+7tE devstack"
SERVER_QUOTA: Final[Mapping[str, int]] = {"instances": 60, "cores": 60, "ram": 200000}


class Profile(NamedTuple):
    """The initial content of a cloud."""

    people: Mapping[str, Person]
    """Each user's own department, and the role there."""
    flavors: tuple[FlavorSize, ...]
    networks: tuple[NetworkPlan, ...]
    """With an external one, the first is joined to it by its department's router, so that servers there have floating
    addresses."""
    image: str | None = None
    """The name of a small public image."""
    metadefs: bool = False
    """The local cloud has the metadefs that Glance comes with, as its operators load them."""
    generous: tuple[str, ...] = ()
    """Departments that may have more servers than Nova's defaults."""
    grants: tuple[tuple[str, Person], ...] = ()
    """More roles: users and where they have them; "admin" is the administrator."""
    key_pairs: tuple[str, ...] = ()
    """Users that have the key pair `KEY_PAIR`."""
    clouds: Mapping[str, str] = {}
    """Names in ``clouds.yaml`` besides those of the people: name and user; before a colon stands a department that is
    not the user's own, or "system"."""


_DEFAULT: Final = Profile(
    people={
        "alice": Person("dept-a", "member"),
        "arthur": Person("dept-a", "member"),
        "rita": Person("dept-a", "reader"),
        "bob": Person("dept-b", "member"),
        "carol": Person("dept-c", "member"),
    },
    flavors=(FlavorSize("m1.tiny", 512, 1, 1, ephemeral=1), FlavorSize("m1.small", 2048, 20, 1)),
    networks=(NetworkPlan("net1", "10.99.0.0/16", shared=True),),
    generous=("dept-a", "dept-b"),
)

PROFILES: Final[Mapping[ProfileName, Profile]] = {
    "default": _DEFAULT,
    # What DevStack makes (its lib/keystone, lib/nova, lib/tempest, lib/neutron_plugins), and the people besides.
    "devstack": Profile(
        people={
            **_DEFAULT.people,
            "demo": Person("demo", "member"),
            "demo_reader": Person("demo", "reader"),
            "alt_demo": Person("alt_demo", "member"),
            "alt_demo_member": Person("alt_demo", "member"),
            "alt_demo_reader": Person("alt_demo", "reader"),
        },
        flavors=(
            FlavorSize("m1.nano", 192, 1, 1, id="42"),
            FlavorSize("m1.micro", 256, 1, 1, id="84"),
            FlavorSize("cirros256", 256, 1, 1, id="c1"),
            FlavorSize("ds512M", 512, 5, 1, id="d1"),
            FlavorSize("ds1G", 1024, 10, 1, id="d2"),
            FlavorSize("ds2G", 2048, 10, 2, id="d3"),
            FlavorSize("ds4G", 4096, 20, 4, id="d4"),
            FlavorSize("m1.tiny", 512, 1, 1, id="1"),
            FlavorSize("m1.small", 2048, 20, 1, id="2"),
            FlavorSize("m1.medium", 4096, 40, 2, id="3"),
            FlavorSize("m1.large", 8192, 80, 4, id="4"),
            FlavorSize("m1.xlarge", 16384, 160, 8, id="5"),
        ),
        networks=(
            NetworkPlan("private", "10.0.0.0/26", department="demo", subnet="private-subnet"),
            NetworkPlan("public", "172.24.4.0/24", external=True, subnet="public-subnet"),
            NetworkPlan("shared", "192.168.233.0/24", shared=True, subnet="shared-subnet"),
        ),
        image="cirros-0.6.3-x86_64-disk",
        metadefs=True,
        generous=_DEFAULT.generous,
        grants=(("admin", Person("demo", "admin")),),
        key_pairs=("admin", "demo", "alt_demo"),
        clouds={
            "devstack": "demo",
            "devstack-reader": "demo_reader",
            "devstack-alt": "alt_demo",
            "devstack-alt-member": "alt_demo_member",
            "devstack-alt-reader": "alt_demo_reader",
            "devstack-admin": "admin",
            "devstack-admin-demo": "demo:admin",
            "devstack-system-admin": "system:admin",
        },
    ),
}


def small_image() -> bytes:
    """Make an empty disk of 1 MiB as qcow2: its header, and tables of zeros (qemu's docs/interop/qcow2.rst)."""
    cluster_bits, size, first_table, counts, block = 9, 1 << 20, 1536, 512, 1024
    # Magic, version, no backing file, bits of a cluster, size, no encryption, tables, no snapshots, no features.
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 0, 0, cluster_bits, size, 0, 32, first_table, counts, 1, 0, 0
    )
    header += struct.pack(">QQQII", 0, 0, 0, 4, 104)
    data = bytearray(header.ljust(2048, b"\0"))
    struct.pack_into(">Q", data, counts, block)
    struct.pack_into(">4H", data, block, 1, 1, 1, 1)
    return bytes(data)


def entries(auth: Callable[[str], Mapping[str, str]], users: Iterable[str], profile: ProfileName) -> dict[str, Any]:
    """Return the entries of a ``clouds.yaml``: one for each user, and the profile's names of users that exist."""
    there = dict.fromkeys(users)
    names = PROFILES[profile].clouds
    chosen = {user: user for user in there} | {
        name: user for name, user in dict(names).items() if user.rpartition(":")[2] in there
    }
    return {name: _entry(auth, user) for name, user in chosen.items()}


def _entry(auth: Callable[[str], Mapping[str, str]], user: str) -> dict[str, Any]:
    """Return one entry of a ``clouds.yaml``."""
    place, _, name = user.rpartition(":")
    keywords = dict(auth(name))
    region = keywords.pop("region_name")
    if place == "system":
        keywords = {key: value for key, value in keywords.items() if not key.startswith("project_")}
        keywords["system_scope"] = "all"
    elif place:
        keywords["project_name"] = place
    return {"auth": keywords, "region_name": region}


def written(entries: Mapping[str, object]) -> str:
    """Write entries as a ``clouds.yaml``."""
    import yaml  # noqa: PLC0415 - few need it

    text: str = yaml.safe_dump({"clouds": dict(entries)}, sort_keys=False)
    return text
