from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.prompt_engineering.token_budget import fit
from rag_engine.token_counter import EstimatedTokenizer
from rag_engine.types.retrieval import Passage

TOKENIZER = EstimatedTokenizer()


def passage(rank: int, text: str) -> Passage:
    return Passage(rank, 1 / rank, "guide", "", rank, 0, len(text), text)


def joined(passages: Sequence[Passage]) -> str:
    return "\n".join(f"({number}) {passage.text}" for number, passage in enumerate(passages))


def costlier_together(passages: Sequence[Passage]) -> str:
    return "".join(passage.text for passage in passages) + "!" * len(passages) ** 3


def test_passages_are_kept_in_rank_order_while_they_fit() -> None:
    passages = [passage(rank, "word " * 7) for rank in range(1, 5)]
    cost = TOKENIZER.count([joined(passages[:1])])[0]
    # A little more than the two, for the line end between them.
    kept, dropped = fit(passages, tokenizer=TOKENIZER, budget_tokens=2 * cost + 2, render=joined)
    assert [one.rank for one in kept] == [1, 2]
    assert [one.rank for one in dropped] == [3, 4]


def test_a_passage_too_large_does_not_keep_smaller_ones_out() -> None:
    passages = [passage(1, "small"), passage(2, "large " * 500), passage(3, "small too")]
    kept, dropped = fit(passages, tokenizer=TOKENIZER, budget_tokens=20, render=joined)
    assert [one.rank for one in kept] == [1, 3]
    assert [one.rank for one in dropped] == [2]


@given(
    texts=st.lists(st.text(max_size=60), max_size=12),
    budget=st.integers(min_value=0, max_value=120),
    render=st.sampled_from([joined, costlier_together]),
)
def test_what_is_kept_never_counts_over_the_budget_and_nothing_is_lost(texts, budget, render) -> None:  # type: ignore[no-untyped-def]
    passages = [passage(rank, text) for rank, text in enumerate(texts, start=1)]
    kept, dropped = fit(passages, tokenizer=TOKENIZER, budget_tokens=budget, render=render)
    assert not kept or TOKENIZER.count([render(kept)])[0] <= budget
    assert sorted(one.rank for one in kept + dropped) == list(range(1, len(texts) + 1))
    assert [one.rank for one in kept] == sorted(one.rank for one in kept)
    assert [one.rank for one in dropped] == sorted(one.rank for one in dropped)
