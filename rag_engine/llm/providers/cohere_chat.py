"""Cohere's Chat API, version 2."""

from __future__ import annotations

from collections.abc import Mapping

from rag_engine.llm.providers.cohere_answer import read_answer, read_fault
from rag_engine.llm.providers.cohere_request import request_body
from rag_engine.llm.providers.cohere_stream import CohereAssembler
from rag_engine.llm.providers.dialect import Framing, JsonObject, ReportedFault, StreamAssembler, Target
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Completion, Prompt


class CohereChat:
    """The dialect of ``/v2/chat``: documents beside the messages, and spans of the answer that each supports."""

    framing = Framing.SERVER_SENT_EVENTS

    def path(self, target: Target, *, stream: bool) -> str:  # noqa: ARG002 - the same for all
        """That of chats."""
        return "/v2/chat"

    def headers(self, prompt: Prompt, target: Target) -> Mapping[str, str]:  # noqa: ARG002
        """None of its own."""
        return {}

    def body(self, prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
        """What is sent.

        Raises:
            UnsupportedParameterError: a schema beside documents or tools, the choice of one tool, or a word for how
                much to think that is none of Cohere's.
            InvalidRequestError: nothing is asked.
        """
        return request_body(prompt, target, stream=stream)

    def completion(self, body: JsonObject, prompt: Prompt, target: Target) -> Completion:
        """What a whole answer says.

        Raises:
            ReportedFault: it is a report of an error, or ended by one.
            BadResponseError: it is no answer.
            IncompleteResponseError: it does not say why it ended.
        """
        if "finish_reason" not in body and ("error" in body or isinstance(body.get("message"), str)):
            raise read_fault(body)
        return read_answer(body, prompt, target)

    def assembler(self, prompt: Prompt, target: Target) -> StreamAssembler:
        """For one stream."""
        return CohereAssembler(prompt, target)

    def fault(self, body: JsonValue) -> ReportedFault:
        """What the body of an answer with an error's status says."""
        return read_fault(body)
