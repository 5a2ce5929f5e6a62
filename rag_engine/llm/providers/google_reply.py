"""What Google's generateContent answers, whole or in fragments: both are read by the same code, as both look the
same."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.errors import OutputFilteredError, PromptBlockedError
from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.finish_reasons import settled_reason
from rag_engine.llm.providers.google_fault import holds_error, reported_fault
from rag_engine.llm.providers.received import bad_response, incomplete_response, parsed, text_or_empty, whole_text
from rag_engine.llm.providers.reported_usage import NO_NUMBERS, count_of, reported_usage, sum_of
from rag_engine.llm.providers.tool_arguments import OWN_ID, arguments_of_object
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.conversation import ToolCall
from rag_engine.types.generation import (
    Completion,
    CompletionEvent,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    Usage,
)

# Ends of an answer. CONTINUATION is a limit of the request that another request could go beyond.
_ENDS = {"STOP": FinishReason.STOP, "MAX_TOKENS": FinishReason.LENGTH, "CONTINUATION": FinishReason.LENGTH}
_NO_END = (None, "", "FINISH_REASON_UNSPECIFIED")
# Ends by a filter or a rule. All others, known or not, are no answers either: BadResponseError.
_FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MODEL_ARMOR",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)
# What stands beside a part's content, or alone, and is none itself.
_BESIDE = frozenset({"thought", "thoughtSignature", "mediaResolution", "mediaProcessing"})


class GoogleAssembler:
    """Puts fragments together. A whole answer is one fragment.

    The interface has no sentinel: the end is that of the connection, after a finish reason was seen. Older models say
    STOP with every fragment, and relays with fragments that hold nothing; so a finish reason is only taken for the last
    word (``ended``) where every fragment with text before it had none, and where the usage has come with it.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._finish: FinishReason | None = None
        self._usage: object = None
        self._model = ""
        self._response_id = ""
        self._marks_only_the_last: bool | None = None  # as long as it cannot be told
        self._ended = False

    @property
    def ended(self) -> bool:
        """Nothing more is expected."""
        return self._ended

    def feed(self, event: ServerEvent) -> Sequence[CompletionEvent]:
        """What a fragment adds; a list of fragments is read one by one."""
        value = parsed(event.data, self._target)
        if isinstance(value, dict):
            return self.add(value)
        if holds_error(value):
            raise reported_fault(value)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise bad_response(self._target, "sent a fragment that is no object")
        return [delta for fragment in value if isinstance(fragment, dict) for delta in self.add(fragment)]

    def add(self, fragment: JsonObject) -> Sequence[CompletionEvent]:
        """As ``feed``, of one that is parsed."""
        if self._ended:
            return ()
        if fragment.get("error"):
            raise reported_fault(fragment)
        if "usageMetadata" in fragment:
            self._usage = fragment["usageMetadata"]
        candidate = self._candidate(fragment)
        if candidate is None:
            return ()
        if not self._model:
            self._model = text_or_empty(fragment.get("modelVersion"))
        if not self._response_id:
            self._response_id = text_or_empty(fragment.get("responseId"))
        deltas: list[CompletionEvent] = []
        calls = len(self._calls)
        for part in self._parts(candidate):
            self._read_part(part, deltas)
        finish = candidate.get("finishReason")
        if finish not in _NO_END:
            self._finish = self._end(finish)
            self._ended = self._marks_only_the_last is True and "usageMetadata" in fragment
        elif deltas or len(self._calls) > calls:
            # Once what was called the end was none, no finish reason is the last word any more.
            self._marks_only_the_last = self._marks_only_the_last is not False and self._finish is None
            self._finish = None
        return deltas

    def completion(self) -> Completion:
        """The whole.

        Raises:
            IncompleteResponseError: no finish reason came.
            BadResponseError: it ended and says nothing.
        """
        target = self._target
        if self._finish is None:
            raise incomplete_response(target, "gave no reason for the end of its answer")
        text = "".join(self._text)
        return Completion(
            text=text,
            model=self._model or target.model,
            finish_reason=settled_reason(self._finish, text=text, calls=len(self._calls), target=target),
            usage=_usage(self._usage, wrote=bool(text or self._calls)),
            tool_calls=tuple(self._calls),
            reasoning="".join(self._reasoning),
            request_id=self._response_id,
        )

    def _candidate(self, fragment: JsonObject) -> JsonObject | None:
        """The first, as no more are asked for; None where the fragment has none."""
        candidates = fragment.get("candidates")
        if candidates is None or candidates == []:
            feedback = fragment.get("promptFeedback")
            reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
            if reason:
                raise PromptBlockedError(
                    f"{self._target.provider} blocked the prompt: {_word(reason)}",
                    provider=self._target.provider,
                    model=self._target.model,
                )
            return None
        if not isinstance(candidates, list) or not all(isinstance(one, dict) for one in candidates):
            raise bad_response(self._target, "sent candidates that are none")
        return next((one for one in candidates if one.get("index", 0) == 0), None)

    def _parts(self, candidate: JsonObject) -> Sequence[JsonObject]:
        content = candidate.get("content")
        if content is None:
            return ()
        parts = content.get("parts") if isinstance(content, dict) else False
        if parts is None:
            return ()
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise bad_response(self._target, "sent content without its form")
        return parts

    def _read_part(self, part: JsonObject, deltas: list[CompletionEvent]) -> None:
        if "text" in part:
            text = whole_text(part["text"], self._target)
            if not text:
                return
            if part.get("thought") is True:
                self._reasoning.append(text)
                deltas.append(ReasoningDelta(text))
            else:
                self._text.append(text)
                deltas.append(TextDelta(text))
        elif "functionCall" in part:
            self._calls.append(self._call(part["functionCall"], part.get("thoughtSignature")))
        else:
            for name in part:
                if name not in _BESIDE and not name.endswith("Metadata"):
                    raise bad_response(self._target, f"sent a part of an unknown kind: {_word(name)}")

    def _call(self, call: object, signature: object) -> ToolCall:
        name = call.get("name") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(name, str) or not name or call.get("willContinue"):
            raise bad_response(self._target, "asks for a tool without naming it, or not to the end")
        return ToolCall(
            id=text_or_empty(call.get("id")) or f"{OWN_ID}{len(self._calls) + 1}",
            name=whole_text(name, self._target),
            arguments=arguments_of_object(call.get("args"), self._target),
            signature=text_or_empty(signature),
        )

    def _end(self, finish: object) -> FinishReason:
        word = text_or_empty(finish)
        if word in _ENDS:
            return _ENDS[word]
        if word in _FILTERED:
            raise OutputFilteredError(
                f"{self._target.provider} withheld the answer: {_word(finish)}",
                provider=self._target.provider,
                model=self._target.model,
            )
        raise bad_response(self._target, f"ended its answer with {_word(finish)}")


def _usage(reported: object, *, wrote: bool) -> Usage:
    """Numbers of zero are left out on the wire, but for those that cannot be zero."""
    if not isinstance(reported, dict):
        return NO_NUMBERS
    asked, tools, cached, written, thought = (
        count_of(reported.get(name, 0))
        for name in (
            "promptTokenCount",
            "toolUsePromptTokenCount",
            "cachedContentTokenCount",
            "candidatesTokenCount",
            "thoughtsTokenCount",
        )
    )
    if not asked or (wrote and not written):
        return NO_NUMBERS
    return reported_usage(sum_of(asked, tools), sum_of(written, thought), cache_read=cached, thought=thought)


def _word(value: object) -> str:
    """A provider's own word, as far as it is one."""
    return value[:60] if isinstance(value, str) and value.isascii() and value.isprintable() else "something unknown"
