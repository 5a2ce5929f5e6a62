"""How many tokens a prompt has for a model, and without counting whether it surely fits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from rag_engine.token_counter.counters import counter_for, tokens_a_byte
from rag_engine.token_counter.framing import framing_of
from rag_engine.types.conversation import Message, Tool
from rag_engine.types.generation import Prompt
from rag_engine.types.models import Ability, ModelProfile


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of a prompt.

    ``tokens`` is the count, or what comes nearest; ``upper_bound`` is what a budget should reckon with: the same where
    ``exact``, else so much more that at most 1 % of prompts exceed it. ``exact`` is True where the model's own
    tokenizer counted, and what is around the texts is the maker's number. ``counted_by`` names what counted.
    """

    tokens: int
    upper_bound: int
    exact: bool
    counted_by: str


def prompt_tokens(prompt: Prompt, profile: ModelProfile) -> Count:
    """Counts instructions, conversation, content or documents, tools and schema, and what is around them.

    Raises:
        ConfigurationError: there is no tokenizer of the name in the profile.
        ModelNotFoundError, ModelDamagedError: the model's own tokenizer is not there or cannot be read.
    """
    counter = counter_for(profile.tokenizer)
    tokens = upper = 0
    for text in _texts(prompt, profile):
        count, bound = counter.both(text)
        tokens += count
        upper += bound
    framing = framing_of(profile.provider)
    around = _around(prompt, profile)
    plain = not (
        prompt.tools
        or prompt.schema
        or _documents(prompt, profile)
        or any(message.tool_calls or message.tool_call_id for message in prompt.conversation)
    )
    return Count(
        tokens=tokens + around,
        upper_bound=upper + (around if counter.exact and framing.documented and plain else framing.bound(around)),
        exact=counter.exact and framing.documented and plain,
        counted_by=counter.name,
    )


def surely_fits(prompt: Prompt, profile: ModelProfile) -> bool:
    """True where even the prompt's bytes are so few that it fits the window with its answer: nothing need be counted.

    A token of the tokenizers that are known by name has at least about one byte (``byte_factor`` in their data), so
    bytes are a bound. False says nothing: it may fit all the same. So it is for a model's own tokenizer from a file, of
    which nobody knows that.
    """
    factor = tokens_a_byte(profile.tokenizer)
    if factor is None:
        return False
    size = texts = 0
    for text in _texts(prompt, profile) if _is_more_than_text(prompt) else (prompt.instructions, prompt.content):
        if text:
            texts += 1
            size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    around = framing_of(profile.provider).bound(_around(prompt, profile))
    return size * factor + texts + around + reserved_for_answer(prompt, profile) <= profile.window


def reserved_for_answer(prompt: Prompt, profile: ModelProfile) -> int:
    """Tokens of the window to be left for the answer: those asked for, else the model's longest answer, though never
    over half of the window."""
    asked = prompt.sampling.max_output_tokens
    return min(profile.max_output, profile.window // 2) if asked is None else asked


def _is_more_than_text(prompt: Prompt) -> bool:
    return bool(prompt.conversation or prompt.tools or prompt.documents or prompt.schema is not None)


def _texts(prompt: Prompt, profile: ModelProfile) -> Iterator[str]:
    """Everything that the model reads; empty texts are left out."""
    if prompt.instructions:
        yield prompt.instructions
    for message in prompt.conversation:
        yield from _said(message)
    if _documents(prompt, profile):
        yield prompt.question
        for source in prompt.sources:
            yield f"{source.passage.title}\n{source.passage.text}"
    elif prompt.content:
        yield prompt.content
    for tool in prompt.tools:
        yield _as_json(tool)
    if prompt.schema is not None:
        yield json.dumps({"name": prompt.schema.name, "schema": prompt.schema.schema}, ensure_ascii=False)


def _said(message: Message) -> Iterator[str]:
    if message.text:
        yield message.text
    for call in message.tool_calls:
        yield f"{call.id} {call.name} {call.arguments} {call.signature}"
    if message.tool_call_id:
        yield f"{message.tool_call_id} {message.tool_name}"


def _as_json(tool: Tool) -> str:
    described = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return json.dumps(described, ensure_ascii=False)


def _documents(prompt: Prompt, profile: ModelProfile) -> int:
    """How many sources are sent as documents: none to a model that has no such."""
    return len(prompt.sources) if prompt.documents and Ability.DOCUMENTS in profile.abilities else 0


def _around(prompt: Prompt, profile: ModelProfile) -> int:
    return framing_of(profile.provider).tokens(
        messages=bool(prompt.instructions) + len(prompt.conversation) + bool(prompt.content),
        documents=_documents(prompt, profile),
        tools=len(prompt.tools),
        schema=prompt.schema is not None,
    )
