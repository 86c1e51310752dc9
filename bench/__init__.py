"""Measurements against peers: `python -m bench` runs all, `python -m bench letter` one."""
