"""What is asked of a tiny random model behind llama.cpp: what it says means nothing, so that what is judged is how much
it read and wrote, and that a grammar held it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.conformance.features import (
    INSTRUCTIONS,
    RESULT,
    Asked,
    Exchange,
    Feature,
    NotOffered,
    prompt_for,
    question,
)
from benchmarks.conformance.outcome import Outcome
from benchmarks.conformance.verdicts import Judge, answered, failed, said_in_json
from rag_engine.errors import ContextWindowError, InvalidKeyError
from rag_engine.types.conversation import ResponseSchema, Sampling, Tool
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import FinishReason, Prompt, UsageSource

WRITTEN = 12
# More characters than the window has tokens; the model's tokens are characters.
TOO_LONG = "a b " * 400
WRONG_KEY = "sk-wrong-0123456789abcdef"
# Only what is finite: a random model never comes to the end of a text.
_FINITE: Mapping[str, JsonValue] = {
    "type": "object",
    "properties": {"name": {"type": "string", "enum": ["Pamir", "Passat"]}, "afloat": {"type": "boolean"}},
    "required": ["name", "afloat"],
    "additionalProperties": False,
}
KEYS: Mapping[str, type] = {"name": str, "afloat": bool}
TOOL = Tool(name="look_up_ship", description="Looks up a ship.", parameters=_FINITE)
_NO_FAULTS = NotOffered("it has no such fault")
_ONE_MODEL = NotOffered("it answers with its one model, whatever the name")


def asked(
    *, tool_choice: str | NotOffered, schema: NotOffered | None, stream_usage: NotOffered | None
) -> dict[Feature, Asked]:
    """Every feature; a ``tool_choice`` that forces the tool, and why the others are not offered, where they are not."""
    grammar = replace(_short(Feature.JSON_SCHEMA, 80), schema=ResponseSchema("ship", _FINITE))
    questions = len(question(Feature.CONVERSATION)) + len("How long is a stay in the first year?Twelve nights.")
    found: dict[Feature, Asked] = {
        Feature.PLAIN: _once(Feature.PLAIN, _read(len(question(Feature.PLAIN)))),
        Feature.STREAM: replace(
            _once(Feature.STREAM, answered(finish=(FinishReason.LENGTH,), pieces=WRITTEN // 2)), streamed=True
        ),
        Feature.SYSTEM: _once(Feature.SYSTEM, _read(len(INSTRUCTIONS) + len(question(Feature.SYSTEM)))),
        Feature.CONVERSATION: _once(Feature.CONVERSATION, _read(questions)),
        Feature.TOOL_RESULT: _once(Feature.TOOL_RESULT, _read(len(question(Feature.TOOL_RESULT) + RESULT))),
        Feature.JSON_SCHEMA: schema or Exchange(grammar, said_in_json(KEYS)),
        Feature.USAGE: _once(Feature.USAGE, answered(finish=(FinishReason.LENGTH,), counted=True)),
        Feature.USAGE_STREAMED: stream_usage
        or replace(_once(Feature.USAGE_STREAMED, _read(len(question(Feature.USAGE_STREAMED)))), streamed=True),
        Feature.LENGTH: _once(Feature.LENGTH, answered(finish=(FinishReason.LENGTH,))),
        Feature.WRONG_KEY: replace(
            _once(Feature.WRONG_KEY, failed(InvalidKeyError, status=401, key=WRONG_KEY)), key=WRONG_KEY
        ),
        Feature.CONTEXT_WINDOW: Exchange(
            replace(_short(Feature.CONTEXT_WINDOW, WRITTEN), content=TOO_LONG), failed(ContextWindowError, status=400)
        ),
        Feature.UNKNOWN_MODEL: _ONE_MODEL,
        **dict.fromkeys(
            (
                Feature.RATE_LIMIT,
                Feature.SERVER_ERROR,
                Feature.RETRIED,
                Feature.MALFORMED,
                Feature.DISCONNECTED,
                Feature.CUT_STREAM,
            ),
            _NO_FAULTS,
        ),
    }
    for feature, streamed in ((Feature.TOOLS, False), (Feature.TOOLS_STREAMED, True)):
        if isinstance(tool_choice, NotOffered):
            found[feature] = tool_choice
            continue
        prompt = replace(_short(feature, 120), tools=(TOOL,), tool_choice=tool_choice)
        found[feature] = Exchange(prompt, _asks_for_ship, streamed=streamed)
    return found


def _short(feature: Feature, tokens: int) -> Prompt:
    """The prompt with the likeliest token each time, and an end after so many."""
    return replace(prompt_for(feature), sampling=Sampling(max_output_tokens=tokens, temperature=0.0, seed=1))


def _once(feature: Feature, judge: Judge) -> Exchange:
    prompt = _short(feature, WRITTEN)
    # No tool is to be asked for where only a result is to be read.
    return Exchange(replace(prompt, tools=()) if feature is Feature.TOOL_RESULT else prompt, judge)


def _read(characters: int) -> Judge:
    """It wrote what it might, and read every character of the texts: each is a token of its own."""

    def judge(outcome: Outcome) -> str:
        wrong = answered(finish=(FinishReason.LENGTH,), counted=True)(outcome)
        if wrong or outcome.completion is None:
            return wrong
        usage = outcome.completion.usage
        if usage.source is not UsageSource.REPORTED or usage.output_tokens != WRITTEN:
            return f"{usage.output_tokens} tokens written, not {WRITTEN}"
        return (
            "" if usage.input_tokens >= characters else f"{usage.input_tokens} tokens read of {characters} characters"
        )

    return judge


def _asks_for_ship(outcome: Outcome) -> str:
    if outcome.completion is None:
        return f"no answer: {outcome.shown}"
    calls = outcome.completion.tool_calls
    if outcome.completion.finish_reason is not FinishReason.TOOL_CALLS or len(calls) != 1:
        return f"finished with {outcome.completion.finish_reason.value}, {len(calls)} calls"
    if calls[0].name != TOOL.name or not calls[0].id:
        return f"calls {calls[0].name!r} with the id {calls[0].id!r}"
    wrong = said_in_json(KEYS)
    return wrong(replace(outcome, completion=replace(outcome.completion, text=calls[0].arguments)))
