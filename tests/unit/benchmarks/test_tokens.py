"""The fit of token estimates: it finds weights that are there, and keeps the bound it promises."""

from __future__ import annotations

import numpy as np

from benchmarks.tokens.corpora import stretches
from benchmarks.tokens.fit import UNDERCOUNTED, Samples, bounds, held_out, smallest_ratio, weights
from benchmarks.tokens.measure import fit_all
from rag_engine.token_counter.text_features import FEATURES


def texts() -> dict[str, list[str]]:
    """Of those that are in the repository, which are there without any shared data."""
    return {source: pieces for source, pieces in stretches().items() if source.startswith(("sentences/", "made/"))}


def test_the_corpora_are_the_same_every_time_and_no_stretch_is_empty() -> None:
    found = texts()
    assert found == texts()
    assert len(found) >= 20
    assert all(piece.strip() for pieces in found.values() for piece in pieces)


def test_weights_that_are_there_are_found() -> None:
    samples = Samples.of(texts())
    true = np.zeros(len(FEATURES))
    true[FEATURES.index("words")], true[FEATURES.index("digits")], true[FEATURES.index("signs")] = 1.2, 0.5, 0.3
    counts = samples.features @ true + samples.features @ np.array([0.5 * (name == "han") for name in FEATURES])
    found = weights(samples.features, [counts], samples.shares)
    estimated = samples.features @ found
    plain = counts > 20
    assert np.abs(estimated[plain] / counts[plain] - 1).mean() < 0.05
    assert found.min() >= 0


def test_the_ratio_keeps_all_but_a_hundredth_of_the_stretches_under_the_bound() -> None:
    samples = Samples.of(texts())
    generator = np.random.default_rng(3)
    true = np.maximum(1, np.minimum(samples.sizes, samples.sizes / 4 * generator.lognormal(0, 0.2, len(samples.sizes))))
    central = held_out(samples, [true])
    ratio = smallest_ratio(samples, [(central, true)])
    assert (true > bounds(samples, central, ratio)).mean() <= UNDERCOUNTED
    assert ratio > 1


def test_unknown_tokenizers_are_tried_with_none_of_their_makers_in_the_fit() -> None:
    samples = Samples.of(texts())
    counts = {"o200k_base": samples.sizes / 4, "tekken": samples.sizes / 3}
    estimates, errors = fit_all(samples, counts)
    assert set(estimates) == {"o200k_base", "tekken", "estimate"}
    by_name = {(row.estimate, row.tokenizer): row for row in errors}
    assert by_name["estimate", "tekken"].bias < by_name["tekken", "tekken"].bias - 0.1
    assert all(row.undercounted <= UNDERCOUNTED for row in errors)


def test_of_one_makers_tokenizers_nothing_is_told_about_others() -> None:
    samples = Samples.of(texts())
    estimates, errors = fit_all(samples, {"o200k_base": samples.sizes / 4, "cl100k_base": samples.sizes / 3})
    assert set(estimates) == {row.estimate for row in errors} == {"o200k_base", "cl100k_base"}
