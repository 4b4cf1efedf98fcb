"""Run one of upstream's suites against a test cloud, and tell what passed."""

from __future__ import annotations

import argparse
import sys

from tests.suites.catalogue import SUITES
from tests.suites.running import run

parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
parser.add_argument("name", choices=sorted(SUITES))
parser.add_argument("--local", action="store_true", help="against real services, instead of the cloud in memory")
parser.add_argument(
    "--tests", default="", metavar="PATTERN", help="only those whose names match; left-outs don't count"
)
parser.add_argument("--words", action="store_true", help="print what the tests that fail say")
chosen = parser.parse_args()
sys.exit(run(chosen.name, real=chosen.local, pattern=chosen.tests, words=chosen.words))
