"""Asks an index questions whose answers are known, and fits what turns its raw confidence into a probability.

The questions are made of the corpus itself, or are those of a gold set. A third of them, whole documents, is held out
of the fit to say how well it does. Of two made questions without an answer only the one that the model is surer of
counts: whoever asks in vain asks about what is nearly there (hard negatives, as in Robinson and others, 2021).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from rag_engine import tracing
from rag_engine.context_retrieval import drawn_on
from rag_engine.context_retrieval.calibration import CERTAINTY, Calibration, fit_map, keep_risk
from rag_engine.errors import CalibrationError
from rag_engine.evaluation import CharacterSpan, GoldSet, check_against, check_spans
from rag_engine.evaluation.answer_measures import citation_covers_gold
from rag_engine.evaluation.calibration_measures import measure_probabilities, risk_coverage
from rag_engine.evaluation.calibration_report import CalibrationReport
from rag_engine.evaluation.confidence_measures import area_under_risk_coverage
from rag_engine.evaluation.question_making import MadeQuestion, Withheld, mentions
from rag_engine.index import Catalog
from rag_engine.jobs.questions_about import LEAST_QUESTIONS, questions_about
from rag_engine.prompt_engineering import PromptBuilder
from rag_engine.protocols import Embedder, LanguageModel, Retriever, SentenceSplitter
from rag_engine.types.generation import Completion, Prompt
from rag_engine.types.retrieval import Comparator, Comparison, Filter, Passage, Query, SearchMode

QUESTIONS = 600
SELF_MADE = "self-made"
# As so many questions the map that changes nothing counts. Self-made questions are not a user's, so it counts about as
# much as they do: this and HARDEST_OF were chosen by benchmarks/quality/calibration.py.
PRIOR_SELF_MADE = 400.0
PRIOR_GOLD = 20.0
# Unanswerable questions that are asked for each one that counts.
HARDEST_OF = 2
_EMBEDDED_AT_ONCE = 256

ReportQuestions: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked whatever its confidence: ``raw`` is the model's own, ``right`` that what it quoted
    answers the question, ``group`` the document that it is about."""

    group: str
    raw: float
    answerable: bool
    right: bool


