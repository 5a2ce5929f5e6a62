"""The wire: the one place that speaks HTTP."""

from rag_engine.llm.transport.address import checked_base_url, checked_key, is_local
from rag_engine.llm.transport.client import Transport
from rag_engine.llm.transport.event_stream import EventStream, ServerEvent
from rag_engine.llm.transport.exchange import WireLimits, WireReply, WireRequest
from rag_engine.llm.transport.json_lines import JsonLines
from rag_engine.llm.transport.wire_stream import EventReader, WireStream

__all__ = [
    "EventReader",
    "EventStream",
    "JsonLines",
    "ServerEvent",
    "Transport",
    "WireLimits",
    "WireReply",
    "WireRequest",
    "WireStream",
    "checked_base_url",
    "checked_key",
    "is_local",
]
