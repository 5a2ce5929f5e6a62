"""What Ollama's /api/chat answers, whole or in lines: both are read by the same code, as both look the same."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.llm.providers.dialect import JsonObject, ReportedFault, Target
from rag_engine.llm.providers.finish_reasons import settled_reason
from rag_engine.llm.providers.ollama_quirks import OllamaQuirks
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.received import (
    bad_response,
    incomplete_response,
    parsed_object,
    text_or_empty,
    whole_text,
)
from rag_engine.llm.providers.reported_usage import NO_NUMBERS, count_of, reported_usage
from rag_engine.llm.providers.tool_arguments import OWN_ID, arguments_of_object
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.conversation import ToolCall
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import (
    Completion,
    CompletionEvent,
    FinishReason,
    ReasoningDelta,
    TextDelta,
)

# Some whole answers give no reason for their end.
_ENDS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH, "": FinishReason.STOP, None: FinishReason.STOP}


class OllamaAssembler:
    """Puts lines together; the one with ``done`` is the last. A whole answer is that line alone."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._window = read_quirks(OllamaQuirks, target.quirks).num_ctx
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._last: JsonObject | None = None

    @property
    def ended(self) -> bool:
        """Nothing more is expected."""
        return self._last is not None

    def feed(self, event: ServerEvent) -> Sequence[CompletionEvent]:
        """What a line adds."""
        return self.add(parsed_object(event.data, self._target))

    def add(self, line: JsonObject) -> Sequence[CompletionEvent]:
        """As ``feed``, of one that is parsed."""
        if self._last is not None:
            return ()
        if line.get("error"):
            raise reported_fault(line)
        deltas: list[CompletionEvent] = []
        message = line.get("message")
        if isinstance(message, dict):
            self._read(message, deltas)
        elif message is not None:
            raise bad_response(self._target, "sent a message that is none")
        done = line.get("done")
        if done is True:
            if line.get("done_reason") in ("load", "unload"):
                raise bad_response(self._target, "only loaded or unloaded the model, and did not answer")
            self._last = line
        elif done is not False and done is not None:
            raise bad_response(self._target, "says neither that it is done nor that it is not")
        return deltas

    def completion(self) -> Completion:
        """The whole.

        Raises:
            IncompleteResponseError: it is not done.
            BadResponseError: it ended for no known reason, or says nothing.
        """
        target, last = self._target, self._last
        if last is None:
            raise incomplete_response(target, "did not say that its answer is done")
        reason = last.get("done_reason")
        finish = _ENDS.get(reason) if reason is None or isinstance(reason, str) else None
        if finish is None:
            raise bad_response(target, "ended its answer for a reason that is not known")
        read, written = count_of(last.get("prompt_eval_count")), count_of(last.get("eval_count"))
        text = "".join(self._text)
        if finish is FinishReason.STOP and self._window and (read or 0) + (written or 0) >= self._window:
            # Ollama cuts silently what goes over the window: that the window is full is all that can be seen of it.
            finish = FinishReason.LENGTH
        return Completion(
            text=text,
            model=text_or_empty(last.get("model")) or target.model,
            finish_reason=settled_reason(finish, text=text, calls=len(self._calls), target=target),
            # A prompt that the server had in its cache may be counted with nothing.
            usage=reported_usage(read, written) if read else NO_NUMBERS,
            tool_calls=tuple(self._calls),
            reasoning="".join(self._reasoning),
        )

    def _read(self, message: JsonObject, deltas: list[CompletionEvent]) -> None:
        thinking = message.get("thinking")
        if thinking:
            self._reasoning.append(whole_text(thinking, self._target))
            deltas.append(ReasoningDelta(thinking))
        content = message.get("content")
        if content:
            self._text.append(whole_text(content, self._target))
            deltas.append(TextDelta(content))
        calls = message.get("tool_calls")
        if calls:
            if not isinstance(calls, list):
                raise bad_response(self._target, "asks for tools that are none")
            for call in calls:
                self._calls.append(self._call(call))

    def _call(self, call: object) -> ToolCall:
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(name, str) or not name:
            raise bad_response(self._target, "asks for a tool without naming it")
        return ToolCall(
            id=text_or_empty(call.get("id")) or f"{OWN_ID}{len(self._calls) + 1}",
            name=whole_text(name, self._target),
            arguments=arguments_of_object(function.get("arguments"), self._target),
        )


def reported_fault(value: JsonValue) -> ReportedFault:
    """``{"error": "what"}``; other servers of the same interface say an object with ``message``, ``type`` and
    ``code``."""
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):
        return ReportedFault(message=error)
    if not isinstance(error, dict):
        return ReportedFault()
    code = error.get("code")
    return ReportedFault(
        type=text_or_empty(error.get("type")),
        code=str(code) if type(code) in (int, str) else "",
        message=text_or_empty(error.get("message")),
    )
