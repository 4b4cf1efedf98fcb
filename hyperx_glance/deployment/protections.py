"""Glance's property protections: who may create, read, update and delete which image property.

>>> import configparser
>>> from hyperx_glance.deployment.protections import property_protections
>>> rules = configparser.ConfigParser()
>>> rules.read_string(property_protections())
>>> rules.sections()
['^hyperx_featured$', '.*']
>>> dict(rules["^hyperx_featured$"])
{'create': 'admin', 'read': '@', 'update': 'admin', 'delete': '@'}
"""

from hyperx_glance import vocabulary

_OF_ONE_RECORD = ("featured_flag", "created_by", "edited_by", "url", "url_stripped", "checksum_wanted", "failure")
NOT_INHERITED = tuple(vocabulary.glance_key(field) for field in _OF_ONE_RECORD)
"""Properties that tell of one record alone: what Nova or Cinder makes from its servers and volumes must not carry them.

Nova copies an image's properties onto the snapshots of its servers (nova/compute/utils.py,
initialize_instance_snapshot_metadata), Cinder onto images made of its volumes (cinder/volume/api.py,
_merge_volume_image_meta). Both act as the member, so a copied flag makes Glance refuse the whole snapshot.
"""
_NOVA_DEFAULTS = ("cache_in_nova", "bittorrent")
_CINDER_DEFAULTS = (
    "checksum", "container_format", "disk_format", "image_name", "image_id", "min_disk", "min_ram", "name", "size",
)  # fmt: skip


def property_protections() -> str:
    """Give the text of the file that Glance's option ``property_protection_file`` names.

    With it an administrator alone makes an image FEATURED; its department may take the flag off. Everything else stays
    as it is without the file, whatever a deployment calls its roles: "@" is everybody, and who may change an image at
    all is Glance's policy (glance/common/property_utils.py, check_property_rules).
    """
    flag = vocabulary.glance_key("featured_flag")
    return f"""\
# Property protections for HYPERX image management.
#
# glance-api.conf:
#   [DEFAULT]
#   property_protection_file = the path of this file
#   property_protection_rule_format = roles
# nova.conf, or snapshots of servers launched from a FEATURED image are refused:
#   [DEFAULT]
#   non_inheritable_image_properties = {",".join((*_NOVA_DEFAULTS, *NOT_INHERITED))}
# cinder.conf, or images made of such volumes are refused:
#   [DEFAULT]
#   glance_core_properties = {",".join((*_CINDER_DEFAULTS, *NOT_INHERITED))}
#
# The first section that matches counts. Glance refuses a property that no section matches to everybody, administrators
# included: keep [.*] the last section.

[^{flag}$]
create = admin
read = @
update = admin
delete = @

[.*]
create = @
read = @
update = @
delete = @
"""
