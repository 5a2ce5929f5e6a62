"""Looking for a document once, as a search and as an answer do it, with the settings as they are or with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from rag_engine.context_retrieval import HybridRetriever, OptimizedRetriever, drawn_on
from rag_engine.errors import EmbeddingError
from rag_engine.prompt_engineering import PromptBuilder
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Prompt
from rag_engine.types.retrieval import Passage, Query


@dataclass(frozen=True, slots=True)
class AskingParts:
    """What searches and answers are made of under certain settings, and those of the settings that may be changed.

    ``hybrid`` makes the single searches of ``retriever``.
    """

    retriever: OptimizedRetriever
    hybrid: HybridRetriever
    builder: PromptBuilder
    depth: int
    feedback: float
    link_near_duplicates: bool
    passages: int
    least_share: float
    context_tokens: int


# The parts with these settings, by their full names, in place of the present ones.
MakeParts: TypeAlias = Callable[[Mapping[str, JsonValue]], AskingParts]


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer would have to read: ``found`` passages, those of them that it draws on, and its prompt."""

    found: Sequence[Passage]
    drawn: Sequence[Passage]
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to look for ``document``: a query, under some settings. ``answering`` says that it must be read for an
    answer; otherwise it must be among the results."""

    make: MakeParts
    document: str
    query: Query
    answering: bool
    settings: Mapping[str, JsonValue] = field(default_factory=dict)

    def asked(self, query: Query) -> Trial:
        """The same with another query."""
        return replace(self, query=query)

    def under(self, **settings: JsonValue) -> Trial:
        """The same under other settings, whose full names are given with ``__`` for the dot."""
        named = {name.replace("__", "."): value for name, value in settings.items()}
        return replace(self, settings={**self.settings, **named})

    def parts(self) -> AskingParts:
        """What it looks with."""
        return self.make(self.settings)

    def results(self) -> list[Passage]:
        """What the search finds."""
        return self.parts().retriever.retrieve(self.query)

    def sources(self) -> Sources:
        """What an answer would have to read."""
        parts = self.parts()
        found = parts.retriever.retrieve(replace(self.query, k=parts.passages))
        drawn = drawn_on(found, least_share=parts.least_share)
        return Sources(found, drawn, parts.builder.build(self.query.text, drawn))

    def rank(self) -> int | None:
        """The rank, from 1, of the document's first passage among what is wanted; None where there is none, or where
        the model that this way needs cannot be used."""
        try:
            passages = (
                [source.passage for source in self.sources().prompt.sources] if self.answering else self.results()
            )
        except EmbeddingError:
            return None
        return next((rank for rank, one in enumerate(passages, 1) if one.document_id == self.document), None)
