"""Launch servers from images and ISOs: one or many, within quota, never twice.

    >>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny", count=2))
    >>> [(server.name, server.status) for server in launch.servers]
    [('web-1', 'ACTIVE'), ('web-2', 'ACTIVE')]
    >>> launch.cancel()

`order` is what servers carry of a launch, `plan` makes the request, `passwords`, `user_data` and `cloud_config` are
parts of it (all pure). `servers` speaks to the services, `checking` asks them before anything exists, `starting` sends
the one request, `following` does the rest, `handle` is what the caller holds, `finding` finds a launch again,
`resetting` sets a new password, `choosing` lists what a form offers.
"""

from hyperx_glance.launching.choosing import availability_zones, flavors, key_pairs, networks
from hyperx_glance.launching.finding import find_launch, launches
from hyperx_glance.launching.handle import Launch
from hyperx_glance.launching.resetting import reset_password
from hyperx_glance.launching.starting import launch

__all__ = [
    "Launch",
    "availability_zones",
    "find_launch",
    "flavors",
    "key_pairs",
    "launch",
    "launches",
    "networks",
    "reset_password",
]
