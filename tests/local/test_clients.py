"""The clients that the local cloud gives: of its users, for files on loopback."""

from __future__ import annotations

import pytest

from hyperx_glance import Client, NewImage
from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.local import LocalCloudError
from tests.support.file_server import FileServer


def test_client_trusts_files_on_loopback(local_cloud: LocalCloud, file_server: FileServer) -> None:
    url = file_server.serve("/disk.raw", bytes(4096))
    with local_cloud.client("bob", page_size=7) as bob:
        image = bob.register(NewImage(name="disk", url=url, disk_format="raw"))

        assert (image.size, image.owner) == (4096, bob.project_id)
        assert (bob.settings.page_size, bob.settings.url_policy.trusted_hosts) == (7, ("127.0.0.1",))


def test_client_of_an_unknown_user_is_refused(local_cloud: LocalCloud) -> None:
    with pytest.raises(LocalCloudError, match="unknown user: alcie"):
        local_cloud.client("alcie")


def test_client_of_the_fixture_is_one_of_the_real_services(hyperx_local_client: Client) -> None:
    assert [flavor.name for flavor in hyperx_local_client.flavors()] == ["m1.tiny", "m1.small"]
    assert hyperx_local_client.settings.url_policy.trusted_hosts == ("127.0.0.1",)
