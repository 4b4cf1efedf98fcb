"""An image is taken back while the other department accepts it all the time, on real services."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import pytest

from hyperx_glance import Client
from tests.support.clouds import PATIENT, REGION, own_session
from tests.support.records import IMAGE, make_image

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud

ROUNDS: Final = 20


class Insistent:
    """Members of the other department who accept an image all the time, in threads of their own."""

    def __init__(self, cloud: LocalCloud, image_id: str, department: str, *, people: int) -> None:
        self._cloud = cloud
        self._path = f"/v2/images/{image_id}/members/{department}"
        self._end = threading.Event()
        self._begun = threading.Barrier(people + 1)
        self._threads = [threading.Thread(target=self._insist) for _ in range(people)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()
        self._begun.wait(30)

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _insist(self) -> None:
        session = own_session(self._cloud.session("bob"))
        session.get_token()
        self._begun.wait(30)
        status = 0
        while not self._end.is_set():
            status ^= 1
            answer = {"status": ("pending", "accepted")[status]}
            session.put(self._path, json=answer, endpoint_filter=IMAGE, raise_exc=False)


@pytest.mark.parametrize("withdraw", ["unshare", "update"])
def test_an_image_that_is_taken_back_stays_so_although_the_member_insists(
    local_cloud: LocalCloud, withdraw: str
) -> None:
    alice = Client.from_session(local_cloud.session("alice"), region_name=REGION, settings=PATIENT)
    bob, carol = (str(local_cloud.session(user).get_project_id()) for user in ("bob", "carol"))
    image_id = make_image(local_cloud)
    seen = []
    for _ in range(ROUNDS):
        alice.share(image_id, bob)
        with Insistent(local_cloud, image_id, bob, people=2):
            if withdraw == "unshare":
                alice.unshare(image_id, bob)
            else:
                alice.update(image_id, category="private")
        shared = alice.share(image_id, carol)
        answer = local_cloud.session("bob").get(f"/v2/images/{image_id}", endpoint_filter=IMAGE, raise_exc=False)
        seen.append((answer.status_code, [share.department_id for share in shared]))
        alice.unshare(image_id, carol)
    alice.delete(image_id)

    assert seen == [(404, [carol])] * ROUNDS
