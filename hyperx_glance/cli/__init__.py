"""``openstack hyperx ...``: a plug-in of the ``openstack`` command, installed with the extra [cli].

>>> from hyperx_glance.cli.words import title
>>> [title(field, "zh") for field in ("name", "created_at", "password_enabled")]
['名称', '创建日期', '密码启用']

The modules turn arguments into request models, call the `Client`, and turn what it gives into columns. Nothing is
decided here: what the library allows, the command line allows.
"""
