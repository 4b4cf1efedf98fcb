"""The caller's cloud-config and the launch's password are both in effect, or the launch is refused."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import yaml

from hyperx_glance import InvalidRequestError
from hyperx_glance.launching.cloud_config import LARGEST_CONFIG, Part, password_config
from tests.support.readers import assert_told

HASH = "$6$rounds=100000$saltsaltsaltsalt$hashhash./"
OURS = {"name": "debian", "password": HASH, "type": "hash"}
LINE = f"debian:{HASH}"
ADDED = "dict(recurse_array,no_replace)+list(append)"


def part(text: str, *headers: str) -> Part:
    return Part("text/cloud-config", f"#cloud-config\n{text}".encode(), frozenset(headers))


def config(*parts: Part | str, user: str = "debian") -> dict[str, Any]:
    given = [each if isinstance(each, Part) else part(each) for each in parts]
    text = password_config(given, user=user, password_hash=HASH)
    assert text.startswith("#cloud-config\n")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_alone_the_config_sets_the_password_of_old_and_new_cloud_init() -> None:
    assert config() == {"ssh_pwauth": True, "chpasswd": {"expire": False, "users": [OURS], "list": [LINE]}}


@pytest.mark.parametrize("own", ["", "packages: [git]", "users: [default, {name: bob, plain_text_passwd: x}]"])
def test_beside_config_about_other_things_nothing_else_is_said(own: str) -> None:
    assert config(own) == config()


def test_the_caller_decides_on_passwords_over_ssh() -> None:
    assert "ssh_pwauth" not in config("ssh_pwauth: false")
    assert "ssh_pwauth" not in config("ssh_pwauth: unchanged", "packages: [git]")


def test_a_later_part_replaces_what_an_earlier_one_says() -> None:
    assert config("users: [bob]", "users: [default]") == config()


# ----------------------------------------------------------------- one source of passwords


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("chpasswd: {list: ['debian:S3cret-word']}", "passwords with `chpasswd`"),
        ("chpasswd: {list: 'bob:S3cret-word'}", "passwords with `chpasswd`"),
        ("chpasswd: {users: [{name: bob, password: S3cret-word}]}", "passwords with `chpasswd`"),
        ("chpasswd: {expire: true}", "passwords with `chpasswd`"),
        ("chpasswd:", "passwords with `chpasswd`"),
        ("password: S3cret-word\nssh_pwauth: true", "passwords with `password`"),
        ("users: [default, {name: debian, passwd: S3cret-word}]", "a password of debian"),
        ("users: [{name: debian, hashed-passwd: S3cret-word}]", "a password of debian"),
        ("users: {debian: {plain_text_passwd: S3cret-word}}", "a password of debian"),
        ("user: {name: debian, passwd: S3cret-word}", "a password of debian"),
    ],
)
def test_a_second_source_of_passwords_is_refused_without_showing_it(own: str, told: str) -> None:
    for parts in ([own], ["packages: [git]", own], [own, part("users: [debian]", "merge-type")]):
        with pytest.raises(InvalidRequestError, match=f"user_data: sets {told}, and so does the launch") as caught:
            config(*parts)
        assert "admin_password" in caught.value.hint
        assert "plain_text_passwd" in caught.value.hint
        assert "S3cret-word" not in str(caught.value)
        assert_told(caught.value)


# ----------------------------------------------------------------- the account exists


@pytest.mark.parametrize(
    "own",
    [
        "users:",
        "users: []",
        "users: [bob]",
        "users: bob",
        "users: bob,eve",
        "users: {bob: true, debian: false}",
        "users: [[bob, eve]]",
        "users: [{name: bob}]",
        "user: bob",
        "user: {name: bob}\nusers: [default]",
    ],
)
def test_accounts_without_the_password_s_are_refused(own: str) -> None:
    with pytest.raises(InvalidRequestError, match="its `users` make no account debian") as caught:
        config(own)
    assert caught.value.hint == "Add `default`, or `name: debian`, to `users`."
    assert_told(caught.value)
    assert config(own, user="root")["chpasswd"]["users"][0]["name"] == "root"


@pytest.mark.parametrize(
    "own",
    [
        "users: [default, bob]",
        "users: [{sudo: false}]",
        "users: default,bob",
        "users: bob, debian",
        "users: {default: true}",
        "users: [[bob, debian]]",
        "users: [{name: debian, lock_passwd: true, ssh_authorized_keys: [k]}]",
        "user: debian",
        "user: {shell: /bin/zsh}",
        "user: bob\nusers: [debian]",
        "user:",
    ],
)
def test_accounts_with_it_are_left_alone(own: str) -> None:
    assert config(own) == config()


# ----------------------------------------------------------------- what cannot be read here


@pytest.mark.parametrize(
    "kind", ["jinja2", "x-include-url", "x-include-once-url", "cloud-config-archive", "cloud-config-jsonp"]
)
def test_beside_what_only_the_guest_can_read_cloud_init_merges(kind: str) -> None:
    merged = config(Part(f"text/{kind}", b"whatever: {{ this }}"))
    assert merged == {"merge_how": ADDED, **config()}


@pytest.mark.parametrize(
    "later",
    [
        part("packages: [git]", "merge-type"),
        part("packages: [git]", "x-merge-type"),
        part("merge_how: 'dict(recurse_array)+list(append)'"),
        part("merge_type: 'dict(recurse_array)+list(append)'"),
        part("packages: [git]", "launch-index"),
        part("launch-index: 1"),
    ],
)
def test_parts_with_rules_of_their_own_are_merged_by_cloud_init(later: Part) -> None:
    assert config("packages: [vim]", later) == {"merge_how": ADDED, **config()}


def test_a_rule_of_the_first_part_merges_it_into_nothing() -> None:
    assert config("merge_how: 'list(append)'\npackages: [git]") == config()


@pytest.mark.parametrize(
    "own",
    [
        "- a list",
        "a text",
        "5",
        "a: [",
        "a: b: c",
        "\tx: y",
        "a: !!python/object:os.system x",
        "a: !!int x",
        "a: !!timestamp x",
        "a: !!bool x",
        "a: 2026-99-99",
        "{[]: x}",
        "[" * 1000,
        "a: \x01",
        "<<: {chpasswd: {list: []}}",
    ],
)
def test_config_that_a_guest_could_not_read_is_refused(own: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^user_data: ") as caught:
        config(own)
    assert_told(caught.value)


def test_the_error_says_the_line_and_shows_nothing() -> None:
    with pytest.raises(InvalidRequestError, match=r"cannot be read as YAML, line \d") as caught:
        config("a: b\npassword: 's3cret\n")
    assert "s3cret" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="cannot be read as YAML"):
        config(Part("text/cloud-config", b"#cloud-config\na: \xff\n"))


LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 11)
)
"""Some hundred bytes, 91 aliases, and 9 to the power of 10 words if they are written as text."""


@pytest.mark.parametrize(
    "place",
    [
        "packages: *a10",
        "users: *a10",
        "users: [default, *a10]",
        "users: [default, {name: *a10}]",
        "users: {*a0 : x}",
        "user: *a10",
        "user: {name: *a10}",
        "ssh_pwauth: *a10",
        "chpasswd: *a10",
        "chpasswd: {list: *a10}",
        "password: *a10",
        "launch-index: *a10",
        "merge_how: *a10",
        "*a10 : x",
        "a11: {<<: *a10}",
        "<<: *a10",
    ],
)
def test_names_that_stand_for_names_do_not_grow(place: str) -> None:
    tracemalloc.start()
    try:
        outcome = "taken"
        try:
            password_config([part(f"{LAUGHS}{place}\n")], user="root", password_hash=HASH)
        except InvalidRequestError as error:
            outcome = str(error)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcome
    assert most < 8 * 2**20


def refused(text: str) -> str:
    """Return why it is refused, without a traceback: pytest would write out what the aliases stand for."""
    try:
        config(text)
    except InvalidRequestError as error:
        return error.message
    return ""


def test_aliases_depth_and_size_are_bounded() -> None:
    assert refused(f"a: &a 1\nb: [{'*a, ' * 100}]\n") == ""
    assert "more than 100 aliases" in refused(f"a: &a 1\nb: [{'*a, ' * 101}]\n")
    assert refused("a: " + "[" * 48 + "]" * 48) == ""
    for opening in "[", "{a: ", "[{a: ":
        assert "nested more than 50 levels" in refused("a: " + opening * 1000)
    assert "longer than 256 KiB" in refused("a: b\n" + "#" * LARGEST_CONFIG)
    assert "cannot be read as YAML" in refused("a: " + "1:" * 1000 + "1")


def test_the_bounds_hold_for_all_parts_together() -> None:
    half = part("#" * (LARGEST_CONFIG // 2))
    assert config(half) == config()
    with pytest.raises(InvalidRequestError, match="longer than 256 KiB") as caught:
        config(half, half)
    assert "#include" in caught.value.hint
    assert_told(caught.value)
