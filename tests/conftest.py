"""Fixtures that every kind of test shares."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
hypothesis.settings.load_profile("default")
