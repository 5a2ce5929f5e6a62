"""What Ollama's /api/chat is sent."""

from __future__ import annotations

from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.ollama_quirks import OllamaQuirks
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.sent_turns import described_tool, tool_of
from rag_engine.llm.providers.tool_arguments import arguments_to_send
from rag_engine.llm.providers.unsendable import asks_nothing, unsupported
from rag_engine.types.conversation import Role, Sampling, ToolChoice
from rag_engine.types.generation import Prompt

# Words with which providers are asked not to think.
_NOT = frozenset({"none", "off", "false"})


def request_body(prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
    """The body. ``strict`` of tools is not sent: the interface has no word for it.

    Raises:
        InvalidRequestError: the conversation is not one, or asks nothing.
        UnsupportedParameterError: a tool must be called, which the interface cannot ask for.
    """
    quirks = read_quirks(OllamaQuirks, target.quirks)
    if prompt.tool_choice not in (ToolChoice.AUTO, ToolChoice.NONE):
        raise unsupported(target, "cannot be made to call a tool", "leave the choice to the model")
    # The interface wants no tools where none may be called: it has no word for the choice.
    tools = prompt.tools if prompt.tool_choice == ToolChoice.AUTO else ()
    body: JsonObject = {
        "model": target.model,
        "messages": _messages(prompt, target),
        "tools": [described_tool(tool) for tool in tools],
        "stream": stream,
    }
    if prompt.schema is not None:
        body["format"] = dict(prompt.schema.schema)
    effort = prompt.sampling.reasoning_effort
    if effort is not None:
        body["think"] = False if effort in _NOT else (effort if quirks.think == "level" else True)
    options = _options(prompt.sampling, quirks)
    if options:
        body["options"] = options
    return body


def _messages(prompt: Prompt, target: Target) -> list[JsonObject]:
    messages: list[JsonObject] = []
    if prompt.instructions:
        messages.append({"role": "system", "content": prompt.instructions})
    names: dict[str, str] = {}  # of the calls, by their ids
    for turn in prompt.conversation:
        message: JsonObject = {"role": turn.role.value}
        if turn.text or not turn.tool_calls:
            message["content"] = turn.text
        if turn.tool_calls:
            names.update({call.id: call.name for call in turn.tool_calls})
            message["tool_calls"] = [
                {"function": {"name": call.name, "arguments": arguments_to_send(call, target)}}
                for call in turn.tool_calls
            ]
        if turn.role is Role.TOOL:
            message["tool_name"] = tool_of(turn, names, target)
        messages.append(message)
    if prompt.content:
        messages.append({"role": "user", "content": prompt.content})
    elif not prompt.conversation:
        # To a chat without turns Ollama only loads the model.
        raise asks_nothing(target)
    return messages


def _options(sampling: Sampling, quirks: OllamaQuirks) -> JsonObject:
    return {
        name: value
        for name, value in (
            ("num_ctx", quirks.num_ctx),
            ("num_predict", sampling.max_output_tokens),
            ("temperature", sampling.temperature),
            ("top_p", sampling.top_p),
            ("seed", sampling.seed),
            ("stop", list(sampling.stop) or None),
        )
        if value is not None
    }
