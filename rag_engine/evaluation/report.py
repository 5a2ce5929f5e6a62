"""What an evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.evaluation.comparison import BaselineComparison
from rag_engine.evaluation.curves import Curve, Ranks
from rag_engine.evaluation.gold_set import GoldForm
from rag_engine.evaluation.retrieval_measures import Run
from rag_engine.types.document import JsonValue
from rag_engine.types.retrieval import SearchMode


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The measures of one gold set, as means and by query, and the rankings they come from.

    ``metrics`` are None where nothing could be counted. ``queries`` is how many questions were asked,
    ``significance`` the comparison with a baseline where one was given. ``ranks`` are those of the relevant documents
    that were found, by question, ``precision_recall`` the curve they give; ``fingerprint`` tells the gold set.
    ``learned`` is how many experiences of each strategy of the optimiser were recorded, where that was asked for.
    """

    gold: str
    form: GoldForm
    mode: SearchMode
    metrics: Mapping[str, float | None]
    per_query: Mapping[str, Mapping[str, float]]
    queries: int
    seconds: float
    significance: BaselineComparison | None = None
    run: Run = field(default_factory=dict)
    fingerprint: str = ""
    ranks: Ranks = field(default_factory=dict)
    precision_recall: Curve = ()
    learned: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The report without its rankings, which a run file holds: enough to be a baseline later."""
        return {
            "gold": self.gold,
            "form": self.form.value,
            "mode": self.mode.value,
            "metrics": dict(self.metrics),
            "queries": self.queries,
            "significance": None if self.significance is None else self.significance.to_json(),
            "learned": None if self.learned is None else dict(self.learned),
            "seconds": self.seconds,
            "fingerprint": self.fingerprint,
            "per_query": {query: dict(values) for query, values in self.per_query.items()},
            "ranks": {query: dict(found) for query, found in self.ranks.items()},
        }
