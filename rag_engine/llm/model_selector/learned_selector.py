"""A ModelSelector that learns from a ledger of outcomes, as these grow."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import RagEngineError
from rag_engine.llm.model_selector.standing import Standing
from rag_engine.protocols import Embedder, OutcomeLedger
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import ModelOutcome, QualityEstimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.llm.model_selector.fitted_selector import FittedSelector

    Vectors = NDArray[np.float32]


class LearnedSelector:
    """Estimates from what models made of similar questions, where these have been shown to tell more than the models'
    averages; else the averages. Thread-safe.

    Questions are told apart by a forest of extremely randomised trees over their vectors, surface and task; the leaves'
    answers are weighed against each model's average and calibrated, both by held-out answers. Where following the
    estimates is not better than the best single model at its price, with a certainty of 95 % on held-out answers, every
    question gets the models' averages.
    """

    def __init__(
        self, *, outcomes: OutcomeLedger, embedder: Embedder, refit_seconds: float = 300.0, seed: int = 0
    ) -> None:
        """Nothing is read or learnt before the first estimate; from then on outcomes are looked at anew, by a thread,
        once in ``refit_seconds``. The same outcomes and ``seed`` give the same estimates."""
        self._outcomes = outcomes
        self._embedder = embedder
        self._refit_seconds = refit_seconds
        self._seed = seed
        self._fitted: FittedSelector | None = None
        self._learnt: tuple[ModelOutcome, ...] = ()
        self._vectors: dict[str, Vectors] = {}
        self._look_at = 0.0
        self._begin_anew()
        across_forks(self, begin_anew=LearnedSelector._begin_anew)

    def _begin_anew(self) -> None:
        """Nobody learns: in the child of a fork there is no such thread."""
        self._refitting = threading.Lock()
        self._starting = threading.Lock()

    @property
    def standing(self) -> Standing:
        """What is learnt, and whether it is followed."""
        fitted = self._fitted
        return Standing() if fitted is None else fitted.standing

    def estimates(self, question: str, *, task: ModelTask, models: Sequence[str]) -> Mapping[str, QualityEstimate]:
        """By model, for those of which an answer is known; none until the first look at the outcomes is done, for which
        nobody waits (``refit`` waits). Takes under a millisecond beside the question's vector.

        Raises:
            EmbeddingError: the question has no vector.
        """
        if time.monotonic() >= self._look_at:
            self._start()
        fitted = self._fitted
        if fitted is None:
            return {}
        if fitted.standing.stays_with_best_fixed:
            return fitted.averages(models)
        return fitted.estimates(question, self._embedder.embed_queries([question])[0], task=task, models=models)

    def refit(self) -> Standing:
        """Learns from the outcomes as they are now, and waits for it: seconds for 20,000, and what their questions'
        vectors take where these are new.

        Raises:
            UsageError: an outcome's quality or cost is not what it must be.
            EmbeddingError: the questions have no vectors.
        """
        with self._refitting:
            self._look_at = time.monotonic() + self._refit_seconds
            outcomes = tuple(self._outcomes.outcomes())
            if self._fitted is None or outcomes != self._learnt:
                self._fitted = self._fit(outcomes)
                self._learnt = outcomes
            return self._fitted.standing

    def _fit(self, outcomes: Sequence[ModelOutcome]) -> FittedSelector:
        import numpy as np

        from rag_engine.llm.model_selector.fitted_selector import FittedSelector
        from rag_engine.llm.model_selector.outcome_table import outcome_table

        table = outcome_table(outcomes)
        texts = list(dict.fromkeys(text for text, _ in table.questions))
        new = [text for text in texts if text not in self._vectors]
        known = dict(self._vectors)
        if new:
            known.update(zip(new, self._embedder.embed_queries(new), strict=True))
        self._vectors = {text: known[text] for text in texts}
        vectors = np.array([known[text] for text, _ in table.questions], dtype=np.float32)
        return FittedSelector(table, vectors, seed=self._seed)

    def _start(self) -> None:
        """Looks at the outcomes in a thread of its own, unless one is at it."""
        with self._starting:
            if time.monotonic() < self._look_at or self._refitting.locked():
                return
            self._look_at = time.monotonic() + self._refit_seconds
            threading.Thread(target=self._refit_quietly, name="rag-model-selector", daemon=True).start()

    def _refit_quietly(self) -> None:
        try:
            self.refit()
        except RagEngineError as error:
            logging.getLogger(__name__).warning(
                "nothing new is learnt of models' answers (%s); what was learnt before stays", error.message
            )
