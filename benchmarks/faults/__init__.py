"""Fault programs: what becomes of an index when its processes are killed."""
