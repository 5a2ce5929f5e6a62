"""Fits the weight of the dense leg to a gold set; what it finds is kept only where it holds on other questions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean

from rag_engine import tracing
from rag_engine.errors import GoldSetError
from rag_engine.evaluation import GoldQuestion, GoldSet, best_chunk_per_document, check_against, score_run
from rag_engine.evaluation.significance import LEVEL, randomisation_p_value
from rag_engine.index import Catalog
from rag_engine.jobs.evaluate import RANKED_CHUNKS, RANKED_DOCUMENTS, ReportQuestions
from rag_engine.protocols import Embedder, Retriever
from rag_engine.types.document import JsonValue
from rag_engine.types.retrieval import Query

MEASURE = "nDCG@10"
# In logits, on top of what each question's scores say: with the first and the last, one leg is all that counts.
OFFSETS = (-6.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 6.0)
FOLDS = 5
LEAST_QUESTIONS = 20


@dataclass(frozen=True, slots=True)
class TuningReport:
    """What a gold set says of the dense leg's weight.

    ``offset``, in logits, is what is added to each question's weight; 0 where nothing better is certain. ``values``
    are nDCG@10 by offset. ``gain`` is what fitting brings on questions that it was not fitted on (each fifth of them
    with the offset that is best on the others), with the ``p_value`` of the paired randomisation test.
    """

    gold: str
    queries: int
    offset: float
    values: Mapping[float, float]
    gain: float
    p_value: float

    def to_json(self) -> dict[str, JsonValue]:
        """The fields; offsets as text."""
        return asdict(self) | {"values": {f"{offset:g}": value for offset, value in self.values.items()}}


class TuneJob:
    """Searches for every question with every weight."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        embedder: Embedder,
        retriever_with: Callable[[float], Retriever],
        progress: ReportQuestions = lambda _stage, _done, _total: None,
    ) -> None:
        """``retriever_with`` makes a retriever with an offset of the dense leg's weight; ``embedder`` remembers the
        questions' vectors."""
        self._catalog = catalog
        self._embedder = embedder
        self._retriever_with = retriever_with
        self._progress = progress

    def tune(self, gold: GoldSet) -> TuningReport:
        """The offset that is best on ``gold``, if fitting it is significantly better on questions left out.

        Raises:
            GoldSetError: the gold set judges fewer than 20 questions, or names documents that the index does not hold.
        """
        judged = [question for question in gold.questions if question.id in gold.qrels]
        if len(judged) < LEAST_QUESTIONS:
            raise GoldSetError(
                f"{gold.name} judges documents for {len(judged)} questions; a weight needs {LEAST_QUESTIONS} at least",
                hint="add questions, or leave the weight to be told from the scores",
            )
        check_against(gold, set(self._catalog.document_ids()))
        with tracing.span("tune"):
            self._embedder.embed_queries([question.text for question in judged])
            values = {offset: self._values(gold, judged, offset, turn) for turn, offset in enumerate(OFFSETS)}
        import numpy as np

        differences = np.array(
            [
                values[_best(values, without=_fold(question.id))][question.id] - values[0.0][question.id]
                for question in judged
            ]
        )
        gain, p_value = float(differences.mean()), randomisation_p_value(differences)
        certain = gain > 0 and p_value < LEVEL
        return TuningReport(
            gold=gold.name,
            queries=len(judged),
            offset=_best(values) if certain else 0.0,
            values={offset: round(fmean(found.values()), 4) for offset, found in values.items()},
            gain=round(gain, 4),
            p_value=round(p_value, 4),
        )

    def _values(self, gold: GoldSet, judged: list[GoldQuestion], offset: float, turn: int) -> dict[str, float]:
        retriever = self._retriever_with(offset)
        run = {}
        for done, question in enumerate(judged, start=1):
            passages = retriever.retrieve(Query(question.text, k=RANKED_CHUNKS))
            run[question.id] = list(best_chunk_per_document(passages))[:RANKED_DOCUMENTS]
            self._progress("search", turn * len(judged) + done, len(OFFSETS) * len(judged))
        scores = score_run(gold.qrels, run, [MEASURE])
        return {query: found[MEASURE] for query, found in scores.per_query.items()}


def _best(values: Mapping[float, Mapping[str, float]], *, without: int | None = None) -> float:
    """The offset with the best mean over all folds but one; of equals the one that changes least."""
    means = {
        offset: fmean(value for question, value in found.items() if without is None or _fold(question) != without)
        for offset, found in values.items()
    }
    return max(means, key=lambda offset: (means[offset], -abs(offset)))


def _fold(question: str) -> int:
    return hashlib.sha256(question.encode()).digest()[0] % FOLDS
