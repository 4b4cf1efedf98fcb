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
"""Properties that tell of one record alone: what Nova or Cinder makes from its servers and volumes must not carry them.

Nova copies an image's properties onto the snapshots of its servers (nova/compute/utils.py,
initialize_instance_snapshot_metadata), Cinder onto images made of its volumes (cinder/volume/api.py,
_merge_volume_image_meta). Both act as the member, so a copied flag makes Glance refuse the whole snapshot. With the
other words a copy looks like a registration that nobody finished.
"""
NOVA_OPTION = ",".join(("cache_in_nova", "bittorrent", *NOT_INHERITED))
"""``[DEFAULT] non_inheritable_image_properties`` of nova.conf: its default and ours."""
_OF_A_CAPTURE = tuple(vocabulary.glance_key(field) for field in ("captured_from", "capture_id"))
"""Cinder may not drop them: it would drop them from the image of a captured server on volumes, too."""
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
    """Give the text of the file that Glance's option ``property_protection_file`` names.

    With this file, only an administrator makes an image FEATURED; its department may take the flag off. Who registered
    an image is written when it is created, and only an administrator may change it. Everything else stays as it is
    without the file, whatever roles a deployment has: "@" means everybody, and Glance's policy decides who may change
    an image at all (glance/common/property_utils.py, check_property_rules).
    """
    flag, creator = (vocabulary.glance_key(field) for field in ("featured_flag", "created_by"))
    return f"""\
# Property protections for HYPERX image management.
#
# glance-api.conf:
#   [DEFAULT]
#   property_protection_file = the path of this file
#   property_protection_rule_format = roles
# nova.conf, or snapshots of servers launched from a FEATURED image are refused, and others claim a URL and a checksum
# that are not theirs:
#   [DEFAULT]
#   non_inheritable_image_properties = {NOVA_OPTION}
# cinder.conf, or the same befalls images made of volumes; resume_registration takes them for unfinished ones:
#   [DEFAULT]
#   glance_core_properties = {CINDER_OPTION}
# nova.conf and cinder.conf: the user of [service_user] has the role service and not the role admin. Glance adds the
# roles of that user to the caller's (glance/common/property_utils.py, check_property_rules), so that a member could
# set the flag through Nova's createImage.
#
# The first section that matches counts. Glance refuses a property that no section matches to everybody, administrators
# included: keep [.*] the last section.

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
