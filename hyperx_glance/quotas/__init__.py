"""Quotas of departments: what they use and may use, and how administrators set limits.

    >>> client.quota().instances
    Usage(used=0, limit=..., remaining=...)
    >>> client.quota().images.remaining is None
    False

A department is a Keystone project. Three services keep its limits: Keystone keeps the unified limits of images, which
Glance enforces, Nova those of servers, and Cinder those of volumes.

`resources` is the table of the services' words, `refusals` reads their messages when a limit is exceeded, and `room`
counts: all three are pure. `reading` reads limits and usage, and `setting` sets limits; both use `image_limits` for
Keystone's. The package itself imports nothing, since the command line needs only the words.
"""
