"""Stores: Glance keeps its images in Swift, in S3, or in Ceph."""

from __future__ import annotations

import contextlib
import getpass
import importlib
import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.deployments.oracle import Oracle
from tests.deployments.programs import HOST, reserved, running
from tests.deployments.world import World
from tests.support.clouds import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance.testing import LocalCloud

KEEPERS: Final = ("account", "container", "object")
PIPELINE: Final = "catch_errors authtoken keystoneauth dlo slo proxy-server"


@contextlib.contextmanager
def stored_in(cloud: LocalCloud, driver: str, **options: str | int | bool) -> Iterator[None]:
    """Let Glance keep images in this store unless it is asked for another."""
    changes: dict[str, dict[str, str | int | bool]] = {
        "DEFAULT": {"enabled_backends": f"remote:{driver},slow:file"},
        "glance_store": {"default_backend": "remote"},
        "remote": options,
    }
    with cloud.configured("glance", changes):
        try:
            yield
        finally:  # Glance cannot delete them once the store is gone
            oracle = Oracle(cloud)
            for record in oracle.images():
                oracle.delete(record["id"], "image")


def script(name: str) -> Path:
    """Return a command of this Python's environment."""
    return Path(sys.executable).with_name(name)


@contextlib.contextmanager
def s3(cloud: LocalCloud) -> Iterator[None]:
    """Keep the images in moto's S3."""
    with (
        reserved() as port,
        running([script("moto_server"), "-H", HOST, "-p", str(port)], port),
        stored_in(
            cloud,
            "s3",
            s3_store_host=f"http://{HOST}:{port}",
            s3_store_region_name="eu-west-1",
            s3_store_access_key="glance",
            s3_store_secret_key="secret",
            s3_store_bucket="glance",
            s3_store_create_bucket_on_put=True,
            s3_store_bucket_url_format="path",
        ),
    ):
        yield


def write_swift(folder: Path, ports: Mapping[str, int], keystone: str) -> None:
    """Write the configuration and the rings of a Swift that keeps everything once, in this folder."""
    common = f"[DEFAULT]\nbind_ip = {HOST}\nworkers = 0\nuser = {getpass.getuser()}\nswift_dir = {folder}\n"
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = hyperx\n")
    (folder / "devices" / "one").mkdir(parents=True)
    for keeper in KEEPERS:
        builder = importlib.import_module("swift.common.ring").RingBuilder(1, 1, 0)
        device = {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": HOST, "port": ports[keeper], "device": "one"}
        builder.add_dev(device)
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{keeper}.ring.gz"))
        (folder / f"{keeper}.conf").write_text(
            f"{common}bind_port = {ports[keeper]}\ndevices = {folder}/devices\nmount_check = false\n"
            f"disable_fallocate = true\n[pipeline:main]\npipeline = {keeper}-server\n"
            f"[app:{keeper}-server]\nuse = egg:swift#{keeper}\n"
        )
    (folder / "proxy.conf").write_text(
        f"{common}bind_port = {ports['proxy']}\n[pipeline:main]\npipeline = {PIPELINE}\n"
        "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        f"[filter:authtoken]\npaste.filter_factory = keystonemiddleware.auth_token:filter_factory\n"
        f"www_authenticate_uri = {keystone}\nauth_url = {keystone}\nauth_type = password\n"
        "username = glance\npassword = secret\nproject_name = service\n"
        "user_domain_id = default\nproject_domain_id = default\ninclude_service_catalog = false\n"
        "[filter:keystoneauth]\nuse = egg:swift#keystoneauth\noperator_roles = admin\n"
        + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in ("catch_errors", "dlo", "slo"))
    )


