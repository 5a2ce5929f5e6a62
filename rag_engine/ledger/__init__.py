"""What the engine remembers of how its work went."""

from rag_engine.ledger.ledger import FILE_NAME, Ledger

__all__ = ["FILE_NAME", "Ledger"]
