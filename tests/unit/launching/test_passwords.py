"""Drawn passwords are random, satisfy Linux and Windows, and are sent as a hash."""

from __future__ import annotations

import string
from typing import Any

import pytest
from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # libpass has no types
from pydantic import SecretStr

from hyperx_glance import InvalidRequestError, LaunchRequest
from hyperx_glance.launching import passwords
from hyperx_glance.launching.passwords import draw_password, hash_password

CLASSES = (string.ascii_uppercase, string.ascii_lowercase, string.digits, string.punctuation)


def test_drawn_passwords_satisfy_linux_and_windows_complexity() -> None:
    for _ in range(1000):
        password = draw_password()
        assert len(password) == 20
        assert all(any(character in letters for character in password) for letters in CLASSES)
        assert not set(password) & set("Il1O0\"'`\\$&%^!<>|; ")


def test_no_password_is_drawn_twice() -> None:
    assert len({draw_password() for _ in range(1000)}) == 1000


def test_passwords_come_from_the_system_s_own_randomness(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def choice(letters: str) -> str:
        drawn.append(letters)
        return letters[0]

    monkeypatch.setattr("secrets.choice", choice)
    draw_password()
    assert len(drawn) == passwords.LENGTH


@pytest.mark.parametrize("password", ["p", "Correct horse 7", "pässwörd", "密码-123", "x" * 127])
def test_the_hash_verifies_and_differs_each_time(password: str) -> None:
    first, second = hash_password(password), hash_password(password)
    assert first != second
    assert first.startswith("$6$rounds=100000$")
    assert sha512_crypt.verify(password, first)
    assert not sha512_crypt.verify(password + "x", first)


@pytest.mark.parametrize("veiled", [str, SecretStr])
@pytest.mark.parametrize("password", ["", "x" * 128, "a\nb", "a\0b", "\x1b[A", "tab\there"])
def test_a_password_that_no_prompt_takes_is_refused_without_showing_it(password: str, veiled: type[Any]) -> None:
    with pytest.raises(InvalidRequestError, match=r"^admin_password: ") as caught:
        LaunchRequest(name="web", flavor="m1.tiny", admin_password=veiled(password))
    assert ("1 to 127 printable characters" in str(caught.value)) is ("\0" not in password)
    assert not password or password not in str(caught.value)
