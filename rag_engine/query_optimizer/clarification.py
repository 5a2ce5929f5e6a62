"""Clarification: a question with its misspelt words repaired, and its abbreviations asked for in both forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.optimization import StrategyName
from rag_engine.types.repair import Repair

RepairText: TypeAlias = Callable[[str], Repair]


class Clarification:
    """Searches for the repaired question."""

    name = StrategyName.CLARIFICATION

    def __init__(self, repair: RepairText) -> None:
        """``repair`` leaves alone what the corpus knows."""
        self._repair = repair

    def propose(self, question: str, context: Context) -> Proposal | None:  # noqa: ARG002
        """The repaired question, and what to look for besides; None where nothing is to be repaired."""
        repaired = self._repair(question)
        if not repaired.changes and not repaired.additions:
            return None
        changes = ", ".join(f"{change.before} to {change.after} ({change.reason})" for change in repaired.changes)
        besides = ", ".join(f"{addition.text} ({addition.reason})" for addition in repaired.additions)
        reason = "; ".join(part for part in (changes, besides and f"besides: {besides}") if part)
        return Proposal(
            repaired.text,
            reason,
            min((change.confidence for change in repaired.changes), default=1.0),
            additions=tuple((addition.text, addition.weight) for addition in repaired.additions),
        )
