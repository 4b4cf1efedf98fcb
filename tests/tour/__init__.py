"""A tour of raw requests, valid and invalid, past this library: what both clouds are held against.

What the real services answer is recorded, one JSON file for each request, in ``tests/samples/answers``. Record it again
with ``python -m tests.tour`` in an environment with the services, when the next OpenStack release comes.
"""
