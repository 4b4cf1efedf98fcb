"""Fuzzing of everything that reads what others wrote.

``FUZZ_CASES`` says how many cases each parser gets: 10,000 by default, a million in a soak. Hypothesis takes
longer for an example than a parser does, so each example is a batch of ten cases, cut out of one text or one string of
bytes.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Final, TypeVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.internal.intervalsets import IntervalSet

BATCH = 10
_ORDINARY = 10_000
_CASES = int(os.environ.get("FUZZ_CASES", _ORDINARY))
_Option = TypeVar("_Option")
_Drawn = TypeVar("_Drawn", str, bytes)

_ONE_BY_ONE: Final = 0.05
"""So many of the bytes and texts are drawn as Hypothesis draws them, which favours short and remarkable ones."""
_COMMON: Final = 256
"""So many letters stand first where all are allowed; four of five are of them, as with Hypothesis."""


class AtOnce(HypothesisProvider):
    """A strategy that draws bytes and strings at once: letter by letter takes most of the time of a run."""

    def draw_bytes(self, min_size: int = 0, max_size: int = 10**10) -> bytes:
        assert self._random is not None
        if self._random.random() < _ONE_BY_ONE:
            return super().draw_bytes(min_size, max_size)
        return self._random.randbytes(self._random.randint(min_size, max_size))

    def draw_string(self, intervals: IntervalSet, *, min_size: int = 0, max_size: int = 10**10) -> str:
        assert self._random is not None
        if self._random.random() < _ONE_BY_ONE:
            return super().draw_string(intervals, min_size=min_size, max_size=max_size)
        drawn = self._random.choices(_first_letters(intervals), k=self._random.randint(min_size, max_size))
        if len(intervals) > _COMMON:
            for place in range(self._random.randrange(5), len(drawn), 5):
                drawn[place] = intervals.char_in_shrink_order(self._random.randrange(_COMMON, len(intervals)))
        return "".join(drawn)


@functools.cache
def _first_letters(intervals: IntervalSet) -> list[str]:
    return [intervals.char_in_shrink_order(number) for number in range(min(_COMMON, len(intervals)))]


AVAILABLE_PROVIDERS["at once"] = AtOnce

fuzzed = hypothesis.settings(
    backend="at once",
    max_examples=_CASES // BATCH,
    deadline=None,
    print_blob=True,
    database=None,
    derandomize=_CASES <= _ORDINARY,  # the same cases in each ordinary run, fresh ones in a soak
    suppress_health_check=list(hypothesis.HealthCheck),
)
"""Decorate each test with it."""


def blobs(longest: int) -> st.SearchStrategy[list[bytes]]:
    """Return batches of bytes."""
    return st.binary(min_size=longest * 3, max_size=longest * BATCH).map(_cut)


def texts(alphabet: str | None, longest: int) -> st.SearchStrategy[list[str]]:
    """Return batches of strings of these letters; of any letters if there are none."""
    letters = st.characters() if alphabet is None else alphabet
    drawn = st.text(letters, min_size=longest * 3, max_size=longest * BATCH)
    return drawn.map(_cut)


def choices(options: Sequence[_Option]) -> st.SearchStrategy[list[_Option]]:
    """Return batches of one of these."""
    return st.binary(min_size=BATCH, max_size=BATCH).map(lambda numbers: [options[n % len(options)] for n in numbers])


def several(options: Sequence[_Option], most: int) -> st.SearchStrategy[list[list[_Option]]]:
    """Return batches of up to so many of these."""
    return blobs(most).map(lambda batch: [[options[n % len(options)] for n in numbers] for numbers in batch])


def _cut(drawn: _Drawn) -> list[_Drawn]:
    """Cut into ten pieces of several lengths."""
    ends: list[int] = [len(drawn) * (number + 1) ** 2 // BATCH**2 for number in range(BATCH)]
    return [drawn[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
