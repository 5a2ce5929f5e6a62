"""What is wrong with an outcome; empty where nothing is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.conformance.outcome import Outcome
from rag_engine.errors import LanguageModelError
from rag_engine.types.generation import Completion, FinishReason, UsageSource

Judge: TypeAlias = Callable[[Outcome], str]


def answered(
    text: str | None = None,
    *,
    usage: tuple[int, int] | None = None,
    counted: bool = False,
    finish: tuple[FinishReason, ...] = (FinishReason.STOP,),
    pieces: int = 1,
    attempts: int = 1,
) -> Judge:
    """A whole answer: this ``text`` (None: any), these tokens read and written (``counted``: any, but told), one of
    these ends, after so many attempts; of a stream, at least so many ``pieces``, which add up to the text."""

    def judge(outcome: Outcome) -> str:
        completion = outcome.completion
        if completion is None:
            return _no_answer(outcome)
        if completion.finish_reason not in finish:
            return f"finished with {completion.finish_reason.value}"
        if text is not None and completion.text != text:
            return f"text {completion.text[:80]!r}"
        if len(completion.attempts) != attempts:
            return f"{len(completion.attempts)} attempts"
        return (_counted(completion, usage) if counted or usage else "") or _streamed(outcome, completion, pieces)

    return judge


def called(name: str, arguments: Mapping[str, object]) -> Judge:
    """One call of this tool, with these arguments and an id that its result can name."""

    def judge(outcome: Outcome) -> str:
        completion = outcome.completion
        if completion is None:
            return _no_answer(outcome)
        if completion.finish_reason is not FinishReason.TOOL_CALLS:
            return f"finished with {completion.finish_reason.value}"
        asked_for = [(call.name, json.loads(call.arguments)) for call in completion.tool_calls]
        if asked_for != [(name, dict(arguments))]:
            return f"tool calls {asked_for}"
        return "" if completion.tool_calls[0].id else "a tool call without an id"

    return judge


def said_in_json(keys: Mapping[str, type], expected: Mapping[str, object] | None = None) -> Judge:
    """An object with these keys of these types and no others; ``expected`` where it is known."""

    def judge(outcome: Outcome) -> str:
        if outcome.completion is None:
            return _no_answer(outcome)
        try:
            value = json.loads(outcome.completion.text)
        except ValueError:
            return f"no JSON: {outcome.completion.text[:80]!r}"
        if expected is not None:
            return "" if value == dict(expected) else f"said {value}"
        if not isinstance(value, dict) or {name: type(one) for name, one in value.items()} != dict(keys):
            return f"not of the schema: {outcome.completion.text[:80]!r}"
        return ""

    return judge


def failed(
    *kinds: type[LanguageModelError], status: int | None = None, retry_after: float | None = None, key: str = ""
) -> Judge:
    """One of these errors, with this status and wait where they are given; the ``key`` stands nowhere in it."""

    def judge(outcome: Outcome) -> str:
        error = outcome.error
        if not isinstance(error, kinds):
            return f"no {' or '.join(kind.__name__ for kind in kinds)}: {outcome.shown}"
        if status is not None and error.status != status:
            return f"{type(error).__name__} with status {error.status}"
        if retry_after is not None and error.retry_after != retry_after:
            return f"{type(error).__name__} with a wait of {error.retry_after} s, not {retry_after} s"
        if key and key in f"{error!r}{error}{error.hint}":
            return f"{type(error).__name__} shows the key"
        return ""

    return judge


def _no_answer(outcome: Outcome) -> str:
    return f"no answer: {outcome.shown}"


def _counted(completion: Completion, usage: tuple[int, int] | None) -> str:
    found = completion.usage
    if found.source is not UsageSource.REPORTED:
        return "usage is estimated"
    if usage is None:
        return "" if found.input_tokens and found.output_tokens else "usage is 0"
    if (found.input_tokens, found.output_tokens) == usage:
        return ""
    return f"usage {found.input_tokens}+{found.output_tokens}, not {usage[0]}+{usage[1]}"


def _streamed(outcome: Outcome, completion: Completion, pieces: int) -> str:
    if not outcome.streamed:
        return ""
    if "".join(outcome.pieces) != completion.text:
        return f"the pieces make {''.join(outcome.pieces)[:80]!r}"
    return "" if len(outcome.pieces) >= pieces else f"came in {len(outcome.pieces)} pieces"
