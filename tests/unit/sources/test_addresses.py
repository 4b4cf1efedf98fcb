"""Addresses that URLs may not lead to, however they are written; nothing is looked up or connected to."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.sources.addresses import denial
from hyperx_glance.sources.urls import destination, preflight
from tests.support.networks import CLOSED, Names, answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.sources.network import Network
    from hyperx_glance.texts import Language

DENIED = (
    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.170.2", "192.0.0.192",
    "100.100.100.200", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
DENIED_V6 = (
    "::", "::1", "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "ff02::1", "fd00:ec2::254", "fd00:ec2::23",
    "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe",
)  # fmt: skip
ALLOWED = ("10.1.2.3", "172.16.0.1", "192.168.1.1", "8.8.8.8", "100.64.0.1", "192.0.1.1", "198.51.100.7")
ALLOWED_V6 = ("fd00::1", "fd12:3456::1", "2001:db8::1", "2600::1", "fd20:ce::253", "fd00:ec1::254")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def notations(address: str) -> Iterator[str]:
    """Write an IPv4 address as the system's functions and other readers take it."""
    number, parts = int(ipaddress.IPv4Address(address)), [int(part) for part in address.split(".")]
    yield address
    for write in (str, hex, lambda n: f"0{n:o}", lambda n: f"0X{n:X}", lambda n: f"0x{n:08x}", lambda n: f"000{n:o}"):
        yield write(number)
        yield ".".join(map(write, parts))
        yield ".".join(map(write, (parts[0], number & 0xFFFFFF)))
        yield ".".join(map(write, (parts[0], parts[1], number & 0xFFFF)))
    yield f"{parts[0]:#x}.{parts[1]}.0{parts[2]:o}.{parts[3]}"
    yield address.translate(FULL_WIDTH)
    yield address.replace(".", "。")
    yield address.replace(".", "．")


def hosts(address: str) -> Iterator[str]:
    for notation in notations(address):
        yield notation
        yield f"{notation}."


