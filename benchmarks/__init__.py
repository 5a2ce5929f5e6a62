"""Benchmarks: every published figure is a row of conditions.toml that runs again with one command."""
