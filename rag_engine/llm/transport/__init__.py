"""The wire: the one place that speaks HTTP."""

from rag_engine.llm.transport.event_stream import EventStream, ServerEvent
from rag_engine.llm.transport.exchange import WireLimits, WireReply, WireRequest
from rag_engine.llm.transport.json_lines import JsonLines

__all__ = ["EventStream", "JsonLines", "ServerEvent", "WireLimits", "WireReply", "WireRequest"]
