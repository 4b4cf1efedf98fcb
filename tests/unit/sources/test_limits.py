"""Limits and choices of reading a URL, each from both sides."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.sources.contents import HEAD_BYTES, examine
from hyperx_glance.sources.network import Network
from hyperx_glance.sources.urls import destination, open_url, report
from tests.support.networks import CLOSED, Names, answering, ticking

if TYPE_CHECKING:
    import socket

DATA = b"\x01disk" * 100
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 500\r\n\r\n" + DATA


@pytest.mark.parametrize(
    ("url", "header", "port"),
    [
        ("http://8.8.8.8/a", "8.8.8.8", 80),
        ("http://8.8.8.8:80/a", "8.8.8.8", 80),
        ("https://8.8.8.8/a", "8.8.8.8", 443),
        ("http://8.8.8.8:443/a", "8.8.8.8:443", 443),
        ("https://8.8.8.8:80/a", "8.8.8.8:80", 80),
        ("http://[2600::1]/a", "[2600::1]", 80),
        ("http://[2600::1]:8080/a", "[2600::1]:8080", 8080),
        ("http://8.8.8.8:1/a", "8.8.8.8:1", 1),
        ("http://8.8.8.8:65535/a", "8.8.8.8:65535", 65535),
    ],
)
def test_a_request_names_the_port_where_it_is_not_the_schemes_own(url: str, header: str, port: int) -> None:
    place = destination(url, UrlPolicy(), seconds=1, network=CLOSED)

    assert (place.host_header, place.port) == (header, port)


def test_credentials_are_for_one_scheme_host_and_port() -> None:
    urls = ("http://8.8.8.8/", "https://8.8.8.8/", "http://8.8.8.8:443/", "http://8.8.4.4/")
    origins = {destination(url, UrlPolicy(), seconds=1, network=CLOSED).origin for url in urls}

    assert len(origins) == len(urls)
    assert destination("http://8.8.8.8:80/b", UrlPolicy(), seconds=1, network=CLOSED).origin in origins


@pytest.mark.parametrize(("port", "warned"), [("", False), (":443", False), (":81", True), (":8080", True)])
def test_ports_that_glance_refuses_are_told(port: str, warned: bool) -> None:  # noqa: FBT001
    with answering(OK) as network:
        found = report(f"http://198.51.100.7{port}/disk.raw", UrlPolicy(), disk_format="raw", network=network)

    assert any("allow only 80 and 443" in warning for warning in found.warnings) is warned
    assert len(found.warnings) == warned


@pytest.mark.parametrize(
    ("timeout", "seconds", "given"), [(5.0, None, 5.0), (5.0, 3.0, 3.0), (5.0, 30.0, 5.0), (0.5, None, 0.5)]
)
def test_a_connection_takes_no_longer_than_the_whole_and_the_policy(
    timeout: float, seconds: float | None, given: float
) -> None:
    waited: list[float] = []
    with answering(OK) as network:

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            waited.append(seconds)
            return network.connect(address, port, seconds)

        still = dataclasses.replace(network, connect=connect, clock=lambda: 100.0)
        with open_url("http://198.51.100.7/a", UrlPolicy(timeout_seconds=timeout), seconds=seconds, network=still):
            pass

    assert waited == [given]


def test_every_address_is_tried_until_the_time_is_over() -> None:
    tried: list[str] = []

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        del port, seconds
        tried.append(address)
        raise TimeoutError if address == "198.51.100.2" else ConnectionRefusedError

    names = Names(tuple(f"198.51.100.{number}" for number in range(1, 21)))
    for step, expected in ((0.0, 20), (1.0, 7)):
        tried.clear()
        network = Network(resolve=names, connect=connect, clock=ticking(step))
        with pytest.raises(UrlRejectedError) as caught:
            open_url("http://files.example/a", UrlPolicy(timeout_seconds=9), network=network)
        assert len(tried) == expected
        # The first problem is reported, even if the time was over before the last address.
        assert caught.value.reason is UrlProblem.REFUSED


def test_formats_are_looked_for_behind_the_first_bytes_only() -> None:
    assert HEAD_BYTES >= 0x8006  # an ISO's mark, the last of all
    for size in (0, 1, 3, 511, 512, 513):
        assert examine(b"x" * size, whole=True).empty is (size == 0)
