"""What departments use and may use, and how administrators set it.

    >>> client.quota().instances
    Usage(used=0, limit=..., remaining=...)
    >>> client.quota().images.remaining is None
    False

A department is a Keystone project. Its limits are kept by three services: images in Keystone's unified limits, which
Glance enforces; servers in Nova; volumes in Cinder.

`resources` holds the services' words in one table, `refusals` reads what they say when a limit is exceeded, `room`
counts: all three are pure. `reading` and `setting` ask and tell the services, both through `image_limits` where it is
about Keystone's. The package itself imports nothing: the command line needs the words alone.
"""
