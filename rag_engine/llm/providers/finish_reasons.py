"""Why a model stopped, compared with what it wrote."""

from __future__ import annotations

from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.received import bad_response
from rag_engine.types.generation import FinishReason


def settled_reason(
    reason: FinishReason, *, text: str, calls: int, target: Target, at_sequence: bool = False
) -> FinishReason:
    """The reason, once it is compared with the answer's ``text`` and its number of tool ``calls``, whatever word the
    provider had for it. ``at_sequence`` says that a stop sequence ended it, or may have: that alone may end an answer
    before its first character.

    Raises:
        BadResponseError: it asks for tools and names none, or says that it is done and said nothing.
    """
    if reason is FinishReason.TOOL_CALLS and not calls:
        raise bad_response(target, "says that it asks for a tool, and asks for none")
    if reason is FinishReason.STOP:
        if calls:
            return FinishReason.TOOL_CALLS
        if not text and not at_sequence:
            raise bad_response(target, "says that the answer is done, and it is empty")
    return reason
