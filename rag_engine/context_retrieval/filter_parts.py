"""Which parts of a filter are false of a document, and the filter without one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rag_engine.types.retrieval import And, Filter, Or


def false_parts(condition: Filter, holds: Callable[[Filter], bool]) -> Iterator[Filter]:
    """The smallest parts of the ``condition``, which is false, that make it so: each a comparison, or a negation of
    what is true. ``holds`` says whether a part is true."""
    match condition:
        case And(parts) | Or(parts) if parts:
            for part in parts:
                if not holds(part):
                    yield from false_parts(part, holds)
        case _:
            yield condition


def without(condition: Filter, part: Filter) -> Filter | None:
    """The ``condition`` without one of its parts, looked for in conjunctions alone; None where nothing is left.

    Taking a part out of an ``or`` makes a filter narrower, never wider, so it stays as it is there.
    """
    if condition == part:
        return None
    if not isinstance(condition, And):
        return condition
    left = tuple(kept for member in condition.conditions if (kept := without(member, part)) is not None)
    return left[0] if len(left) == 1 else And(left) if left else None
