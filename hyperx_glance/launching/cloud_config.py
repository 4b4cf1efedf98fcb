r"""Cloud-config: the administrator's password beside the passwords and accounts of the caller's own cloud-config.

>>> from hyperx_glance.launching.cloud_config import Part, password_config
>>> own = Part("text/cloud-config", b"#cloud-config\nssh_pwauth: false\nchpasswd: {list: 'bob:secret', expire: true}\n")
>>> import yaml
>>> yaml.safe_load(password_config([own], user="root", password_hash="$6$salt$hash"))["chpasswd"]["list"]
['bob:secret', 'root:$6$salt$hash']

Pure functions. What becomes cloud-config in the guest only (a template, an include) is left to cloud-init's merging.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from hyperx_glance.errors import InvalidRequestError

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

_Mapping = Mapping[object, object]


@dataclass(frozen=True, slots=True)
class Part:
    """Hold one part of the caller's user data; ``headers`` are the names of its MIME headers in lower case."""

    content_type: str
    data: bytes
    headers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Passwords:
    """Hold what a ``chpasswd`` says: the entries of its two lists, and ``expire`` where it is said."""

    users: list[dict[str, object]]
    lines: list[str]
    expire: dict[str, object]

    def __add__(self, other: "_Passwords") -> "_Passwords":
        return _Passwords(self.users + other.users, self.lines + other.lines, other.expire | self.expire)


def password_config(parts: Iterable[Part], *, user: str, password_hash: str) -> str:
    """Build the cloud-config that comes after the caller's parts and sets the user's password.

    JSON is YAML. ``users`` needs cloud-init 22.3; older ones (openEuler 22.03, CentOS 7) read ``list``, which newer
    ones still take. Raise `InvalidRequestError` where the caller's cloud-config and the password cannot both hold.
    """
    parts = tuple(parts)
    read = [_load(part.data) for part in parts if part.content_type == CLOUD_CONFIG]
    is_merged_by_cloud_init = _is_left_to_cloud_init(parts, read)
    # A later part replaces the top-level keys of an earlier one (cloudinit/handlers/cloud_config.py), and ours is the
    # last: versions of cloud-init differ in merging two chpasswd, not in replacing one.
    configs = read if is_merged_by_cloud_init else [{key: value for own in read for key, value in own.items()}]
    asked = [_passwords(own, user) for own in configs]
    ours = _Passwords(
        [{"name": user, "password": password_hash, "type": "hash"}],
        [f"{user}:{password_hash}"],
        # Without a word on `expire`, passwords get cloud-init's default: a change at the first login.
        {} if any((each.users or each.lines) and not each.expire for each in asked) else {"expire": False},
    )
    config: dict[str, object] = {"ssh_pwauth": True}
    if is_merged_by_cloud_init:
        config["merge_how"] = "dict(recurse_array,no_replace)+list(append)"
        for own in configs:
            _check_mergeable(own)
    else:
        ((own,), (theirs,)) = configs, asked
        _check_account(own, user)
        if "ssh_pwauth" in own:
            del config["ssh_pwauth"]
        ours = theirs + ours
    config["chpasswd"] = {**ours.expire, "users": ours.users, "list": ours.lines}
    # YAML has dates, which JSON has not.
    return f"#cloud-config\n{json.dumps(config, indent=1, default=str)}\n"


# ----------------------------------------------------------------- reading


class _Loader(yaml.SafeLoader):
    """Read as cloud-init does, which uses this loader; but leave merge keys (<<) as they stand: nested ones grow.

    PyYAML's faster one, of libyaml, ends the process where PyYAML is older than 6.0.4 and brackets nest 50,000 deep.
    """

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        pass


_Loader.add_constructor("tag:yaml.org,2002:merge", lambda _loader, _node: "<<")


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
        # PyYAML lets other errors than its own out for values that contradict their tags, such as "!!int x".
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 1}"
        raise InvalidRequestError(f"user_data: this cloud-config cannot be read as YAML{where}") from None
    return {} if loaded is None else _mapping(loaded, "a cloud-config")


def _mapping(value: object, name: str) -> _Mapping:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"user_data: {name} is a mapping of keys to values")
    if "<<" in value:
        raise InvalidRequestError(f"user_data: write {name} without a merge key (<<)")
    return value


