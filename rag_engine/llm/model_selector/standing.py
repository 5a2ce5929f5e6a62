"""What a selector has learnt, and whether it may be followed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How a selector did on questions that it was not fitted on.

    ``questions`` and ``answers`` are what it was fitted on. ``best_fixed`` is the model that is best on average, None
    where nothing is known. ``gain`` is how much better the models are that the selector names, at no higher price, and
    ``gain_low`` the bound that the gain is above with a probability of 95 %; None where it cannot be told.
    ``stays_with_best_fixed`` is True unless that bound is above 0: then every question gets the models' averages.
    """

    questions: int = 0
    answers: int = 0
    best_fixed: str | None = None
    gain: float | None = None
    gain_low: float | None = None

    @property
    def stays_with_best_fixed(self) -> bool:
        """Whether the selector makes no difference between questions."""
        return self.gain_low is None or self.gain_low <= 0
