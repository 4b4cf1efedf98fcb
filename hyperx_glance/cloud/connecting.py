"""What a client is made of: a keystoneauth session, an openstacksdk connection, or words for one.

>>> from hyperx_glance.cloud.connecting import is_session
>>> is_session("admin")
'must be a keystoneauth1 Session, not str'
"""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.session import Session

from hyperx_glance.arguments import needed
from hyperx_glance.errors import InvalidRequestError

if TYPE_CHECKING:
    from openstack.connection import Connection

_OPTIONS = frozenset({
    # openstack.connect and what it passes on (openstack/__init__.py, openstack/config/__init__.py, loader.py)
    "app_name", "app_version", "argparse", "auth", "auth_type", "cloud", "load_envvars", "load_yaml_config", "options",
    "profile", "region_name", "service_key", "validate",
    # one cloud's configuration (openstack/config/schema.json, defaults.json, cloud_region.py)
    "additional_user_agents", "api_timeout", "auth_methods", "auth_plugin", "cacert", "cert", "connect_retries",
    "connect_retry_delay", "default_interface", "default_microversion", "disable_vendor_agent", "endpoint_type",
    "external_network", "floating_ip_source", "force_ipv4", "image_api_use_tasks", "image_format", "insecure",
    "interface", "internal_network", "key", "message", "metrics", "networks", "prefer_ipv6", "regions",
    "requires_floating_ip", "retriable_status_codes", "secgroup_source", "status", "status_code_retries",
    "status_code_retry_delay", "timeout", "timing", "use_external_network", "use_internal_network", "vendor_hook",
    "verify",
})  # fmt: skip
_OF_ONE_SERVICE = re.compile(
    r"has_\w+|\w+_(api_version|connect_retries|connect_retry_delay|default_microversion|endpoint|endpoint_override"
    r"|endpoint_type|interface|max_version|min_version|region_name|retriable_status_codes|service_name|service_type"
    r"|status_code_retries|status_code_retry_delay|timeout)"
)
"""What a service has of its own (openstack/config/cloud_region.py, _get_config; loader.py, for the time-outs)."""
PLUGIN_NAMESPACE = "keystoneauth1.plugin"
_SPELLINGS = frozenset({"auth_token"})
"""What openstacksdk rewrites and no plugin knows (openstack/config/loader.py, _fix_backwards_auth)."""


# ----------------------------------------------------------------- what is given


def is_session(value: object) -> str:
    """Take a session; say where a connection belongs."""
    if isinstance(value, Session):
        return ""
    problem = needed("a keystoneauth1 Session", value)
    return problem if is_connection(value) else f"{problem}; Client.from_connection takes that"


def is_connection(value: object) -> str:
    """Take a connection; say where a session belongs."""
    sdk = sys.modules.get("openstack.connection")  # where it is not imported, nothing is a connection
    if sdk is not None and isinstance(value, sdk.Connection):
        try:
            with _configured():
                value.session  # noqa: B018  # openstacksdk makes it when it is asked for, and reads time-outs then
        except InvalidRequestError as error:
            return error.message
        return ""
    problem = needed("an openstacksdk Connection", value)
    return f"{problem}; Client.from_session takes that" if isinstance(value, Session) else problem


def is_steward(value: object) -> str:
    """Take either."""
    if not is_session(value) or not is_connection(value):
        return ""
    return needed("a keystoneauth1 Session or an openstacksdk Connection", value)


# ----------------------------------------------------------------- what is configured


def open_connection(cloud: str | None, keywords: Mapping[str, object]) -> Connection:
    """Connect through openstacksdk: clouds.yaml, ``OS_*`` variables, keywords; nothing is asked of the cloud yet."""
    import openstack  # noqa: PLC0415  # half a second that a session does not need

    _check(keywords)
    with _configured():
        connection = openstack.connect(cloud=cloud, **keywords)  # type: ignore[arg-type]  # its keywords are any
        connection.session  # noqa: B018  # as above
    return connection


@contextlib.contextmanager
def _configured() -> Iterator[None]:
    """Translate what openstacksdk raises about its configuration; it checks no types."""
    from openstack import exceptions  # noqa: PLC0415  # as long

    try:
        yield
    except (exceptions.ConfigException, keystone_exceptions.ClientException) as error:
        raise InvalidRequestError(
            f"The cloud is not configured: {error}",
            hint="Name a cloud of clouds.yaml, or give auth_url and credentials.",
        ) from error
    except (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        # The text of such an error may hold a password, but not that of an unknown word.
        unknown = re.search(r"unexpected keyword argument '\w+'", str(error))
        raise InvalidRequestError(
            f"The cloud is not configured: openstacksdk ends in {type(error).__name__}"
            f"{f', {unknown[0]}' if unknown else ''}.",
            hint="Look for a misspelt word, or a value of a wrong type, in clouds.yaml, OS_* variables and keywords.",
        ) from error


def _check(keywords: Mapping[str, object]) -> None:
    """Refuse words that neither openstacksdk nor any authentication plugin knows: they would count for nothing."""
    plugins = _plugin_options()
    problems = list(_unknown(keywords, plugins | _OPTIONS, place=""))
    auth = keywords.get("auth")
    if isinstance(auth, Mapping):
        problems += _unknown(auth, plugins, place="auth.")
    elif auth is not None:
        problems.append(f"auth: {needed('a dictionary', auth)}")
    if problems:
        raise InvalidRequestError("\n".join(problems))


def _unknown(words: Iterable[object], known: frozenset[str], *, place: str) -> Iterable[str]:
    for word in words:
        if not isinstance(word, str):
            yield f"{place or 'keyword'}: {needed('a string', word)}"
            continue
        plain = word.replace("-", "_").removeprefix("os_")
        if plain in known or (not place and _OF_ONE_SERVICE.fullmatch(plain)):
            continue
        near = difflib.get_close_matches(plain, sorted(known), n=1)
        yield f"{place}{ascii(word)[1:-1]}: there is no such keyword{f'; did you mean {near[0]}?' if near else ''}"


def _plugin_options() -> frozenset[str]:
    """Give the options of every authentication plugin that can be used here, whatever it is called.

    keystoneauth's own list of them logs an error for each one whose libraries are not installed.
    """
    from stevedore import ExtensionManager  # noqa: PLC0415  # only `connect` needs it

    plugins = ExtensionManager(PLUGIN_NAMESPACE, invoke_on_load=True, on_load_failure_callback=lambda *_: None)
    options = [option for plugin in plugins for option in plugin.obj.get_options()]
    every = [*options, *(old for option in options for old in option.deprecated)]
    return _SPELLINGS | {option.dest for option in every}
