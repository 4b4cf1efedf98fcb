"""A tour of raw requests, valid and invalid, past this library: what both clouds are held against.

What the real services answer is recorded, one JSON file for each request, in ``tests/samples/answers``. Record it anew
with ``python -m tests.tour`` where the services are installed, when the next OpenStack release comes.
"""
