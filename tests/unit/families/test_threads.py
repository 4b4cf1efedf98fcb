"""What people asked of tools that rotate images by renaming them: one scenario for each thread.

The threads are issues of osism/openstack-image-manager.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Category
from tests.support.interference import Interference, interrupt
from tests.support.releases import PAST, family, names, nightly, released, settled

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.testing import InMemoryCloud
    from tests.support.clouds import ClientFactory


def shown(client: Client, of: str) -> list[str]:
    """Return the versions that an ordinary list of another department shows."""
    return [image.version for image in client.images(family=of)]


def test_15_old_images_are_removed(client: ClientFactory, cloud: InMemoryCloud) -> None:
    """#15: Implement removal of old images."""
    of, alice = family(), client("alice")
    old, *_ = released(alice, of, "1", "2", "3", "4")
    alice.retire(of, keep=3, delete=True)
    alice.retire(of, keep=3, delete=True)

    assert cloud.glance.image(old.id) is None
    assert [image.version for image in alice.releases(of)] == ["4", "3", "2"]


def test_503_rotated_images_are_hidden_from_everybody(client: ClientFactory) -> None:
    """#503: After a rotation the older image had the right name, and stayed in everybody's lists."""
    of, alice = family(), client("alice")
    released(alice, of, "20221205-1220", "20221219-1234", category="public")

    assert shown(client("bob"), of) == ["20221219-1234"]
    assert names(alice, of) == settled(of, "20221219-1234", "20221205-1220")
    assert {image.category for image in alice.releases(of)} == {Category.PUBLIC}, "older ones are launched by their ids"


def test_568_the_last_three_are_kept(client: ClientFactory, cloud: InMemoryCloud) -> None:
    """#568: Every image but the latest was deactivated, although the last three were to be kept."""
    of, alice = family(), client("alice")
    for number in range(1, 6):
        alice.release(nightly(of), family=of, version=str(number), keep=3)
    for each in alice.releases(of)[3:]:
        cloud.glance.images[each.id].properties["hyperx_deprecated_at"] = PAST
    alice.retire(of, keep=3, obsolete_after=timedelta(days=1))

    states = {image.version: (image.state, image.lifecycle) for image in alice.releases(of)}
    assert [states[version] for version in "543"] == [("ACTIVE", "current")] * 3
    assert [states[version] for version in "21"] == [("INACTIVE", "obsolete")] * 2


@pytest.mark.parametrize("order", list(itertools.permutations(["1.9", "1.10", "1.11"])))
def test_1278_the_new_image_is_shown_and_the_old_ones_are_hidden(client: ClientFactory, order: tuple[str, ...]) -> None:
    """#1278: With os_hidden, the new image was hidden, and the renamed old ones stayed visible."""
    of, alice = family(), client("alice")
    released(alice, of, *order, category="public")

    assert shown(client("bob"), of) == ["1.11"]
    assert names(alice, of) == settled(of, "1.11", "1.10", "1.9")


def test_438_families_do_not_hide_each_other(client: ClientFactory) -> None:
    """#438: With Debian 11 there, Debian 10 was hidden, too: the names began alike."""
    of, alice = family(), client("alice")
    released(alice, f"{of}-10", "1", "2")
    released(alice, f"{of}-11", "1")
    alice.retire(f"{of}-11", keep=1, delete=True)

    assert (alice.latest(f"{of}-10").version, alice.latest(f"{of}-11").version) == ("2", "1")
    assert alice.image(f"{of}-10").hidden is False


def test_453_a_release_that_was_interrupted_is_not_taken_for_an_old_one(client: ClientFactory) -> None:
    """#453: Images were to be deleted right after their upload."""
    of, alice, crashing = family(), client("alice"), client("alice")
    released(alice, of, "1")
    Interference(crashing).before("PATCH", "/images/", interrupt)
    with pytest.raises(KeyboardInterrupt):
        released(crashing, of, "2")

    assert {each.action for each in alice.retire(of, keep=1, delete=True)} == {"kept", "skipped"}
    assert released(alice, of, "2")[0].id == alice.latest(of).id
