"""The contracts between rooms. A room knows another only through these; ``assembly`` introduces them.

Each protocol has one suite in ``tests/contracts`` that every implementation must pass.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from rag_engine.types.calls import CallRecord
from rag_engine.types.document import Chunk, Document, SourceFailure
from rag_engine.types.generation import Completion, CompletionEvent, Prompt
from rag_engine.types.models import ModelTask
from rag_engine.types.optimization import (
    FieldSummary,
    Gains,
    OptimizedQuery,
    PastQuestion,
    QueryExperience,
    StrategyName,
)
from rag_engine.types.retrieval import ChunkPlace, Filter, Passage, Query, ScoredChunk
from rag_engine.types.routing import DeploymentHealth, ModelOutcome, QualityEstimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.types.ingestion import LoadLimits

    Vectors: TypeAlias = NDArray[np.float32]
    Numbers: TypeAlias = NDArray[np.int64]
    Offsets: TypeAlias = NDArray[np.int64]
    TokenIds: TypeAlias = NDArray[np.int32]


class Loader(Protocol):
    """Reads one family of formats. Runs inside the sandbox, on the bytes of one file."""

    @property
    def name(self) -> str:
        """The loader's name, as it is recorded with each source."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same bytes may give other text; its sources are then read again."""
        ...

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
        """Documents of ``data``, in order, with the failures of single records among them.

        ``name`` is the document's id where the file does not say one itself.

        Raises:
            EncryptedSourceError: no password of ``limits`` opens it.
            IngestionError: the file as a whole cannot be read.
        """
        ...


class Encoding(NamedTuple):
    """A text's tokens: ``ids`` of shape (tokens,), those of the vocabulary, and ``offsets`` of shape (tokens, 2), the
    characters of each, 0-based, end exclusive."""

    ids: TokenIds
    offsets: Offsets


