"""Glance's property protections: who may create, read, update and delete which image property.

>>> import configparser
>>> from hyperx_glance.deployment.protections import property_protections
>>> rules = configparser.ConfigParser()
>>> rules.read_string(property_protections())
>>> rules.sections()
['^hyperx_featured$', '^hyperx_created_by$', '.*']
>>> dict(rules["^hyperx_featured$"])
{'create': 'admin', 'read': '@', 'update': 'admin', 'delete': '@'}
>>> dict(rules["^hyperx_created_by$"])
{'create': '@', 'read': '@', 'update': 'admin', 'delete': 'admin'}
"""

from hyperx_glance import vocabulary

NOT_INHERITED = tuple(field.key for field in vocabulary.FIELDS if not field.inherited)
"""Properties that are true of one record only; images made of its servers and volumes must not have them.

Nova copies an image's properties onto the snapshots of its servers (nova/compute/utils.py,
initialize_instance_snapshot_metadata), Cinder onto images made of its volumes (cinder/volume/api.py,
_merge_volume_image_meta). Both act as the member, so a copied flag makes Glance refuse the whole snapshot. With the
other properties, a copy looks like an unfinished registration.
"""
NOVA_OPTION = ",".join(("cache_in_nova", "bittorrent", *NOT_INHERITED, vocabulary.OWNER_NOTE_KEY))
"""``[DEFAULT] non_inheritable_image_properties`` of nova.conf: its default and ours.

The last one makes Nova share each snapshot with a department (nova/image/glance.py, create).
"""
_OF_A_CAPTURE = tuple(vocabulary.glance_key(field) for field in ("captured_from", "capture_id"))
"""Cinder must keep these: it would drop them from the image of a captured server on volumes, too."""
CINDER_OPTION = ",".join(
    (
        *(
            "checksum",
            "container_format",
            "disk_format",
            "image_name",
            "image_id",
            "min_disk",
            "min_ram",
            "name",
            "size",
        ),
        *(key for key in NOT_INHERITED if key not in _OF_A_CAPTURE),
        vocabulary.VOLUMES_KEY,
        vocabulary.VOLUMES_MARK,
        "mappings",
    )
)
"""``[DEFAULT] glance_core_properties`` of cinder.conf: its default and ours.

The last ones name disks and volumes that Nova makes for each server. Nova does not copy them (nova/utils.py,
SM_SKIP_KEYS; nova/compute/api.py, snapshot_volume_backed).
"""


def property_protections() -> str:
    """Return the content of the file for Glance's option ``property_protection_file``.

    With this file, only an administrator can make an image FEATURED; its department may remove the flag. The property
    that says who registered an image is written when the image is created, and only an administrator may change it.
    Everything else works as without the file, regardless of a deployment's roles: "@" means all users, and Glance's
    policy decides who may change an image at all (glance/common/property_utils.py, check_property_rules).
    """
    flag, creator = (vocabulary.glance_key(field) for field in ("featured_flag", "created_by"))
    return f"""\
# Property protections for HYPERX image management.
#
# glance-api.conf:
#   [DEFAULT]
#   property_protection_file = the path of this file
#   property_protection_rule_format = roles
# nova.conf; without this, Glance refuses snapshots of servers launched from a FEATURED image, and other snapshots claim
# a URL and a checksum that are not theirs:
#   [DEFAULT]
#   non_inheritable_image_properties = {NOVA_OPTION}
# cinder.conf; without this, the same happens to images made of volumes, which then look like unfinished registrations:
#   [DEFAULT]
#   glance_core_properties = {CINDER_OPTION}
# nova.conf and cinder.conf: the user of [service_user] has the role service and not the role admin. Glance adds the
# roles of that user to the caller's (glance/common/property_utils.py, check_property_rules), so that a member could
# set the flag through Nova's createImage.
#
# The first matching section applies. Glance refuses a property that no section matches to all users, including
# administrators: keep [.*] as the last section.

[^{flag}$]
create = admin
read = @
update = admin
delete = @

[^{creator}$]
create = @
read = @
update = admin
delete = admin

[.*]
create = @
read = @
update = @
delete = @
"""
