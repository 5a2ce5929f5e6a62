"""Estimates made to mean what they say: of answers estimated at .7, seven of ten parts are right (Platt, 1999)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_SURE = 1e-4  # no estimate is surer
_PRIOR = 10.0  # what speaks for leaving the estimates as they are, in answers at even odds
_STEPS = 25


class Calibration(NamedTuple):
    """A straight line over how far an estimate's log odds are from those of the model's mean: what is learnt of a
    question is stretched, and a model of which nothing is stays with its mean."""

    offset: float = 0.0
    slope: float = 1.0

    def __call__(self, estimates: Matrix, means: Matrix) -> Matrix:
        """Probabilities for estimates in [0, 1] and the models' means, of shapes that fit together."""
        import numpy as np

        middle = log_odds(means)
        odds = middle + self.offset + self.slope * (log_odds(estimates) - middle)
        calibrated: Matrix = 1.0 / (1.0 + np.exp(-odds))
        return calibrated


def log_odds(estimates: Matrix) -> Matrix:
    """Of estimates in [0, 1]; those at the ends are taken to be a little less sure."""
    import numpy as np

    sure = np.clip(estimates, _SURE, 1 - _SURE)
    odds: Matrix = np.log(sure / (1 - sure))
    return odds


def fit_calibration(estimates: Matrix, means: Matrix, qualities: Matrix) -> Calibration:
    """The line under which held-out qualities are likeliest, by Newton's method; few of them change little. Each stands
    beside its estimate and its model's mean."""
    import numpy as np

    middle = log_odds(means)
    rows = np.stack([np.ones(len(estimates)), log_odds(estimates) - middle], axis=1)
    start = np.array([0.0, 1.0])
    line = start.copy()
    prior = np.eye(2) * _PRIOR / 4
    for _ in range(_STEPS):
        told = 1.0 / (1.0 + np.exp(-middle - rows @ line))
        slope = rows.T @ (told - qualities) + prior @ (line - start)
        step = np.linalg.solve((rows * (told * (1 - told))[:, None]).T @ rows + prior, slope)
        line = line - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    return Calibration(float(line[0]), max(0.05, float(line[1])))
