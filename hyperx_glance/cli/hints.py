"""Errors as the command line prints them: their hints name commands and options, not Python.

>>> from hyperx_glance.cli.hints import told
>>> from hyperx_glance.errors import AmbiguousNameError, ProtectedError
>>> print(told(ProtectedError("Image debian is protected.")))
Image debian is protected. Hint: Switch its protection off first: `openstack hyperx image set <image> --no-protected`.
>>> print(told(AmbiguousNameError("Two images are called debian.", matches=["7c1", "81f"])))
Two images are called debian. Their ids: 7c1, 81f. Hint: Use the id.

The library's sentences name Python calls. One table replaces them with commands, and a test translates every sentence
of the library and looks for Python in the result.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hyperx_glance.errors import AmbiguousNameError, InvalidRequestError

if TYPE_CHECKING:
    from hyperx_glance.errors import HyperxGlanceError

Options = Mapping[str, str]
"""The option, or the argument, of each field that a command accepts."""
Ids = Mapping[str, str | None]
"""The id or the name of the "image", "launch" or "capture" that a sentence is about."""

_COMMAND = "openstack hyperx "
_VALUE = r"""\(["']?([^"')]*)["']?\)"""
# Each call and the command that does the same; the rules for options below also apply within a command.
_CALLS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"find_launch{_VALUE}\.cancel\(\)", r"`{}launch cancel \1`"),
        (rf"find_launch{_VALUE}", r"`{}launch show \1`"),
        (rf"find_capture{_VALUE}\.cancel\(\)", r"`{}capture cancel \1`"),
        (rf"find_capture{_VALUE}(?:\.wait\(\))?", r"`{}capture resume \1`"),
        (r"\bcapture\(server_id, NewCapture\(name=\.\.\.\)\)", "`{}image capture <server> <name>`"),
        (r"\bstart_(?:registration|capture) and wait\b", "--no-wait"),
        (r"\b(?:wait or )?resume_registration\(image, (.*?)\)", r"`{}registration resume <image> \1`"),
        (r"\b(?:wait or )?resume_registration\b", "`{}registration resume <image>`"),
        (r"\bdelete to stop it\b", "`{}registration cancel <image>` to stop it"),
        (r"\bdelete to remove it\b", "`{}image delete <image>` to remove it"),
        (r"\bclient\.delete\((.*?)\)", r"`{}image delete \1`"),
        (r"\bdelete\(image\)", "`{}image delete <image>`"),
        (r"\benable\(image\)", "`{}image enable <image>`"),
        (r"\bupdate\(image, (.*?)\)", r"`{}image set <image> \1`"),
        (r"\bimages\(search=\"\.\.\.\", hidden=None\)", "`{}image list <word> --hidden both`"),
        (r"\bsorted\(client\.images\(\.\.\.\), key=\.\.\.\)", "--sort-column"),
        (r"\bdoctor\((.*?)\)", r"`{}doctor \1`"),
        (r"\bdeployment\.property_protections\(\) \((.*?)\)", r"`\1`"),
        (r"\bThey are None in quota\(\), and set_quota\b", "They are missing in `{}quota show`, and `{}quota set`"),
        (r"\bNone \(the default\)", "default"),
        (r"\bUrlPolicy\((.*?)\)", r"\1"),
        (r", or pass auth_url and credentials\b", ""),
        (r"\bNewIso\b", "`{}iso create`"),
        (r"\bNewImage\b", "`{}image create`"),
        (r"\bsteward=, a session that\b", "--steward-cloud, a cloud of clouds.yaml whose user"),
        (r"\bcancel\(\)", "`{}HANDLE cancel <HANDLE>`"),
        (r"\bwait\(\)", "`{}capture resume <capture>`"),
    )
)
_VALUES = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (r"\b(\w+)=True\b", "{}"),
        (r"\b(\w+)=False\b", "{no}"),
        (r"""\b(\w+)=\(?["']?\.\.\.["']?,?\)?""", "{}"),
        (r"""\b(\w+)=["'](\w*)["'] or ["'](\w*)["']""", "{} {value} or {other}"),
        (r"""\b(\w+)=["'](.*?)["']""", "{} {value}"),
        (r"\b(\w+)=(?=[ ,.])", "{}"),
    )
)
_FIELDS_AT_END = re.compile(r"^limits: name at least one of (\w+(?:, \w+)+)$", re.MULTILINE)
_FIELDS_AT_BEGINNING = re.compile(r"^(?:settings\.)?(\w+(?:, \w+)*)(?:\.\d+)?(?=: )", re.MULTILINE)
_ELSEWHERE = {
    "admin_password": "--password",
    "boot_volume_gib": "--boot-volume",
    "install_disk_gib": "--install-disk",
    "networks": "--network",
    "older_than_seconds": "--older-than",
    "path_or_file": "--file",
    "remove_properties": "--remove-property",
    "size": "--page-size",
    "trusted_hosts": "--trusted-host",
}
"""Options of other commands than the one that runs, if their names differ from the field."""


