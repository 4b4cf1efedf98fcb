"""Checks of the catalogues of texts, and their compilation."""

from pathlib import Path

LIST = Path(__file__).with_name("released.txt")
RELEASED = {line.split()[0]: frozenset(line.split()[1:]) for line in LIST.read_text(encoding="utf-8").splitlines()}
"""Codes that a release has, with the names of their values: they are never renamed or used for anything else.

``python -m tests.texts release`` adds the new ones.
"""