def embeddings(address: str) -> Iterator[str]:
    """Yield the IPv6 addresses from which routers and kernels take an IPv4 address out."""
    number = int(ipaddress.IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    octets = number.to_bytes(4, "big")
    yield f"::ffff:{address}"
    yield f"::ffff:0:{address}"
    yield f"::{address}"
    yield f"64:ff9b::{address}"
    yield f"64:ff9b:1::{address}"
    if number:  # else the zeros come behind the address of a shorter prefix
        yield f"64:ff9b:1:5:6:7:{high:x}:{low:x}"
    for bits in 48, 56, 64:
        if octets[0] == 0:
            continue  # the zeros belong to a longer prefix
        whole = int(ipaddress.IPv6Address("64:ff9b:1::")).to_bytes(16, "big")[: bits // 8] + octets
        yield str(ipaddress.IPv6Address((whole[:8] + b"\0" + whole[8:]).ljust(16, b"\0")[:16]))
    yield f"2002:{high:x}:{low:x}::1"
    yield f"2001:0:{high:x}:{low:x}:0:0:f7f7:f7f7"
    yield f"2001:0:808:808:0:0:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}"
    yield f"2001:db8::5efe:{address}"
    yield f"2001:db8::200:5efe:{address}"


def brackets(address: str) -> Iterator[str]:
    parsed = ipaddress.IPv6Address(address)
    yield from (f"[{address}]", f"[{parsed.exploded}]", f"[{parsed.compressed.upper()}]")


def every_host() -> list[str]:
    found = [host for address in DENIED for host in hosts(address)]
    found += [host for address in DENIED for carrier in embeddings(address) for host in brackets(carrier)]
    return found + [host for address in DENIED_V6 for host in brackets(address)]


def problem(url: str, network: Network, policy: UrlPolicy | None = None) -> UrlProblem:
    with pytest.raises(UrlRejectedError) as caught:
        preflight(url, policy or UrlPolicy(), declared="raw", network=network)
    return UrlProblem(caught.value.reason)


def test_no_notation_and_no_embedding_leads_to_a_denied_place() -> None:
    wrong = [
        url
        for host in every_host()
        for url in (f"http://{host}/a", f"https://u:p@{host}:8443/a?b=c")
        if problem(url, CLOSED) is not UrlProblem.DENIED_ADDRESS
    ]

    assert wrong == []


def test_neither_does_a_redirect() -> None:
    wrong = []
    for host in every_host():
        location = f"http://{host}/latest".encode()
        with answering(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as network:
            refused = UrlProblem.DENIED_ADDRESS if host.isascii() else UrlProblem.BAD_URL
            if problem("http://198.51.100.7/a", network) is not refused:
                wrong.append(host)

    assert wrong == []


def test_nor_a_name_with_such_an_address_among_good_ones() -> None:
    addresses = [*DENIED, *DENIED_V6, *(carrier for address in DENIED for carrier in embeddings(address))]
    for address in addresses:
        for answers in ((address,), ("198.51.100.7", address), (address, "2001:db8::1"), (f"{address}%eth0",)):
            if "%" in answers[0] and ":" not in address:
                continue
            with answering(b"", resolve=Names(answers)) as network:
                assert problem("http://files.example/a", network) is UrlProblem.DENIED_ADDRESS, answers


@pytest.mark.parametrize(
    "name",
    [
        "localhost", "LocalHost.", "localhost.localdomain", "localhost.localdomain.", "a.localhost", "localhost4",
        "localhost6", "ip6-localhost", "ip6-loopback", "ｌｏｃａｌｈｏｓｔ", "metadata.google.internal",
        "METADATA.GOOG.", "instance-data", "localhost6.localdomain6", "metadata.tencentyun.com",
    ],
)  # fmt: skip
def test_names_that_mean_denied_places_are_not_looked_up(name: str) -> None:
    """Glance may be able to resolve names that this machine cannot, and without preflight only Glance looks."""
    with pytest.raises(UrlRejectedError) as caught:
        destination(f"http://{name}/a", UrlPolicy(preflight=False), seconds=1, network=CLOSED)

    assert caught.value.reason is UrlProblem.DENIED_ADDRESS


@pytest.mark.parametrize("name", ["localhost", "localhost."])
def test_an_operator_may_trust_them(name: str) -> None:
    names = Names(("127.0.0.1",))
    policy = UrlPolicy(trusted_hosts=("localhost",))
    with answering(b"", resolve=names) as network:
        assert destination(f"http://{name}/a", policy, seconds=1, network=network).addresses == ("127.0.0.1",)

    assert names.asked == [name]


@pytest.mark.parametrize(
    "name", ["files.localdomain", "localhost.files.example", "mylocalhost", "metadata.files.example"]
)
def test_names_that_only_look_like_them_are_looked_up(name: str) -> None:
    with answering(b"", resolve=Names(("198.51.100.7",))) as network:
        assert destination(f"http://{name}/a", UrlPolicy(), seconds=1, network=network).addresses == ("198.51.100.7",)


@pytest.mark.parametrize(
    "host",
    ["256.0.0.1", "127.0.0.1.1", "0x100000000", "4294967296", "127.0.0.08", "a.0x7f", "files.1", "0x7f.0x1g.1.2."[:11]],
)
def test_a_host_that_ends_in_a_number_but_is_not_an_address_is_rejected(host: str) -> None:
    """Some readers let such numbers overflow, and no name has them (WHATWG's URL standard, "ends in a number")."""
    with pytest.raises(UrlRejectedError) as caught:
        destination(f"http://{host}/a", UrlPolicy(), seconds=1, network=CLOSED)

    assert caught.value.reason is UrlProblem.BAD_URL


def test_other_places_are_allowed_in_every_notation() -> None:
    for address in ALLOWED:
        for host in hosts(address):
            found = destination(f"http://{host}/a", UrlPolicy(), seconds=1, network=CLOSED)
            assert found.addresses == (address,), host
        for carrier in embeddings(address):
            assert denial(carrier, UrlPolicy()) is None, carrier
    for address in ALLOWED_V6:
        for host in brackets(address):
            assert destination(f"http://{host}/a", UrlPolicy(), seconds=1, network=CLOSED).addresses == (address,)


def test_networks_begin_and_end_where_they_say() -> None:
    networks = [ipaddress.ip_network(network) for network in UrlPolicy().denied_networks]
    for network in networks:
        alone = UrlPolicy(denied_networks=(str(network),))
        first, last = int(network[0]), int(network[-1])
        make = type(network[0])
        for number in (first, last):
            assert denial(str(make(number)), alone) == str(network)
        for number in (first - 1, last + 1):
            if 0 <= number < 1 << network.max_prefixlen:
                assert denial(str(make(number)), alone) is None


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("10.1.2.3/8", "10.200.0.1", "11.0.0.1"),
        ("fd12::5/16", "fd12:ffff::1", "fd13::1"),
        ("9.9.9.9", "9.9.9.9", "9.9.9.8"),
    ],
)
def test_networks_may_be_written_with_the_bits_of_a_host(network: str, inside: str, outside: str) -> None:
    policy = UrlPolicy(denied_networks=(network,))

    assert denial(inside, policy) == str(ipaddress.ip_network(network, strict=False))
    assert denial(outside, policy) is None


def test_addresses_of_one_kind_lie_in_no_network_of_the_other() -> None:
    policy = UrlPolicy(denied_networks=("::/0",))
    assert denial("10.1.2.3", policy) is None
    assert denial("2001:db8::1", policy) == "::/0"
    policy = UrlPolicy(denied_networks=("0.0.0.0/0",))
    assert denial("2001:db8::1", policy) is None
    assert denial("::ffff:10.1.2.3", policy) == "0.0.0.0/0"


@pytest.mark.parametrize(
    ("audience", "language", "words"),
    [
        ("python", "en", "127.0.0.0/8, which is denied. Hint: An operator can trust the server: UrlPolicy(trusted"),
        ("command", "en", "An operator can trust the server: --trusted-host."),
        ("command", "zh", "运维人员可以将该服务器设为受信任的主机：--trusted-host。"),
        ("person", "zh", "（2130706433）属于禁止访问的网段 127.0.0.0/8。可请运维人员将该服务器设为受信任的主机。"),
    ],
)
def test_each_reader_is_told_why_an_address_is_denied(audience: str, language: Language, words: str) -> None:
    with pytest.raises(UrlRejectedError) as caught:
        destination("http://2130706433/a", UrlPolicy(), seconds=1, network=CLOSED)

    assert caught.value.code == "address-of-server-denied"
    assert words in caught.value.in_language(language, audience=audience)
