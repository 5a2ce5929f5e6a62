"""Which passages fit into a prompt, and which are dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag_engine.protocols import Tokenizer
from rag_engine.types.retrieval import Passage


def fit(
    passages: Sequence[Passage],
    *,
    tokenizer: Tokenizer,
    budget_tokens: int,
    render: Callable[[Sequence[Passage]], str],
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Passages kept and dropped, both in the order given: ``render(kept)`` never counts over ``budget_tokens``.

    Passages are taken in order while they fit. One that does not fit is passed over and smaller ones behind it
    still get their chance: evidence of a lower rank is worth more than an empty rest of the window. Nothing is
    ever cut, so what is kept can be cited whole.
    """
    costs = tokenizer.count([render([passage]) for passage in passages])
    kept: list[int] = []
    spent = 0
    for position, cost in enumerate(costs):
        if spent + cost <= budget_tokens:
            kept.append(position)
            spent += cost
    # Counts of parts do not always add up to the count of the whole, nor does every number render equally long.
    while kept and tokenizer.count([render([passages[position] for position in kept])])[0] > budget_tokens:
        kept.pop()
    dropped = sorted(set(range(len(passages))) - set(kept))
    return tuple(passages[position] for position in kept), tuple(passages[position] for position in dropped)
