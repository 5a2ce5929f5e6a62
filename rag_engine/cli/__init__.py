"""The command ``rag``."""

from __future__ import annotations


def main() -> None:
    """Runs the command line."""
    from rag_engine.cli.app import run

    run()
