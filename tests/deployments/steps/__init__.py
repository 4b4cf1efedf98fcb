"""The steps of the story, in their order."""

import importlib

for chapter in ("looking", "registering", "browsing", "editing", "quotas", "launching", "deleting"):
    importlib.import_module(f"{__name__}.{chapter}")
