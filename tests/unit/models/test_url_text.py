"""No URL that is stored, shown or quoted holds a secret; it is sent as HTTP sends URLs."""

from __future__ import annotations

import json

import pytest

from hyperx_glance.cloud.answers import explanation
from hyperx_glance.models.url_text import StoredUrl, ascii_url, http_url, scrub, stored_url, well_formed

KEPT = [
    ("http://files.example/a.qcow2", "http://files.example/a.qcow2"),
    ("https://alice:secret@files.example:8443/a.iso", "https://files.example:8443/a.iso"),
    ("https://s3.example/a?X-Amz-Signature=1&X-Amz-Credential=2&version=3", "https://s3.example/a?version=3"),
    ("https://b.example/a?sv=1&sig=2&se=3&sp=r&name=x", "https://b.example/a?name=x"),
    ("https://g.example/a?X-Goog-Signature=1&GoogleAccessId=2", "https://g.example/a"),
    ("https://f.example/a?access_token=1&v=2#part", "https://f.example/a?v=2"),
    ("https://o.example/a?x-oss-signature=1&x-oss-expires=2&build=3", "https://o.example/a?build=3"),
    ("https://c.example/a?q-signature=1&q-ak=2", "https://c.example/a"),
    ("https://n.example/a?md5=1&expires=2", "https://n.example/a"),
    ("https://f.example/a?v=1;sig=2&arch=3", "https://f.example/a?v=1&arch=3"),
    ("https://f.example/a?v=1;arch=2&&format", "https://f.example/a?v=1;arch=2&&format"),
    ("https://f.example/a?sign=1&pass=2&jwt=3&design=4", "https://f.example/a"),
    (
        "https://s.example/v1/a/c/o?temp_url_sig=1&temp_url_expires=2&filename=x",
        "https://s.example/v1/a/c/o?filename=x",
    ),
    ("https://f.example/a?tempauth=1&rlkey=2&sid=3&hdntl=4&monkey=5&dl=1", "https://f.example/a?dl=1"),
    ("https://f.example/a?sig%5B%5D=1&+sig=2&sig%00=3&v=4", "https://f.example/a?v=4"),
    ("https://f.example/a?v=4?sig=1", "https://f.example/a?v=4"),
    ("https://f.example/a?x-auth=1&oauth_verifier=2&authorization=3&author=4&v=5", "https://f.example/a?v=5"),
    ("https://f.example/a?u=https%3A%2F%2Fb%2Fx%3Fsig%3D1&v=http://b/x", "https://f.example/a"),
    ("https://f.example/proxy/https://u:p@b/x@2", "https://f.example/2"),
    ("https://f.example/@scope/pool/x@2/disk.raw", "https://f.example/2/disk.raw"),
    ("https://f.example/a/u%3Ap%40b/disk.raw", "https://f.example/disk.raw"),
    ("https://f.example/a/u:p@b%2540c/disk.raw", "https://f.example/disk.raw"),
    ("https://f.example/a;v=1/x;v=u@1/disk.raw", "https://f.example/disk.raw"),
    ("https://f.example/a/x@", "https://f.example/"),
    ("http://http//u:5ecre7?x@f.example/a", "http://http/"),
    ("https://f.example/a:b?v=1&mail=x%40y", "https://f.example/?v=1"),
    ("https://f.example/a?x%2damz-signature=1&%70assword=2&v=3", "https://f.example/a?v=3"),
    ("https://f.example/a?mno=1&ledger=2&AbC&v=3", "https://f.example/a?v=3"),
    ("https://f.example/a;v=1;jsessionid=2/b;sid=3?v=4", "https://f.example/a;v=1/b?v=4"),
    ("https://f.example/a?V=1&Build=20240507-1740", "https://f.example/a?V=1&Build=20240507-1740"),
    (
        "https://f.example/get?file=debian-12-generic-amd64.qcow2&arch=x86_64&release=24.04+lts&lang=zh_CN",
        "https://f.example/get?file=debian-12-generic-amd64.qcow2&arch=x86_64&release=24.04+lts&lang=zh_CN",
    ),
    ("https://f.example/get?file=%E9%95%9C%E5%83%8F.iso", "https://f.example/get?file=%E9%95%9C%E5%83%8F.iso"),
]
NOT_PLAIN = [
    "5ecre7:5ecre7", "5ecre7@files", "https%3A%2F%2F5ecre7", "5ecre7%3D", "5ecre7%253D", "5ecre7=", "{5ecre7}",
    "5ecre7%00", "5ecre75ecre75ecre75ecre7", "a-5ecre75ecre75ecre75ecre7-a", "5ecre7-" * 10, "5ecre7%ff%0d%0a",
    "5ecre7,1", "5ecre7%27",
]  # fmt: skip


@pytest.mark.parametrize(("url", "kept"), KEPT)
def test_a_stored_url_holds_what_is_known_to_be_harmless(url: str, kept: str) -> None:
    assert stored_url(url).url == kept
    assert stored_url(url).stripped == (kept != url)
    assert stored_url(kept) == (kept, False)
    for end in ("!", ".", ": 404", "", "),", "'", '">'):
        assert scrub(f"cannot read {url}{end}", url) == f"cannot read {kept}{end}"
        assert scrub(f"cannot read {kept}{end}", url) == f"cannot read {kept}{end}"
    for length in range(len("https://"), len(url)):
        assert scrub(f"cannot read {url[:length]}", url) == f"cannot read {kept}"


