"""A program that finds its cloud as every OpenStack client does, and prints the names of the images there."""

import openstack

for image in openstack.connect().image.images():
    print(image.name)
