"""Models that Ollama serves, in its own dialect: other than the one of OpenAI that it speaks too, it takes the window,
thinks where asked, and says what it loaded."""

from __future__ import annotations

from collections.abc import Mapping

from rag_engine.llm.providers.dialect import Framing, JsonObject, ReportedFault, StreamAssembler, Target
from rag_engine.llm.providers.ollama_reply import OllamaAssembler, reported_fault
from rag_engine.llm.providers.ollama_request import request_body
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Completion, Prompt


class OllamaChat:
    """``/api/chat``."""

    @property
    def framing(self) -> Framing:
        """A line of JSON an event."""
        return Framing.JSON_LINES

    def path(self, target: Target, *, stream: bool) -> str:  # noqa: ARG002 - as the protocol has it
        """One for both ways."""
        return "/api/chat"

    def headers(self, prompt: Prompt, target: Target) -> Mapping[str, str]:  # noqa: ARG002
        """None."""
        return {}

    def body(self, prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
        """The prompt.

        Raises:
            InvalidRequestError: the conversation is not one, or asks nothing.
            UnsupportedParameterError: a tool must be called, which the interface cannot ask for.
        """
        return request_body(prompt, target, stream=stream)

    def completion(self, body: JsonObject, prompt: Prompt, target: Target) -> Completion:  # noqa: ARG002
        """Of a whole answer.

        Raises:
            ReportedFault: it is a report of an error.
            BadResponseError: it is not what the interface says.
            IncompleteResponseError: it is not done.
        """
        assembler = OllamaAssembler(target)
        assembler.add(body)
        return assembler.completion()

    def assembler(self, prompt: Prompt, target: Target) -> StreamAssembler:  # noqa: ARG002
        """For one stream."""
        return OllamaAssembler(target)

    def fault(self, body: JsonValue) -> ReportedFault:
        """What the body of an error says."""
        return reported_fault(body)