class Tokenizer(Protocol):
    """Counts and locates the tokens of a text as one model sees them."""

    @property
    def name(self) -> str:
        """What counts: a model's name, an encoding's, or ``estimate``."""
        ...

    @property
    def exact(self) -> bool:
        """False for an estimate."""
        ...

    @property
    def special_tokens(self) -> int:
        """Tokens that the model adds around every text."""
        ...

    @property
    def separators(self) -> str:
        """Characters beside which a text is cut without changing its tokens; empty where none are known."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        ...

    def encode(self, text: str) -> Encoding:
        """The tokens of a text, special tokens left out."""
        ...

    def vocabulary(self) -> list[str]:
        """The text of every token by its id; empty where there is no vocabulary to be had."""
        ...


class SentenceSplitter(Protocol):
    """Finds the sentences of a text."""

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """Spans of the sentences in order, without surrounding white space; they cover every other character."""
        ...


class Chunker(Protocol):
    """Cuts a document into chunks that an embedder can read whole."""

    @property
    def identity(self) -> str:
        """Name, version and settings; chunks of two chunkers of one identity are equal."""
        ...

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in order; ``document.text[chunk.start:chunk.end] == chunk.text`` for each, and every
        character that is not white space lies in at least one."""
        ...


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """What decides an embedder's vectors.

    ``weights`` and ``tokenizer`` are SHA-256 digests of the files; ``pooling`` and ``prompts`` are the
    model's settings as JSON; ``max_tokens`` is the window that is left for a text; ``runtime`` is what
    computes: two runtimes of the same weights may share an index when the canary vectors agree.
    """

    model: str
    weights: str
    tokenizer: str
    pooling: str
    normalized: bool
    prompts: str
    dimension: int
    max_tokens: int
    runtime: str


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def identity(self) -> EmbedderIdentity:
        """What decides the vectors; reading it does not load the weights into memory."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's own tokenizer."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit float32 rows for documents' texts, shape (len(texts), dimension). A text over the window
        is cut by the model: the chunker sees to it that there is none.

        Raises:
            EmbeddingError: the model cannot be loaded or gives no finite vector.
        """
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The same for questions, with the model's query prompt where it has one: the way for what somebody waits
        for. Its rows may come from another program, and be compared with those of ``embed`` all the same."""
        ...


class DenseIndex(Protocol):
    """Nearest neighbours by inner product over unit vectors, keyed by chunk numbers."""

    def __len__(self) -> int:
        """Vectors held."""
        ...

    def add(self, numbers: Numbers, vectors: Vectors) -> None:
        """Adds vectors, shape (n, dimension), under chunk numbers, shape (n,), not held yet."""
        ...

    def remove(self, numbers: Numbers) -> None:
        """Removes the vectors of these chunks; unknown numbers are passed over."""
        ...

    def search(self, vector: Vectors, depth: int, *, among: Numbers | None = None) -> list[ScoredChunk]:
        """The ``depth`` best chunks for a vector of shape (dimension,), best first, ties by number;
        only chunks of ``among`` where it is given."""
        ...

    def vectors(self, chunks: Numbers) -> Vectors:
        """The vectors of these chunks, ascending numbers without doubles, shape (n, dimension); unknown ones are
        passed over."""
        ...


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """What the lexical index holds of a chunk: ``context`` is the title and the headings above ``text``."""

    chunk: int
    context: str
    text: str


class LexicalIndex(Protocol):
    """Full-text search by BM25 over chunks, or over stretches of documents under the number of their first chunk."""

    def __len__(self) -> int:
        """Chunks held."""
        ...

    def update(self, *, add: Iterable[LexicalEntry], remove: Iterable[int], commit: int) -> None:
        """Removes, then adds, then records ``commit``, in one step that other readers see whole."""
        ...

    def terms(self, text: str) -> list[str]:
        """What a search for ``text`` looks for: its words as they are indexed, each once; none for words that are
        never looked for."""
        ...

    def search(
        self,
        text: str,
        depth: int,
        *,
        among: Numbers | None = None,
        additions: Sequence[tuple[str, float]] = (),
    ) -> list[ScoredChunk]:
        """The ``depth`` best chunks for words as a person types them; no syntax. Ties by number. ``additions`` are
        words to look for besides, each with what it counts where the text's own count 1."""
        ...

    def in_english(self, text: str) -> bool:
        """False where a question is told to be in another language."""
        ...


class Vocabulary(Protocol):
    """The words of a corpus in lower case, and the abbreviations that it defines. Words may be asked for in any
    capitals; numbers, identifiers with digits and scripts without spaces between words are not in it."""

    @property
    def chunks(self) -> int:
        """Chunks of the corpus."""
        ...

    def frequency(self, word: str) -> int:
        """Chunks that hold the word just as it is spelt, capitals aside; about, where documents were removed."""
        ...

    def found(self, word: str) -> int:
        """Chunks in which a lexical search finds the word, also by other forms of it: 0 for a word that no search
        would find, whatever ``frequency`` says; all for one that searches pass over, such as ``the``."""
        ...

    def written(self, word: str) -> str:
        """The word with the capitals of its most frequent form."""
        ...

    def near(self, word: str, distance: int) -> list[tuple[str, int]]:
        """Other words within so many edits (Damerau-Levenshtein), with their frequencies, most frequent first."""
        ...

    def decorated(self, plain: str) -> list[tuple[str, int]]:
        """Words with marks over letters that are typed as ``plain`` where a keyboard has no such marks, with their
        frequencies, most frequent first: ``für`` for ``fur`` and for ``fuer``."""
        ...

    def shortened_to(self, short: str, most_letters: int) -> list[tuple[str, int]]:
        """Longer words, up to so many letters, that begin with the first letter of ``short`` and hold all of its
        letters in their order, with their frequencies, most frequent first."""
        ...

    def long_forms(self, short: str) -> list[tuple[str, str, int]]:
        """Definitions of a short form, in whatever capitals: short form as written, long form in lower case, chunks
        that define it; the most frequent first."""
        ...

    def short_forms(self, long: str) -> list[tuple[str, str, int]]:
        """Definitions with this long form: short form as written, long form, chunks that define it."""
        ...


