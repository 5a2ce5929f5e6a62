"""The way of a question: retrieve, build the prompt, let the model answer, prove every citation."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from rag_engine import tracing
from rag_engine.context_retrieval import clean_question, conflicts_among, drawn_on, duplicates_among
from rag_engine.context_retrieval.calibration import Calibration
from rag_engine.errors import IncompleteResponseError
from rag_engine.llm.providers.extractive import ABSTENTION
from rag_engine.prompt_engineering import PromptBuilder, resolve_citations
from rag_engine.protocols import LanguageModel, Retriever
from rag_engine.tracing import names
from rag_engine.types.generation import (
    Answer,
    AnswerEvent,
    Attempt,
    CitationProven,
    Completion,
    FinishReason,
    Prompt,
    StageDone,
    TextWritten,
)
from rag_engine.types.retrieval import Filter, Passage, Query, SearchMode

ReportEvent: TypeAlias = Callable[[AnswerEvent], None]


class AskJob:
    """Answers questions from an index."""

    def __init__(
        self,
        *,
        retriever: Retriever,
        builder: PromptBuilder,
        model: LanguageModel,
        text_of: Callable[[str], str | None],
        page_of: Callable[[str, int], int | None],
        passages: int = 8,
        least_share: float = 0.0,
        calibration: Calibration | None = None,
    ) -> None:
        """``text_of`` gives a document's stored text and ``page_of`` the page of one of its characters:
        what citations are compared with. ``passages`` is how many an answer may draw on, of those that have at least
        ``least_share`` of the best one's score. With ``calibration``, the model's confidence becomes a probability, and
        below its threshold the model's answer is withheld."""
        self._retriever = retriever
        self._builder = builder
        self._model = model
        self._text_of = text_of
        self._page_of = page_of
        self._passages = passages
        self._least_share = least_share
        self._calibration = calibration

    async def ask(
        self,
        question: str,
        *,
        mode: SearchMode = SearchMode.HYBRID,
        condition: Filter | None = None,
        on_event: ReportEvent = lambda _: None,
    ) -> Answer:
        """An answer whose citations equal the stored characters, or an honest abstention.

        ``on_event`` is told what there is as soon as it is there; nothing is told that is not proven.

        Raises:
            InvalidQueryError: the question is empty or too long.
            CitationError: the model quoted what is not there; the answer is withheld.
            ModelMismatchError, StorageError: the index cannot be searched.
        """
        started = time.perf_counter()
        question = clean_question(question)
        stages: dict[str, float] = {}
        stage = functools.partial(_stage, stages, on_event)
        with tracing.span("ask") as span:
            with stage("retrieve"):
                passages = await asyncio.to_thread(self._drawn_on, question, mode, condition)
            with stage("build prompt"):
                prompt = self._builder.build(question, passages)
            with stage("generate"):
                completion = self._calibrated(_whole(await self._model.complete(prompt)))
            with stage("prove citations"):
                citations = resolve_citations(completion, prompt, text_of=self._text_of, page_of=self._page_of)
            for citation in citations:
                on_event(CitationProven(citation))
            on_event(TextWritten(completion.text))
            abstained = completion.finish_reason in (FinishReason.ABSTAINED, FinishReason.REFUSED)
            span.set_attribute(names.ABSTAINED, abstained)
            return Answer(
                question=question,
                text=completion.text,
                abstained=abstained,
                confidence=completion.confidence if completion.confidence is not None else float(bool(citations)),
                citations=citations,
                model=completion.model,
                attempts=completion.attempts
                or (Attempt(completion.model, completion.finish_reason.value, stages["generate"]),),
                usage=completion.usage,
                seconds=time.perf_counter() - started,
                stages=stages,
                trace=tracing.current_trace_id(),
                short=completion.short,
                conflicts=conflicts_among([source.passage for source in prompt.sources]),
                duplicates=duplicates_among([source.passage for source in prompt.sources]),
            )

    def prompt_for(
        self, question: str, *, mode: SearchMode = SearchMode.HYBRID, condition: Filter | None = None
    ) -> Prompt:
        """What the model would be asked; it is not.

        Raises:
            InvalidQueryError, ModelMismatchError, StorageError: as ``ask``.
        """
        question = clean_question(question)
        return self._builder.build(question, self._drawn_on(question, mode, condition))

    def _drawn_on(self, question: str, mode: SearchMode, condition: Filter | None) -> list[Passage]:
        """The passages that an answer may draw on."""
        found = self._retriever.retrieve(Query(question, k=self._passages, mode=mode, filter=condition))
        return drawn_on(found, least_share=self._least_share)

    def _calibrated(self, completion: Completion) -> Completion:
        if self._calibration is None or completion.confidence is None:
            return completion
        confidence = self._calibration.probability(completion.confidence)
        if completion.finish_reason is FinishReason.ABSTAINED or confidence >= self._calibration.threshold:
            return replace(completion, confidence=confidence)
        return replace(
            completion,
            text=ABSTENTION,
            finish_reason=FinishReason.ABSTAINED,
            quotations=(),
            confidence=confidence,
        )


def _whole(completion: Completion) -> Completion:
    """Raises IncompleteResponseError where the answer came to its longest before it came to its end."""
    if completion.finish_reason is FinishReason.LENGTH:
        raise IncompleteResponseError(
            f"the answer of {completion.model} is longer than it was allowed to be; a part is not shown as the whole",
            hint="raise llm.max_output_tokens, or ask for less",
            model=completion.model,
            attempts=completion.attempts,
        )
    return completion


@contextlib.contextmanager
def _stage(stages: dict[str, float], on_event: ReportEvent, name: str) -> Iterator[None]:
    started = time.perf_counter()
    with tracing.span(f"ask {name}"):
        yield
    stages[name] = time.perf_counter() - started
    on_event(StageDone(name, stages[name]))
