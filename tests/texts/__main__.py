"""Check the catalogues of texts, or compile them.

::

    python -m tests.texts            # what tox -e lint runs
    python -m tests.texts compile    # after each change of a catalogue
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hyperx_glance.texts import LANGUAGES, Audience
from tests.texts import RELEASED
from tests.texts.catalogues import compiled, entries, is_code, is_compiled, is_word, path, placeholders, used

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
    for code in sorted(RELEASED - codes):
        yield f"{code}: was released, and is missing"
    for code in sorted(codes & uses.keys()):
        named = frozenset().union(
            *(placeholders(str(m.string)) for (_, each), m in entries("en").items() if each == code)
        )
        for place, values in zip(uses[code].places, uses[code].values, strict=True):
            if values is not None and values != named:
                yield f"{place}: {code} has the values {sorted(values)}, its sentences have {sorted(named)}"


def main() -> int:
    """Run the command."""
    if sys.argv[1:] == ["compile"]:
        for language in LANGUAGES:
            path(language, "mo").write_bytes(compiled(language))
        return 0
    found = list(mistakes())
    sys.stdout.write("\n".join([*found, f"mistakes in the catalogues of texts: {len(found)}"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
