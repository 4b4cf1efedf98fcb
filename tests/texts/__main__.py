"""Check the catalogues of texts, or compile them.

::

    python -m tests.texts            # what tox -e lint runs
    python -m tests.texts compile    # after each change of a catalogue
    python -m tests.texts release    # before each release: no code of this release will change
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hyperx_glance import errors
from hyperx_glance.texts import LANGUAGES, Audience
from tests.texts import LIST, RELEASED
from tests.texts.catalogues import (
    ROLES,
    compiled,
    entries,
    is_code,
    is_compiled,
    is_word,
    path,
    placeholders,
    roles,
    used,
    values,
)

FORMS = ("", Audience.COMMAND.value, Audience.PERSON.value)


def mistakes() -> Iterator[str]:
    """Iterate over what is wrong with the catalogues."""
    codes = {code for _, code in entries("en")}
    for audience, code in sorted(entries("en").keys() ^ entries("zh").keys()):
        missing = "zh" if (audience, code) in entries("en") else "en"
        yield f"{code}: not in the catalogue {missing}{f', for the audience {audience}' if audience else ''}"
    for code in sorted(codes):
        yield from _mistakes_of(code)
    yield from _wrong_uses(codes)
    yield from _without_a_role(codes)
    yield from _changed_since_the_release(codes)
    for language in LANGUAGES:
        if not is_compiled(language):
            yield f"{path(language, 'mo').name} ({language}) is out of date: python -m tests.texts compile"


def _mistakes_of(code: str) -> Iterator[str]:
    audiences = {audience for audience, named in entries("en") if named == code}
    if not is_code(code) or not audiences <= set(FORMS):
        yield f"{code}: not a code of lower-case words, or an unknown audience"
    if "" not in audiences:
        yield f"{code}: has no sentence for Python"
    for audience in audiences & {audience for audience, named in entries("zh") if named == code}:
        english, chinese = (str(entries(language)[audience, code].string) for language in LANGUAGES)
        if not english or not chinese or entries("zh")[audience, code].fuzzy:
            yield f"{code} {audience}: an empty or fuzzy sentence"
        if placeholders(english) != placeholders(chinese):
            yield f"{code} {audience}: the placeholders {placeholders(english)} and {placeholders(chinese)} differ"


def _wrong_uses(codes: set[str]) -> Iterator[str]:
    uses = used()
    for code in sorted(uses.keys() - codes):
        yield f"{uses[code].places[0]}: {code} is in no catalogue"
    for code in sorted(codes - uses.keys()):
        if not is_word(code) and code not in RELEASED:
            yield f"{code}: not used"
    for code in sorted(codes & uses.keys()):
        named = values(code)
        for place, given in zip(uses[code].places, uses[code].values, strict=True):
            if given is not None and given != named:
                yield f"{place}: {code} has the values {sorted(given)}, its sentences have {sorted(named)}"


def _without_a_role(codes: set[str]) -> Iterator[str]:
    for code in sorted(codes):
        found = roles(code)
        unknown = sorted(role for role in found - ROLES.keys() if not hasattr(errors, role))
        if unknown or (not found and code not in RELEASED):
            known = ", ".join(ROLES)
            yield f"{code}: a comment above its English entry must say what it is: a class of errors, or one of {known}"


def _changed_since_the_release(codes: set[str]) -> Iterator[str]:
    for code, released in RELEASED.items():
        if code not in codes:
            yield f"{code}: was released, and is missing"
        elif not released <= values(code):
            yield f"{code}: was released with the values {sorted(released)}; use another code for another text"


def main() -> int:
    """Run the command."""
    if sys.argv[1:] == ["compile"]:
        for language in LANGUAGES:
            path(language, "mo").write_bytes(compiled(language))
        return 0
    if sys.argv[1:] == ["release"]:
        kept = RELEASED | {code: values(code) for _, code in entries("en") if code not in RELEASED}
        LIST.write_text(
            "".join(f"{' '.join([code, *sorted(kept[code])])}\n" for code in sorted(kept)), encoding="utf-8"
        )
        return 0
    found = list(mistakes())
    sys.stdout.write("\n".join([*found, f"mistakes in the catalogues of texts: {len(found)}"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
