"""Google's Gemini models, in the dialect generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from rag_engine.llm.providers.dialect import Framing, JsonObject, ReportedFault, StreamAssembler, Target
from rag_engine.llm.providers.google_fault import reported_fault
from rag_engine.llm.providers.google_reply import GoogleAssembler
from rag_engine.llm.providers.google_request import request_body
from rag_engine.llm.providers.received import bad_response
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Completion, Prompt

DEFAULT_VERSION = "v1"


class GoogleGenerateContent:
    """``models/MODEL:generateContent`` of the versions v1 and v1beta."""

    @property
    def framing(self) -> Framing:
        """Server-sent events: without them a stream is one JSON array."""
        return Framing.SERVER_SENT_EVENTS

    def path(self, target: Target, *, stream: bool) -> str:
        """With the version, as one address serves all. A name may say that the model is a tuned one."""
        model = target.model if target.model.startswith(("models/", "tunedModels/")) else f"models/{target.model}"
        way = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/{target.api_version or DEFAULT_VERSION}/{quote(model)}:{way}"

    def headers(self, prompt: Prompt, target: Target) -> Mapping[str, str]:  # noqa: ARG002 - as the protocol has it
        """None."""
        return {}

    def body(self, prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:  # noqa: ARG002
        """The prompt; that a stream is asked for stands in the path.

        Raises:
            InvalidRequestError: the conversation is not one, or asks nothing.
            UnsupportedParameterError: the prompt asks for what the model has not.
        """
        return request_body(prompt, target)

    def completion(self, body: JsonObject, prompt: Prompt, target: Target) -> Completion:  # noqa: ARG002
        """Of a whole answer.

        Raises:
            ReportedFault: it is a report of an error.
            BadResponseError: it is not what the interface says.
            OutputFilteredError, PromptBlockedError: a filter stood in the way.
            IncompleteResponseError: it has no finish reason.
        """
        assembler = GoogleAssembler(target)
        assembler.add(body)
        if not body.get("candidates"):
            raise bad_response(target, "sent an answer without candidates")
        return assembler.completion()

    def assembler(self, prompt: Prompt, target: Target) -> StreamAssembler:  # noqa: ARG002
        """For one stream."""
        return GoogleAssembler(target)

    def fault(self, body: JsonValue) -> ReportedFault:
        """What the body of an error says; see ``google_fault.reported_fault`` for what stands where."""
        return reported_fault(body)
