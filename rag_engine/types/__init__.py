"""Frozen records that every room shares; they import nothing but the standard library."""
