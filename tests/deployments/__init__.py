"""The library on deployments that are configured as other people configure theirs.

`story` is one story that six people live through, `steps` what they do, each step with its oracle, which asks the
services themselves. `worlds` has one short entry for each deployment: what is changed, and what is expected where it
differs from the normal one. `results.json` is written by the run, and the guide's page on deployments is made of it.
"""
