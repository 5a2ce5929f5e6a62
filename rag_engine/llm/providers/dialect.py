"""What a dialect is: the form in which one family of providers is asked and answers. Nothing here waits or sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from rag_engine.llm.transport import ServerEvent
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Completion, CompletionEvent, Prompt

JsonObject: TypeAlias = dict[str, Any]


class Framing(StrEnum):
    """How the events of a stream are told apart; the value is the media type."""

    SERVER_SENT_EVENTS = "text/event-stream"
    JSON_LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a dialect speaks to: a provider's model, as the provider calls it, and in what way this one differs.

    ``quirks`` are those of the provider, API version and model together (``provider_data``). ``max_output`` is the
    model's limit, for providers that want a limit with every call.
    """

    provider: str
    model: str
    api_version: str = ""
    quirks: Mapping[str, JsonValue] = field(default_factory=dict)
    max_output: int = 4096


@dataclass(eq=False)  # an exception: whoever passes it on writes into it
class ReportedFault(Exception):  # noqa: N818 - carried from a dialect to its model, which raises what it stands for
    """The provider says that it failed, in a body or midway in a stream: the fields of a FaultSignal as far as they
    stand there."""

    type: str = ""
    code: str = ""
    reason: str = ""
    message: str = ""
    retry_delay: float | None = None
    status: int | None = None


class StreamAssembler(Protocol):
    """Puts one stream together. Time and memory grow with what comes, not with its square."""

    def feed(self, event: ServerEvent) -> Sequence[CompletionEvent]:
        """What the event adds: deltas, never CompletionDone.

        Raises:
            ReportedFault: the provider reports an error in the stream.
            BadResponseError: the event is not what the interface says.
            OutputFilteredError: a filter ended the answer.
        """
        ...

    @property
    def ended(self) -> bool:
        """Nothing more is expected: what comes behind is not read."""
        ...

    def completion(self) -> Completion:
        """The whole, once the stream is over.

        Raises:
            IncompleteResponseError: the end that the provider's interface promises did not come.
            BadResponseError: what came is no answer.
        """
        ...


class Dialect(Protocol):
    """The form of one family of providers. Holds nothing: one serves every call."""

    @property
    def framing(self) -> Framing:
        """That of its streams."""
        ...

    def path(self, target: Target, *, stream: bool) -> str:
        """Path and query behind the base address."""
        ...

    def headers(self, prompt: Prompt, target: Target) -> Mapping[str, str]:
        """Headers of its own; those with the key and the media types are not among them."""
        ...

    def body(self, prompt: Prompt, target: Target, *, stream: bool) -> JsonObject:
        """What is sent.

        Raises:
            UnsupportedParameterError: the prompt asks for what this provider has not.
            InvalidRequestError: the prompt asks nothing, or its conversation is none.
            ConfigurationError: the target has a quirk that the dialect does not know.
        """
        ...

    def completion(self, body: JsonObject, prompt: Prompt, target: Target) -> Completion:
        """What a whole answer says.

        Raises:
            ReportedFault: it is a report of an error.
            BadResponseError: it is not what the interface says.
            OutputFilteredError, PromptBlockedError: a filter stood in the way.
            IncompleteResponseError: it lacks its end.
        """
        ...

    def assembler(self, prompt: Prompt, target: Target) -> StreamAssembler:
        """For one stream."""
        ...

    def fault(self, body: JsonValue) -> ReportedFault:
        """What the body of an answer with an error's status says; empty where it says nothing."""
        ...
