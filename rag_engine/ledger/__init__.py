"""What the engine remembers of how its work went, and of what it cost."""

from rag_engine.ledger.ledger import FILE_NAME, Ledger
from rag_engine.ledger.routing import FILE_NAME as ROUTING_FILE_NAME
from rag_engine.ledger.routing import RoutingLedger
from rag_engine.ledger.usage import FILE_NAME as USAGE_FILE_NAME
from rag_engine.ledger.usage import UsageLedger

__all__ = ["FILE_NAME", "ROUTING_FILE_NAME", "USAGE_FILE_NAME", "Ledger", "RoutingLedger", "UsageLedger"]
