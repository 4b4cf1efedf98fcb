"""Upstream's own suites, run against the test clouds: ``python -m tests.suites NAME [--local]``.

The suites are packages. They are installed into an environment of their own in the user's cache, run there as they are,
and held on this machine. What a cloud leaves out stands in ``left_out``, one test a line with its reason: a test that
fails and is not there fails the run, and so does one that is there and passes.
"""
