"""A prompt as Anthropic's Messages API wants it."""

from __future__ import annotations

from dataclasses import dataclass

from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.sent_turns import carried, sent_documents, sent_turns
from rag_engine.llm.providers.tool_arguments import arguments_to_send
from rag_engine.llm.providers.unsendable import unsupported
from rag_engine.types.conversation import Message, Role, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import NumberedSource, Prompt

CACHE_MARK = {"type": "ephemeral"}
CHOICES = {ToolChoice.NONE: "none", ToolChoice.REQUIRED: "any"}


@dataclass(frozen=True, slots=True)
class AnthropicQuirks:
    """How versions and models differ: whether ``sampling`` (temperature, top_p) and ``effort`` are taken, and how many
    ``cache_marks`` a request may have."""

    sampling: bool = True
    effort: bool = True
    cache_marks: int = 4


def request_body(prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
    """What is sent.

    Raises:
        UnsupportedParameterError: documents are to be cited in an answer that a schema binds.
        InvalidRequestError: nothing is asked, or a tool call's arguments are no JSON object.
    """
    quirks = read_quirks(AnthropicQuirks, target.quirks)
    # The mark behind the instructions covers the tools before them. Of more marked turns than there are marks the last
    # are kept: what comes before is found from there.
    marks = quirks.cache_marks
    shared = prompt.cache and marks > 0 and bool(prompt.instructions or prompt.tools)
    body: JsonObject = {
        "model": target.model,
        "max_tokens": prompt.sampling.max_output_tokens or target.max_output,
        "messages": _messages(prompt, target, marks=marks - shared),
    }
    if prompt.instructions:
        text: JsonObject = {"type": "text", "text": prompt.instructions}
        body["system"] = [text | {"cache_control": CACHE_MARK}] if shared else prompt.instructions
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if shared and not prompt.instructions:
            body["tools"][-1]["cache_control"] = CACHE_MARK
        if prompt.tool_choice != ToolChoice.AUTO:
            kind = CHOICES.get(prompt.tool_choice)  # type: ignore[call-overload]
            body["tool_choice"] = {"type": kind} if kind else {"type": "tool", "name": prompt.tool_choice}
    _add_sampling(body, prompt, quirks)
    if prompt.schema is not None:
        if sent_documents(prompt):
            raise unsupported(
                target,
                "cites documents only in answers that no schema binds",
                "leave out the schema, or put the sources into the text",
            )
        schema = {"type": "json_schema", "schema": dict(prompt.schema.schema)}
        body.setdefault("output_config", {})["format"] = schema
    if stream:
        body["stream"] = True
    return body


def _add_sampling(body: JsonObject, prompt: Prompt, quirks: AnthropicQuirks) -> None:
    """There is no seed; how much is thought is left to the provider unless the prompt says."""
    sampling = prompt.sampling
    if sampling.stop:
        body["stop_sequences"] = list(sampling.stop)
    if quirks.sampling and sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if quirks.sampling and sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if quirks.effort and sampling.reasoning_effort is not None:
        body["output_config"] = {"effort": sampling.reasoning_effort}


def _tool(tool: Tool) -> JsonObject:
    described: JsonObject = {
        "name": tool.name,
        "description": tool.description,
        "input_schema": dict(tool.parameters),
    }
    return described | {"strict": True} if tool.strict else described


def _messages(prompt: Prompt, target: Target, *, marks: int) -> list[JsonObject]:
    sources = sent_documents(prompt)
    documents = [_document(source) for source in sources]
    turns = sent_turns(prompt, sources, target)
    marked = [number for number, turn in enumerate(turns) if turn.cache][-marks:] if marks else []
    # The documents stand before the last thing that a user said, or behind all where no user said anything.
    about = max((number for number, turn in enumerate(turns) if turn.role is Role.USER), default=None)
    messages: list[JsonObject] = []
    results: list[JsonObject] | None = None  # of the tools, which one turn answers together
    for number, turn in enumerate(turns):
        blocks = _blocks(turn, target)
        if number == about:
            blocks = documents + blocks
        if number in marked:
            blocks[-1] = blocks[-1] | {"cache_control": CACHE_MARK}
        if turn.role is Role.TOOL:
            if results is None:
                results = []
                messages.append({"role": "user", "content": results})
            results.extend(blocks)
            continue
        results = None
        plain = len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
        messages.append({"role": turn.role.value, "content": blocks[0]["text"] if plain else blocks})
    if documents and about is None:
        messages.append({"role": "user", "content": documents})
    return messages


def _blocks(turn: Message, target: Target) -> list[JsonObject]:
    if turn.role is Role.TOOL:
        return [{"type": "tool_result", "tool_use_id": turn.tool_call_id, "content": turn.text}]
    text: list[JsonObject] = [{"type": "text", "text": turn.text}] if turn.text.strip() else []
    if not turn.tool_calls:
        return text
    # What was thought comes back before the call that it led to, as it came; the text stands before the first call.
    blocks = _thoughts(turn.tool_calls[0]) + text
    for number, call in enumerate(turn.tool_calls):
        if number:
            blocks += _thoughts(call)
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_to_send(call, target)})
    return blocks


def _thoughts(call: ToolCall) -> list[JsonObject]:
    """The thoughts in the call's signature; none where another provider wrote it."""
    thoughts = carried(call).get("thinking")
    return thoughts if isinstance(thoughts, list) else []


def _document(source: NumberedSource) -> JsonObject:
    passage = source.passage
    document: JsonObject = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": passage.text},
        "citations": {"enabled": True},
    }
    return document | {"title": passage.title} if passage.title.strip() else document
