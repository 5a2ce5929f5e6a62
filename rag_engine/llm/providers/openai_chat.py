"""OpenAI's chat completions, and what speaks their form: Azure OpenAI, Mistral, Meta, llama.cpp, vLLM and others."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from rag_engine.llm.providers.dialect import Framing, JsonObject, ReportedFault, Target
from rag_engine.llm.providers.openai_faults import openai_fault, reports_an_error
from rag_engine.llm.providers.openai_quirks import OpenAIQuirks
from rag_engine.llm.providers.openai_reply import (
    Asked,
    Said,
    check_filters,
    finish_of,
    judged,
    meaning,
    text_and_thought,
    unfinished,
)
from rag_engine.llm.providers.openai_request import chat_body
from rag_engine.llm.providers.openai_stream import OpenAIChatAssembler
from rag_engine.llm.providers.openai_tool_calls import ToolCalls
from rag_engine.llm.providers.quirk_reading import read_quirks
from rag_engine.llm.providers.received import text_or_empty, whole_text
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Completion, Prompt

# What a part of a path may hold as it is (RFC 3986, section 3.3), besides letters and digits.
UNQUOTED = "!$&'()*+,;=:@"


class OpenAIChat:
    """The dialect; in what its speakers differ is in ``OpenAIQuirks`` and in their data."""

    @property
    def framing(self) -> Framing:
        """Server-sent events."""
        return Framing.SERVER_SENT_EVENTS

    def path(self, target: Target, *, stream: bool) -> str:  # noqa: ARG002 - the body says whether it streams
        """Path and query behind the base address."""
        path = read_quirks(OpenAIQuirks, target.quirks).path
        if "{" not in path:
            return path
        return path.format(model=quote(target.model, safe=UNQUOTED), api_version=quote(target.api_version, safe=""))

    def headers(self, prompt: Prompt, target: Target) -> Mapping[str, str]:  # noqa: ARG002
        """None of its own."""
        return {}

    def body(self, prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
        """What is sent.

        Raises:
            UnsupportedParameterError: the prompt asks for what the model has not.
            ConfigurationError: the provider's data has a quirk that nobody knows.
        """
        return chat_body(prompt, target, read_quirks(OpenAIQuirks, target.quirks), stream=stream)

    def completion(self, body: JsonObject, prompt: Prompt, target: Target) -> Completion:
        """What a whole answer says.

        Raises:
            ReportedFault: it is a report of an error.
            BadResponseError: it is not what the interface says.
            OutputFilteredError, PromptBlockedError: a filter stood in the way.
            IncompleteResponseError: it lacks its end.
        """
        asked = Asked(prompt, target, read_quirks(OpenAIQuirks, target.quirks))
        came: object = body
        if isinstance(came, list) and came and isinstance(came[0], dict):
            raise openai_fault(came)
        if not isinstance(came, dict):
            raise asked.bad("answered with what is no object")
        if reports_an_error(body):
            raise openai_fault(body)
        choices = body.get("choices")
        check_filters(body, {}, asked)
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise asked.bad("answered without a choice")
        choice = choices[0]
        if len(choices) > 1:
            raise asked.bad("sent more than the one answer that was asked for")
        check_filters({}, choice, asked)
        return judged(_said(body, choice, asked), asked)

    def assembler(self, prompt: Prompt, target: Target) -> OpenAIChatAssembler:
        """For one stream."""
        return OpenAIChatAssembler(Asked(prompt, target, read_quirks(OpenAIQuirks, target.quirks)))

    def fault(self, body: JsonValue) -> ReportedFault:
        """What the body of an answer with an error's status says."""
        return openai_fault(body)


def _said(body: JsonObject, choice: JsonObject, asked: Asked) -> Said:
    finish, message = finish_of(choice, asked), choice.get("message")
    cut = finish and meaning(finish, asked) == "length"  # a filter's word comes before what it left
    if not isinstance(message, dict):
        raise asked.bad("answered without a message")
    text, thought = text_and_thought(message.get("content"), asked)
    thoughts = [thought, next(filter(None, map(message.get, asked.quirks.reasoning_fields)), "")]
    refusal = message.get("refusal") or ""
    if not isinstance(refusal, str) or not isinstance(thoughts[1], str):
        raise asked.bad("sent a text that is none")
    if not finish:
        raise unfinished(asked, len(text))
    calls = ToolCalls(asked)
    if message.get("tool_calls") and not cut:
        calls.add(message["tool_calls"], whole=True)
    return Said(
        finish=finish,
        text=whole_text(text + refusal, asked.target),
        refusal=bool(refusal),
        reasoning=whole_text("".join(thoughts), asked.target),
        tool_calls=calls.finished(),
        model=text_or_empty(body.get("model")),
        id=text_or_empty(body.get("id")),
        about=body,
    )
