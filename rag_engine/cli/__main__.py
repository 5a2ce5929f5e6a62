"""``python -m rag_engine.cli`` is the command ``rag``."""

from rag_engine.cli import main

main()
