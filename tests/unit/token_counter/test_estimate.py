"""Estimates: deterministic, within their bounds, and no further off than the handbook says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.token_counter import EstimatedTokenizer, counter_for
from rag_engine.token_counter.estimate import Estimate, fitted_estimates
from rag_engine.token_counter.text_features import FEATURES, text_features, utf8
from rag_engine.token_counter.tokenizer_data import named_tokenizers

ESTIMATED = sorted(name for name, data in named_tokenizers().items() if not data.encoding)
TEXTS = st.text(st.characters(), max_size=300)


@pytest.mark.parametrize("name", ESTIMATED)
@given(text=TEXTS)
def test_a_count_is_at_most_its_bound_and_the_bound_at_most_about_the_bytes(name: str, text: str) -> None:
    counter = counter_for(name)
    count, bound = counter.both(text)
    size = len(utf8(text))
    assert (count, bound) == (counter.count(text), counter.upper_bound(text))
    assert bool(text) == (count > 0)
    assert 0 <= count <= bound <= size * named_tokenizers()[name].byte_factor + 1
    assert not counter.exact
    assert "estimate" in counter.name


@given(TEXTS)
def test_features_are_as_many_as_their_names_and_none_is_negative(text: str) -> None:
    features = text_features(utf8(text))
    assert len(features) == len(FEATURES)
    assert min(features) >= 0


@given(TEXTS)
def test_characters_of_each_script_are_counted_one_for_one(text: str) -> None:
    features = dict(zip(FEATURES, text_features(utf8(text)), strict=True))
    assert features["digits"] == sum(character in "0123456789" for character in text)
    assert features["greek"] == sum(0x380 <= ord(character) <= 0x3FF for character in text)
    assert features["emoji"] == sum(ord(character) > 0xFFFF for character in text)
    assert features["han"] == sum(0x4000 <= ord(character) <= 0x9FFF for character in text)


def test_words_numbers_and_signs_are_told_apart() -> None:
    features = dict(zip(FEATURES, text_features(b" one2three, 45 (six) camelCase"), strict=True))
    assert features["words"] == 2
    assert features["words_after_signs"] == 1
    assert features["digits_after_letters"] == features["letters_after_digits"] == 1
    assert features["numbers"] == 1
    assert features["capitals_within"] == 1


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The committee will meet on Thursday to discuss the plans for the new library.", 15),
        ("def total(prices):\n    return sum(price * 1.19 for price in prices)\n", 18),
    ],
)
def test_a_plain_text_is_estimated_within_a_third(text: str, tokens: int) -> None:
    """The counts are o200k_base's."""
    estimate = fitted_estimates()["o200k_base"]
    assert estimate.both(text)[0] == pytest.approx(tokens, rel=0.34)


def test_a_text_that_grows_never_has_a_lower_bound() -> None:
    text = "Prices rose by 3.5 % in 2024, said the bank's çhief economist 在北京. " * 20
    bounds = [counter_for("estimate").upper_bound(text[:end]) for end in range(0, len(text), 7)]
    assert all(later >= earlier - 3 for earlier, later in pairwise(bounds))


def test_safety_raises_the_bound_and_leaves_the_count() -> None:
    plain = fitted_estimates()["o200k_base"]
    safe = Estimate(name="safe", weights=plain.weights, ratio=plain.ratio, safety=1.5)
    text = "How long may a refund take, and who pays for the parcel? " * 10
    assert safe.both(text)[0] == plain.both(text)[0]
    assert safe.both(text)[1] > plain.both(text)[1]


def test_every_fit_names_features_that_there_are_and_a_ratio_of_at_least_one() -> None:
    for estimate in fitted_estimates().values():
        assert set(estimate.weights) <= set(FEATURES)
        assert min(estimate.weights.values()) > 0
        assert estimate.ratio >= 1
    assert {data.estimate for data in named_tokenizers().values()} <= set(fitted_estimates())


@pytest.mark.parametrize("text", ["", "one", "two words", "黑豹在哪里", "x" * 500])
def test_the_tokens_of_an_estimate_cover_the_text_evenly(text: str) -> None:
    encoding = EstimatedTokenizer().encode(text)
    assert len(encoding.offsets) == EstimatedTokenizer().count([text])[0]
    assert not text or (encoding.offsets[0][0] == 0 and encoding.offsets[-1][1] == len(text))


@pytest.mark.needs_shared
def test_of_texts_that_were_not_fitted_to_at_most_a_hundredth_is_over_the_bound(
    ranks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handbook and our own code are in no corpus of the fit."""
    from rag_engine.token_counter import TiktokenTokenizer

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(ranks))
    root = Path(__file__).resolve().parents[3]
    files = [*sorted((root / "docs").glob("*.md")), *sorted((root / "rag_engine").rglob("*.py"))]
    whole = "\n".join(file.read_text(encoding="utf-8") for file in files)
    pieces = [whole[at : at + size] for size in (200, 2000) for at in range(0, len(whole) - size, 8 * size)]
    for name in ("o200k_base", "cl100k_base"):
        true = np.array(TiktokenTokenizer(name).count(pieces))
        both = np.array([fitted_estimates()[name].both(piece) for piece in pieces])
        unknown = np.array([fitted_estimates()["estimate"].both(piece)[1] for piece in pieces])
        assert (true > both[:, 1]).mean() <= 0.01
        assert (true > unknown).mean() <= 0.01
        assert np.abs(both[:, 0] / true - 1).mean() <= 0.15
