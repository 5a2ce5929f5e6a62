"""The body of a call of OpenAI's chat completions."""

from __future__ import annotations

import hashlib
import itertools
import json
import re

from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.openai_quirks import OpenAIQuirks
from rag_engine.llm.providers.sent_turns import described_tool
from rag_engine.llm.providers.unsendable import unsupported
from rag_engine.types.conversation import Message, Role, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Prompt


def chat_body(prompt: Prompt, target: Target, quirks: OpenAIQuirks, *, stream: bool) -> JsonObject:
    """What is sent.

    Raises:
        UnsupportedParameterError: the prompt asks for what the model has not.
    """
    body: JsonObject = {"model": target.model, "messages": _messages(prompt, target, quirks)}
    body.update(_sampling(prompt, quirks))
    if prompt.tools:
        body.update(_tools(prompt, target, quirks))
    if prompt.schema is not None:
        if not quirks.schema_form:
            raise unsupported(target, "takes no JSON schema", "leave the schema out, or take another model or version")
        schema = {"name": prompt.schema.name, "schema": dict(prompt.schema.schema), "strict": prompt.schema.strict}
        body["response_format"] = {"type": quirks.schema_form, quirks.schema_form: schema}
    if prompt.cache and quirks.cache_key:
        body["prompt_cache_key"] = _cache_key(prompt)
    if stream or quirks.always_says_stream:
        body["stream"] = stream
    if stream and quirks.stream_usage:
        body["stream_options"] = {"include_usage": True}
    return body


def _messages(prompt: Prompt, target: Target, quirks: OpenAIQuirks) -> list[JsonObject]:
    turns = [*prompt.conversation]
    if prompt.content or not turns:
        turns.append(Message(role=Role.USER, text=prompt.content))
    _check_order(turns, target, quirks)
    messages = [_message(turn, quirks) for turn in turns]
    marked = [message for turn, message in zip(turns, messages, strict=True) if turn.cache and turn.text]
    if prompt.instructions:
        messages.insert(0, {"role": quirks.instructions_role, "content": prompt.instructions})
        if prompt.cache:
            marked.insert(0, messages[0])
    if quirks.cache_breakpoints:
        for message in marked[-quirks.cache_breakpoints :]:  # the longest beginnings save most
            part = {"type": "text", "text": message["content"], "prompt_cache_breakpoint": {"mode": "explicit"}}
            message["content"] = [part]
    return messages


def _message(turn: Message, quirks: OpenAIQuirks) -> JsonObject:
    if turn.role is Role.TOOL:
        answer: JsonObject = {
            "role": "tool",
            "content": turn.text,
            "tool_call_id": _tool_id(turn.tool_call_id, quirks),
        }
        if quirks.tool_names and turn.tool_name:
            answer["name"] = turn.tool_name
        return answer
    message: JsonObject = {"role": turn.role.value, "content": turn.text}
    if turn.role is Role.ASSISTANT:
        message.update(quirks.assistant_fields)
        if turn.tool_calls:
            message["content"] = turn.text or (None if quirks.null_content else "")
            message["tool_calls"] = [_tool_call(call, place, quirks) for place, call in enumerate(turn.tool_calls)]
    return message


def _tool_call(call: ToolCall, place: int, quirks: OpenAIQuirks) -> JsonObject:
    written: JsonObject = {
        "id": _tool_id(call.id, quirks),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    if quirks.numbered_tool_calls:
        written["index"] = place
    return written


def _tool_id(given: str, quirks: OpenAIQuirks) -> str:
    """The id, or, where a provider takes only letters and digits of one length, what stands for it. Calls and results
    are told together by their ids, and a conversation may have begun with another provider."""
    length = quirks.tool_id_length
    if not length or re.fullmatch(f"[A-Za-z0-9]{{{length}}}", given):
        return given
    return hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def _check_order(turns: list[Message], target: Target, quirks: OpenAIQuirks) -> None:
    if quirks.last_turns and turns[-1].role.value not in quirks.last_turns:
        raise unsupported(
            target,
            f"answers no conversation that ends with the {turns[-1].role.value}'s turn",
            f"end it with a turn of: {', '.join(quirks.last_turns)}",
        )
    if not quirks.user_after_tool:
        for turn, following in itertools.pairwise(turns):
            if turn.role is Role.TOOL and following.role is Role.USER:
                raise unsupported(
                    target,
                    "takes no user's turn right after a tool's",
                    "let the model answer the tool's result first: ask with the content empty",
                )


def _sampling(prompt: Prompt, quirks: OpenAIQuirks) -> JsonObject:
    sampling = prompt.sampling
    effort = sampling.reasoning_effort
    if effort in quirks.efforts_left_out:
        effort = None
    if prompt.tools and quirks.effort_with_tools:
        effort = quirks.effort_with_tools
    wanted: JsonObject = {
        quirks.limit_field: sampling.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "reasoning_effort": effort,
    }
    allowed = quirks.effort_that_allows and effort == quirks.effort_that_allows
    left_out = () if allowed else quirks.left_out
    taken = {name: value for name, value in wanted.items() if value is not None and name not in left_out}
    if quirks.seed_field != "seed" and "seed" in taken:
        seed = taken.pop("seed")
        if quirks.seed_field:
            taken[quirks.seed_field] = seed
    return taken


def _tools(prompt: Prompt, target: Target, quirks: OpenAIQuirks) -> JsonObject:
    choice = prompt.tool_choice
    kind = choice if choice in tuple(ToolChoice) else "named"
    if kind not in quirks.tool_choices:
        if choice == ToolChoice.NONE:
            return {}  # without tools none is asked for
        raise unsupported(
            target, f"cannot be told the choice of tool {choice!r}", f"take one of: {', '.join(quirks.tool_choices)}"
        )
    body: JsonObject = {"tools": [_tool(tool) for tool in prompt.tools]}
    if kind == "named":
        body["tool_choice"] = {"type": "function", "function": {"name": choice}}
    elif choice != ToolChoice.AUTO:  # which is what is not said
        body["tool_choice"] = quirks.required_word if choice == ToolChoice.REQUIRED else str(choice)
    return body


def _tool(tool: Tool) -> JsonObject:
    described = described_tool(tool)
    if tool.strict:
        described["function"]["strict"] = True
    return described


def _cache_key(prompt: Prompt) -> str:
    """The same for prompts that begin alike: calls with the same key are sent to where the beginning is known."""
    beginning = [prompt.instructions, [[tool.name, tool.description, dict(tool.parameters)] for tool in prompt.tools]]
    return hashlib.sha256(json.dumps(beginning, sort_keys=True).encode()).hexdigest()[:32]
