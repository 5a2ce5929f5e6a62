"""Anthropic's Messages API, and whatever else speaks it."""

from __future__ import annotations

from collections.abc import Mapping

from rag_engine.llm.providers.anthropic_answer import read_fault, read_message
from rag_engine.llm.providers.anthropic_request import request_body
from rag_engine.llm.providers.anthropic_stream import AnthropicAssembler
from rag_engine.llm.providers.dialect import Framing, JsonObject, ReportedFault, StreamAssembler, Target
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Completion, Prompt


class AnthropicMessages:
    """The dialect of ``/v1/messages``: documents that are quoted by their characters, marks for the provider's cache,
    and thoughts that come back signed with the tool calls they led to."""

    framing = Framing.SERVER_SENT_EVENTS

    def path(self, target: Target, *, stream: bool) -> str:  # noqa: ARG002 - the same for all
        """That of messages."""
        return "/v1/messages"

    def headers(self, prompt: Prompt, target: Target) -> Mapping[str, str]:  # noqa: ARG002
        """The version of the interface."""
        return {"anthropic-version": target.api_version} if target.api_version else {}

    def body(self, prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
        """What is sent.

        Raises:
            UnsupportedParameterError: documents are to be cited in an answer that a schema binds.
            InvalidRequestError: nothing is asked, or a tool call's arguments are no JSON object.
        """
        return request_body(prompt, target, stream=stream)

    def completion(self, body: JsonObject, prompt: Prompt, target: Target) -> Completion:
        """What a whole message says.

        Raises:
            ReportedFault: it is a report of an error.
            BadResponseError: it is no message.
            IncompleteResponseError: it does not say why it ended, or that it goes on.
        """
        if body.get("type") == "error" or ("error" in body and "content" not in body):
            raise read_fault(body)
        return read_message(body, prompt, target)

    def assembler(self, prompt: Prompt, target: Target) -> StreamAssembler:
        """For one stream."""
        return AnthropicAssembler(prompt, target)

    def fault(self, body: JsonValue) -> ReportedFault:
        """What the body of an answer with an error's status says."""
        return read_fault(body)
