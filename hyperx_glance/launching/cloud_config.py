r"""Cloud-config: the one that sets the administrator's password, and the check that the caller's sets no other.

>>> from hyperx_glance.launching.cloud_config import Part, password_config
>>> own = Part("text/cloud-config", b"#cloud-config\nssh_pwauth: false\n")
>>> import yaml
>>> yaml.safe_load(password_config([own], user="root", password_hash="$6$salt$hash"))["chpasswd"]["list"]
['root:$6$salt$hash']

Pure functions, in time and memory that are bounded before anything is parsed.
What becomes cloud-config in the guest only (a template, an include) is left to cloud-init's merging.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import NO_TEXT, Text, field_name, say

CLOUD_CONFIG = "text/cloud-config"
UNREADABLE = frozenset(
    {
        "text/cloud-config-archive",
        "text/cloud-config-jsonp",
        "text/jinja2",
        "text/x-include-once-url",
        "text/x-include-url",
    }
)
MERGE_HEADERS = frozenset({"merge-type", "x-merge-type"})
MERGE_KEYS = frozenset({"merge_how", "merge_type"})
PASSWORD_KEYS = frozenset({"passwd", "hashed_passwd", "plain_text_passwd"})
ALWAYS_THERE = "root"
LARGEST_CONFIG = 256 * 1024
"""The number of bytes of cloud-config that are parsed: PyYAML takes about ten seconds for a MiB."""
DEEPEST = 50
MOST_ALIASES = 100
LONGEST_INTEGER = 100

_Mapping = Mapping[object, object]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the caller's user data; ``headers`` are the names of its MIME headers in lower case."""

    content_type: str
    data: bytes
    headers: frozenset[str] = frozenset()


def wrong_user_data(problem: Text, *, hint: Text = NO_TEXT, explanation: str = "") -> InvalidRequestError:
    """Return the error for user data that the launch cannot use."""
    message = say("wrong-field", field=field_name("user_data"), problem=problem)
    return InvalidRequestError(message, hint=hint, explanation=explanation)


def password_config(parts: Iterable[Part], *, user: str, password_hash: str) -> str:
    """Build the cloud-config that comes after the caller's parts and sets the user's password.

    JSON is YAML. ``users`` needs cloud-init 22.3; older ones (openEuler 22.03, CentOS 7) read ``list``, which newer
    ones still take. Raise `InvalidRequestError` if the caller's cloud-config sets passwords in the same way.
    """
    parts = tuple(parts)
    if sum(len(part.data) for part in parts if part.content_type == CLOUD_CONFIG) > LARGEST_CONFIG:
        raise wrong_user_data(say("cloud-config-too-long", most=LARGEST_CONFIG >> 10), hint=say("move-large-files"))
    read = [_load(part.data) for part in parts if part.content_type == CLOUD_CONFIG]
    for own in read:
        _check_passwords(own, user)
    config: dict[str, object] = {"ssh_pwauth": True}
    if _is_left_to_cloud_init(parts, read):
        config["merge_how"] = "dict(recurse_array,no_replace)+list(append)"
    else:
        # A later part replaces the top-level keys of an earlier one (cloudinit/handlers/cloud_config.py).
        merged = {key: value for own in read for key, value in own.items()}
        _check_account(merged, user)
        if "ssh_pwauth" in merged:
            del config["ssh_pwauth"]
    config["chpasswd"] = {
        "expire": False,
        "users": [{"name": user, "password": password_hash, "type": "hash"}],
        "list": [f"{user}:{password_hash}"],
    }
    return f"#cloud-config\n{json.dumps(config, indent=1)}\n"


# ----------------------------------------------------------------- reading


