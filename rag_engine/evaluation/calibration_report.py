"""What a calibration found, as ``rag calibrate`` shows and stores it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rag_engine.evaluation.calibration_measures import CoveragePoint, ProbabilityMeasures


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A calibration and how it does on the third of the questions that it never saw.

    ``source`` is ``self-made`` or the name of a gold set. ``fitted`` and ``held_out`` count questions, ``answerable``
    those of both that have an answer. ``before`` and ``after`` measure the raw confidence and the probability on what
    was held out, ``area_under_risk_coverage`` both: the map keeps the order. ``threshold`` is a probability, None
    where no ``risk`` was asked for, and ``answered`` of all questions lie at or above it; ``risk_bound`` is what the
    share of wrong answers among them stays below with a probability of ``certainty``. ``curve`` is over all questions.
    """

    index: str
    source: str
    commit: int
    seed: int
    fitted: int
    held_out: int
    answerable: int
    offset: float
    slope: float
    before: ProbabilityMeasures
    after: ProbabilityMeasures
    area_under_risk_coverage: float | None
    risk: float | None
    threshold: float | None
    risk_bound: float | None
    certainty: float
    answered: int | None
    curve: tuple[CoveragePoint, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)
