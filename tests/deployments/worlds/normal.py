"""The normal world: the local cloud as it is, and what is refused even there."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import World

NORMAL: Final = World(
    name="normal",
    tenth=True,
    refused={
        "a stranger lists images": "not-allowed",
        "a stranger reads the published image": "not-allowed",
        "a reader registers an image": "not-allowed",
        "a member registers nonsense": "url-is-a-page",
        "a reader downloads an image": "not-allowed",
        "a reader edits an image": "not-allowed",
        "another department edits the published image": "of-another-department-no-steward",
        "a member features an image": "only-administrators-feature",
        "a member deletes a protected image": "image-protected",
        "a member sets a quota": "only-administrators-set-quotas",
        "a member registers beyond the limit of images": "quota-exceeded",
        "a reader launches a server": "not-allowed",
        "a member asks for a flavor that is not there": "none-of-a-name",
        "a member launches beyond the quota": "quota-exceeded-for-several",
        "another department deletes the published image": "not-allowed",
        "a reader deletes an image": "not-allowed",
    },
)
