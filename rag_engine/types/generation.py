"""Records of an answer: the prompt, what a model made of it, and the answer with its citations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from rag_engine.types.conversation import Message, ResponseSchema, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.models import ModelTask
from rag_engine.types.retrieval import Passage
from rag_engine.types.suspicion import Suspicion


@dataclass(frozen=True, slots=True)
class NumberedSource:
    """A passage under the number that the prompt gives it and that markers such as ``[1]`` refer to."""

    number: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class CallContext:
    """What the attempts on the way to one answer share: an ``id``, and the time by which it must be there,
    ``deadline``, as ``time.monotonic()`` shows it. ``attempt`` counts from 1."""

    id: str = ""
    attempt: int = 1
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Requirements:
    """What whoever asks expects of the model, for a route to choose by.

    ``task`` is the kind of work, found out where it is None. Only models with all of ``tags`` are asked; with
    ``local_only`` only those to which a prompt goes without leaving the machine. ``quality_floor`` is the least quality
    to be expected, in [0, 1], in place of the route's own.
    """

    task: ModelTask | None = None
    tags: frozenset[str] = frozenset()
    local_only: bool = False
    quality_floor: float | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked: instructions, numbered sources and the question, and their rendering.

    ``instructions`` and ``content`` are the rendered system and user text for models that read
    text; ``question`` and ``sources`` are the same in structured form, for models that do not
    (the extractive provider). ``tokens`` counts the rendering. ``dropped`` lists the passages
    that did not fit.

    ``conversation`` holds the turns before ``content``; where ``content`` is empty its last turn is the one to be
    answered. ``tool_choice`` is one of ``ToolChoice`` or the name of a tool. With ``documents`` the sources are sent as
    documents of the provider's own kind, to be cited its way, and ``question`` in place of ``content``, where the model
    has such. ``cache`` says that other prompts begin with the same tools and instructions.
    ``call`` is whose answer it is on the way to, ``requires`` what a route chooses by; they are part of no request.
    """

    question: str
    instructions: str
    content: str
    sources: tuple[NumberedSource, ...]
    tokens: int
    dropped: tuple[Passage, ...] = ()
    conversation: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = ToolChoice.AUTO
    schema: ResponseSchema | None = None
    sampling: Sampling = field(default_factory=Sampling)
    documents: bool = False
    cache: bool = False
    call: CallContext = field(default_factory=CallContext)
    requires: Requirements = field(default_factory=Requirements)

    @classmethod
    def plain(cls, content: str, *, instructions: str = "") -> Prompt:
        """A prompt without sources; ``dataclasses.replace`` adds conversation, tools and the rest."""
        return cls(question=content, instructions=instructions, content=content, sources=(), tokens=0)


