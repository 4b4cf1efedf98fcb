"""Run one of upstream's suites against a test cloud, and report what passed."""

from __future__ import annotations

import argparse
import sys

from tests.suites.catalogue import SUITES
from tests.suites.running import run

parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
parser.add_argument("name", choices=["all", *sorted(SUITES)])
parser.add_argument("--local", action="store_true", help="against real services, instead of the cloud in memory")
parser.add_argument(
    "--tests", default="", metavar="PATTERN", help="only those whose names match; left-outs don't count"
)
parser.add_argument("--words", action="store_true", help="print what the tests that fail say")
chosen = parser.parse_args()
names = sorted(SUITES) if chosen.name == "all" else [chosen.name]
sys.exit(max([run(name, real=chosen.local, pattern=chosen.tests, words=chosen.words) for name in names]))