@pytest.mark.parametrize("value", NOT_PLAIN)
@pytest.mark.parametrize("name", ["v", "file", "format"])
def test_a_harmless_name_does_not_excuse_a_value_that_is_not_plain(name: str, value: str) -> None:
    for url in (f"https://f.example/a?{name}={value}", f"https://f.example/a;{name}={value}"):
        kept = "https://f.example/" if "@" in value and ";" in url else "https://f.example/a"
        assert stored_url(url) == (kept, True)
        assert "5ecre7" not in scrub(f"GET {url} failed")


def test_a_value_has_at_most_64_letters_and_a_word_20() -> None:
    for value, harmless in (("a" * 20, True), ("a" * 21, False), ("ab" * 10 + "-" + "a" * 20, True),
                            ("ab-" * 21 + "a", True), ("ab-" * 21 + "ab", False)):  # fmt: skip
        assert stored_url(f"https://f.example/a?file={value}").stripped is not harmless


AMBIGUOUS = [
    "http://http://user:5ecre7@files.example/a",
    "http://https://user:5ecre7@files.example/a",
    "http://http:/user:5ecre7@files.example/a",
    "http://user:1234/5ecre7@files.example/a",
    "http://user:1234?5ecre7@files.example/a",
    "http://user:1234#5ecre7@files.example/a",
    "http://user:1@5ecre7/@files.example/a",
    "http://user:1234/5ecre7＠files.example/a",
    r"http://user:5ecre7\@files.example/a",
    r"http://files.example\user:5ecre7@files.example/a",
]
NONE = [
    r"http:\\user:5ecre7@files.example/a",
    "http:/user:5ecre7@files.example/a",
    "http:user:5ecre7@files.example/a",
    r"http:\/\/user:5ecre7@files.example\/a",
    "http://user%3A5ecre7%40files.example/a",
    "http://user：5ecre7＠files.example/a",
    "//user:5ecre7@files.example/a",
    "user:5ecre7@files.example/a",
    "ftp://5ecre7@files.example/a",
    "http%3A%2F%2Fuser%3A5ecre7%40files.example%2Fa",
    "http%253a%252f%252ffiles.example%252fa%253fsig=5ecre7",
    "x5ecre7@http://files.example/a",
    "user:5ecre7" + "%25" * 40 + "40files.example",
]


@pytest.mark.parametrize("url", AMBIGUOUS)
def test_a_url_that_readers_split_differently_is_refused_and_never_shown(url: str) -> None:
    assert not well_formed(url)
    with pytest.raises(ValueError, match="backslashes, an empty port, or an @ after a port or password"):
        http_url(url)
    assert stored_url(url) == ("", True)
    assert scrub(f"cannot read '{url}'.", url) == "cannot read 'a URL'."


@pytest.mark.parametrize("url", [*AMBIGUOUS, *NONE])
def test_anything_that_a_parser_could_read_as_credentials_is_removed(url: str) -> None:
    assert "5ecre7" not in stored_url(url).url
    for text in (f"cannot read {url}: 404", f'{{"url":"{url}"}}', f"<{url}>"):
        assert "5ecre7" not in scrub(text)
    assert scrub(f"cannot read ({url})!") == "cannot read (a URL)!"


def test_addresses_of_people_and_words_with_colons_stay() -> None:
    text = "User alice@example.org: no role 'reader' in http://files.example/a@2: see docs/a:b, or 12:30."
    assert scrub(text) == text.replace("a@2", "2")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("b'http://a/b?v=1<c=2&sig=5ecre7' failed", "b'http://a/b' failed"),
        ('{"one":"http://a/b?sig=5ecre7","two":"http://c/d?sig=5ecre7"}', '{"one":"http://a/b"}'),
        (
            "see <http://a/b?v=1>, http://[bad?sig=5ecre7 and HTTP://u:5ecre7@c",
            "see <http://a/b?v=1>, a URL and http://c",
        ),
    ],
)
def test_urls_that_nobody_knows_are_found_in_a_text(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize("is_json", [True, False])
def test_explanations_of_services_contain_no_secrets_of_urls(is_json: bool) -> None:  # noqa: FBT001
    text = "Cannot read https://u:5ecre7@files.example/a?v=1&sig=5ecre7."
    body = json.dumps({"message": text}) if is_json else f"<h1>400</h1>{text}"

    assert explanation(body.encode(), is_json=is_json) == "Cannot read https://files.example/a?v=1."


def test_urls_are_written_as_http_sends_them() -> None:
    url = "HTTP://user:p%40ss@例え.jp:8080/镜像/a b%20c.qcow2?名=值&x=%2F#part"

    assert ascii_url(url) == (
        "http://user:p%40ss@xn--r8jz45g.jp:8080/%E9%95%9C%E5%83%8F/a%20b%20c.qcow2?%E5%90%8D=%E5%80%BC&x=%2F"
    )


@pytest.mark.parametrize(
    "url", ["http://[bad/x", f"http://{'ä' * 80}/x", "x", "ftp://a/b", "http:///a", "http://a:0/", "http://a/b c"]
)
def test_a_url_that_cannot_be_sent_is_not_well_formed(url: str) -> None:
    assert not well_formed(url)
    assert well_formed("http://a/b")


def test_nothing_is_kept_of_a_url_of_another_scheme_which_may_be_a_user() -> None:
    assert stored_url("alice5ecret://0?v=12@http://files.example/debian.qcow2") == StoredUrl("", stripped=True)
