"""``openstack hyperx ...``: a plug-in of the ``openstack`` command, installed with the extra [cli].

>>> from hyperx_glance.cli.words import title
>>> [title(field, "zh") for field in ("name", "created_at", "password_enabled")]
['名称', '创建日期', '密码启用']

The modules convert arguments to request models, call the `Client`, and convert its results to columns. They decide
nothing: the command line allows exactly what the library allows.
"""
