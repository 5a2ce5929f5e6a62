"""Retrieval and answers on gold sets."""