class _Loader(yaml.SafeLoader):
    """A loader that reads as cloud-init does, but leaves merge keys (<<) as they are, because nested ones grow.

    cloud-init uses the same loader. An alias of three letters can stand for any amount of data. So the number of
    aliases is bounded, and nothing here copies a list or a mapping, or writes one as a string. PyYAML's faster loader,
    from libyaml, ends the process if PyYAML is older than 6.0.4 and brackets are nested 50,000 deep.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._aliases += self.check_event(yaml.AliasEvent)
        if self._aliases > MOST_ALIASES:
            raise wrong_user_data(say("cloud-config-too-many-aliases", most=MOST_ALIASES))
        if self._depth == DEEPEST:
            raise wrong_user_data(say("cloud-config-too-deep", most=DEEPEST))
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        pass

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Refuse long integers: 1:1:1:1 is in base 60, and takes time quadratic in its length."""
        if len(node.value) > LONGEST_INTEGER:
            raise ValueError(f"{len(node.value)} digits")
        return super().construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:merge", lambda _loader, _node: "<<")
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _load(data: bytes) -> _Mapping:
    try:
        loaded = yaml.load(data.decode(), Loader=_Loader)  # noqa: S506  # it is a safe loader
    except (
        yaml.YAMLError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        # PyYAML raises errors other than its own for values that contradict their tags, such as "!!int x".
        if isinstance(error, InvalidRequestError):
            raise
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            raise wrong_user_data(say("cloud-config-not-yaml")) from None
        raise wrong_user_data(say("cloud-config-not-yaml-in-line", line=mark.line + 1)) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, Mapping):
        raise wrong_user_data(say("cloud-config-no-mapping"))
    if "<<" in loaded:
        raise wrong_user_data(say("cloud-config-merge-key"))
    return loaded


def _check_passwords(own: _Mapping, user: str) -> None:
    """Refuse a second source of passwords: versions of cloud-init handle two of them differently."""
    for key in "chpasswd", "password":
        if key in own:
            raise wrong_user_data(say("cloud-config-sets-passwords", key=key), hint=_hint())
    account = _accounts(own).get(user, {})
    if any(value and str(key).replace("-", "_").strip() in PASSWORD_KEYS for key, value in account.items()):
        raise wrong_user_data(say("cloud-config-sets-a-password", account=user), hint=_hint())


def _hint() -> Text:
    return say("set-passwords-elsewhere", field=field_name("admin_password"))


# ----------------------------------------------------------------- accounts


def _accounts(own: _Mapping) -> dict[str, _Mapping]:
    """Return the accounts that ``users`` and ``user`` make, with their settings (cloudinit/distros/ug_util.py)."""
    users = own.get("users")
    accounts: dict[str, _Mapping] = {}
    if isinstance(users, Mapping):
        for name, each in users.items():
            if each:
                accounts[_name(name)] = each if isinstance(each, Mapping) else {}
        users = []
    for each in users if isinstance(users, list) else [users]:
        if isinstance(each, Mapping):
            accounts[_name(each.get("name", "default"))] = each
        else:
            names = each if isinstance(each, list) else _name(each).split(",")
            accounts |= {_name(name).strip(): {} for name in names}
    default = own.get("user")
    if default:
        renamed: _Mapping = default if isinstance(default, Mapping) else {"name": default}
        # "default" is now the account of that name, and it is always made.
        accounts.pop("default", None)
        accounts[_name(renamed.get("name", "default"))] = renamed
    return accounts


def _name(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _check_account(own: _Mapping, user: str) -> None:
    """Refuse a list that lacks the password's account: setting that password would fail, and so would all others."""
    if user == ALWAYS_THERE or not ("users" in own or own.get("user")):
        return
    if not {user, "default"} & _accounts(own).keys():
        raise wrong_user_data(
            say("cloud-config-lacks-account", account=user), hint=say("add-the-account", account=user)
        )


# ----------------------------------------------------------------- merging in the guest


def _is_left_to_cloud_init(parts: tuple[Part, ...], read: list[_Mapping]) -> bool:
    if any(part.content_type in UNREADABLE or "launch-index" in part.headers for part in parts):
        return True
    configs = [part for part in parts if part.content_type == CLOUD_CONFIG]
    # The first one is merged into nothing.
    return any("launch-index" in own for own in read) or any(
        MERGE_KEYS & own.keys() or MERGE_HEADERS & part.headers for part, own in zip(configs[1:], read[1:], strict=True)
    )
