"""Anthropic's streams: blocks that begin, grow and end, in a message that does the same."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.llm.providers.anthropic_answer import read_fault, read_message
from rag_engine.llm.providers.dialect import JsonObject, ReportedFault, Target
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

# The deltas, by their type: the field that they bring, and the kind of block and the field of it that they make longer.
GROWTH = {
    "text_delta": ("text", "text", "text"),
    "thinking_delta": ("thinking", "thinking", "thinking"),
    "signature_delta": ("signature", "thinking", "signature"),
    "input_json_delta": ("partial_json", "tool_use", "input"),
}
EVENTS = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
    }
)


class _Block:
    """One block as it grows: what it began with, the pieces of each field, and its citations."""

    __slots__ = ("began", "citations", "kind", "open", "pieces")

    def __init__(self, began: JsonObject, citations: list[JsonObject]) -> None:
        self.began = began
        self.kind = began.get("type")
        self.pieces: dict[str, list[str]] = {}
        self.citations = citations
        self.open = True

    def whole(self) -> JsonObject:
        """The block as a message that came whole has it."""
        block = self.began | {name: "".join(pieces) for name, pieces in self.pieces.items()}
        if self.kind == "text":
            block["citations"] = self.citations
        return block


class AnthropicAssembler:
    """Puts one stream together, and reads the whole as it reads one that came whole."""

    def __init__(self, prompt: Prompt, target: Target) -> None:
        self._prompt = prompt
        self._target = target
        self._blocks: list[_Block] = []
        self._speaking = -1  # the last block whose text was handed out
        self._usage: JsonObject | None = None
        self._final_usage = False
        self._reason: object = None
        self._model: object = None
        self._ended = False

    @property
    def ended(self) -> bool:
        """The message has stopped."""
        return self._ended

    def feed(self, event: ServerEvent) -> Sequence[CompletionEvent]:
        """What the event adds.

        Raises:
            ReportedFault: the provider reports an error.
            BadResponseError: the event is not what the interface says.
        """
        if self._ended:
            return ()
        body = self._body(event)
        kind = body.get("type", event.name)
        if type(kind) is not str:
            raise bad_response(self._target, "sent an event without a type")
        if kind == "content_block_delta":
            return self._grow(body)
        if kind == "content_block_start":
            return self._begin(body)
        if kind == "error" or (kind not in EVENTS and "error" in body):
            raise read_fault(body)
        if kind in EVENTS:
            self._turn(kind, body)
        return ()

    def completion(self) -> Completion:
        """The whole.

        Raises:
            IncompleteResponseError: the message did not stop.
            BadResponseError: it is no message.
        """
        if not self._ended:
            raise incomplete_response(self._target, "ended the stream before the message stopped")
        message: JsonObject = {
            "model": self._model,
            "content": [block.whole() for block in self._blocks],
            "stop_reason": self._reason,
            # The numbers at the start are not yet those of the whole.
            "usage": self._usage if self._final_usage else None,
        }
        return read_message(message, self._prompt, self._target)

    def _body(self, event: ServerEvent) -> JsonObject:
        """Events of a name that is not known may hold anything, and a sentinel is no event."""
        if event.name == "error" and not event.data.lstrip().startswith("{"):
            raise ReportedFault(message=event.data)
        if event.name not in EVENTS and (event.name or event.data == "[DONE]"):
            return {"type": "ping"}
        return parsed_object(event.data, self._target)

    def _begin(self, body: JsonObject) -> Sequence[CompletionEvent]:
        began = object_in(body, "content_block", self._target)
        block = _Block(began, list(objects_in(began, "citations", self._target)))
        index = index_in(body, self._target)
        if self._usage is None:
            raise bad_response(self._target, "sent content before the message began")
        if self._reason is not None:
            raise bad_response(self._target, "sent content behind the end of the message")
        if index != len(self._blocks):
            raise bad_response(self._target, "began a block out of its order")
        self._blocks.append(block)
        if block.kind == "text" and began.get("text"):
            self._speaking = index
            return (TextDelta(text_in(began, "text", self._target)),)
        if block.kind == "thinking" and began.get("thinking"):
            return (ReasoningDelta(text_in(began, "thinking", self._target)),)
        return ()

    def _grow(self, body: JsonObject) -> Sequence[CompletionEvent]:
        delta = object_in(body, "delta", self._target)
        index = index_in(body, self._target)
        if index >= len(self._blocks) or not self._blocks[index].open:
            raise bad_response(self._target, "added to a block that is not open")
        block = self._blocks[index]
        kind = delta.get("type")
        if kind == "citations_delta" and block.kind == "text":
            block.citations.append(object_in(delta, "citation", self._target))
            return ()
        growth = GROWTH.get(kind) if type(kind) is str else None
        if growth is None or growth[1] != block.kind:
            raise bad_response(self._target, "sent a piece that does not fit its block")
        text = text_in(delta, growth[0], self._target)
        pieces = block.pieces.get(growth[2])
        if pieces is None:
            began = block.began.get(growth[2])
            pieces = block.pieces[growth[2]] = [began] if type(began) is str else []
        pieces.append(text)
        if not text:
            return ()
        if kind == "text_delta":
            if index < self._speaking:
                raise bad_response(self._target, "went back to text before what was said already")
            self._speaking = index
            return (TextDelta(text),)
        return (ReasoningDelta(text),) if kind == "thinking_delta" else ()

    def _turn(self, kind: str, body: JsonObject) -> None:
        if kind == "message_start":
            if self._usage is not None:
                raise bad_response(self._target, "began a second message in one stream")
            message = object_in(body, "message", self._target)
            if message.get("content"):
                raise bad_response(self._target, "began a message that has content already")
            usage = message.get("usage")
            self._usage = dict(usage) if type(usage) is dict else {}
            self._model = message.get("model")
            return
        if self._usage is None:
            raise bad_response(self._target, "sent parts of a message that did not begin")
        if kind == "content_block_stop":
            index = index_in(body, self._target)
            if index >= len(self._blocks) or not self._blocks[index].open:
                raise bad_response(self._target, "ended a block that is not open")
            self._blocks[index].open = False
        elif kind == "message_delta":
            reason = object_in(body, "delta", self._target).get("stop_reason")
            self._reason = self._reason if reason is None else reason
            usage = body.get("usage")
            if type(usage) is dict:  # counted from the start: what comes replaces what was
                self._usage |= {name: value for name, value in usage.items() if value is not None}
                self._final_usage = self._final_usage or "output_tokens" in usage
        elif kind == "message_stop":
            if any(block.open for block in self._blocks):
                raise bad_response(self._target, "stopped the message within a block")
            self._ended = True