class FinishReason(StrEnum):
    """Why a model stopped. An answer that a filter cut is none: it is an OutputFilteredError."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSED = "refused"
    ABSTAINED = "abstained"


class UsageSource(StrEnum):
    """Where the numbers of tokens come from."""

    REPORTED = "reported"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written, and the cost in US dollars (None where no price is known).

    ``input_tokens`` are all that the model read: ``cache_read_tokens`` and ``cache_write_tokens`` are among them.
    ``output_tokens`` are all that it wrote: ``reasoning_tokens`` are among them.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    source: UsageSource = UsageSource.REPORTED


@dataclass(frozen=True, slots=True)
class Quotation:
    """Characters of a source that a model claims to quote.

    ``marker`` is the source's number in the prompt; ``start`` and ``end`` are characters of the
    *document*. Models that only write markers give none; the citations are then found in the text.
    """

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CitedSpan:
    """Characters of an answer's text, ``start`` to ``end``, that the model says source ``marker`` supports."""

    start: int
    end: int
    marker: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a provider's headers say may still be asked of it: what is left, and the seconds after which all of it may
    be asked again. None where they say nothing."""

    requests: int | None = None
    requests_reset: float | None = None
    input_tokens: int | None = None
    input_tokens_reset: float | None = None
    output_tokens: int | None = None
    output_tokens_reset: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of one model on the way to an answer.

    ``outcome`` is the finish reason, or the code of the error it ended with. ``usage`` is what it was billed, as far as
    known: None where a failed call said nothing. ``first_token_seconds`` is when the first piece of a stream was there,
    None of an answer that came whole. ``allowance`` is what the provider said of its limits, its resets seen from the
    attempt's end, ``deployment`` the name under which a route knows the model.
    """

    model: str
    outcome: str
    seconds: float
    provider: str = ""
    usage: Usage | None = None
    request_id: str = ""
    first_token_seconds: float | None = None
    allowance: Allowance | None = None
    deployment: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model made of a prompt.

    ``confidence`` is the model's own estimate, in [0, 1], that the evidence answers the question;
    None where it has none. ``short`` is the answer proper, where a few words or yes or no are one: ``text`` begins
    with it and goes on with the evidence. Empty where the whole text is the answer.

    ``tool_calls`` are what it asks for, with FinishReason.TOOL_CALLS. ``reasoning`` is what it thought, where the
    provider tells; it is never part of the answer. ``cited`` are the spans of ``text`` that a provider's own citations
    support. ``attempts`` are the calls behind it, failed ones included, in order.
    """

    text: str
    model: str
    finish_reason: FinishReason
    usage: Usage = field(default_factory=Usage)
    quotations: tuple[Quotation, ...] = ()
    confidence: float | None = None
    short: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    cited: tuple[CitedSpan, ...] = ()
    request_id: str = ""
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of a completion's text, as it comes; the pieces in order make the whole."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of what a model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class CompletionDone:
    """The last event of a stream that ended as it should: the whole completion. A stream without it has raised."""

    completion: Completion


@dataclass(frozen=True, slots=True)
class StreamRestarted:
    """The answer begins anew, from ``model``: what was written until now is void. ``code`` is that of the error that
    ended it."""

    model: str
    code: str


CompletionEvent: TypeAlias = TextDelta | ReasoningDelta | StreamRestarted | CompletionDone


@dataclass(frozen=True, slots=True)
class Citation:
    """Evidence of an answer: exact characters of a document, compared with the stored text before it is shown.

    ``text`` equals the document's characters ``start`` to ``end`` (0-based, end exclusive).
    ``digest`` is the SHA-256 of the document's whole text when it was cited, so that
    a later check can tell a moved citation from a changed one. ``suspicious`` is what in these characters, or in
    their document as a whole, may be meant to mislead.
    """

    marker: int
    document: str
    start: int
    end: int
    text: str
    digest: str
    title: str = ""
    page: int | None = None
    suspicious: tuple[Suspicion, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePair:
    """Characters of two documents that an answer could draw on and that say the same or contradict each other.

    ``what`` is ``duplicate``, or what is said differently: ``number``, ``date`` or ``negation``. ``text`` and
    ``other_text`` are what stands there, of a duplicate the whole passage.
    """

    what: str
    document: str
    start: int
    end: int
    text: str
    other_document: str
    other_start: int
    other_end: int
    other_text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that can be checked, or an honest abstention.

    ``confidence`` is in [0, 1]. ``short`` is the answer proper where a few words are one, empty where all of ``text``
    is. ``stages`` gives seconds per stage. ``trace`` is the trace's id, 32 hexadecimal digits: ``rag trace ID`` shows
    it. ``conflicts`` and ``duplicates`` are pairs among the sources that the model was given, whether it quoted them
    or not.
    """

    question: str
    text: str
    abstained: bool
    confidence: float
    citations: tuple[Citation, ...]
    model: str
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cached: bool = False
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    trace: str = ""
    short: str = ""
    conflicts: tuple[SourcePair, ...] = ()
    duplicates: tuple[SourcePair, ...] = ()


@dataclass(frozen=True, slots=True)
class StageDone:
    """A stage on the way to an answer ended."""

    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TextWritten:
    """A piece of the answer's text; the pieces in order make the whole. It comes after its citations are proven."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationProven:
    """A citation that equals the stored characters."""

    citation: Citation


AnswerEvent: TypeAlias = StageDone | TextWritten | CitationProven
