"""Cohere's streams: content, plans, tool calls and citations, each beginning, growing and ending by its index."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.llm.providers.cohere_answer import fault_at_end, read_answer, read_fault
from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.received import (
    bad_response,
    incomplete_response,
    index_in,
    object_in,
    objects_in,
    parsed_object,
    text_in,
)
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Completion, CompletionEvent, Prompt, ReasoningDelta, TextDelta

EVENTS = frozenset(
    {
        "message-start",
        "content-start",
        "content-delta",
        "content-end",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "citation-start",
        "citation-end",
        "message-end",
    }
)
SENTINEL = "[DONE]"
KINDS = ("text", "thinking")


class _Growing:
    """A block of content, or a tool call: what it began with, and the pieces of what grows."""

    __slots__ = ("began", "kind", "open", "pieces")

    def __init__(self, began: JsonObject, kind: str, first: str) -> None:
        self.began = began
        self.kind = kind
        self.pieces = [first] if first else []
        self.open = True


class CohereAssembler:
    """Puts one stream together, and reads the whole as it reads an answer that came whole."""

    def __init__(self, prompt: Prompt, target: Target) -> None:
        self._prompt = prompt
        self._target = target
        self._began = False
        self._content: list[_Growing] = []
        self._calls: list[_Growing] = []
        self._speaking = -1  # the last block whose text was handed out
        self._plan: list[str] = []
        self._citations: list[JsonObject] = []
        self._end: JsonObject | None = None

    @property
    def ended(self) -> bool:
        """The message has ended."""
        return self._end is not None

    def feed(self, event: ServerEvent) -> Sequence[CompletionEvent]:
        """What the event adds.

        Raises:
            ReportedFault: the provider reports an error.
            BadResponseError: the event is not what the interface says.
        """
        if self._end is not None:
            return ()
        if event.name == "error":
            raise read_fault(parsed_object(event.data, self._target) if event.data.startswith("{") else event.data)
        # Events of a name that is not known may hold anything, and a sentinel is no event.
        if event.data == SENTINEL or (event.name and event.name not in EVENTS):
            return ()
        body = parsed_object(event.data, self._target)
        kind = body.get("type", event.name)
        if type(kind) is not str:
            raise bad_response(self._target, "sent an event without a type")
        if kind == "content-delta":
            return self._grow_content(body)
        if kind not in EVENTS:
            if "type" not in body and ("message" in body or "error" in body):
                raise read_fault(body)
            return ()
        if kind == "message-start":
            if self._began:
                raise bad_response(self._target, "began a second message in one stream")
            self._began = True
            delta = body.get("delta")
            message = delta.get("message") if type(delta) is dict else None
            if type(message) is dict and message.get("content"):
                raise bad_response(self._target, "began a message that has content already")
            return ()
        if kind == "content-end" or kind == "tool-call-end":
            self._close(self._content if kind == "content-end" else self._calls, body)
            return ()
        if kind == "citation-end":
            return ()
        return self._turn(kind, body)

    def completion(self) -> Completion:
        """The whole.

        Raises:
            IncompleteResponseError: the message did not end.
            BadResponseError: it is no answer.
        """
        if self._end is None:
            raise incomplete_response(self._target, "ended the stream before the message ended")
        answer: JsonObject = {
            "finish_reason": self._end.get("finish_reason"),
            "usage": self._end.get("usage"),
            "message": {
                "content": [{"type": block.kind, block.kind: "".join(block.pieces)} for block in self._content],
                "tool_plan": "".join(self._plan),
                "tool_calls": [_whole_call(call) for call in self._calls],
                "citations": self._citations,
            },
        }
        return read_answer(answer, self._prompt, self._target)

    def _turn(self, kind: str, body: JsonObject) -> Sequence[CompletionEvent]:
        delta = object_in(body, "delta", self._target)
        if kind == "message-end":
            fault = fault_at_end(delta)
            if fault is not None:
                raise fault
            cut = delta.get("finish_reason") == "MAX_TOKENS"
            if not cut and any(growing.open for growing in (*self._content, *self._calls)):
                raise bad_response(self._target, "ended the message within a part of it")
            self._end = delta
            return ()
        message = object_in(delta, "message", self._target)
        if kind == "content-start":
            return self._begin_content(body, object_in(message, "content", self._target))
        if kind == "tool-plan-delta":
            plan = text_in(message, "tool_plan", self._target)
            self._plan.append(plan)
            return (ReasoningDelta(plan),) if plan else ()
        if kind == "citation-start":
            several = type(message.get("citations")) is list
            self._citations += (
                objects_in(message, "citations", self._target)
                if several
                else [object_in(message, "citations", self._target)]
            )
            return ()
        call = object_in(message, "tool_calls", self._target)
        function = object_in(call, "function", self._target)
        arguments = text_in(function, "arguments", self._target) if function.get("arguments") is not None else ""
        if kind == "tool-call-start":
            self._add(self._calls, body, _Growing(call, "call", arguments))
        else:
            self._open(self._calls, body).pieces.append(arguments)
        return ()

    def _begin_content(self, body: JsonObject, content: JsonObject) -> Sequence[CompletionEvent]:
        kind = content.get("type")
        if kind not in KINDS:
            raise bad_response(self._target, "sent a kind of content that its interface does not name")
        first = text_in(content, kind, self._target) if content.get(kind) is not None else ""
        self._add(self._content, body, _Growing(content, kind, first))
        return self._delta(len(self._content) - 1, kind, first)

    def _grow_content(self, body: JsonObject) -> Sequence[CompletionEvent]:
        message = object_in(object_in(body, "delta", self._target), "message", self._target)
        content = object_in(message, "content", self._target)
        block = self._open(self._content, body)
        piece = text_in(content, block.kind, self._target)
        block.pieces.append(piece)
        return self._delta(body["index"], block.kind, piece)

    def _delta(self, index: int, kind: str, piece: str) -> Sequence[CompletionEvent]:
        if not piece:
            return ()
        if kind == "thinking":
            return (ReasoningDelta(piece),)
        if index < self._speaking:
            raise bad_response(self._target, "went back to text before what was said already")
        self._speaking = index
        return (TextDelta(piece),)

    def _add(self, row: list[_Growing], body: JsonObject, growing: _Growing) -> None:
        if index_in(body, self._target) != len(row):
            raise bad_response(self._target, "began a part of the message out of its order")
        row.append(growing)

    def _open(self, row: list[_Growing], body: JsonObject) -> _Growing:
        index = index_in(body, self._target)
        if index >= len(row) or not row[index].open:
            raise bad_response(self._target, "went on with a part of the message that is not open")
        return row[index]

    def _close(self, row: list[_Growing], body: JsonObject) -> None:
        self._open(row, body).open = False


def _whole_call(call: _Growing) -> JsonObject:
    return call.began | {"function": call.began["function"] | {"arguments": "".join(call.pieces)}}
