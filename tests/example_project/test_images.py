"""The tests of a project that has only the installed package: its fixtures are there, and so is the server."""

import openstack


def test_an_image_of_our_project(hyperx_cloud, hyperx_client):
    hyperx_cloud.glance.add_image(owner="dept-a", name="debian-12", status="active", os_distro="debian")
    assert [image.name for image in hyperx_client.images(os_distro="debian")] == ["debian-12"]


def test_openstacksdk_reaches_it_too(hyperx_cloud):
    with hyperx_cloud, openstack.connect(**hyperx_cloud.auth("alice")) as connection:
        server = connection.compute.create_server(
            name="web",
            flavor_id=connection.compute.find_flavor("m1.tiny").id,
            image_id=hyperx_cloud.glance.add_image(name="disk", status="active", size=1),
            networks="auto",
        )
        assert connection.compute.wait_for_server(server, interval=0).status == "ACTIVE"
