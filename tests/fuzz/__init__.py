"""Fuzzing of whatever reads what others wrote.

``FUZZ_CASES`` says how many cases each parser gets: 10,000 where nobody says, a million in a soak.
"""

import os

import hypothesis

_ORDINARY = 10_000
_CASES = int(os.environ.get("FUZZ_CASES", _ORDINARY))

fuzzed = hypothesis.settings(
    max_examples=_CASES,
    deadline=None,
    print_blob=True,
    database=None,
    derandomize=_CASES <= _ORDINARY,  # the same cases in each ordinary run, fresh ones in a soak
    suppress_health_check=list(hypothesis.HealthCheck),
)
"""Decorate each test with it."""
