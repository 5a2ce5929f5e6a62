"""Measurements of the chunker and of its parts."""
