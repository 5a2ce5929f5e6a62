"""What an evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from rag_engine.evaluation.gold_set import GoldForm
from rag_engine.evaluation.retrieval_measures import Run
from rag_engine.evaluation.significance import PairedComparison
from rag_engine.types.document import JsonValue
from rag_engine.types.retrieval import SearchMode


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The measures of one gold set, as means and by query, and the rankings they come from.

    ``metrics`` are None where nothing could be counted. ``queries`` is how many questions were asked,
    ``significance`` the comparison with a baseline where one was given.
    """

    gold: str
    form: GoldForm
    mode: SearchMode
    metrics: Mapping[str, float | None]
    per_query: Mapping[str, Mapping[str, float]]
    queries: int
    seconds: float
    significance: PairedComparison | None = None
    run: Run = field(default_factory=dict)

    def to_json(self) -> dict[str, JsonValue]:
        """The report without its values by query and its rankings, which a run file holds."""
        return {
            "gold": self.gold,
            "form": self.form.value,
            "mode": self.mode.value,
            "metrics": dict(self.metrics),
            "queries": self.queries,
            "significance": None if self.significance is None else _comparison(self.significance),
            "seconds": self.seconds,
        }


def _comparison(comparison: PairedComparison) -> JsonValue:
    return asdict(comparison) | {"interval": list(comparison.interval)}
