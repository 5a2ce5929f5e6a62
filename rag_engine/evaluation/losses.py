"""The questions that lost most since a baseline, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from rag_engine.evaluation.curves import Ranks
from rag_engine.evaluation.gold_set import GoldQuestion, GoldSet
from rag_engine.evaluation.retrieval_measures import Run
from rag_engine.types.document import JsonValue

MOST_LOSSES = 20
_ABOVE = 3
_OF_ANSWERS = frozenset({"f1", "answer_in_text", "answer_in_citation"})
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """What one question scored in a measure before and scores now."""

    metric: str
    before: float
    now: float

    @property
    def lost(self) -> float:
        """By how much it fell."""
        return self.before - self.now


@dataclass(frozen=True, slots=True)
class FallenDocument:
    """A relevant document that stood better before: its ranks from 1, ``now`` None where it is not ranked any more.

    ``above`` are the first documents that stand above it now and are not relevant.
    """

    document: str
    before: int
    now: int | None
    above: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """A question that scores less than before: in which measures, which documents fell, and that in words."""

    query: str
    question: str
    measures: tuple[MeasureChange, ...]
    documents: tuple[FallenDocument, ...]
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """The fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared: values by measure and question, by question and measure, and gold ranks."""

    values: Mapping[str, Mapping[str, float]]
    per_query: Mapping[str, Mapping[str, float]]
    ranks: Ranks

    def abstained(self, query: str) -> bool:
        """Whether the question was asked and not answered."""
        return bool(self.per_query.get(query, {}).get("abstained"))


def find_losses(
    gold: GoldSet, *, before: Side, now: Side, run: Run, depth: int, most: int = MOST_LOSSES
) -> tuple[Loss, ...]:
    """The ``most`` questions with the largest fall in any measure, the largest first.

    ``run`` holds what is ranked now, of which the first ``depth`` documents count.
    """
    changes = {
        question.id: fallen
        for question in gold.questions
        if (fallen := _fallen(question.id, before.values, now.values))
    }
    questions = {question.id: question for question in gold.questions}
    by_size = sorted(changes, key=lambda query: (-changes[query][0].lost, -sum(c.lost for c in changes[query]), query))
    return tuple(_loss(questions[query], changes[query], before, now, run, depth) for query in by_size[:most])


def _loss(
    question: GoldQuestion, changes: tuple[MeasureChange, ...], before: Side, now: Side, run: Run, depth: int
) -> Loss:
    documents = tuple(_fallen_documents(question.id, before.ranks, now.ranks, run))
    reasons = (
        *(_fall_in_words(document, depth) for document in documents),
        *_answer_reasons(question, {change.metric: change for change in changes}, before, now),
    )
    names = ", ".join(change.metric for change in changes)
    return Loss(
        query=question.id,
        question=question.text,
        measures=changes,
        documents=documents,
        reasons=reasons or (f"{names} fell; the baseline does not tell why",),
    )


def _fallen(
    query: str, before: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]
) -> tuple[MeasureChange, ...]:
    """The measures in which a question scores less, the largest fall first."""
    both = (
        MeasureChange(name, before[name][query], values[query])
        for name, values in now.items()
        if query in values and query in before.get(name, {})
    )
    return tuple(sorted((change for change in both if change.lost > _ROUNDING), key=lambda change: -change.lost))


def _fallen_documents(query: str, before: Ranks, now: Ranks, run: Run) -> Iterator[FallenDocument]:
    relevant = now.get(query, {})
    for document, rank in sorted(before.get(query, {}).items(), key=lambda item: item[1]):
        rank_now = relevant.get(document)
        if rank_now is None or rank_now > rank:
            end = None if rank_now is None else rank_now - 1
            above = [other for other, _ in run.get(query, ())[:end] if other not in relevant]
            yield FallenDocument(document, rank, rank_now, tuple(above[:_ABOVE]))


def _fall_in_words(fallen: FallenDocument, depth: int) -> str:
    if fallen.now is None:
        said = f"gold document {fallen.document}, {fallen.before} before, is no longer among {depth}"
        return said + (f"; the first now: {', '.join(fallen.above)}" if fallen.above else "; nothing is found now")
    said = f"gold document {fallen.document} fell from {fallen.before} to {fallen.now}"
    return said + (f"; above it now: {', '.join(fallen.above)}" if fallen.above else "")


def _answer_reasons(
    question: GoldQuestion, changes: Mapping[str, MeasureChange], before: Side, now: Side
) -> Iterator[str]:
    if question.answerable is False:
        if "refusal_recall" in changes:
            yield "now answers, though nothing answers the question"
        return
    if now.abstained(question.id) and not before.abstained(question.id) and changes.keys() & _OF_ANSWERS:
        yield "now abstains"
        return
    if "answer_in_citation" in changes:
        yield "the cited characters no longer hold a gold span"
    if "answer_in_text" in changes:
        yield "the answer no longer contains a gold answer"
    elif "f1" in changes:
        fell = changes["f1"]
        yield f"the answer shares fewer words with a gold answer (F1 {fell.before:.2f}, now {fell.now:.2f})"
