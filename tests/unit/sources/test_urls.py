"""Reading URLs: where they may lead, what servers may do, which format the bytes have."""

from __future__ import annotations

import logging
import socket
import threading
import time
from pathlib import Path

import pytest

from hyperx_glance import InvalidRequestError, NewImage, UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.sources.addresses import denial
from hyperx_glance.sources.contents import examine, judge
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.sources.urls import destination, diagnose, open_url, preflight, report
from tests import samples
from tests.support.clouds import LOOPBACK
from tests.support.file_server import BigBody, FileServer, Reply
from tests.support.networks import Names, resolving, ticking

QUICK = LOOPBACK.model_copy(update={"timeout_seconds": 0.3})
SIGNED = "X-Amz-Signature=5ecre7&X-Amz-Credential=5ecre7"


def problem(
    url: str, policy: UrlPolicy = LOOPBACK, *, declared: str | None = "qcow2", network: Network = SYSTEM
) -> UrlProblem:
    with pytest.raises(UrlRejectedError) as caught:
        preflight(url, policy, declared=declared, network=network)
    assert "5ecre7" not in f"{caught.value} {caught.value.url} {caught.value!r}"
    return UrlProblem(caught.value.reason)


class TestDestinations:
    @pytest.mark.parametrize(
        "place",
        ["[::ffff:10.0.0.5]%3a22", "name%3a8080", "[2001:db8::1%3a22]", "[::1]x", "x[::1]", "a\\b", "a;b", "a,b"],
    )
    def test_a_host_that_readers_understand_differently_is_none(self, place: str) -> None:
        """Glance would go to port 22."""
        assert problem(f"http://{place}/disk.qcow2") is UrlProblem.BAD_URL
        with pytest.raises(InvalidRequestError):
            NewImage(name="a", url=f"http://{place}/disk.qcow2")

    @pytest.mark.parametrize(
        ("name", "written"), [("文件.invalid", "xn--5nqy36c.invalid"), ("Files.Invalid.", "files.invalid")]
    )
    def test_names_of_servers_are_compared_however_they_are_written(self, name: str, written: str) -> None:
        for one, other in ((name, written), (written, name), (name, name)):
            assert problem(f"http://{one}/a", UrlPolicy(only_hosts=(other,))) is UrlProblem.NAME_NOT_FOUND

    @pytest.mark.parametrize(
        "name",
        ["हिन्दी.भारत", "คู่มือ.ไทย", "mu\u0308nchen.de", "l·l.cat", "スター・ウォーズ.jp", "文件。例", "my_host", "a.b."],
    )
    def test_names_of_every_script_are_names(self, name: str) -> None:
        assert NewImage(name="a", url=f"http://{name}:8080/a").url == f"http://{name}:8080/a"
        policy = UrlPolicy(only_hosts=("elsewhere",))
        with pytest.raises(UrlRejectedError, match="not an allowed server") as caught:
            destination(f"http://{name}:8080/a", policy, seconds=1)
        assert caught.value.url == f"http://{name}:8080/a"

    @pytest.mark.parametrize("host", ["[::1]", "::1", "[0:0::1]"])
    def test_so_are_addresses(self, host: str) -> None:
        policy = UrlPolicy(only_hosts=(host,), trusted_hosts=(host,))

        assert destination("http://[::1]/a", policy, seconds=1).addresses == ("::1",)

    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("127.0.0.1", "127.0.0.0/8"),
            ("0.0.0.0", "0.0.0.0/8"),
            ("169.254.169.254", "169.254.0.0/16"),
            ("100.100.100.200", "100.100.100.200/32"),
            ("224.0.0.1", "224.0.0.0/4"),
            ("::1", "::1/128"),
            ("fe80::1%eth0", "fe80::/10"),
            ("fd00:ec2::254", "fd00:ec2::/32"),
            ("::ffff:127.0.0.1", "127.0.0.0/8"),
            ("::127.0.0.1", "127.0.0.0/8"),
            ("::ffff:0:169.254.169.254", "169.254.0.0/16"),
            ("64:ff9b::a9fe:a9fe", "169.254.0.0/16"),
            ("64:ff9b:1::a9fe:a9fe", "169.254.0.0/16"),
            ("64:ff9b:1:a9fe:a9:fe00::", "169.254.0.0/16"),
            ("2002:a9fe:a9fe::1", "169.254.0.0/16"),
            ("2001:0:4136:e378:8000:63bf:5601:5601", "169.254.0.0/16"),
            ("10.1.2.3", None),
            ("172.16.0.1", None),
            ("192.168.1.1", None),
            ("fd00::1", None),
            ("2001:db8::1", None),
            ("64:ff9b::808:808", None),
        ],
    )
    def test_addresses_and_what_they_carry(self, address: str, network: str | None) -> None:
        assert denial(address, UrlPolicy()) == network

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.01", "[::1]",
            "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "LOCALHOST", "0", "[::]",
            "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "2852039166", "1１.0.0.1".replace("1１", "127"),
        ],
    )  # fmt: skip
    def test_loopback_in_every_notation_is_denied(self, host: str) -> None:
        assert problem(f"http://{host}/disk.qcow2", UrlPolicy()) is UrlProblem.DENIED_ADDRESS

    def test_fullwidth_digits_are_read_as_the_system_reads_them(self) -> None:
        assert problem("http://１２７.０.０.１/disk.qcow2", UrlPolicy()) is UrlProblem.DENIED_ADDRESS

    def test_a_name_that_changes_its_address_gets_nowhere(self, file_server: FileServer) -> None:
        """The first answer is allowed, the second would be denied: the name is resolved only once."""
        file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        names = Names(("127.0.0.1",), then=("169.254.169.254",))
        policy = LOOPBACK.model_copy(update={"trusted_hosts": ("files.example",)})

        url = f"http://files.example:{file_server.port}/disk.qcow2"
        found = preflight(url, policy, declared=None, network=Network(resolve=names))

        assert found.disk_format == "qcow2"
        assert names.asked == ["files.example"]
        assert file_server.requests[0].headers["host"] == f"files.example:{file_server.port}"

    def test_the_next_address_is_tried_where_one_takes_no_connection(self, file_server: FileServer) -> None:
        file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        network = resolving("127.0.0.2", "127.0.0.1")
        policy = LOOPBACK.model_copy(update={"trusted_hosts": ("files.example",)})

        with open_url(f"http://files.example:{file_server.port}/disk.qcow2", policy, network=network) as source:
            assert source.address == "127.0.0.1"

    def test_a_whitelist_leaves_only_its_hosts(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        only = LOOPBACK.model_copy(update={"only_hosts": ("files.example",)})

        assert problem(url, only) is UrlProblem.DENIED_ADDRESS
        assert preflight(url, only.model_copy(update={"only_hosts": ("127.0.0.1",)}), declared=None).size

    def test_a_whitelisted_host_is_not_a_trusted_one(self) -> None:
        policy = UrlPolicy(only_hosts=("127.0.0.1",))

        assert problem("http://127.0.0.1/disk.qcow2", policy) is UrlProblem.DENIED_ADDRESS

    def test_ports_may_be_limited(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))

        assert problem(url, LOOPBACK.model_copy(update={"allowed_ports": (80, 443)})) is UrlProblem.DENIED_PORT
        assert preflight(url, LOOPBACK.model_copy(update={"allowed_ports": (file_server.port,)}), declared=None).size

    def test_networks_must_be_networks(self) -> None:
        with pytest.raises(InvalidRequestError, match="denied_networks"):
            UrlPolicy(denied_networks=("localhost",))

    @pytest.mark.parametrize("url", ["ftp://files.example/a", "file:///etc/passwd", "gopher://x/", "//files.example/a"])
    def test_other_schemes_are_denied(self, url: str) -> None:
        assert problem(url) is UrlProblem.DENIED_SCHEME

    @pytest.mark.parametrize(
        "url", ["http://", "http://[::1/a", "http://a:70000/", "http://a b/", "http:///a", "http://a:0/"]
    )
    def test_an_invalid_url_is_rejected_as_bad(self, url: str) -> None:
        assert problem(url) is UrlProblem.BAD_URL

    def test_a_name_that_does_not_resolve(self) -> None:
        assert problem("http://nowhere.invalid/disk.qcow2") is UrlProblem.NAME_NOT_FOUND

    def test_a_resolver_that_never_answers(self) -> None:
        answer = threading.Event()

        def resolve(host: str, port: int) -> list[str]:
            del host, port
            answer.wait()
            return []

        assert problem("http://files.example/disk.qcow2", QUICK, network=Network(resolve=resolve)) is UrlProblem.TIMEOUT
        answer.set()

    def test_proxies_of_the_environment_are_not_used(
        self, monkeypatch: pytest.MonkeyPatch, file_server: FileServer
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

        assert preflight(file_server.serve("/disk.qcow2", samples.data("disk.qcow2")), LOOPBACK, declared=None).size


class TestServerResponses:
    @pytest.mark.parametrize("status", [201, 204, 401, 403, 404, 410, 500, 503])
    def test_another_status_than_200(self, file_server: FileServer, status: int) -> None:
        with pytest.raises(UrlRejectedError) as caught:
            preflight(file_server.fail("/disk.qcow2", status), LOOPBACK, declared="qcow2")

        assert (caught.value.reason, caught.value.http_status) == (UrlProblem.HTTP_STATUS, status)
        assert str(status) in str(caught.value)

    def test_a_refused_connection(self, file_server: FileServer) -> None:
        assert problem(file_server.refusing_url("/disk.qcow2")) is UrlProblem.REFUSED

    def test_no_answer_at_all(self, file_server: FileServer) -> None:
        assert problem(file_server.hang_up("/disk.qcow2")) is UrlProblem.REFUSED

    def test_something_else_than_http(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(5)
            port = server.getsockname()[1]

            def greet() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    connection.recv(1000)

            thread = threading.Thread(target=greet)
            thread.start()
            assert problem(f"http://127.0.0.1:{port}/disk.qcow2") is UrlProblem.REFUSED
            thread.join()

    @pytest.mark.parametrize("promise", [b"", b"Content-Length: %d\r\n"])
    def test_a_server_of_http_1_0_ends_the_body_by_closing(self, promise: bytes) -> None:
        data = samples.data("disk.qcow2")
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(5)
            port = server.getsockname()[1]

            def answer() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.0 200 OK\r\n" + (promise and promise % len(data)) + b"\r\n" + data)

            thread = threading.Thread(target=answer)
            thread.start()
            with open_url(f"http://127.0.0.1:{port}/disk.qcow2", LOOPBACK) as source:
                assert source.size == (len(data) if promise else None)
                assert b"".join(source.pieces()) == data
            thread.join()

    def test_silence_before_the_answer(self, file_server: FileServer) -> None:
        assert problem(file_server.hold("/disk.qcow2").url, QUICK) is UrlProblem.TIMEOUT

    def test_silence_in_the_middle(self, file_server: FileServer) -> None:
        assert problem(file_server.hold("/disk.qcow2", b"x" * 1000, after=10).url, QUICK) is UrlProblem.TIMEOUT

    def test_a_server_that_drips_cannot_outwit_the_deadline(self, file_server: FileServer) -> None:
        held = file_server.hold("/disk.qcow2", b"x" * 100_000, after=10, drip_seconds=0.05)

        assert problem(held.url, QUICK) is UrlProblem.TIMEOUT

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_cut_short(self, file_server: FileServer, chunked: bool) -> None:  # noqa: FBT001
        url = file_server.cut("/disk.qcow2", samples.data("disk.qcow2"), after=1000, chunked=chunked)

        assert problem(url) is UrlProblem.TRUNCATED

    def test_tls_that_nobody_vouches_for(self, tls_file_server: FileServer) -> None:
        url = tls_file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))

        with pytest.raises(UrlRejectedError) as caught:
            preflight(url, LOOPBACK, declared="qcow2")

        assert (caught.value.reason, caught.value.code) == (UrlProblem.TLS, "tls-failed")
        assert "certificate" in caught.value.explanation
        assert "certificate" not in caught.value.message
        assert caught.value.explanation not in caught.value.in_language("zh", audience="person")

    def test_tls_with_the_companys_own_authority(self, tls_file_server: FileServer, ca_file: Path) -> None:
        url = tls_file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        policy = LOOPBACK.model_copy(update={"ca_file": str(ca_file)})

        assert preflight(url, policy, declared="qcow2").disk_format == "qcow2"

    def test_tls_for_another_name(self, tls_file_server: FileServer, ca_file: Path) -> None:
        tls_file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        policy = LOOPBACK.model_copy(update={"ca_file": str(ca_file), "trusted_hosts": ("files.example",)})

        url, network = f"https://files.example:{tls_file_server.port}/disk.qcow2", resolving("127.0.0.1")
        assert problem(url, policy, network=network) is UrlProblem.TLS

    def test_tls_spoken_to_a_server_without(self, file_server: FileServer) -> None:
        assert problem(file_server.url("/disk.qcow2").replace("http:", "https:")) is UrlProblem.TLS

    def test_a_missing_authority_file_is_the_callers_mistake(self, tls_file_server: FileServer) -> None:
        with pytest.raises(InvalidRequestError, match="ca_file"):
            open_url(tls_file_server.url("/a"), LOOPBACK.model_copy(update={"ca_file": "/nowhere/ca.pem"}))

    def test_redirects_of_every_kind_are_followed(self, file_server: FileServer) -> None:
        file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))

        with open_url(file_server.redirect_chain("/a", "/disk.qcow2"), LOOPBACK) as source:
            assert (source.final_url, len(source.redirects)) == (file_server.url("/disk.qcow2"), 5)

    def test_too_many_redirects(self, file_server: FileServer) -> None:
        file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        url = file_server.redirect_chain("/a", "/disk.qcow2")

        assert problem(url, LOOPBACK.model_copy(update={"max_redirects": 4})) is UrlProblem.REDIRECT_LOOP

    def test_a_redirect_loop_is_seen_at_once(self, file_server: FileServer) -> None:
        assert problem(file_server.redirect_loop("/a")) is UrlProblem.REDIRECT_LOOP
        assert len(file_server.requests) == 2

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ("http://169.254.169.254/latest", UrlProblem.DENIED_ADDRESS),
            ("http://[::ffff:a9fe:a9fe]/", UrlProblem.DENIED_ADDRESS),
            ("http://0x7f.2/", UrlProblem.DENIED_ADDRESS),
            ("file:///etc/passwd", UrlProblem.DENIED_SCHEME),
        ],
    )
    def test_a_redirect_to_a_denied_place(self, file_server: FileServer, target: str, expected: UrlProblem) -> None:
        assert problem(file_server.redirect("/a", target)) is expected

    @pytest.mark.parametrize("target", ["http://[bad/", "http://h:99999/"])
    def test_a_redirect_to_what_is_no_url(self, file_server: FileServer, target: str) -> None:
        assert problem(file_server.redirect("/a", target)) is UrlProblem.BAD_URL

    @pytest.mark.parametrize("target", ["/镜像 a.qcow2", "/%E9%95%9C%E5%83%8F%20a.qcow2"])
    def test_a_redirect_as_servers_write_it(self, file_server: FileServer, target: str) -> None:
        file_server.serve("/%E9%95%9C%E5%83%8F%20a.qcow2", samples.data("disk.qcow2"))

        url = file_server.redirect("/a", target.encode().decode("latin-1"))

        assert preflight(url, LOOPBACK, declared=None).disk_format == "qcow2"

    def test_a_redirect_without_a_place(self, file_server: FileServer) -> None:
        assert problem(file_server.reply("/a", Reply(status=302))) is UrlProblem.HTTP_STATUS

    def test_credentials_go_to_their_own_server_only(self, file_server: FileServer) -> None:
        with FileServer() as other:
            other.serve("/disk.qcow2", samples.data("disk.qcow2"))
            file_server.redirect("/b", other.url("/disk.qcow2"))
            file_server.redirect("/a", "/b")
            url = file_server.url("/a").replace("//", "//alice:p%40ss@")

            preflight(url, LOOPBACK, declared=None)

            sent = [request.headers.get("authorization") for request in file_server.requests]
            assert sent == ["Basic YWxpY2U6cEBzcw=="] * 2
            assert "authorization" not in other.requests[0].headers

    def test_only_get_is_used(self, file_server: FileServer) -> None:
        preflight(
            file_server.serve("/disk.qcow2", samples.data("disk.qcow2"), head_status=403), LOOPBACK, declared=None
        )

        assert [request.method for request in file_server.requests] == ["GET"]

    def test_only_the_head_of_a_big_file_is_read(self, file_server: FileServer) -> None:
        body = BigBody(1 << 40, samples.data("disk.qcow2")[:1000])

        assert preflight(file_server.serve("/disk.qcow2", body), LOOPBACK, declared=None).size == 1 << 40

    def test_a_file_without_a_length(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"), chunked=True)

        assert preflight(url, LOOPBACK, declared=None).size is None

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(samples.data("disk.qcow2"), headers={"Content-Length": "5"}, chunked=True),
            Reply(samples.data("disk.qcow2"), claimed_size=10**20),
            Reply(samples.data("disk.qcow2"), claimed_size=10**400),
        ],
    )
    def test_a_length_that_is_none(self, file_server: FileServer, reply: Reply) -> None:
        """A length next to "chunked" does not count (RFC 9112, 6.3): for Glance, the rest would be a new request."""
        assert preflight(file_server.reply("/disk.qcow2", reply), LOOPBACK, declared=None).size is None

    def test_all_bytes_come_once(self, file_server: FileServer) -> None:
        data = samples.data("partitioned.raw")
        for chunked in (False, True):
            with open_url(file_server.serve("/disk", data, chunked=chunked), LOOPBACK) as source:
                assert source.head() == data[: len(source.head())]
                assert b"".join(source.pieces()) == data

    @pytest.mark.parametrize(
        "url",
        [
            "http://a:5ec/re7@host/x",
            "http://a:5ec?re7@host/x",
            "http://a:5ec#re7@host/x",
            "http://a.invalid:/5ecre7@host.invalid/x",
            "http://a.invalid:12/5ecre7@host.invalid/x",
        ],
    )
    def test_no_part_of_a_password_that_breaks_the_url_is_shown(self, url: str) -> None:
        with pytest.raises(UrlRejectedError) as caught:
            open_url(url, LOOPBACK)

        assert "5ec" not in f"{caught.value!r} {caught.value} {caught.value.url} {caught.value.__context__!r}"

    def test_a_url_that_cannot_be_encoded_is_none(self) -> None:
        assert problem("http://alice:5ecre7\ud800@127.0.0.1:1/") is UrlProblem.BAD_URL

    @pytest.mark.parametrize("path", ["//dir/disk.qcow2", "/disk.qcow2?a=b", "?a=b", ""])
    def test_the_target_is_what_the_url_says(self, path: str) -> None:
        target = destination(f"http://127.0.0.1{path}", LOOPBACK, seconds=1).target

        assert target == (path if path.startswith("/") else f"/{path}")

    def test_secrets_are_in_no_log_error_or_repr(
        self, file_server: FileServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        url = file_server.fail("/disk.qcow2", 403) + f"?{SIGNED}"

        assert problem(url.replace("//", "//alice:5ecre7@")) is UrlProblem.HTTP_STATUS
        assert problem(file_server.redirect("/a", f"{file_server.hang_up('/b')}?{SIGNED}")) is UrlProblem.REFUSED
        malformed = Reply(samples.data("disk.qcow2"), headers={"X": "a\r\na line without a colon"})
        preflight(file_server.reply("/c", malformed) + f"?{SIGNED}", LOOPBACK, declared=None)
        assert "5ecre7" not in caplog.text
        assert "5ecre7" not in repr(destination(f"{file_server.url('/a')}?{SIGNED}", LOOPBACK, seconds=1))

    @pytest.mark.parametrize("url", ["alice:5ecre7@files.example/a", "http:/alice:5ecre7@files.example/a"])
    def test_an_invalid_url_is_not_repeated_in_the_error(self, url: str) -> None:
        with pytest.raises(UrlRejectedError) as caught:
            report(url, LOOPBACK, disk_format=None)

        assert caught.value.url == ""
        assert "5ecre7" not in str(caught.value)


class TestFileFormats:
    @pytest.mark.parametrize("name", [name for name in samples.DISK_FORMATS if name != "disk.raw"])
    def test_every_format_is_recognized(self, name: str) -> None:
        data = samples.data(name)

        content = examine(data[: 128 * 1024], whole=len(data) < 128 * 1024)

        assert (content.disk_format, content.dangers) == (samples.DISK_FORMATS[name], ())

    def test_a_plain_disk_says_nothing(self) -> None:
        assert examine(samples.data("disk.raw"), whole=True).disk_format is None

    @pytest.mark.parametrize("name", samples.DANGEROUS)
    @pytest.mark.parametrize("declared", [None, "qcow2"])
    def test_dangerous_images_are_refused(self, file_server: FileServer, name: str, declared: str | None) -> None:
        url = file_server.serve(f"/{name}", samples.data(name))

        assert problem(url, declared=declared) is UrlProblem.UNSAFE_IMAGE

    @pytest.mark.parametrize(
        ("name", "declared", "expected"),
        [
            ("disk.qcow2", "raw", UrlProblem.WRONG_FORMAT),
            ("disk.qcow2", "vmdk", UrlProblem.WRONG_FORMAT),
            ("disk.qcow2", "iso", UrlProblem.WRONG_FORMAT),
            ("disk.qcow2", "ploop", UrlProblem.WRONG_FORMAT),
            ("disk.raw", "qcow2", UrlProblem.WRONG_FORMAT),
            ("disk.raw", "iso", UrlProblem.WRONG_FORMAT),
            ("disk.raw", None, UrlProblem.UNKNOWN_FORMAT),
            ("installer.iso", None, UrlProblem.WRONG_FORMAT),
            ("installer.iso", "raw", UrlProblem.WRONG_FORMAT),
            ("hybrid.iso", "raw", UrlProblem.WRONG_FORMAT),
        ],
    )
    def test_a_file_that_differs_from_the_declared_format_is_rejected(
        self, file_server: FileServer, name: str, declared: str | None, expected: UrlProblem
    ) -> None:
        assert problem(file_server.serve("/disk", samples.data(name)), declared=declared) is expected

    def test_an_iso_gets_the_hint_to_register_it_as_one(self, file_server: FileServer) -> None:
        with pytest.raises(UrlRejectedError, match="NewIso"):
            preflight(file_server.serve("/disk", samples.data("installer.iso")), LOOPBACK, declared=None)

    @pytest.mark.parametrize(
        ("name", "declared", "found"),
        [("disk.raw", "raw", "raw"), ("partitioned.raw", None, "raw"), ("hybrid.iso", "iso", "iso")],
    )
    def test_a_file_that_matches_the_declared_format_is_accepted(
        self, file_server: FileServer, name: str, declared: str | None, found: str
    ) -> None:
        assert (
            preflight(file_server.serve("/disk", samples.data(name)), LOOPBACK, declared=declared).disk_format == found
        )

    def test_bytes_without_a_mark_may_be_ploop(self) -> None:
        assert judge(examine(b"x" * 100, whole=True), url="", declared="ploop") == "ploop"
        assert judge(examine(b"WithoutFreeSpace" + b"x" * 100, whole=True), url="", declared=None) == "ploop"

    def test_an_empty_file(self, file_server: FileServer) -> None:
        for chunked in (False, True):
            assert problem(file_server.serve("/disk", b"", chunked=chunked), declared="raw") is UrlProblem.EMPTY

    @pytest.mark.parametrize("declared", ["raw", "qcow2", "iso", None])
    def test_a_page_instead_of_a_file(self, file_server: FileServer, declared: str | None) -> None:
        assert problem(file_server.page("/disk"), declared=declared) is UrlProblem.HTML

    @pytest.mark.parametrize("page", [b"\xef\xbb\xbf\n <HTML>", b"<!-- x --><!DOCTYPE html>", b"<!doctype HTML>"])
    def test_a_page_under_another_type(self, file_server: FileServer, page: bytes) -> None:
        assert problem(file_server.serve("/disk", page), declared="raw") is UrlProblem.HTML

    def test_a_disk_under_the_type_of_pages(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk", samples.data("disk.qcow2"), content_type="text/html; charset=utf-8")

        assert preflight(url, LOOPBACK, declared=None).disk_format == "qcow2"

    def test_comments_take_no_time(self) -> None:
        before = time.process_time()

        assert not examine(b"<!---->" * 500 + b"x" * 600, whole=True).html
        assert examine(b"<!-- a -->\n<!---->" * 100 + b"<html>" + b"x" * 600, whole=True).html

        assert time.process_time() - before < 1


class TestReport:
    def test_a_hostile_header_takes_no_time(self, file_server: FileServer) -> None:
        headers = {"Content-Disposition": 'attachment; a="' + ";" * 60_000}
        url = file_server.reply("/disk.qcow2", Reply(samples.data("disk.qcow2"), headers=headers))
        before = time.process_time()

        assert report(url, LOOPBACK, disk_format=None).would_download

        assert time.process_time() - before < 1

    def test_the_name_at_the_end_of_a_long_path(self, file_server: FileServer) -> None:
        url = file_server.reply("/" + "directory/" * 40 + "debian.qcow2", Reply(samples.data("disk.qcow2")))

        assert report(url, LOOPBACK, disk_format=None).file_name == "debian.qcow2"

    def test_headers_of_a_server_contain_no_terminal_control_characters(self, file_server: FileServer) -> None:
        headers = {"Content-Disposition": "attachment; filename*=utf-8''a%1b%5b31m.iso", "Content-Type": "text/\x1bx"}
        url = file_server.reply("/disk.qcow2", Reply(samples.data("disk.qcow2"), headers=headers))

        assert "\x1b" not in repr(report(url, LOOPBACK, disk_format=None)).replace(r"\x1b", "\x1b")

    def test_a_good_file(self, file_server: FileServer) -> None:
        data = samples.data("disk.qcow2")
        url = file_server.serve("/images/debian%2012.qcow2", data, file_name="debian 12.qcow2")

        found = report(url, LOOPBACK, disk_format=None)

        assert (found.url, found.final_url, found.address, found.status) == (url, url, "127.0.0.1", 200)
        assert (found.size, found.content_type, found.file_name) == (
            len(data),
            "application/octet-stream",
            "debian 12.qcow2",
        )
        assert (found.disk_format, found.would_download, found.problem) == ("qcow2", True, None)
        assert found.warnings == (
            f"The server uses port {file_server.port}; Glance's default rules allow only 80 and 443.",
        )

    def test_a_report_repeats_what_was_said_about_unsafe_data(self, file_server: FileServer) -> None:
        data = bytearray(samples.data("disk.qcow2"))
        data[72] = 0x80  # a feature that nobody knows
        url = file_server.serve("/unsafe.qcow2", bytes(data), file_name="unsafe.qcow2")

        found = report(url, LOOPBACK, disk_format=None)

        assert (found.problem, found.warnings[0].code) == ("unsafe_image", "image-is-dangerous")
        assert found.explanation

    def test_the_name_comes_from_the_path_where_the_server_gives_none(self, file_server: FileServer) -> None:
        url = file_server.reply("/a/%E9%95%9C%E5%83%8F.iso", Reply(samples.data("data.iso")))

        found = report(url, LOOPBACK, disk_format="iso")

        assert (found.file_name, found.would_download) == ("镜像.iso", True)

    @pytest.mark.parametrize(
        "name", ["idna''x", "undefined''x", f"x; filename*{'9' * 5000}=y", "utf-8''a; filename*1=b"]
    )
    def test_a_name_that_cannot_be_read_counts_for_nothing(self, file_server: FileServer, name: str) -> None:
        headers = {"Content-Disposition": f"attachment; filename*={name}"}
        url = file_server.reply("/disk.qcow2", Reply(samples.data("disk.qcow2"), headers=headers))

        assert report(url, LOOPBACK, disk_format=None).file_name == "disk.qcow2"

    def test_a_name_with_half_a_surrogate_pair_can_be_written_down(self, file_server: FileServer) -> None:
        headers = {"Content-Disposition": r"attachment; filename*=unicode_escape''a\ud800.iso"}
        url = file_server.reply("/disk.qcow2", Reply(samples.data("disk.qcow2"), headers=headers))

        assert '"file_name":"a?.iso"' in report(url, LOOPBACK, disk_format=None).model_dump_json()

    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            (Reply(b"<html>", headers={"Content-Type": "text/html"}), ("HTML page", "shows this")),
            (Reply(b"plain", headers={"Content-Type": "text/plain"}), ("shows this", "cannot be determined")),
            (Reply(b"", status=404), ("404",)),
            (Reply(b"no", status=404, claimed_size=200), ("404",)),
            (Reply(samples.data("disk.qcow2"), chunked=True), ("does not announce the size",)),
            (Reply(b"\x1f\x8b\x08" + b"x" * 600), ("gzip",)),
            (Reply(samples.data("backed.qcow2")), ("backing file",)),
        ],
    )
    def test_the_report_warns_about_problems_of_the_file(
        self, file_server: FileServer, reply: Reply, words: tuple[str, ...]
    ) -> None:
        found = report(file_server.reply("/disk", reply), LOOPBACK, disk_format=None)

        for word in words:
            assert any(word in warning for warning in found.warnings), (word, found.warnings)

    @pytest.mark.parametrize("path", ["/", "/images/"])
    def test_a_url_without_a_file_name(self, file_server: FileServer, path: str) -> None:
        url = file_server.serve(path, samples.data("disk.qcow2"), file_name="disk.qcow2")

        assert any("does not name a file" in warning for warning in report(url, LOOPBACK, disk_format=None).warnings)

    def test_a_url_that_names_another_file(self, file_server: FileServer) -> None:
        url = file_server.serve("/download.php", samples.data("disk.qcow2"), file_name="disk.qcow2")

        found = report(f"{url}?id=3", LOOPBACK, disk_format=None)

        assert any("ends in download.php" in warning for warning in found.warnings)

    def test_a_format_that_is_not_the_declared_one(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk", samples.data("disk.qcow2"))

        assert any("not raw" in warning for warning in report(url, LOOPBACK, disk_format="raw").warnings)

    def test_a_redirect_is_told(self, file_server: FileServer) -> None:
        file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        found = report(file_server.redirect("/a", "/disk.qcow2"), LOOPBACK, disk_format=None)

        assert found.final_url == file_server.url("/disk.qcow2")
        assert any("redirects" in warning for warning in found.warnings)

    def test_credentials_are_not_reported(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2")).replace("//", "//alice:5ecre7@")

        assert "5ecre7" not in repr(report(f"{url}?{SIGNED}", LOOPBACK, disk_format=None))

    def test_the_report_raises_if_no_server_responds(self, file_server: FileServer) -> None:
        with pytest.raises(UrlRejectedError):
            report(file_server.refusing_url("/disk"), LOOPBACK, disk_format=None)


class TestDiagnosis:
    def test_nothing_is_wrong(self, file_server: FileServer) -> None:
        url = file_server.serve("/disk", samples.data("disk.qcow2"))

        assert diagnose(url, LOOPBACK, declared="qcow2", seconds=5) is None

    def test_a_file_cut_short_far_behind_its_head(self, file_server: FileServer) -> None:
        url = file_server.cut("/disk", samples.data("disk.qcow2"), after=190_000)
        preflight(url, LOOPBACK, declared="qcow2")

        found = diagnose(url, LOOPBACK, declared="qcow2", seconds=5)

        assert found is not None
        assert found.reason is UrlProblem.TRUNCATED

    def test_it_takes_no_longer_than_it_may(self, file_server: FileServer) -> None:
        """The clock advances by 50 ms at each look, and the body has no end."""
        url = file_server.serve("/disk", BigBody(1 << 50, samples.data("disk.qcow2")))

        found = diagnose(url, LOOPBACK, declared="qcow2", seconds=10, network=Network(clock=ticking(0.05)))

        assert found is None

    def test_silence_before_the_answer_is_a_finding(self, file_server: FileServer) -> None:
        found = diagnose(file_server.hold("/disk").url, LOOPBACK, declared="qcow2", seconds=0.5)

        assert found is not None
        assert found.reason is UrlProblem.TIMEOUT