def told(error: HyperxGlanceError, options: Options | None = None, named: Ids | None = None) -> str:
    """Return an error as the command line prints it; ``options`` and ``named`` are those of the running command."""
    text, known = str(error), options or {}
    ids = {"launch": error.launch_id, "capture": error.capture_id, "image": error.image_id}
    ids = {thing: found or (named or {}).get(thing) for thing, found in ids.items()}
    end = len(text) - len(error.hint) if error.hint and text.endswith(error.hint) else len(text)
    sentence, hint = text[:end], text[end:]
    if isinstance(error, InvalidRequestError):
        sentence = _FIELDS_AT_END.sub(lambda found: f"Name at least one of {_options_of(found[1], known)}", sentence)
        sentence = _FIELDS_AT_BEGINNING.sub(lambda found: _options_of(found[1], known), sentence)
        sentence = translated(sentence, known)
    if isinstance(error, AmbiguousNameError) and error.matches:
        before, mark, after = sentence.rpartition("Hint: ")
        sentence = f"{before or after}Their ids: {', '.join(error.matches)}. {mark}" if mark else sentence
    return sentence + translated(hint, known, ids)


def translated(text: str, options: Options | None = None, ids: Ids | None = None) -> str:
    """Replace Python calls with commands and options."""
    known, ids = options or {}, ids or {}
    handle = "capture" if ids.get("capture") else "launch"
    for pattern, replacement in _CALLS:
        command = replacement.replace("{}", _COMMAND).replace("HANDLE", handle)
        text = pattern.sub(command, text)
    for pattern, form in _VALUES:
        text = pattern.sub(lambda found, form=form: _option_of(found, form, known), text)  # type: ignore[misc]  # a default
    for thing, known_id in ids.items():
        if known_id:
            word = shlex.quote(known_id)
            text = re.sub(rf"<{thing}>|(?<=[a-z] ){thing}_id\b(?=`)", lambda _, word=word: word, text)  # type: ignore[misc]  # a default
    text = re.sub(r"\b(launch|capture)_id(?=`)", r"<\1>", text)
    return _bare(text, known)


def _option_of(found: re.Match[str], form: str, options: Options) -> str:
    option = _option(found[1], options)
    _, value, other = (*found.groups(), "", "")[:3]
    no = f"--no-{option.removeprefix('--').removeprefix('no-')}"  # --no-preflight is all that some commands have
    return form.format(option, no=no, value=value, other=other)


def _option(field: str, options: Options) -> str:
    return options.get(field) or _ELSEWHERE.get(field) or f"--{field.replace('_', '-')}"


def _options_of(fields: str, options: Options) -> str:
    return ", ".join(options.get(field) or _ELSEWHERE.get(field, field) for field in fields.split(", "))


def _bare(text: str, options: Options) -> str:
    """Replace a field that stands alone in a sentence with its option; an underscore distinguishes it from a word."""
    fields = [field for field in {**_ELSEWHERE, **options} if "_" in field]
    pattern = r"(?<![\w<`.-])(" + "|".join(map(re.escape, fields)) + r")\b(?![\w(=:])"
    return re.sub(pattern, lambda found: _option(found[1], options), text)
