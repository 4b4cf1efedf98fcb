"""What mypy must infer from the public interface; checked by `tox -e types`, never run."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_type

from keystoneauth1.session import Session
from openstack.connection import Connection
from pydantic import SecretStr

import hyperx_glance
from hyperx_glance import (
    Action,
    AvailabilityZone,
    Capture,
    CatalogueIndex,
    Category,
    Client,
    Deletion,
    Department,
    DepartmentQuota,
    Departure,
    Family,
    Finding,
    FlavorChoice,
    HyperxGlanceError,
    Image,
    ImageChanges,
    ImagePage,
    ImageQuery,
    IndexState,
    InvalidRequestError,
    KeyPair,
    Kind,
    Launch,
    LaunchProgress,
    LaunchRequest,
    Lifecycle,
    ListedServer,
    NetworkChoice,
    NewCapture,
    NewImage,
    NewIso,
    Pace,
    PageQuery,
    Phase,
    Progress,
    Registration,
    Retirement,
    Server,
    ServerRef,
    Settings,
    Share,
    ShareStatus,
    State,
    Summary,
    UrlPolicy,
    UrlProblem,
    UrlReport,
    Usage,
    cancelling,
    invalid_request,
)
from hyperx_glance.texts import Text


def indexing(client: Client) -> None:
    with CatalogueIndex(client, path=Path("images.sqlite"), refresh_after=5, rebuild_after=600) as index:
        assert_type(index.page(client, search="debian", size=50, cursor="x"), ImagePage)
        assert_type(index.page(client, PageQuery(search="debian")), ImagePage)
        assert_type(index.count(client, kind="iso"), int)
        assert_type(index.summary(client, ImageQuery()), Summary)
        assert_type(index.tags(client), dict[str, int])
        assert_type(index.refresh(), IndexState)
        assert_type(index.state.images, int)
        assert_type(index.state.age_seconds, float | None)
        assert_type(index.state.rebuilt_at, datetime | None)
        assert_type(index.state.error, HyperxGlanceError | None)
        index.page(client, colour="red")  # type: ignore[call-arg] # as for a client


def connecting(session: Session, connection: Connection) -> None:
    settings = Settings(transfer="stream", url_policy=UrlPolicy(preflight=False), pace=Pace(deadline=60))
    with hyperx_glance.connect("mycloud", region_name="RegionOne", settings=settings, username="alice") as client:
        assert_type(client, Client)
    assert_type(Client.from_session(session, steward=connection), Client)
    assert_type(Client.from_connection(connection, steward=session, settings=settings), Client)
    assert_type(client.project_id, str)
    assert_type(client.user_id, str)
    assert_type(client.is_administrator, bool)
    assert_type(client.region_name, str | None)
    assert_type(client.close(), None)


def sharing(client: Client, image: Image) -> None:
    assert_type(client.share(image, "dept-b"), tuple[Share, ...])
    assert_type(client.share(image.id, "dept-b", "dept-c", accept=True), tuple[Share, ...])
    assert_type(client.unshare(image, "dept-b"), tuple[Share, ...])
    assert_type(client.unshare(image, everyone=True), tuple[Share, ...])
    (share,) = client.shares(image)
    assert_type(share.status, ShareStatus)
    assert_type(share.since, datetime)
    assert_type(share.department, str)
    accepted = client.accept(image)
    assert_type(accepted, Image)
    assert_type(accepted.share_status, ShareStatus | None)
    client.decline(image)
    client.share(image)  # type: ignore[call-arg] # with no department
    Settings(share_acceptance="steward")
    Settings(share_acceptance="owner")  # type: ignore[arg-type] # no such word
    client.images(view="offered")


def browsing(client: Client) -> None:
    assert_type(client.images(), Iterator[Image])
    assert_type(client.images(view="featured", formats={"qcow2"}, min_size=1, limit=2), Iterator[Image])
    assert_type(client.images(ImageQuery(kind=Kind.ISO, view="all", created_after=datetime.now(UTC))), Iterator[Image])
    client.images(colour="red")  # type: ignore[call-arg] # an unknown criterion is found before it runs
    client.images(view="featurd")  # type: ignore[arg-type] # the words are known
    client.images(kind="disk")  # type: ignore[arg-type] # as above
    client.images(state="active")  # type: ignore[arg-type] # as above
    client.images(formats=["qcow3"])  # type: ignore[list-item] # as above
    client.images(formats=["QCOW2", "iso"], kind="iso", state="INACTIVE")
    client.images(limit="2")  # type: ignore[arg-type] # and so is a wrong value
    image = client.image("debian")
    assert_type(image, Image)
    assert_type(image.size, int | None)
    assert_type(image.created_at, datetime | None)
    assert_type(image.kind, Kind)
    assert_type(image.category, Category)
    assert_type(image.state, State)
    assert_type(image.phase, Phase)
    assert_type(image.properties, dict[str, str])
    assert_type(client.count(tags=["lts"]), int)
    assert_type(client.page(), ImagePage)
    assert_type(client.page(ImageQuery(), size=50, cursor="x").images, tuple[Image, ...])
    assert_type(client.page(view="public", cursor=client.page(view="public").next).previous, str | None)
    assert_type(client.page(PageQuery(view="public", formats={"qcow2"}, size=50, cursor="x")), ImagePage)
    assert_type(PageQuery().size, int)
    assert_type(PageQuery().cursor, str | None)
    PageQuery(colour="red")  # type: ignore[call-arg] # as for images
    PageQuery(size="5")  # type: ignore[arg-type] # as above
    assert_type(client.count(PageQuery(view="public")), int)
    assert_type(ImagePage.model_validate_json(client.page().model_dump_json()), ImagePage)
    client.page(colour="red")  # type: ignore[call-arg] # as for images
    assert_type(client.summary(), Summary)
    assert_type(client.summary(view="public", tags=["lts"]).by_category, dict[Category, int])
    assert_type(client.summary(ImageQuery()).by_owner, dict[str, int])
    client.summary(colour="red")  # type: ignore[call-arg] # as for images
    assert_type(client.tags(), dict[str, int])
    assert_type(client.owner_name(image), str)


def registering(client: Client, image: Image) -> None:
    def follow(progress: Progress) -> None:
        assert_type(progress.bytes_done, int | None)

    new = NewImage(name="debian", url="http://files.example/debian.qcow2", category="public", tags={"base"})
    assert_type(new.category, Category)
    assert_type(new.tags, frozenset[str])
    NewImage(name="debian", url="", category="secret")  # type: ignore[arg-type] # the words are known
    NewImage(name="debian", url="", disk_format="iso")  # type: ignore[arg-type] # a disc is a NewIso
    assert_type(NewImage(name="debian", url="", disk_format="VMDK").name, str)
    NewImage(name="debian", file=Path("debian.qcow2"))
    NewIso(name="debian", file=io.BytesIO(), unpack=False)
    NewImage(name="debian", url="", checksum_url="", unpack="auto")
    NewImage(name="debian", url="", unpack=True)  # type: ignore[arg-type] # "auto" or nothing
    NewImage(name="debian", file="debian.qcow2")  # type: ignore[arg-type] # a text may come from somebody else
    NewIso(name="debian", url="", password_enabled=True)  # type: ignore[call-arg] # a disc has no password
    assert_type(client.register(new, on_progress=follow, timeout=60.0), Image)
    started = client.start_registration(NewIso(name="debian", url="http://files.example/debian.iso"), keep_failed=True)
    assert_type(started, Registration)
    assert_type(started.image_id, str)
    assert_type(started.progress(), Progress)
    assert_type(started.wait(on_progress=follow), Image)
    assert_type(started.cancel(), None)
    assert_type(client.resume_registration(image, url="http://files.example/debian.iso"), Registration)
    assert_type(client.resume_registration(image.id, file="debian.iso"), Registration)
    assert_type(client.cancel_registration(image), None)
    assert_type(client.progress("7c1"), Progress)
    assert_type(client.unfinished_registrations(older_than_seconds=3600), Iterator[Image])
    assert_type(client.download(image, "debian.qcow2", on_progress=follow), Image)
    assert_type(client.download(image.id, io.BytesIO()), Image)
    report = client.check_url("http://files.example/debian.iso", disk_format="iso")
    assert_type(report, UrlReport)
    assert_type(report.problem, UrlProblem | None)


def editing(client: Client, image: Image) -> None:
    assert_type(client.update(image, name="debian", tags={"lts"}), Image)
    assert_type(client.update(image.id, ImageChanges(description="", category="private", tags=["a"])), Image)
    client.update(image, category="secret")  # type: ignore[arg-type] # the words are known
    client.update(image, disk_format="raw")  # type: ignore[call-arg] # never changes after creation
    assert_type(client.allowed(image), frozenset[Action])
    assert_type(client.why_not(image, "publish"), Text)
    assert_type(client.why_not(image, Action.LAUNCH), Text)
    client.why_not(image, "fly")  # type: ignore[arg-type] # the words are known
    client.allowed(image.id)  # type: ignore[arg-type] # an image as it was read, so that no request is needed
    assert_type(client.disable(image), Image)
    assert_type(client.enable(image), Image)
    deletion = client.delete(image, missing_ok=True, report_servers=True)
    assert_type(deletion, Deletion)
    assert_type(deletion.servers, tuple[ServerRef, ...] | None)
    assert_type(client.servers_using(image).servers, tuple[ServerRef, ...])


def filling_a_form(client: Client, image: Image) -> None:
    assert_type(client.flavors(), list[FlavorChoice])
    assert_type(client.flavors(image)[0].fits, bool)
    assert_type(client.flavors(image.id), list[FlavorChoice])
    assert_type(client.networks(), list[NetworkChoice])
    assert_type(client.key_pairs(), list[KeyPair])
    assert_type(client.availability_zones(), list[AvailabilityZone])
    assert_type(client.departments(), list[Department])
    assert_type(client.regions(), tuple[str, ...])


def releasing(client: Client, image: Image, iso: NewIso) -> None:
    assert_type(client.release(NewImage(name="a", url="http://a/b"), family="debian-12", keep=3), Image)
    assert_type(client.release(iso, family="debian-12", version="12.9", timeout=60, on_progress=print), Image)
    assert_type(client.latest("debian-12", owner="dept-a"), Image)
    assert_type(client.releases("debian-12"), list[Image])
    assert_type(client.families(), list[Family])
    assert_type(client.families()[0].latest, Image | None)
    assert_type(client.deprecate(image, at=datetime.now(UTC), replacement=image.id), Image)
    assert_type(client.deprecate(image.id, obsolete_at=datetime.now(UTC)).lifecycle, Lifecycle)
    assert_type(client.reinstate(image), Image)
    assert_type(client.retire("debian-12", keep=1, delete_after=timedelta(days=30), delete=True), list[Retirement])
    assert_type(client.images(family="debian-12", lifecycle="deprecated", hidden=None), Iterator[Image])
    client.images(lifecycle="gone")  # type: ignore[arg-type] # the words are known
    client.release(iso)  # type: ignore[call-arg] # a family is never guessed


def launching(client: Client, image: Image) -> None:
    def follow(progress: LaunchProgress) -> None:
        assert_type(progress.active, int)

    launch = client.launch(image, LaunchRequest(name="web", flavor="small", tags=["a"]), on_progress=follow, timeout=60)
    assert_type(launch, Launch)
    assert_type(launch.launch_id, str)
    assert_type(launch.image_id, str)
    assert_type(launch.servers, tuple[Server, ...])
    assert_type(launch.admin_password, SecretStr | None)
    assert_type(HyperxGlanceError(Text("The launch goes on.")).admin_password, SecretStr | None)
    wrong = invalid_request([{"type": "missing", "loc": ("name",), "msg": "Field required"}])
    assert_type(wrong, InvalidRequestError)
    assert_type(wrong.problems, Mapping[str, Text])
    assert_type(launch.progress(), LaunchProgress)
    assert_type(launch.wait(timeout=1), Launch)
    assert_type(launch.cancel(), None)
    assert_type(client.find_launch(launch.launch_id), Launch)
    assert_type(client.launches(), list[Launch])
    assert_type(client.servers(), Iterator[ListedServer])
    listed = next(client.servers(name_contains="web", after=launch.servers[0].id, limit=20))
    assert_type(listed.image_id, str | None)
    assert_type(listed.why_not_capture, Text)
    assert_type(listed.why_not_reset_password, Text)
    client.servers("web")  # type: ignore[call-arg] # only by keywords
    assert_type(client.reset_password(launch.servers[0].id), SecretStr)


def capturing(client: Client, server: Server) -> None:
    def follow(progress: Progress) -> None:
        assert_type(progress.message, Text)

    new = NewCapture(name="web with nginx", category="public", tags=["web"], disk_format="QCOW2", password_enabled=None)
    NewCapture(name="web", category="secret")  # type: ignore[arg-type] # the words are known
    NewCapture()  # type: ignore[call-arg] # an image needs a name
    NewCapture(name="web", url="")  # type: ignore[call-arg] # its data come from the server
    image = client.capture(server.id, new, on_progress=follow, timeout=60)
    assert_type(image, Image)
    assert_type(image.captured_from, str)
    capture = client.start_capture(server.id, new)
    assert_type(capture, Capture)
    assert_type(capture.capture_id, str)
    assert_type(capture.image_id, str | None)
    assert_type(capture.progress(), Progress)
    assert_type(capture.wait(on_progress=follow, timeout=1), Image)
    assert_type(capture.cancel(), None)
    assert_type(client.find_capture(capture.capture_id), Capture)


async def working_asynchronously(client: Client, server: Server) -> None:
    async with cancelling(client.start_registration, NewImage(name="a", url="http://files.example/a")) as registration:
        assert_type(registration, Registration)
    async with cancelling(client.start_capture, server.id, NewCapture(name="a")) as capture:
        assert_type(capture, Capture)
    request = LaunchRequest(name="web", flavor="m1.tiny")
    async with cancelling(client.launch, "7c1", request, wait=False) as launch:
        assert_type(launch, Launch)
    cancelling(client.start_registration, "an image")  # type: ignore[arg-type] # the arguments are those of the verb


def administering(client: Client) -> None:
    quota = client.quota()
    assert_type(quota, DepartmentQuota)
    assert_type(quota.images, Usage | None)
    assert_type(client.set_quota("dept-b", images=10, cores=None), DepartmentQuota)
    assert_type(client.doctor(probe=True), list[Finding])
    assert_type(hyperx_glance.deployment.property_protections(), str)
    assert_type(client.install_metadefs(), None)
    departures = client.leave(department="dept-b", dry_run=True)
    assert_type(departures, list[Departure])
    assert_type(departures[0].left, tuple[str, ...])
