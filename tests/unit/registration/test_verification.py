"""Data is accepted only if it has the promised checksum."""

from __future__ import annotations

import dataclasses
import hashlib
import lzma
import random
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    ConflictError,
    NewImage,
    NotAllowedError,
    NotFoundError,
    Phase,
    RegistrationFailedError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.registration.looking import Journal
from hyperx_glance.registration.order import Deadline
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.registration.verification import Verification
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import ClientFactory, Clock
from tests.support.file_server import FileServer
from tests.support.interference import Interference, unreachable
from tests.support.registrations import OWN_ID, disk, kept, record_of, sha256, timed

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance import Client
    from tests.support.file_server import FileServer


class TestConversion:
    def test_a_checksum_of_converted_data_is_unverifiable_never_wrong(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.converter = lambda _, __: ("raw", samples.data("disk.raw"))
        digest = hashlib.sha512(samples.data("disk.qcow2")).hexdigest()

        with pytest.raises(RegistrationFailedError, match="cannot be verified") as caught:
            client("alice").register(NewImage(name="a", url=disk(file_server), checksum=f"sha512:{digest}"))

        assert caught.value.reason == "unverifiable"
        source, stored = samples.data("disk.qcow2"), samples.data("disk.raw")
        before = f"qcow2, {len(source)} bytes, sha512:{digest}"
        after = f"raw, {len(stored)} bytes, sha512:{hashlib.sha512(stored).hexdigest()}"
        assert f"Glance converted it during the import: from {before}, to {after}." in caught.value.message
        assert not cloud.glance.image(caught.value.image_id)

    def test_streaming_verifies_what_came(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        digest = hashlib.sha256(samples.data("disk.qcow2")).hexdigest()

        image = client("alice", transfer="stream").register(
            NewImage(name="a", url=disk(file_server), checksum=f"sha256:{digest}")
        )

        assert image.state == "ACTIVE"
        assert not [request for request in cloud.requests if request.path.endswith("/file") and request.method == "GET"]

    def test_converted_data_without_checksum_is_fine(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.converter = lambda _, __: ("raw", samples.data("disk.raw"))

        image = client("alice").register(NewImage(name="a", url=disk(file_server)))

        assert image.disk_format == "raw"
        assert image.glance_property("hyperx_converted_from") == "qcow2"
        assert image.glance_property("hyperx_expected_size") == str(len(samples.data("disk.qcow2")))

    def test_data_that_glance_left_alone_has_no_note(self, client: ClientFactory, file_server: FileServer) -> None:
        for transfer in "import", "stream":
            image = client("alice", transfer=transfer).register(NewImage(name="a", url=disk(file_server)))
            assert not image.glance_property("hyperx_converted_from")


class TestVerification:
    def test_a_verified_image_is_not_read_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        image = alice.register(NewImage(name="a", url=disk(file_server), checksum=sha256()))

        assert image.glance_property("hyperx_checksum_verified") == "true"
        assert list(alice.unfinished_registrations()) == []
        assert alice.resume_registration(image).wait() == image
        assert len([request for request in cloud.requests if request.path.endswith("/file")]) == 1

    def test_a_checksum_that_glance_records_is_not_stored_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        checksum = f"sha512:{hashlib.sha512(samples.data('disk.qcow2')).hexdigest()}"

        client("alice").register(NewImage(name="a", url=disk(file_server), checksum=checksum))

        assert not [request for request in cloud.requests if request.method == "PATCH"]

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    def test_a_caller_killed_before_verification_leaves_an_unfinished_registration(
        self, client: ClientFactory, file_server: FileServer, transfer: str
    ) -> None:
        alice = client("alice", transfer=transfer)
        between = Interference(alice)
        method, path, times = ("GET", "/file$", 1) if transfer == "import" else ("PATCH", "", 4)

        between.before(method, path, unreachable, times=times)
        with pytest.raises(ServiceUnavailableError) as caught:
            alice.register(NewImage(name="a", url=disk(file_server), checksum=sha256()))

        (found,) = alice.unfinished_registrations()
        assert found.id == caught.value.image_id
        assert alice.resume_registration(found).wait().state == "ACTIVE"
        assert list(alice.unfinished_registrations()) == []

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    @pytest.mark.parametrize("times", [1, 3])
    def test_it_is_written_down_though_an_answer_is_lost(
        self, client: ClientFactory, file_server: FileServer, transfer: str, times: int
    ) -> None:
        alice = client("alice", transfer=transfer)
        Interference(alice).lose("PATCH", "", times=times)

        image = alice.register(NewImage(name="a", url=disk(file_server), checksum=sha256()))

        assert image.glance_property("hyperx_checksum_verified") == "true"
        assert list(alice.unfinished_registrations()) == []

    @pytest.mark.parametrize("digest", ["other", "none"])
    def test_packed_data_is_compared_by_a_digest_that_is_known_here(
        self, cloud: InMemoryCloud, client: ClientFactory, tmp_path: Path, digest: str
    ) -> None:
        """Glance's machine may know algorithms that this one does not, such as sm3."""
        path = tmp_path / "disk.qcow2.xz"
        path.write_bytes(lzma.compress(samples.data("disk.qcow2")))
        checksum = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        alice = client("alice")
        Interference(alice).before("PATCH", "", unreachable, times=4)
        with pytest.raises(ServiceUnavailableError) as caught:
            alice.register(NewImage(name="a", file=path, checksum=checksum))
        record = cloud.glance.images[str(caught.value.image_id)]
        record.os_hash_algo = "sm9000"
        record.checksum = record.checksum if digest == "other" else None

        resumed = client("alice").resume_registration(record.id, file=path)

        if digest == "other":
            assert resumed.wait().glance_property("hyperx_checksum_verified") == "true"
            return
        with pytest.raises(RegistrationFailedError, match="stores no digest") as failed:
            resumed.wait()
        assert failed.value.reason == "unverifiable"

    def test_data_that_nobody_may_read_is_unverifiable(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/file$", status=403, body="You are not authorized to complete download_image.")

        with pytest.raises(RegistrationFailedError, match="cannot be verified") as caught:
            client("alice").register(NewImage(name="a", url=disk(file_server), checksum=sha256()), keep_failed=True)

        assert caught.value.reason == "unverifiable"
        assert not cloud.glance.image(caught.value.image_id)

    @pytest.mark.parametrize(("transfer", "status"), [("import", 403), ("stream", 413), ("stream", 409)])
    def test_a_good_image_is_kept_where_that_cannot_be_written_down(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, transfer: str, status: int
    ) -> None:
        cloud.fail("glance", "PATCH", "/images/", status=status)
        alice = client("alice", transfer=transfer)

        image = alice.register(NewImage(name="a", url=disk(file_server), checksum=sha256()))

        assert image.state == "ACTIVE"
        assert [unfinished.id for unfinished in alice.unfinished_registrations()] == [image.id]
        assert alice.resume_registration(image).wait().glance_property("hyperx_checksum_verified") == "true"

    def test_data_of_a_disabled_image_is_left_alone(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server), checksum=sha256()))
        while registration.progress().phase is not Phase.READY:
            pass
        client("admin").disable(registration.image_id)

        for waiting in registration, alice.resume_registration(registration.image_id):
            with pytest.raises(NotAllowedError):
                waiting.wait()

        client("admin").enable(registration.image_id)
        assert registration.wait().state == "ACTIVE"

    def test_an_image_disabled_before_verification_raises_and_can_be_verified_later(
        self, client: ClientFactory, file_server: FileServer
    ) -> None:
        admin, alice = client("admin"), client("alice")
        Interference(alice).before("GET", "/file$", lambda: admin.disable(OWN_ID))

        with pytest.raises(NotAllowedError) as caught:
            alice.register(NewImage(name="a", url=disk(file_server), checksum=sha256(), id=OWN_ID))

        assert "resume_registration can verify it later" in caught.value.__notes__[0]
        admin.enable(OWN_ID)
        assert client("alice").resume_registration(OWN_ID).wait().state == "ACTIVE"

    def test_data_that_is_not_there_is_no_deleted_image(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        registration = client("alice").start_registration(NewImage(name="a", url=disk(file_server), checksum=sha256()))
        cloud.fail("glance", "GET", "/file$", status=404)

        with pytest.raises(NotFoundError):
            registration.wait()

        assert registration.wait().state == "ACTIVE"

    def test_it_stops_in_time(self, cloud: InMemoryCloud, file_server: FileServer) -> None:
        clock = Clock(1000)
        alice = timed(cloud, clock)
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server), checksum=sha256()))
        cloud.before("glance", "GET", "/file$", lambda: clock.sleep(100))

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            registration.wait(timeout=50)

        assert cloud.glance.image(registration.image_id)
        assert registration.wait(timeout=150).state == "ACTIVE"

    def test_a_cancellation_meanwhile_ends_it(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server), checksum=sha256()))
        Interference(alice).after("GET", "/file$", registration.cancel)

        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()

        assert caught.value.reason == "cancelled"

    def test_converted_data_of_a_resumed_one_is_unverifiable_never_wrong(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.converter = lambda _, __: ("raw", samples.data("disk.raw"))
        alice = client("alice")
        new = NewImage(name="a", url=disk(file_server), checksum=f"sha512:{'0' * 128}")
        registration = alice.start_registration(new)
        while registration.progress().phase is not Phase.READY:
            pass

        with pytest.raises(RegistrationFailedError) as caught:
            alice.resume_registration(registration.image_id).wait()

        assert caught.value.reason == "unverifiable"

    def test_a_checksum_that_others_wrote_is_read_leniently(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        images = [alice.register(NewImage(name=name, url=disk(file_server))).id for name in "ab"]
        for image_id, checksum in zip(images, (sha256().upper(), "crc32:0"), strict=True):
            cloud.glance.images[image_id].properties["hyperx_checksum"] = checksum

        assert alice.resume_registration(images[0]).wait().state == "ACTIVE"
        with pytest.raises(ConflictError, match="cannot be verified"):
            alice.resume_registration(images[1])


class TestVerificationAlone:
    def verify(self, record: RegistrationRecord, end: Deadline) -> None:
        record.order = dataclasses.replace(record.order, checksum=f"sha256:{'0' * 64}")
        verification = Verification(record, Journal(record.order, end.clock))
        verification.run(record.context.cloud.image(record.image_id), end, digest=None)

    def big(self, cloud: InMemoryCloud, client: Client) -> RegistrationRecord:
        record = record_of(cloud, client, status="active")
        cloud.glance.images[record.image_id].data = bytes(10 << 20)
        return record

    def test_a_cancellation_stops_the_reading(self, cloud: InMemoryCloud, client: ClientFactory) -> None:
        alice = client("alice")
        record = self.big(cloud, alice)
        Interference(alice).after("GET", "/file$", record.cancel)

        with pytest.raises(RegistrationFailedError) as caught:
            self.verify(record, Deadline(lambda: 0.0))

        assert caught.value.reason == "cancelled"
        assert record.failure is None

    def test_it_stops_at_the_very_moment(self, cloud: InMemoryCloud, client: ClientFactory) -> None:
        clock = Clock(1000)
        alice = client("alice")
        record = self.big(cloud, alice)
        Interference(alice).after("GET", "/file$", lambda: clock.sleep(10))

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            self.verify(record, Deadline(clock, 1010.0))

        assert kept(cloud) == [record.image_id]


class TestVerificationOfPackedData:
    """The packed source is read once more."""

    def ready(self, cloud: InMemoryCloud, client: Client, url: str, packed: bytes) -> RegistrationRecord:
        checksum = f"sha256:{hashlib.sha256(packed).hexdigest()}"
        data = lzma.decompress(packed)
        fields = {"size": len(data), "os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(data).hexdigest()}
        return record_of(cloud, client, own=False, status="active", url=url, packed="xz", checksum=checksum, **fields)

    def verify(self, record: RegistrationRecord, end: Deadline) -> None:
        verification = Verification(record, Journal(record.order, end.clock))
        verification.run(record.context.cloud.image(record.image_id), end, digest=None)

    def test_it_stops_at_the_very_moment(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        packed = lzma.compress(samples.data("disk.raw"))
        record = self.ready(cloud, client("alice"), file_server.serve("/disk.raw.xz", packed), packed)
        moments = iter([1000.0, 1000.0])  # the journal begins, and the waiting

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            self.verify(record, Deadline(lambda: next(moments, 1010.0), 1010.0))

        assert record.failure is None

    def test_silence_of_the_source_ends_the_waiting_only(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        packed = lzma.compress(samples.data("disk.qcow2"))
        held = file_server.hold("/disk.xz", packed, after=len(packed) // 2)
        record = self.ready(cloud, client("alice"), held.url, packed)

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            self.verify(record, Deadline.after(record.context.settings.pace, 0.3))
        held.release()

        assert record.failure is None
        self.verify(record, Deadline.after(record.context.settings.pace, None))

    def test_a_cancellation_stops_the_reading(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        packed = lzma.compress(random.Random(7).randbytes(4 << 20), preset=0)
        held = file_server.hold("/disk.xz", packed, after=3 << 20)
        record = self.ready(cloud, client("alice"), held.url, packed)
        image = record.context.cloud.image(record.image_id)
        record.cancel()

        with pytest.raises(RegistrationFailedError) as caught:
            Verification(record, Journal(record.order, lambda: 0.0)).run(image, Deadline(lambda: 0.0), digest=None)
        held.release()

        assert caught.value.reason == "cancelled"
        assert record.failure is None
