"""What estimates are worth: their errors on sources that they were not fitted on, and for what they call unknown, on
tokenizers that they were not fitted to either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.tokens.fit import Array, Samples, bounds, held_out, smallest_ratio, weights
from rag_engine.token_counter.estimate import Estimate
from rag_engine.token_counter.text_features import FEATURES

# Whose each tokenizer is: what stands for unknown ones is tried on a maker's with none of theirs in the fit.
MAKERS = {
    "o200k_base": "OpenAI",
    "cl100k_base": "OpenAI",
    "claude_2": "Anthropic",
    "claude_3": "Anthropic",
    "claude_4_7": "Anthropic",
    "deepseek": "DeepSeek",
    "tekken": "Mistral",
}


@dataclass(frozen=True)
class Errors:
    """Errors of one estimate on one tokenizer: shares of the true count, and the share of stretches whose true count is
    over the bound."""

    estimate: str
    tokenizer: str
    stretches: int
    mean_error: float
    p95_error: float
    bias: float
    bound_over_true: float
    undercounted: float
    undercounted_by_source: float
    worst_sources: tuple[str, ...]


def fit_all(samples: Samples, counts: Mapping[str, Array]) -> tuple[dict[str, Estimate], list[Errors]]:
    """An estimate for every tokenizer, fitted to all of the stretches, one for unknown tokenizers where there are
    several makers', and the errors of both on what was left out of the fit."""
    estimates: dict[str, Estimate] = {}
    errors = []
    known = {name: true for name, true in counts.items() if name in MAKERS}
    for name, true in known.items():
        central = held_out(samples, [true])
        ratio = smallest_ratio(samples, [(central, true)])
        estimates[name] = _estimate(name, weights(samples.features, [true], samples.shares), ratio)
        errors.append(_errors(samples, central, true, name, name, ratio))
    if len({MAKERS[name] for name in known}) == 1:
        return estimates, errors  # of one maker nothing can be told about others
    cases = {}
    for name, true in known.items():
        others = [one for other, one in known.items() if MAKERS[other] != MAKERS[name]]
        cases[name] = (held_out(samples, others), true)
    ratio = smallest_ratio(samples, list(cases.values()))
    estimates["estimate"] = _estimate(
        "estimate", weights(samples.features, list(known.values()), samples.shares), ratio
    )
    # The embedding model's is of another kind, and nothing is prompted through it: compared with, not fitted to.
    compared = {name: true for name, true in counts.items() if name not in known}
    cases |= {name: (held_out(samples, list(known.values())), true) for name, true in compared.items()}
    errors += [_errors(samples, *case, "estimate", name, ratio) for name, case in cases.items()]
    return estimates, errors


def _estimate(name: str, found: Array, ratio: float) -> Estimate:
    rounded = {feature: round(float(weight), 4) for feature, weight in zip(FEATURES, found, strict=True)}
    return Estimate(name=name, weights={key: weight for key, weight in rounded.items() if weight}, ratio=ratio)


def _errors(samples: Samples, central: Array, true: Array, estimate: str, tokenizer: str, ratio: float) -> Errors:
    relative = central / np.maximum(1, true) - 1
    upper = bounds(samples, central, ratio)
    missed = true > upper
    by_source = {str(source): float(missed[samples.sources == source].mean()) for source in np.unique(samples.sources)}
    return Errors(
        estimate=estimate,
        tokenizer=tokenizer,
        stretches=len(true),
        mean_error=float(np.abs(relative).mean()),
        p95_error=float(np.quantile(np.abs(relative), 0.95)),
        bias=float(relative.mean()),
        bound_over_true=float(np.median(upper / np.maximum(1, true))),
        undercounted=float(missed.mean()),
        undercounted_by_source=float(np.mean(list(by_source.values()))),
        worst_sources=tuple(
            f"{source} {share:.0%}"
            for source, share in sorted(by_source.items(), key=lambda item: -item[1])[:4]
            if share > 0
        ),
    )