def _passwords(own: _Mapping, user: str) -> _Passwords:
    """Take the caller's ``chpasswd``; refuse a second password of the same account."""
    if own.get("password"):
        raise InvalidRequestError(
            "user_data: cloud-init ignores `password`, since this image gets an administrator password.",
            hint="Give it as admin_password, or name its account: chpasswd: {list: ['NAME:PASSWORD']}.",
        )
    chpasswd = _mapping(own.get("chpasswd") or {}, "chpasswd")
    lines = _lines(chpasswd.get("list"))
    users = [_entry(each) for each in _list(chpasswd.get("users"), "chpasswd.users")]
    named = {line.partition(":")[0] for line in lines} | {entry["name"] for entry in users}
    named |= {name for name, account in _accounts(own).items() if _keys(account) & PASSWORD_KEYS}
    if user in named:
        raise InvalidRequestError(
            f"user_data: gives {user} a password, and so does the launch.",
            hint="Give it as admin_password, which may be of your own.",
        )
    expire = {"expire": chpasswd["expire"]} if "expire" in chpasswd else {}
    if any(isinstance(value, list | Mapping) for value in expire.values()):
        raise InvalidRequestError("user_data: chpasswd.expire is true or false")
    return _Passwords(users, lines, expire)


def _lines(value: object) -> list[str]:
    entries = value.splitlines() if isinstance(value, str) else _list(value, "chpasswd.list")
    lines = [line for line in entries if line != ""]
    if not all(isinstance(line, str) and ":" in line for line in lines):
        raise InvalidRequestError("user_data: every entry of chpasswd.list is a text, NAME:PASSWORD")
    return [str(line) for line in lines]


def _entry(value: object) -> dict[str, object]:
    entry = _mapping(value, "an entry of chpasswd.users")
    if not isinstance(entry.get("name"), str) or any(isinstance(each, list | Mapping) for each in entry.values()):
        raise InvalidRequestError("user_data: every entry of chpasswd.users has a name and no lists")
    return {str(key): each for key, each in entry.items()}


def _list(value: object, name: str) -> list[object]:
    if not value:
        return []
    if not isinstance(value, list):
        raise InvalidRequestError(f"user_data: {name} is a list")
    return value


# ----------------------------------------------------------------- accounts


def _accounts(own: _Mapping) -> dict[str, _Mapping]:
    """Name the accounts that ``users`` and ``user`` make, with what is said of each (cloudinit/distros/ug_util.py)."""
    users = own.get("users")
    if isinstance(users, str):
        users = [users]
    elif isinstance(users, Mapping):
        users = [{**each, "name": name} if isinstance(each, Mapping) else name for name, each in users.items() if each]
    accounts: dict[str, _Mapping] = {}
    for each in users if isinstance(users, list) else []:
        if isinstance(each, Mapping):
            accounts[str(each.get("name", "default"))] = each
        else:
            names = each if isinstance(each, list) else str(each).split(",")
            accounts |= {str(name).strip(): {} for name in names}
    default = own.get("user")
    if default:
        renamed: _Mapping = default if isinstance(default, Mapping) else {"name": default}
        # "default" is now the account of that name, and it is always made.
        accounts.pop("default", None)
        accounts[str(renamed.get("name", "default"))] = renamed
    return accounts


def _check_account(own: _Mapping, user: str) -> None:
    """Refuse a list of accounts in which the password's is missing: setting it would fail, and all others with it."""
    if user == ALWAYS_THERE or not ("users" in own or own.get("user")):
        return
    if not {user, "default"} & _accounts(own).keys():
        raise InvalidRequestError(
            f"user_data: its `users` make no account {user}, whose password the launch sets.",
            hint=f"Add `default`, or `name: {user}`, to `users`.",
        )


def _keys(account: _Mapping) -> set[str]:
    return {str(key).replace("-", "_").strip() for key, value in account.items() if value}


# ----------------------------------------------------------------- what is merged in the guest


def _is_left_to_cloud_init(parts: tuple[Part, ...], read: list[_Mapping]) -> bool:
    if any(part.content_type in UNREADABLE or "launch-index" in part.headers for part in parts):
        return True
    configs = [part for part in parts if part.content_type == CLOUD_CONFIG]
    # The first one is merged into nothing.
    return any("launch-index" in own for own in read) or any(
        MERGE_KEYS & own.keys() or MERGE_HEADERS & part.headers for part, own in zip(configs[1:], read[1:], strict=True)
    )


def _check_mergeable(own: _Mapping) -> None:
    """Refuse what cloud-init's merging would keep instead of ours."""
    if "chpasswd" not in own:
        return
    chpasswd = own["chpasswd"]
    if not isinstance(chpasswd, Mapping) or not all(
        isinstance(chpasswd[key], list) for key in ("list", "users") if key in chpasswd
    ):
        raise InvalidRequestError(
            "user_data: beside a template, an include, an archive or parts with rules of their own, "
            "chpasswd is a mapping, and `list` and `users` in it are lists."
        )
