"""What a message of Anthropic's says: text, thoughts, tool calls, citations, why it ended and what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rag_engine.llm.providers.dialect import JsonObject, ReportedFault, Target
from rag_engine.llm.providers.finish_reasons import settled_reason
from rag_engine.llm.providers.received import bad_response, incomplete_response, objects_in, text_in, text_or_empty
from rag_engine.llm.providers.reported_usage import NO_NUMBERS, count_of, reported_usage, sum_of
from rag_engine.llm.providers.sent_turns import sent_documents
from rag_engine.llm.providers.tool_arguments import arguments_of
from rag_engine.types.conversation import ToolCall
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import (
    CitedSpan,
    Completion,
    FinishReason,
    NumberedSource,
    Prompt,
    Quotation,
    Usage,
)

REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.REFUSED,
}


def read_message(body: JsonObject, prompt: Prompt, target: Target) -> Completion:
    """The completion that a whole message, or one put together from a stream, makes.

    Raises:
        BadResponseError: it is not what the interface says.
        IncompleteResponseError: it does not say why it ended, or that it goes on.
    """
    if type(body.get("content")) is not list:
        raise bad_response(target, "sent a message without content")
    reason = _reason(body.get("stop_reason"), target)
    reader = _Reader(prompt, target, with_calls=reason in (FinishReason.STOP, FinishReason.TOOL_CALLS))
    for block in objects_in(body, "content", target):
        reader.read(block)
    text = "".join(reader.texts)
    at_sequence = body.get("stop_reason") == "stop_sequence"
    return Completion(
        text=text,
        model=text_or_empty(body.get("model")) or target.model,
        finish_reason=settled_reason(
            reason, text=text, calls=len(reader.calls), at_sequence=at_sequence, target=target
        ),
        usage=read_usage(body.get("usage")),
        quotations=tuple(dict.fromkeys(reader.quotations)),
        tool_calls=tuple(reader.calls),
        reasoning="".join(reader.reasoning),
        cited=tuple(dict.fromkeys(reader.cited)),
    )


def read_usage(reported: object) -> Usage:
    """What the call took. The provider's ``input_tokens`` leave out what its cache held or took in; ours do not."""
    if type(reported) is not dict:
        return NO_NUMBERS
    details = reported.get("output_tokens_details")
    cache_write = count_of(reported.get("cache_creation_input_tokens"), absent=0)
    cache_read = count_of(reported.get("cache_read_input_tokens"), absent=0)
    return reported_usage(
        sum_of(count_of(reported.get("input_tokens")), cache_write, cache_read),
        count_of(reported.get("output_tokens")),
        cache_read=cache_read,
        cache_write=cache_write,
        thought=count_of(details.get("thinking_tokens"), absent=0) if type(details) is dict else 0,
    )


def read_fault(body: JsonValue) -> ReportedFault:
    """What the report of an error says, in the provider's form or in those of servers that imitate it."""
    if isinstance(body, str):
        return ReportedFault(message=body)
    if not isinstance(body, dict):
        return ReportedFault()
    error = body.get("error")
    if isinstance(error, str):
        return ReportedFault(message=error)
    fields: Mapping[str, JsonValue] = error if isinstance(error, dict) else body
    details = fields.get("details")
    message = fields.get("message", fields.get("detail"))
    return ReportedFault(
        type=text_or_empty(fields.get("type")) if fields is error else "",
        reason=text_or_empty(details.get("error_code")) if isinstance(details, dict) else "",
        message=text_or_empty(message),
    )


def _reason(reported: object, target: Target) -> FinishReason:
    if reported is None:
        raise incomplete_response(target, "sent a message that does not say why it ended")
    if reported == "pause_turn":
        raise incomplete_response(target, "paused before the end of the answer")
    reason = REASONS.get(reported) if type(reported) is str else None
    if reason is None:
        raise bad_response(target, "ended the message for a reason that its interface does not name")
    return reason


class _Reader:
    """Reads the blocks of one message in order."""

    def __init__(self, prompt: Prompt, target: Target, *, with_calls: bool) -> None:
        """Without ``with_calls`` calls are left out: of an answer that was cut, they may be cut too."""
        self._target = target
        self._documents = sent_documents(prompt)
        self._with_calls = with_calls
        self._length = 0
        self._thoughts: list[JsonObject] = []  # since the last call
        self.texts: list[str] = []
        self.reasoning: list[str] = []
        self.calls: list[ToolCall] = []
        self.quotations: list[Quotation] = []
        self.cited: list[CitedSpan] = []

    def read(self, block: JsonObject) -> None:
        kind = block.get("type")
        if kind == "text":
            self._read_text(block)
        elif kind == "thinking":
            thinking = text_in(block, "thinking", self._target)
            self.reasoning.append(thinking)
            self._thoughts.append({"type": "thinking", "thinking": thinking, "signature": block.get("signature") or ""})
        elif kind == "redacted_thinking":
            self._thoughts.append({"type": "redacted_thinking", "data": text_in(block, "data", self._target)})
        elif kind == "tool_use":
            if self._with_calls:
                self._read_call(block)
        else:
            # It may hold a part of the answer: what is left would be passed off as the whole.
            raise bad_response(self._target, "sent a kind of content that its interface does not name")

    def _read_text(self, block: JsonObject) -> None:
        text = text_in(block, "text", self._target)
        start, self._length = self._length, self._length + len(text)
        self.texts.append(text)
        for citation in objects_in(block, "citations", self._target):
            index = citation.get("document_index")
            if type(index) is not int or not 0 <= index < len(self._documents):
                continue
            source = self._documents[index]
            if text:
                self.cited.append(CitedSpan(start, self._length, source.number))
            quotation = _quotation(citation, source)
            if quotation is not None:
                self.quotations.append(quotation)

    def _read_call(self, block: JsonObject) -> None:
        identity, name = text_in(block, "id", self._target), text_in(block, "name", self._target)
        if not identity or not name:
            raise bad_response(self._target, "sent a tool call without a name")
        arguments = arguments_of(block.get("input"), self._target)
        signature = json.dumps({"thinking": self._thoughts}) if self._thoughts else ""
        self._thoughts = []
        self.calls.append(ToolCall(identity, name, arguments, signature))


def _quotation(citation: JsonObject, source: NumberedSource) -> Quotation | None:
    """The document's characters that are quoted; None where those that are named are not those that are shown."""
    if citation.get("type") != "char_location":
        return None
    start, end, quoted = (citation.get(name) for name in ("start_char_index", "end_char_index", "cited_text"))
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        return None
    passage = source.passage
    if passage.text[start:end] != quoted:
        return None
    return Quotation(source.number, passage.start + start, passage.start + end)
