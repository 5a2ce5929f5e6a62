"""A prompt as Cohere's Chat API, version 2, wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.received import text_or_empty
from rag_engine.llm.providers.sent_turns import carried, described_tool, sent_documents, sent_turns
from rag_engine.llm.providers.unsendable import unsupported
from rag_engine.types.conversation import Message, Role, ToolCall, ToolChoice
from rag_engine.types.generation import NumberedSource, Prompt

CHOICES = {ToolChoice.NONE: "NONE", ToolChoice.REQUIRED: "REQUIRED"}
THINKING = ("enabled", "disabled")


@dataclass(frozen=True, slots=True)
class CohereQuirks:
    """How models differ: whether they take ``thinking``."""

    thinking: bool = True


def request_body(prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
    """What is sent.

    Raises:
        UnsupportedParameterError: a schema beside documents or tools, the choice of one tool, or a word for how much
            to think that is none of Cohere's.
        InvalidRequestError: nothing is asked.
    """
    quirks = read_quirks(CohereQuirks, target.quirks)
    documents = sent_documents(prompt)
    body: JsonObject = {
        "model": target.model,
        "messages": _messages(prompt, documents, target),
        # Theirs is never left out either.
        "stream": stream,
    }
    if prompt.tools:
        body["tools"] = [described_tool(tool) for tool in prompt.tools]
        if all(tool.strict for tool in prompt.tools):
            body["strict_tools"] = True
        if prompt.tool_choice != ToolChoice.AUTO:
            body["tool_choice"] = _choice(prompt.tool_choice, target)
    if documents:
        body["documents"] = [_document(source) for source in documents]
    if prompt.schema is not None:
        if documents or prompt.tools:
            raise unsupported(
                target, "binds an answer to a schema only without documents and tools", "leave out the schema"
            )
        body["response_format"] = {"type": "json_object", "json_schema": dict(prompt.schema.schema)}
    _add_sampling(body, prompt, target, quirks)
    return body


def _add_sampling(body: JsonObject, prompt: Prompt, target: Target, quirks: CohereQuirks) -> None:
    sampling = prompt.sampling
    for name, value in (
        ("max_tokens", sampling.max_output_tokens),
        ("temperature", sampling.temperature),
        ("p", sampling.top_p),
        ("seed", sampling.seed),
    ):
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop_sequences"] = list(sampling.stop)
    effort = sampling.reasoning_effort
    if quirks.thinking and effort is not None:
        if effort in THINKING:
            body["thinking"] = {"type": effort}
        elif effort.isdecimal() and int(effort):
            body["thinking"] = {"type": "enabled", "token_budget": int(effort)}
        else:
            raise unsupported(
                target,
                "wants enabled, disabled or a number of tokens for how much to think",
                "leave out reasoning_effort",
            )


def _choice(choice: str, target: Target) -> str:
    sent = CHOICES.get(choice)  # type: ignore[call-overload]
    if sent is None:
        raise unsupported(target, "does not let one tool be chosen", "leave out the choice")
    return str(sent)


def _document(source: NumberedSource) -> JsonObject:
    """Its number is its id, by which citations name it. A title is told to the model, so an empty one is left out."""
    data = {"title": source.passage.title} if source.passage.title.strip() else {}
    return {"id": str(source.number), "data": data | {"text": source.passage.text}}


def _messages(prompt: Prompt, documents: Sequence[NumberedSource], target: Target) -> list[JsonObject]:
    messages = [_message(turn) for turn in sent_turns(prompt, documents, target)]
    return [{"role": "system", "content": prompt.instructions}, *messages] if prompt.instructions else messages


def _message(turn: Message) -> JsonObject:
    if turn.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": turn.tool_call_id, "content": turn.text}
    if not turn.tool_calls:
        return {"role": turn.role.value, "content": turn.text}
    message: JsonObject = {"role": turn.role.value}
    plan, thinking = _plan(turn.tool_calls[0])
    if plan:
        message["tool_plan"] = plan
    content = [{"type": "thinking", "thinking": thinking}] if thinking else []
    if turn.text.strip():
        content.append({"type": "text", "text": turn.text})
    if content:
        message["content"] = content
    message["tool_calls"] = [_call(call) for call in turn.tool_calls]
    return message


def _plan(call: ToolCall) -> tuple[str, str]:
    """What was planned and thought before the call, from its signature; nothing where another provider wrote it."""
    brought = carried(call)
    return text_or_empty(brought.get("tool_plan")), text_or_empty(brought.get("thought"))


def _call(call: ToolCall) -> JsonObject:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
