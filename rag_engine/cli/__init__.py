"""The command ``rag``."""

from __future__ import annotations


def main() -> None:
    """Runs the command line."""
    from rag_engine.cli import app

    app.main()
