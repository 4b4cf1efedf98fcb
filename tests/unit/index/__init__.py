"""Tests of the index of public and community images."""
