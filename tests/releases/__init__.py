"""OpenStack releases that the tests run on in addition to the one that `setup.cfg` pins.

Each text file here has the versions of one release: upstream's upper constraints of that release, setuptools with
pkg_resources, and cheroot, which serves them.
"""
