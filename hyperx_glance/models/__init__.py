"""Models that verbs accept and return: frozen pydantic models, a module for each subject.

    >>> from hyperx_glance import Image, NewImage
    >>> record = (
    ...     b'{"id": "7c1", "name": "debian", "status": "active", "disk_format": "qcow2", "visibility": "community"}'
    ... )
    >>> image = Image.model_validate_json(record)
    >>> image.name, image.state, image.category, image.phase
    ('debian', <State.ACTIVE: 'ACTIVE'>, <Category.PUBLIC: 'public'>, <Phase.READY: 'ready'>)
    >>> NewImage(name="", url="http://files.example/debian.qcow2")
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: name: must not be empty

Reading is tolerant: an image that another tool made has defaults for missing values. Writing is strict: a request
model built from invalid values raises `InvalidRequestError`; inside another pydantic model, the same mistakes are
ordinary validation errors with their location.
"""