class CalibrateJob:
    """Calibrates one index."""

    def __init__(
        self,
        *,
        index: str,
        catalog: Catalog,
        retriever: Retriever,
        builder: PromptBuilder,
        model: LanguageModel,
        embedder: Embedder,
        split_sentences: SentenceSplitter,
        mode: SearchMode,
        passages: int,
        least_share: float,
        progress: ReportQuestions = lambda _stage, _done, _total: None,
    ) -> None:
        """``model`` must not abstain; ``embedder`` had better remember. The rest is as the ask job has it."""
        self._index = index
        self._catalog = catalog
        self._retriever = retriever
        self._builder = builder
        self._model = model
        self._embedder = embedder
        self._split_sentences = split_sentences
        self._mode = mode
        self._passages = passages
        self._least_share = least_share
        self._progress = progress

    async def calibrate(
        self, *, questions: int = QUESTIONS, risk: float | None = None, seed: int = 0, gold: GoldSet | None = None
    ) -> CalibrationReport:
        """The calibration, fitted on two thirds of up to ``questions`` questions.

        Raises:
            CalibrationError: the index or the gold set gives too few questions, or no threshold keeps ``risk``.
            GoldSetError: the gold set does not fit the index.
        """
        started = time.perf_counter()
        commit = self._catalog.commit_number()
        with tracing.span("calibrate ask"):
            asked = await (self.ask_made(questions, seed) if gold is None else self.ask_gold(gold, questions, seed))
        fitted, held_out = split(asked, seed)
        offset, slope = fit_map(
            [one.raw for one in fitted],
            [one.answerable for one in fitted],
            prior_questions=PRIOR_SELF_MADE if gold is None else PRIOR_GOLD,
        )
        calibration = Calibration(offset, slope, threshold=0.0)
        # A threshold needs the order alone, which the map keeps, so every question may say where it lies.
        kept = None if risk is None else keep_risk([x.raw for x in asked], [x.right for x in asked], risk=risk)
        outcomes = [one.answerable for one in held_out]
        told = [calibration.probability(one.raw) for one in held_out]
        return CalibrationReport(
            index=self._index,
            source=SELF_MADE if gold is None else gold.name,
            commit=commit,
            seed=seed,
            fitted=len(fitted),
            held_out=len(held_out),
            answerable=sum(one.answerable for one in asked),
            offset=offset,
            slope=slope,
            before=measure_probabilities([one.raw for one in held_out], outcomes),
            after=measure_probabilities(told, outcomes),
            area_under_risk_coverage=area_under_risk_coverage((one.raw, float(not one.right)) for one in held_out),
            risk=risk,
            threshold=None if kept is None else calibration.probability(kept.raw),
            risk_bound=None if kept is None else kept.bound,
            certainty=CERTAINTY,
            answered=None if kept is None else kept.answered,
            curve=risk_coverage([calibration.probability(one.raw) for one in asked], [one.right for one in asked]),
            seconds=time.perf_counter() - started,
        )

    async def ask_made(self, questions: int, seed: int, *, hardest_of: int = HARDEST_OF) -> list[Asked]:
        """Every made question that counts, as asked; of so many without an answer, the one the model is surest of."""
        made, documents = questions_about(
            self._catalog, questions * hardest_of, split_sentences=self._split_sentences, seed=seed
        )
        withheld = [question for question in made if not question.answerable]
        plain = [question for question in made if question.answerable][: len(withheld) // hardest_of]
        await self._embed([question.text for question in (*plain, *withheld)])
        answered: list[Asked] = []
        unanswered: list[Asked] = []
        for done, question in enumerate((*plain, *withheld), start=1):
            answer = documents[question.document].text[question.answer_start : question.answer_end]
            asked = await self._ask_made(question, answer)
            if asked is not None:
                (answered if question.answerable else unanswered).append(asked)
            self._progress("ask", done, len(plain) + len(withheld))
        hardest = [
            max(unanswered[start : start + hardest_of], key=lambda one: one.raw)
            for start in range(0, len(unanswered) - hardest_of + 1, hardest_of)
        ]
        return [*answered, *hardest]

    async def _ask_made(self, question: MadeQuestion, answer: str) -> Asked | None:
        """None where the question was to have no answer and seems to have one in another place."""
        condition: Filter | None = None
        if question.withheld is Withheld.DOCUMENT:
            condition = Comparison("id", Comparator.NOT_EQUAL, question.document)
        # Twice as many, of which those that hold what is withheld go.
        withholds = question.withheld is Withheld.PASSAGE
        found = await self._find(question.text, condition, self._passages * (2 if withholds else 1))
        if withholds:
            found = [passage for passage in found if not _overlaps(passage, question)]
        found = found[: self._passages]
        if question.withheld in (Withheld.PASSAGE, Withheld.DOCUMENT) and any(
            mentions(passage.text, question, answer) for passage in found
        ):
            return None
        prompt, completion = await self._complete(question.text, found)
        span = CharacterSpan(question.document, question.answer_start, question.answer_end)
        return Asked(
            group=question.document,
            raw=completion.confidence or 0.0,
            answerable=question.answerable,
            right=question.answerable and citation_covers_gold(_cited(prompt, completion), [span]),
        )

    async def ask_gold(self, gold: GoldSet, questions: int, seed: int) -> list[Asked]:
        """The questions of a gold set that says whether they are answerable, or a sample of so many, as asked.

        Where a question has gold spans, an answer is right that cites one; else any to an answerable question is.
        """
        check_against(gold, set(self._catalog.document_ids()))
        check_spans(gold, self._catalog.text)
        known = [question for question in gold.questions if question.answerable is not None]
        if len(known) > questions:
            known = Random(seed).sample(known, questions)  # noqa: S311 - a sample
        if len(known) < LEAST_QUESTIONS or len({question.answerable for question in known}) < 2:
            raise CalibrationError(
                f"{gold.name} says of {len(known)} questions whether they are answerable; "
                f"{LEAST_QUESTIONS} are needed, of both kinds",
                hint="add questions, or let them be made of the documents: rag calibrate without --gold",
            )
        await self._embed([question.text for question in known])
        asked: list[Asked] = []
        for done, question in enumerate(known, start=1):
            prompt, completion = await self.answer(question.text)
            right = bool(question.answerable)
            if question.spans:
                gold_spans = [span.characters for span in question.spans]
                right = citation_covers_gold(_cited(prompt, completion), gold_spans)
            asked.append(
                Asked(
                    group=min(question.relevant, default=question.id),
                    raw=completion.confidence or 0.0,
                    answerable=bool(question.answerable),
                    right=right,
                )
            )
            self._progress("ask", done, len(known))
        return asked

    async def answer(self, text: str, *, condition: Filter | None = None) -> tuple[Prompt, Completion]:
        """What the model makes of a question whatever its confidence, and what it was shown."""
        return await self._complete(text, await self._find(text, condition, self._passages))

    async def _embed(self, texts: Sequence[str]) -> None:
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            await asyncio.to_thread(self._embedder.embed_queries, texts[start : start + _EMBEDDED_AT_ONCE])
            self._progress("embed", min(start + _EMBEDDED_AT_ONCE, len(texts)), len(texts))

    async def _find(self, text: str, condition: Filter | None, k: int) -> list[Passage]:
        query = Query(text, k=k, mode=self._mode, filter=condition)
        return await asyncio.to_thread(self._retriever.retrieve, query)

    async def _complete(self, text: str, found: Sequence[Passage]) -> tuple[Prompt, Completion]:
        prompt = self._builder.build(text, drawn_on(found, least_share=self._least_share))
        return prompt, await self._model.complete(prompt)


def split(asked: Sequence[Asked], seed: int) -> tuple[list[Asked], list[Asked]]:
    """Two thirds to fit and a third held out. Questions about one document stay together.

    Raises:
        CalibrationError: they are all about one document, or one part would be empty.
    """
    groups = sorted({one.group for one in asked})
    Random(seed).shuffle(groups)  # noqa: S311 - a sample
    sizes = dict.fromkeys(groups, 0)
    for one in asked:
        sizes[one.group] += 1
    held: set[str] = set()
    for group in groups:
        if sum(sizes[name] for name in held) * 3 >= len(asked):
            break
        held.add(group)
    fitted = [one for one in asked if one.group not in held]
    held_out = [one for one in asked if one.group in held]
    if not fitted or not held_out:
        raise CalibrationError(
            "all questions are about one document, so none can be held out", hint="ingest more documents first"
        )
    return fitted, held_out


def _overlaps(passage: Passage, question: MadeQuestion) -> bool:
    return passage.document_id == question.document and passage.start < question.end and question.start < passage.end


def _cited(prompt: Prompt, completion: Completion) -> list[CharacterSpan]:
    documents = {source.number: source.passage.document_id for source in prompt.sources}
    return [
        CharacterSpan(documents[quotation.marker], quotation.start, quotation.end)
        for quotation in completion.quotations
        if quotation.marker in documents
    ]
