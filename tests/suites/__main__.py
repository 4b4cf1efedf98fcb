"""Run other projects' suites against the test clouds, and record what passed."""

from __future__ import annotations

import argparse
import re
import sys

from tests.suites.catalogue import SUITES
from tests.suites.running import CLOUDS, run

parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(SUITES)}; default: all")
for cloud in CLOUDS:
    parser.add_argument(f"--{cloud}", action="append_const", dest="clouds", const=cloud, help="on this cloud only")
parser.add_argument("--tests", default="", metavar="PATTERN", help="only those whose names match; nothing is recorded")
parser.add_argument("--words", action="store_true", help="print all that the tests which fail say")
chosen = parser.parse_args()
unknown = sorted(set(chosen.names) - set(SUITES))
if unknown:
    parser.error(f"no such suite: {', '.join(unknown)}; there are {', '.join(SUITES)}")
try:
    re.compile(chosen.tests)
except re.error as error:
    parser.error(f"--tests {chosen.tests} is not a regular expression: {error}")
absent = {} if chosen.names else {name: suite.needs() for name, suite in SUITES.items() if suite.needs()}
for name, words in absent.items():
    print(f"{name}: left out: {words}")
results = [
    run(name, cloud, pattern=chosen.tests, words=chosen.words)
    for name in chosen.names or [name for name in SUITES if name not in absent]
    for cloud in chosen.clouds or CLOUDS
]
sys.exit(not all(results))
