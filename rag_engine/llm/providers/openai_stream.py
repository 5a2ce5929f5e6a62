"""Streams of OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag_engine.error_handler import Phase
from rag_engine.llm.providers.openai_faults import openai_fault, reports_an_error
from rag_engine.llm.providers.openai_reply import (
    Asked,
    Said,
    check_filters,
    finish_of,
    judged,
    meaning,
    text_and_thought,
    unfinished,
)
from rag_engine.llm.providers.openai_tool_calls import ToolCalls
from rag_engine.llm.providers.received import parsed, text_or_empty, whole_text
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Completion, CompletionEvent, ReasoningDelta, TextDelta

DONE = "[DONE]"
_FILTERS = ("content_filter_results", "content_filter_offsets")


class Characters:
    """Text in pieces, of which one may end within a character: its half waits for the next."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._half = ""
        self._pieces: list[str] = []
        self.length = 0

    def add(self, piece: str) -> str:
        """What the piece adds in whole characters."""
        if self._half or not piece.isascii():
            piece, self._half = self._half + piece, ""
            if "\ud800" <= piece[-1] <= "\udbff":
                piece, self._half = piece[:-1], piece[-1]
            piece = whole_text(piece, self._asked.target)
        self._pieces.append(piece)
        self.length += len(piece)
        return piece

    def whole(self) -> str:
        """All of it.

        Raises:
            BadResponseError: it ends within a character.
        """
        if self._half:
            raise self._asked.bad("ends within a character")
        return "".join(self._pieces)


class OpenAIChatAssembler:
    """Puts one stream together. The end is the reason for it, not the word ``[DONE]``, which may be missing; what comes
    in between and cannot be read is an error, for it may have been a part of the answer."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._thoughts_in = asked.quirks.reasoning_fields
        self._text = Characters(asked)
        self._reasoning = Characters(asked)
        self._tool_calls = ToolCalls(asked)
        self._refusal = False
        self._finish = ""
        self._about: dict[str, Any] = {}
        self._model = ""
        self._id = ""
        self._ended = False

    @property
    def ended(self) -> bool:
        """Nothing more is expected."""
        return self._ended

    def feed(self, event: ServerEvent) -> Sequence[CompletionEvent]:
        """What the event adds."""
        if event.data.strip() == DONE:
            self._ended = True
            return ()
        chunk: Any = parsed(event.data, self._asked.target)
        if not isinstance(chunk, dict) or event.name == "error" or "error" in chunk or not chunk.get("choices"):
            choice = self._without_choice(chunk, event.name)
        else:
            choice = self._only_choice(chunk["choices"])
        deltas = self._choice(choice) if choice else ()
        self._remember(chunk, choice)
        return deltas

    def completion(self) -> Completion:
        """The whole, once the stream is over."""
        if not self._finish:
            raise unfinished(self._asked, self._text.length)
        cut = meaning(self._finish, self._asked) == "length"
        return judged(
            Said(
                finish=self._finish,
                text=self._text.whole(),
                refusal=self._refusal,
                reasoning=self._reasoning.whole(),
                tool_calls=() if cut else self._tool_calls.finished(),
                model=self._model,
                id=self._id,
                about=self._about,
            ),
            self._asked,
        )

    def _without_choice(self, chunk: object, name: str) -> dict[str, Any]:
        """Of a piece that is an error, or brings something beside the answer, or is neither."""
        if not isinstance(chunk, dict):
            if name == "error" or (isinstance(chunk, list) and chunk and isinstance(chunk[0], dict)):
                raise openai_fault(chunk)  # type: ignore[arg-type]
            raise self._asked.bad("sent a piece that is no object", phase=Phase.PARSE)
        if name == "error" or reports_an_error(chunk):
            raise openai_fault(chunk)
        choices = chunk.get("choices")
        if choices:
            return self._only_choice(choices)
        if choices != [] and not isinstance(chunk.get("usage"), dict):
            raise self._asked.bad("sent a piece without choices")
        return {}

    def _only_choice(self, choices: object) -> dict[str, Any]:
        if not isinstance(choices, list) or not isinstance(choices[0], dict):
            raise self._asked.bad("sent choices in a form that nobody described")
        choice: dict[str, Any] = choices[0]
        if len(choices) > 1 or choice.get("index") not in (0, None):
            raise self._asked.bad("sent more than the one answer that was asked for")
        return choice

    def _choice(self, choice: dict[str, Any]) -> Sequence[CompletionEvent]:
        delta = choice.get("delta")
        deltas: list[CompletionEvent] = []
        if isinstance(delta, dict):
            self._delta(delta, deltas)
        elif delta is not None or "message" in choice or not (choice.get("finish_reason") or choice.keys() & _FILTERS):
            raise self._asked.bad("sent a choice without a delta")
        finish = finish_of(choice, self._asked)
        if finish:
            meaning(finish, self._asked)
            if self._finish not in ("", finish):
                raise self._asked.bad("gives two reasons for its end")
            self._finish = finish
        return deltas

    def _delta(self, delta: dict[str, Any], deltas: list[CompletionEvent]) -> None:
        for name in self._thoughts_in:
            thought = delta.get(name)
            if thought:
                self._say(thought, self._reasoning, deltas)
                break  # some send the same under two names
        content = delta.get("content")
        if content:
            if not isinstance(content, str):
                content, thought = text_and_thought(content, self._asked)
                if thought:
                    self._say(thought, self._reasoning, deltas)
            if content:
                self._say(content, self._text, deltas)
        refusal = delta.get("refusal")
        if refusal:
            self._refusal = True
            self._say(refusal, self._text, deltas)
        fragments = delta.get("tool_calls")
        if fragments:
            self._not_ended()
            self._tool_calls.add(fragments)

    def _say(self, piece: object, into: Characters, deltas: list[CompletionEvent]) -> None:
        self._not_ended()
        if not isinstance(piece, str):
            raise self._asked.bad("sent a text that is none")
        piece = into.add(piece)
        if piece:
            deltas.append(TextDelta(piece) if into is self._text else ReasoningDelta(piece))

    def _not_ended(self) -> None:
        if self._finish:
            raise self._asked.bad("goes on behind its end")

    def _remember(self, chunk: dict[str, Any], choice: dict[str, Any]) -> None:
        if "prompt_filter_results" in chunk or "content_filter_results" in choice:
            check_filters(chunk, choice, self._asked)
        if not self._model:
            self._model = text_or_empty(chunk.get("model"))
        if not self._id:
            self._id = text_or_empty(chunk.get("id"))
        counted = chunk.get("usage")
        if counted is not None or "timings" in chunk:
            self._about = chunk
            if self._finish and counted is not None and not self._asked.quirks.speaks_after_end:
                self._ended = True
