"""The bases of a client: a keystoneauth session, an openstacksdk connection, or keywords for one.

>>> from hyperx_glance.cloud.connecting import is_session
>>> is_session("admin")
'must be a keystoneauth1 Session, not str'
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.session import Session

from hyperx_glance.arguments import must_be
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import NO_TEXT, Text, say

if TYPE_CHECKING:
    from openstack.connection import Connection


# ----------------------------------------------------------------- sessions and connections


def is_session(value: object) -> Text:
    """Return why this is not a session; if it is a connection, name the method that takes one."""
    if isinstance(value, Session):
        return NO_TEXT
    return must_be("must-be-a-session" if is_connection(value) else "must-be-a-session-not-a-connection", value)


def is_connection(value: object) -> Text:
    """Return why this is not a connection; if it is a session, name the method that takes one."""
    sdk = sys.modules.get("openstack.connection")  # if it is not imported, nothing is a connection
    if sdk is not None and isinstance(value, sdk.Connection):
        try:
            with _configured():
                value.session  # noqa: B018  # openstacksdk makes it at the first access, and reads time-outs then
        except InvalidRequestError as error:
            return error.message
        return NO_TEXT
    session = isinstance(value, Session)
    return must_be("must-be-a-connection-not-a-session" if session else "must-be-a-connection", value)


def is_steward(value: object) -> Text:
    """Return why this is neither a session nor a connection."""
    if not is_session(value) or not is_connection(value):
        return NO_TEXT
    return must_be("must-be-a-session-or-a-connection", value)


# ----------------------------------------------------------------- configuration


def open_connection(cloud: str | None, keywords: Mapping[str, object]) -> Connection:
    """Connect through openstacksdk: clouds.yaml, ``OS_*`` variables, keywords; no request is sent yet.

    openstacksdk and the authentication plugin judge the keywords. They ignore unknown ones, except in ``auth``.
    """
    import openstack  # noqa: PLC0415  # half a second that a session does not need

    with _configured():
        connection = openstack.connect(cloud=cloud, **keywords)  # type: ignore[arg-type]  # its keywords are any
        connection.session  # noqa: B018  # as above
    return connection


@contextlib.contextmanager
def _configured() -> Iterator[None]:
    """Translate errors of openstacksdk about its configuration, whose types it does not check."""
    from openstack import exceptions  # noqa: PLC0415  # as long

    try:
        yield
    except (exceptions.ConfigException, keystone_exceptions.ClientException) as error:
        raise InvalidRequestError(
            say("cloud-not-configured"), explanation=str(error), hint=say("name-a-cloud-or-credentials")
        ) from error
    except (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        # The text of such an error may contain a password, except that of an unknown keyword.
        unknown = re.search(r"unexpected keyword argument '\w+'", str(error))
        problem = type(error).__name__
        message = say("sdk-refused-the-configuration", problem=problem)
        if unknown:
            message = say("sdk-refused-a-keyword", problem=problem, keyword=unknown[0])
        raise InvalidRequestError(message, hint=say("check-the-configuration")) from error
