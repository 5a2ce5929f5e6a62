"""Token counts by calibration: weights of what a text is made of, fitted to real tokenizers, with a bound for budgets.

``python -m benchmarks.tokens --fit`` makes ``data/estimates.json``; docs/models.md has its errors.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from operator import mul

from rag_engine.protocols import Encoding
from rag_engine.token_counter.text_features import FEATURES, text_features, utf8

# Scripts of which there was little text to fit to: a bound takes each character for as many tokens as it has bytes.
_LITTLE_KNOWN = tuple(
    (FEATURES.index(name), tokens) for name, tokens in (("rare_scripts", 2), ("tibetan", 2), ("control", 1))
)
# What one text may have above any share of its tokens: estimates of a few words are off by a few tokens.
_FEW_TOKENS = 3


@dataclass(frozen=True)
class Estimate:
    """How a tokenizer's tokens are estimated.

    ``weights`` are tokens for each of ``FEATURES``. ``ratio`` is what keeps a bound above all but 1 % of the texts it
    was tried on. ``safety`` is a factor on top, for tokenizers that nothing could be fitted to. ``byte_factor`` is the
    most tokens that a byte can have: 1 for what joins bytes to tokens.
    """

    name: str
    weights: Mapping[str, float]
    ratio: float
    safety: float = 1.0
    byte_factor: float = 1.0

    @cached_property
    def _in_order(self) -> tuple[float, ...]:
        return tuple(self.weights.get(name, 0.0) for name in FEATURES)

    def both(self, text: str) -> tuple[int, int]:
        """The estimated tokens of a text, and a bound that they exceed in at most 1 % of texts."""
        data = utf8(text)
        if not data:
            return 0, 0
        features = text_features(data)
        central = sum(map(mul, features, self._in_order))
        upper = self.bound(central, features, len(data))
        return min(max(1, round(central)), upper), upper

    def bound(self, central: float, features: Sequence[float], size: int) -> int:
        """The bound that belongs to an estimate of ``central`` tokens for ``size`` bytes."""
        extra = sum(features[at] * tokens for at, tokens in _LITTLE_KNOWN)
        most = math.ceil(size * self.byte_factor)
        return max(1, min(most, math.ceil(central * self.ratio * self.safety + extra + _FEW_TOKENS)))


@functools.cache
def fitted_estimates() -> Mapping[str, Estimate]:
    """Those that were fitted to a tokenizer, by its name; ``estimate`` to all of them together."""
    file = resources.files("rag_engine.token_counter") / "data" / "estimates.json"
    return {
        name: Estimate(name=name, weights=row["weights"], ratio=row["ratio"])
        for name, row in json.loads(file.read_text(encoding="utf-8")).items()
    }


class EstimatedTokenizer:
    """An estimate for models whose tokenizer is not to be had. Its tokens stand nowhere: they are spread evenly."""

    name = "estimate"
    exact = False
    separators = ""
    special_tokens = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        """About as many tokens as tokenizers of today make; see docs/models.md for how far that is off."""
        estimate = fitted_estimates()["estimate"]
        return [estimate.both(text)[0] for text in texts]

    def encode(self, text: str) -> Encoding:
        """Evenly spread tokens, as many as ``count`` says, all of them of one id."""
        import numpy as np

        edges = np.linspace(0, len(text), self.count([text])[0] + 1).astype(np.int64)
        return Encoding(np.zeros(len(edges) - 1, dtype=np.int32), np.stack([edges[:-1], edges[1:]], axis=1))

    def vocabulary(self) -> list[str]:
        """None."""
        return []
