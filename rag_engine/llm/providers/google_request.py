"""What Google's generateContent is sent."""

from __future__ import annotations

import json

from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.google_quirks import GoogleQuirks
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.sent_turns import tool_of
from rag_engine.llm.providers.tool_arguments import OWN_ID, arguments_to_send
from rag_engine.llm.providers.unsendable import asks_nothing, unsupported
from rag_engine.types.conversation import Message, Role, ToolCall, ToolChoice
from rag_engine.types.generation import Prompt


def request_body(prompt: Prompt, target: Target) -> JsonObject:
    """The body, the same for whole answers and streams.

    Raises:
        InvalidRequestError: the conversation is not one, or asks nothing.
        UnsupportedParameterError: a tool that is not among the tools is to be called, or an effort that the model has
            no tokens for.
    """
    quirks = read_quirks(GoogleQuirks, target.quirks)
    body: JsonObject = {"contents": _contents(prompt, target)}
    if prompt.instructions:
        body["systemInstruction"] = {"parts": [{"text": prompt.instructions}], "role": "user"}
    if prompt.tools:
        body["tools"] = [
            {
                "functionDeclarations": [
                    {
                        "name": tool.name,
                        "description": tool.description,
                        "parametersJsonSchema": dict(tool.parameters),
                    }
                    for tool in prompt.tools
                ]
            }
        ]
    choice = _function_calling(prompt, target, quirks)
    if choice:
        body["toolConfig"] = {"functionCallingConfig": choice}
    # Sent even where it is empty, as Google's own client does.
    body["generationConfig"] = _generation(prompt, target, quirks)
    return body


def _contents(prompt: Prompt, target: Target) -> list[JsonObject]:
    contents: list[JsonObject] = []
    names: dict[str, str] = {}  # of the calls, by their ids
    results: list[JsonObject] | None = None  # of the calls of one turn: they go back together
    for message in prompt.conversation:
        if message.role is Role.TOOL:
            part = _result(message, names, target)
            if results is None:
                results = []
                contents.append({"role": "user", "parts": results})
            results.append(part)
            continue
        results = None
        if message.role is Role.USER:
            contents.append({"role": "user", "parts": [{"text": message.text}]})
            continue
        names.update({call.id: call.name for call in message.tool_calls})
        parts: list[JsonObject] = [{"text": message.text}] if message.text or not message.tool_calls else []
        parts += [_call(call, target) for call in message.tool_calls]
        contents.append({"role": "model", "parts": parts})
    if prompt.content:
        contents.append({"role": "user", "parts": [{"text": prompt.content}]})
    if not contents:
        raise asks_nothing(target)
    return contents


def _call(call: ToolCall, target: Target) -> JsonObject:
    function: JsonObject = {"name": call.name, "args": arguments_to_send(call, target)}
    if call.id and not call.id.startswith(OWN_ID):
        function["id"] = call.id
    part: JsonObject = {"functionCall": function}
    if call.signature:
        part["thoughtSignature"] = call.signature
    return part


def _result(message: Message, names: dict[str, str], target: Target) -> JsonObject:
    response: JsonObject = {"name": tool_of(message, names, target), "response": _as_object(message.text)}
    if message.tool_call_id and not message.tool_call_id.startswith(OWN_ID):
        response["id"] = message.tool_call_id
    return {"functionResponse": response}


def _as_object(text: str) -> JsonObject:
    """A result must be an object: one in JSON goes as it is, any other text under the name that the interface gives
    it."""
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
            json.dumps(value, allow_nan=False)
        except (ValueError, RecursionError):
            return {"output": text}
        if isinstance(value, dict):
            return value
    return {"output": text}


def _function_calling(prompt: Prompt, target: Target, quirks: GoogleQuirks) -> JsonObject:
    choice = prompt.tool_choice
    if choice == ToolChoice.AUTO:
        strict = quirks.strict_tools and any(tool.strict for tool in prompt.tools)
        return {"mode": "VALIDATED"} if strict else {}
    if choice == ToolChoice.NONE:
        return {"mode": "NONE"} if prompt.tools else {}
    if choice == ToolChoice.REQUIRED and prompt.tools:
        return {"mode": "ANY"}
    if choice in {tool.name for tool in prompt.tools}:
        return {"mode": "ANY", "allowedFunctionNames": [str(choice)]}
    raise unsupported(
        target,
        f"cannot be told to call {str(choice)!r}: the prompt has no such tool",
        "add the tool to the prompt, or leave the choice to the model",
    )


def _generation(prompt: Prompt, target: Target, quirks: GoogleQuirks) -> JsonObject:
    sampling = prompt.sampling
    config: JsonObject = {
        name: value
        for name, value in (
            ("maxOutputTokens", sampling.max_output_tokens),
            ("temperature", sampling.temperature),
            ("topP", sampling.top_p),
            ("seed", sampling.seed),
            ("stopSequences", list(sampling.stop) or None),
        )
        if value is not None
    }
    if prompt.schema is not None:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = dict(prompt.schema.schema)
    thinking: JsonObject = {}
    if quirks.thinking != "none" and quirks.include_thoughts:
        thinking["includeThoughts"] = True
    if sampling.reasoning_effort is not None:
        if quirks.thinking == "level":
            thinking["thinkingLevel"] = sampling.reasoning_effort.upper()
        elif quirks.thinking == "budget":
            thinking["thinkingBudget"] = _budget(sampling.reasoning_effort, target, quirks)
    if thinking:
        config["thinkingConfig"] = thinking
    return config


def _budget(effort: str, target: Target, quirks: GoogleQuirks) -> int:
    """Tokens for a word, or the number itself; -1 leaves it to the model."""
    if effort in quirks.thinking_budgets:
        return quirks.thinking_budgets[effort]
    if effort == "-1" or (effort.isascii() and effort.isdigit() and len(effort) < 10):
        return int(effort)
    raise unsupported(
        target,
        f"thinks by a number of tokens, and {effort!r} is none",
        f"write a number, or one of: {', '.join(quirks.thinking_budgets)}",
    )
