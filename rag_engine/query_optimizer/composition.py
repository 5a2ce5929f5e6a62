"""Changes of a question, and changes of what these made of it, as changes of the question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag_engine.types.repair import RepairChange, repaired


def composed(question: str, earlier: Sequence[RepairChange], later: Sequence[RepairChange]) -> tuple[RepairChange, ...]:
    """``later`` are changes of the text that ``earlier`` made; where both touch, they become one change."""
    between = repaired(question, tuple(earlier)).text
    shift = 0  # how much further on the text between has what follows
    changes: list[RepairChange] = []
    for group in _touching(earlier, later):
        start, end = min(first for first, _, _, _ in group), max(last for _, last, _, _ in group)
        grown = sum(last - first - (one.end - one.start) for first, last, one, is_later in group if not is_later)
        within = tuple(
            replace(one, start=first - start, end=last - start) for first, last, one, is_later in group if is_later
        )
        before = question[start - shift : end - shift - grown]
        after = repaired(between[start:end], within).text
        if before != after:
            latest = group[-1][2] if not within else within[-1]
            confidence = min(one.confidence for _, _, one, _ in group)
            changes.append(RepairChange(before, after, confidence, latest.reason, start - shift, end - shift - grown))
        shift += grown
    return tuple(changes)


_Placed = tuple[int, int, RepairChange, bool]


def _touching(earlier: Sequence[RepairChange], later: Sequence[RepairChange]) -> Iterator[list[_Placed]]:
    """Changes that overlap in the text between, with where they begin and end there, and whether they are later."""
    placed: list[_Placed] = []
    shift = 0
    for one in earlier:
        placed.append((one.start + shift, one.start + shift + len(one.after), one, False))
        shift += len(one.after) - (one.end - one.start)
    placed += [(one.start, one.end, one, True) for one in later]
    group: list[_Placed] = []
    for item in sorted(placed, key=lambda item: (item[0], item[1])):
        if group and item[0] >= max(last for _, last, _, _ in group):
            yield group
            group = []
        group.append(item)
    if group:
        yield group
