"""Administrators' passwords, drawn and hashed.

>>> from hyperx_glance.launching.passwords import draw_password, hash_password
>>> len(draw_password())
20
>>> hash_password("correct horse").startswith("$6$rounds=100000$")
True
"""

import secrets
import string

from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # libpass has no types
from pydantic import SecretStr

LENGTH = 20
# Without characters that look alike, or that are special in a shell, a URL, YAML or a Windows batch file.
CLASSES = (
    "".join(letter for letter in string.ascii_uppercase if letter not in "IO"),
    "".join(letter for letter in string.ascii_lowercase if letter not in "lo"),
    "23456789",
    "-_=+.,:@#*?",
)
ROUNDS = 100_000
"""20 times the default, to slow guessing: local users of the guest can read the hash in the user data."""


class UnpickledPassword(SecretStr):
    """Password on an exception of this process; None in a pickle of the exception, which may go anywhere."""

    def __reduce__(self) -> tuple[object, ...]:
        return type(None), ()


def draw_password() -> str:
    """Draw a password that satisfies the complexity rules of Linux (pwquality) and Windows.

    All four classes occur; Windows requires three of them and at least 7 characters.
    """
    characters = [secrets.choice(letters) for letters in CLASSES]
    characters += [secrets.choice("".join(CLASSES)) for _ in range(LENGTH - len(CLASSES))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def hash_password(password: str) -> str:
    """Hash a password with SHA-512 crypt, which the libc of every Linux guest supports."""
    hashed: str = sha512_crypt.using(rounds=ROUNDS).hash(password)
    return hashed
