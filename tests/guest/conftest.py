"""Collect no doctests in what only a cloud-init can import."""

collect_ignore = ["cloud_init_run.py"]
