"""Checks of the catalogues of texts, and their compilation."""

RELEASED: frozenset[str] = frozenset()
"""Codes that a release has: they are never renamed, and never used for anything else. A release adds its new ones."""
