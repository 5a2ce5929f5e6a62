"""What tokens cost."""

from __future__ import annotations

from rag_engine.types.generation import Usage
from rag_engine.types.models import Price

_PER = 1_000_000


def cost_of(usage: Usage, price: Price | None) -> float | None:
    """US dollars for what was used; None where no price is known."""
    if price is None:
        return None
    fresh = max(0, usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens)
    read = price.input if price.cache_read is None else price.cache_read
    written = price.input if price.cache_write is None else price.cache_write
    total = (
        fresh * price.input
        + usage.cache_read_tokens * read
        + usage.cache_write_tokens * written
        + usage.output_tokens * price.output
    )
    return total / _PER


def most_it_costs(*, input_tokens: int, output_tokens: int, price: Price | None) -> float | None:
    """US dollars for a call that reads and writes at most so many tokens, none of them from a cache, all of them
    written to one where that costs more."""
    if price is None:
        return None
    return (input_tokens * max(price.input, price.cache_write or 0.0) + output_tokens * price.output) / _PER