@contextlib.contextmanager
def offered(cloud: LocalCloud, port: int) -> Iterator[None]:
    """Put Swift into the catalogue, in which Glance looks for it before it deletes."""
    session, url = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    body = {"service": {"name": "swift", "type": "object-store"}}
    service = session.post(f"{url}/services", json=body).json()["service"]["id"]
    place = {"url": f"http://{HOST}:{port}/v1/AUTH_$(project_id)s", "interface": "public", "region_id": REGION}
    try:
        session.post(f"{url}/endpoints", json={"endpoint": {**place, "service_id": service}})
        yield
    finally:
        session.delete(f"{url}/services/{service}")


@contextlib.contextmanager
def swift(cloud: LocalCloud) -> Iterator[None]:
    """Keep the images in Swift, in the account of the services' project.

    Not with tempauth: Glance logs in at Keystone alone (swift_store_auth_version).
    """
    keystone = f"{cloud.url('keystone')}/v3"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {name: stack.enter_context(reserved()) for name in (*KEEPERS, "proxy")}
        write_swift(folder, ports, keystone)
        for name, port in ports.items():
            stack.enter_context(running([script(f"swift-{name}-server"), folder / f"{name}.conf"], port))
        stack.enter_context(offered(cloud, ports["proxy"]))
        options = stored_in(
            cloud,
            "swift",
            swift_store_auth_address=keystone,
            swift_store_user="service:glance",
            swift_store_key="secret",
            swift_store_region=REGION,
            swift_store_container="glance",
            swift_store_create_container_on_put=True,
        )
        stack.enter_context(options)
        yield


CEPH: Final = """\
[global]
fsid = {fsid}
mon host = [v2:{host}:{port}]
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data = {folder}/monitor
mon cluster log file = /dev/null
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd class dir = {libraries}
erasure code dir = {libraries}
run dir = {folder}
admin socket =
log file = {folder}/$name.log
[osd]
public addr = {host}
cluster addr = {host}
"""


@contextlib.contextmanager
def rbd(cloud: LocalCloud) -> Iterator[None]:
    """Keep the images in a Ceph of one monitor and one OSD, which has its data in memory: `tox -e ceph`."""
    with tempfile.TemporaryDirectory() as place, reserved() as port:
        ceph, folder, fsid, osd = Path(os.environ["CEPH"]), Path(place), str(uuid.uuid4()), str(uuid.uuid4())
        programs, configuration = ceph / "root" / "usr" / "bin", folder / "ceph.conf"
        for name in ("monitor", "osd"):
            (folder / name).mkdir()
        configuration.write_text(CEPH.format(fsid=fsid, host=HOST, port=port, folder=folder, libraries=ceph / "lib"))
        known: list[str | Path] = ["--addv", "a", f"[v2:{HOST}:{port}]", folder / "monitors"]
        monitor: list[str | Path] = [programs / "ceph-mon", "-c", configuration, "-i", "a"]
        keeper: list[str | Path] = [programs / "ceph-osd", "-c", configuration, "-i", "0"]
        _run(programs / "monmaptool", "--create", "--fsid", fsid, *known)
        _run(*monitor, "--mkfs", "--monmap", folder / "monitors", "--keyring", "/dev/null")
        with running([*monitor, "-f"], port):
            cluster = importlib.import_module("rados").Rados(conffile=str(configuration), name="client.admin")
            cluster.connect(timeout=60)
            _order(cluster, prefix="osd new", uuid=osd)
            _run(*keeper, "--mkfs", "--osd-uuid", osd)
            _order(cluster, prefix="osd pool create", pool="images", pg_num=4)
            with (
                running([*keeper, "-f"]),
                stored_in(cloud, "rbd", rbd_store_ceph_conf=str(configuration), rbd_store_user="admin"),
            ):
                yield
            cluster.shutdown()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _order(cluster: Any, **order: object) -> None:  # noqa: ANN401  # a class of Ceph's, which has no types
    status, _, said = cluster.mon_command(json.dumps(order), b"")
    assert status == 0, said


WORLDS: Final = (
    World(name="Stores: Swift", made=swift),
    World(name="Stores: S3", made=s3),
    World(name="Stores: Ceph RBD", made=rbd, needs="CEPH"),
)