class IndexView(Protocol):
    """One commit of an index: everything read through it belongs to that commit."""

    @property
    def commit(self) -> int:
        """The commit's number."""
        ...

    @property
    def dense(self) -> DenseIndex:
        """The dense leg, where the view was asked for it."""
        ...

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical leg, where the view was asked for it."""
        ...

    @property
    def stretches(self) -> LexicalIndex:
        """The lexical leg over stretches of documents, where the view was asked for the lexical leg: ``STRETCH_CHUNKS``
        chunks that follow each other are read as one text, under the number of the first."""
        ...

    @property
    def vocabulary(self) -> Vocabulary:
        """The corpus's words; opened when it is first asked for."""
        ...

    def matching(self, condition: Filter) -> Numbers:
        """Numbers of the chunks whose document satisfies the filter, ascending."""
        ...

    def passages(
        self, chunks: Sequence[int], *, spans: Mapping[int, tuple[int, int]] | None = None
    ) -> dict[int, Passage]:
        """The stored chunks of these numbers; rank and scores are left at zero. Unknown numbers are absent. ``spans``
        are the characters to be shown of a chunk's document where these are not its own."""
        ...

    def places(self, chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        """Where chunks lie. Unknown numbers are absent."""
        ...

    def places_around(self, place: ChunkPlace, reach: int) -> list[ChunkPlace]:
        """A chunk's place and those of up to ``reach`` chunks on each side of it, in order."""
        ...

    def linked(self, chunks: Sequence[int]) -> dict[int, tuple[str, tuple[str, ...]]]:
        """For chunks whose documents have near-duplicates: the document's id, and those of all of them."""
        ...


class CorpusFacts(Protocol):
    """What the documents of an index are called and described by: names and fields that a question may mean."""

    def fields(self) -> Mapping[str, FieldSummary]:
        """The fields of the metadata, by name, as a sample of the documents has them."""
        ...

    def values_like(self, field: str, text: str) -> tuple[str, ...]:
        """Texts that the field has, alone or in a list: those equal to ``text`` but for their case; where there are
        none, those that hold it as whole words. At most 20."""
        ...

    def named(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Ids of the documents whose title is one of the names, also with something in brackets behind it."""
        ...

    def admits(self, condition: Filter) -> bool:
        """Whether any document satisfies the filter."""
        ...


class SearchableIndex(Protocol):
    """What retrieval reads."""

    def view(self, *, dense: bool, lexical: bool) -> AbstractContextManager[IndexView]:
        """The latest commit, with the legs asked for brought up to it."""
        ...


class Retriever(Protocol):
    """Finds the passages for a query."""

    def retrieve(self, query: Query) -> list[Passage]:
        """At most ``query.k`` passages, best first."""
        ...


class Reranker(Protocol):
    """Judges texts by reading each together with the question."""

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """One finite number a text, higher for one that fits the question better; comparable within one call.

        Raises:
            RerankingError: the model cannot be loaded or gives no such numbers.
        """
        ...


class QueryOptimizer(Protocol):
    """Plans how a question is searched for."""

    def plan(self, question: str, *, only: frozenset[StrategyName] | None = None) -> OptimizedQuery:
        """The plan for a question. With ``only``, of these strategies, and whatever is expected of them."""
        ...

    def look_further(
        self, plan: OptimizedQuery, passages: Sequence[Passage], *, ungated: bool = False
    ) -> OptimizedQuery:
        """The plan with what follows from the first results: follow-ups, more wordings, the estimated quality."""
        ...


class ExperienceLedger(Protocol):
    """Remembers how strategies did, and questions that went well. Nothing here ever fails or holds up a search."""

    def record(self, experiences: Sequence[QueryExperience]) -> None:
        """Keeps these; of more than 10,000 the oldest are forgotten."""
        ...

    def gains(self) -> Sequence[Gains]:
        """What is remembered, summed by strategy, task and kind of question."""
        ...

    def record_questions(self, questions: Sequence[PastQuestion]) -> None:
        """Keeps these questions; of more than 10,000 the oldest are forgotten."""
        ...

    def questions_with(self, words: Sequence[str], *, most: int) -> Sequence[PastQuestion]:
        """Up to ``most`` questions that have some of the words, those with the most and the rarest first."""
        ...


class CallLedger(Protocol):
    """Keeps what calls of language models cost, and holds them to a budget."""

    @property
    def has_budget(self) -> bool:
        """Whether there is one: without, nothing need be reserved."""
        ...

    def reserve(self, *, model: str, cost: float | None) -> int | None:
        """Sets aside what a call may cost at most, in US dollars, None where no price is known; gives the number under
        which it is settled, None where there is no budget.

        Raises:
            BudgetExceededError: with it, the budget would be exceeded, or what it costs cannot be told.
        """
        ...

    def record(self, record: CallRecord) -> None:
        """Keeps one attempt, and settles its reservation. Holds nothing up."""
        ...

    def spent(self) -> Mapping[str, float]:
        """US dollars by model (``provider/name``) that today's calls cost, or that are set aside for them. Takes
        microseconds.

        Raises:
            StorageError: it cannot be told.
        """
        ...


class HealthLedger(Protocol):
    """Keeps how deployments do over restarts, and for all processes on the machine. It may be lost without harm: where
    it cannot be read or written the engine goes on with what this process knows."""

    def health(self) -> Mapping[str, DeploymentHealth]:
        """What is known of each deployment, by name. Takes microseconds, and waits for nobody."""
        ...

    def record_health(self, health: DeploymentHealth) -> None:
        """Keeps this, soon. Holds nothing up."""
        ...

    def claim_probe(self, deployment: str, *, seconds: float) -> bool:
        """Whether this caller, of all processes, is the one to probe the deployment now: nobody else is for so many
        seconds, or until its health is recorded anew."""
        ...


class OutcomeLedger(Protocol):
    """Keeps how good models' answers were. It may be lost without harm."""

    def record_outcomes(self, outcomes: Sequence[ModelOutcome]) -> None:
        """Keeps these; the oldest are forgotten."""
        ...

    def outcomes(self) -> Sequence[ModelOutcome]:
        """All that are kept, the oldest first."""
        ...


class ModelSelector(Protocol):
    """Tells from earlier answers how good a model's answer to a question will be."""

    def estimates(self, question: str, *, task: ModelTask, models: Sequence[str]) -> Mapping[str, QualityEstimate]:
        """By model, for those of which something is known."""
        ...


class LanguageModel(Protocol):
    """Writes an answer to a prompt. Routed, cached, failing-over and ensembled models are LanguageModels
    that hold LanguageModels."""

    @property
    def name(self) -> str:
        """The model's name as answers show it."""
        ...

    async def complete(self, prompt: Prompt) -> Completion:
        """The whole answer.

        Raises:
            GenerationError: no answer could be made; LanguageModelError where a provider or the way to it failed.
        """
        ...

    def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written. The last event is CompletionDone, whose text the deltas since the beginning, or
        since the last StreamRestarted, add up to; whatever else ends the stream is raised, so that a part is never
        taken for the whole.

        Raises:
            GenerationError: as ``complete``, also midway.
        """
        ...


__all__ = [
    "CallLedger",
    "Chunker",
    "CorpusFacts",
    "DenseIndex",
    "Embedder",
    "EmbedderIdentity",
    "ExperienceLedger",
    "HealthLedger",
    "IndexView",
    "LanguageModel",
    "LexicalEntry",
    "LexicalIndex",
    "Loader",
    "ModelSelector",
    "OutcomeLedger",
    "QueryOptimizer",
    "Reranker",
    "Retriever",
    "SearchableIndex",
    "SentenceSplitter",
    "Tokenizer",
    "Vocabulary",
]
