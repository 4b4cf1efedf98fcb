"""What is published installs and works: on each Python, with each extra, on the oldest dependencies.

`debian` has the packages of Debian that tests need.
"""
