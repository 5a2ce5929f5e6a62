"""What an answer of OpenAI's form says, whole or put together: its end, its text, its filters and its usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag_engine.error_handler import Phase
from rag_engine.errors import BadResponseError, IncompleteResponseError, OutputFilteredError, PromptBlockedError
from rag_engine.llm.providers.dialect import JsonObject, ReportedFault, Target
from rag_engine.llm.providers.finish_reasons import settled_reason
from rag_engine.llm.providers.openai_quirks import FAILED, FILTERED, MEANINGS, OpenAIQuirks
from rag_engine.llm.providers.received import bad_response, incomplete_response
from rag_engine.llm.providers.reported_usage import NO_NUMBERS, count_of, reported_usage, sum_of
from rag_engine.types.conversation import ToolCall
from rag_engine.types.generation import Completion, FinishReason, Prompt, Usage


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom."""

    prompt: Prompt
    target: Target
    quirks: OpenAIQuirks

    def bad(self, why: str, *, phase: Phase = Phase.VALIDATE) -> BadResponseError:
        """The answer is not what the interface says."""
        return bad_response(self.target, why, phase=phase)


@dataclass(frozen=True, slots=True)
class Said:
    """All of an answer, before it is judged. ``about`` is a piece of it that holds ``usage`` and ``timings``."""

    finish: str
    text: str
    refusal: bool
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    model: str
    id: str
    about: Mapping[str, Any]


def judged(said: Said, asked: Asked) -> Completion:
    """The completion that was said.

    Raises:
        BadResponseError: it is no answer.
    """
    reason = FinishReason(meaning(said.finish, asked))
    if reason is FinishReason.STOP and said.refusal and not said.tool_calls:
        reason = FinishReason.REFUSED
    # Some say "stop" where one certain tool had to be called, and none says whether a stop sequence was met.
    at_sequence = bool(asked.prompt.sampling.stop)
    reason = settled_reason(
        reason, text=said.text, calls=len(said.tool_calls), target=asked.target, at_sequence=at_sequence
    )
    return Completion(
        text=said.text,
        model=said.model or asked.target.model,
        finish_reason=reason,
        usage=read_usage(said.about, asked.quirks),
        # What is cut asks for no tool: a call may be cut, or the next one missing.
        tool_calls=said.tool_calls if reason is FinishReason.TOOL_CALLS else (),
        reasoning=said.reasoning,
        request_id=said.id,
    )


def meaning(finish: str, asked: Asked) -> str:
    """``stop``, ``length`` or ``tool_calls``, whatever the provider's word for it.

    Raises:
        ReportedFault: it says that the provider failed.
        OutputFilteredError: it says that a filter ended the answer.
        BadResponseError: the word is unknown.
    """
    known = asked.quirks.finish_reasons.get(finish, finish)
    if known == FILTERED:
        raise filtered(asked, "")
    if known == FAILED:
        raise ReportedFault(type=FAILED, message="the provider ended its answer with an error", status=500)
    if known in MEANINGS:
        return known
    raise asked.bad(f"finished for the unknown reason {finish[:40]!r}")


def finish_of(choice: JsonObject, asked: Asked) -> str:
    """The reason that stands there; empty where none does yet."""
    finish = choice.get("finish_reason")
    if finish is None:
        return ""
    if not isinstance(finish, str):
        raise asked.bad("gives a reason for its end that is no text")
    return finish


def unfinished(asked: Asked, characters: int) -> IncompleteResponseError:
    """The answer lacks its end."""
    return incomplete_response(asked.target, f"gave no reason for its end after {characters} characters")


def filtered(asked: Asked, what: str, *, prompt: bool = False) -> OutputFilteredError | PromptBlockedError:
    """A filter of the provider stood in the way."""
    target = asked.target
    kind = PromptBlockedError if prompt else OutputFilteredError
    return kind(
        f"{target.provider}/{target.model} filtered the {'prompt' if prompt else 'answer'}{what and f': {what}'}",
        provider=target.provider,
        model=target.model,
        phase=Phase.VALIDATE,
    )


def check_filters(reply: JsonObject, choice: JsonObject, asked: Asked) -> None:
    """Looks at Azure's verdicts on the prompt and the answer.

    Raises:
        PromptBlockedError, OutputFilteredError: one says that something was filtered.
    """
    verdicts = reply.get("prompt_filter_results")
    for verdict in verdicts if isinstance(verdicts, list) else ():
        found = _filters_that_hit(verdict.get("content_filter_results") if isinstance(verdict, dict) else None)
        if found:
            raise filtered(asked, found, prompt=True)
    found = _filters_that_hit(choice.get("content_filter_results"))
    if found:
        raise filtered(asked, found)


def _filters_that_hit(results: object) -> str:
    if not isinstance(results, dict):
        return ""
    return ", ".join(
        str(name)
        for name, result in results.items()
        if any(isinstance(one, dict) and one.get("filtered") is True for one in (result, *_listed(result)))
    )


def _listed(result: object) -> list[object]:
    return result if isinstance(result, list) else []


def text_and_thought(content: object, asked: Asked, *, within: bool = False) -> tuple[str, str]:
    """Of a message's content: a text, or Mistral's list of pieces, among which thoughts are told apart. ``within`` one
    there is no other."""
    if content is None:
        return "", ""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        raise asked.bad("answers with content that is neither a text nor a list")
    text, thought = [], []
    for piece in content:
        kind = piece.get("type") if isinstance(piece, dict) else None
        if kind == "text" and isinstance(piece.get("text"), str):
            text.append(piece["text"])
        elif kind == "thinking" and not within:
            thought.append(text_and_thought(piece.get("thinking"), asked, within=True)[0])
        elif kind not in ("reference", "tool_reference"):  # those name sources, and are no text
            raise asked.bad("answers with a kind of content that nobody described")
    return "".join(text), "".join(thought)


def read_usage(reply: Mapping[str, Any], quirks: OpenAIQuirks) -> Usage:
    """The numbers that ``usage`` or llama.cpp's ``timings`` give; zeros that say so where there are none."""
    usage = reply.get("usage")
    if isinstance(usage, dict):
        read, written = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        if read is not None and written is not None:
            return _detailed(usage, read, written)
    timings = reply.get("timings")
    if quirks.timings and isinstance(timings, dict):
        cached = _count(timings, "cache_n") or 0
        return reported_usage(
            sum_of(_count(timings, "prompt_n"), cached), _count(timings, "predicted_n"), cache_read=cached
        )
    return NO_NUMBERS


def _detailed(usage: JsonObject, read: int, written: int) -> Usage:
    """Many servers imitate the details badly: those that cannot be are left out, and the whole is believed."""
    prompt_details, details = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = _count(prompt_details, "cached_tokens") or _count(usage, "num_cached_tokens") or 0
    kept = _count(prompt_details, "cache_write_tokens") or 0
    thought = _count(details, "reasoning_tokens") or 0
    if thought and _count(usage, "total_tokens") == read + written + thought:
        written += thought  # some count what was thought beside what was written
    cached = cached if cached <= read else 0
    return reported_usage(
        read,
        written,
        cache_read=cached,
        cache_write=kept if cached + kept <= read else 0,
        thought=thought if thought <= written else 0,
    )


def _count(numbers: object, name: str) -> int | None:
    return count_of(numbers.get(name)) if isinstance(numbers, dict) else None
