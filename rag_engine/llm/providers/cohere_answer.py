"""What a message of Cohere's says: text, thoughts and plans, tool calls, citations, why it ended and what it took."""

from __future__ import annotations

import json

from rag_engine.llm.providers.dialect import JsonObject, ReportedFault, Target
from rag_engine.llm.providers.finish_reasons import settled_reason
from rag_engine.llm.providers.received import (
    bad_response,
    incomplete_response,
    object_in,
    objects_in,
    text_in,
    text_or_empty,
)
from rag_engine.llm.providers.reported_usage import NO_NUMBERS, count_of, reported_usage
from rag_engine.llm.providers.sent_turns import sent_documents
from rag_engine.llm.providers.tool_arguments import arguments_of
from rag_engine.types.conversation import ToolCall
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import CitedSpan, Completion, FinishReason, Prompt, Usage

REASONS = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
}
# Ends that are none of an answer.
FAULTS = ("ERROR", "TIMEOUT")
ON_TEXT = (None, "TEXT_CONTENT")


def read_answer(body: JsonObject, prompt: Prompt, target: Target) -> Completion:
    """The completion that a whole answer, or one put together from a stream, makes.

    Raises:
        ReportedFault: it ended by an error or a timeout of the provider's.
        BadResponseError: it is not what the interface says.
        IncompleteResponseError: it does not say why it ended.
    """
    fault = fault_at_end(body)
    if fault is not None:
        raise fault
    message = object_in(body, "message", target)
    reason = _reason(body, target)
    blocks = objects_in(message, "content", target)
    texts, thoughts = _texts_and_thoughts(blocks, target)
    text = "".join(texts.values())
    plan = text_in(message, "tool_plan", target) if message.get("tool_plan") is not None else ""
    # Of an answer that was cut, the calls may be cut too.
    asked = objects_in(message, "tool_calls", target) if reason is not FinishReason.LENGTH else []
    return Completion(
        text=text,
        model=target.model,
        finish_reason=settled_reason(
            reason,
            text=text,
            calls=len(asked),
            at_sequence=body.get("finish_reason") == "STOP_SEQUENCE",
            target=target,
        ),
        usage=read_usage(body.get("usage")),
        tool_calls=_calls(asked, target, plan=plan, thought="".join(thoughts)),
        reasoning="".join([*thoughts, plan]),
        cited=_cited(objects_in(message, "citations", target), texts, prompt),
    )


def read_usage(reported: object) -> Usage:
    """What the call took: all tokens that were read and written, or where those are not told those that are billed."""
    if type(reported) is not dict:
        return NO_NUMBERS
    counted = reported.get("tokens")
    if type(counted) is not dict:
        counted = reported.get("billed_units")
    if type(counted) is not dict:
        return NO_NUMBERS
    return reported_usage(
        count_of(counted.get("input_tokens"), floats=True),
        count_of(counted.get("output_tokens"), floats=True),
        cache_read=count_of(reported.get("cached_tokens"), absent=0, floats=True),
    )


def read_fault(body: JsonValue) -> ReportedFault:
    """What the report of an error says."""
    if isinstance(body, str):
        return ReportedFault(message=body)
    if not isinstance(body, dict):
        return ReportedFault()
    error = body.get("error")
    fields = error if isinstance(error, dict) else body
    messages = (fields.get("message"), error, fields.get("detail"), fields.get("data"))
    return ReportedFault(
        type=text_or_empty(fields.get("type")) if fields is error else "",
        message=next((message for message in messages if isinstance(message, str)), ""),
    )


def fault_at_end(end: JsonObject) -> ReportedFault | None:
    """The fault that ended an answer, where one did: the fields are those of a whole answer or of a stream's end."""
    reason, error = end.get("finish_reason"), end.get("error")
    if reason in FAULTS or error:
        return ReportedFault(type=text_or_empty(reason), message=text_or_empty(error))
    return None


def _reason(body: JsonObject, target: Target) -> FinishReason:
    reported = body.get("finish_reason")
    if reported is None:
        raise incomplete_response(target, "sent an answer that does not say why it ended")
    reason = REASONS.get(reported) if type(reported) is str else None
    if reason is None:
        raise bad_response(target, "ended the answer for a reason that its interface does not name")
    return reason


def _texts_and_thoughts(blocks: list[JsonObject], target: Target) -> tuple[dict[int, str], list[str]]:
    """The texts by the place of their block, and what was thought."""
    texts: dict[int, str] = {}
    thoughts: list[str] = []
    for number, block in enumerate(blocks):
        kind = block.get("type")
        if kind == "text":
            texts[number] = text_in(block, "text", target)
        elif kind == "thinking":
            thoughts.append(text_in(block, "thinking", target))
        else:
            # It may hold a part of the answer: what is left would be passed off as the whole.
            raise bad_response(target, "sent a kind of content that its interface does not name")
    return texts, thoughts


def _calls(asked: list[JsonObject], target: Target, *, plan: str, thought: str) -> tuple[ToolCall, ...]:
    """The calls; the first carries what led to them, to be sent back with it."""
    calls: list[ToolCall] = []
    carried = {name: text for name, text in (("tool_plan", plan), ("thought", thought)) if text}
    for call in asked:
        function = object_in(call, "function", target)
        identity, name = text_in(call, "id", target), text_in(function, "name", target)
        if not identity or not name:
            raise bad_response(target, "sent a tool call without a name")
        signature = json.dumps(carried) if carried and not calls else ""
        calls.append(ToolCall(identity, name, arguments_of(function.get("arguments"), target), signature))
    return tuple(calls)


def _cited(citations: list[JsonObject], texts: dict[int, str], prompt: Prompt) -> tuple[CitedSpan, ...]:
    """The spans of the whole text that documents support. Citations count within one block; those whose place does not
    hold the characters that they name are left out, as are those of plans and thoughts."""
    begins: dict[int, int] = {}
    length = 0
    for number, text in texts.items():
        begins[number] = length
        length += len(text)
    numbers = {str(source.number): source.number for source in sent_documents(prompt)}
    spans: list[CitedSpan] = []
    for citation in citations:
        start, end, index = citation.get("start"), citation.get("end"), citation.get("content_index")
        if index is None and len(texts) == 1:
            (index,) = texts
        if (
            citation.get("type") not in ON_TEXT
            or type(index) is not int
            or index not in texts
            or type(start) is not int
            or type(end) is not int
            or not 0 <= start < end
            or texts[index][start:end] != citation.get("text")
        ):
            continue
        sources = citation.get("sources")
        for source in sources if type(sources) is list else ():
            if type(source) is dict and source.get("type") == "document":
                marker = numbers.get(str(source.get("id")))
                if marker is not None:
                    spans.append(CitedSpan(begins[index] + start, begins[index] + end, marker))
    return tuple(dict.fromkeys(spans))
