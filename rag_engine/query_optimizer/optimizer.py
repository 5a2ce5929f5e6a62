"""The optimiser: detects the task, lets each strategy propose, and applies what the gate lets through.

Every step holds what it was given, so that it can be taken back; a question for which nothing is proposed is searched
for as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date

from rag_engine import tracing
from rag_engine.errors import GenerationError
from rag_engine.protocols import CorpusFacts
from rag_engine.query_optimizer.decomposition import follow_up
from rag_engine.query_optimizer.gate import WEAK, Gate, quality, question_features, result_features
from rag_engine.query_optimizer.rewriting import Rewriter
from rag_engine.query_optimizer.strategy import Context, Proposal, QueryStrategy
from rag_engine.query_optimizer.task_detection import Task, detect_task
from rag_engine.tracing import names
from rag_engine.types.optimization import OptimizationStep, OptimizedQuery, StrategyName
from rag_engine.types.retrieval import And, Passage

# Longer questions are material, not questions: only what makes them shorter is tried.
MOST_CHARACTERS = 2_000


class Optimizer:
    """Plans searches by its strategies, in their order."""

    def __init__(
        self,
        *,
        facts: CorpusFacts,
        strategies: Sequence[QueryStrategy],
        gate: Gate,
        enabled: Collection[StrategyName],
        rewriter: Rewriter | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        """``strategies`` are asked in this order, those of them that are ``enabled``; ``rewriter`` is there where a
        language model is."""
        self._facts = facts
        self._strategies = [strategy for strategy in strategies if strategy.name in enabled]
        self._gate = gate
        self._enabled = frozenset(enabled)
        self._rewriter = rewriter
        self._today = today

    def plan(self, question: str, *, only: frozenset[StrategyName] | None = None) -> OptimizedQuery:
        """The plan for a question. With ``only``, of these strategies, and whatever is expected of them."""
        with tracing.span("optimize query") as span:
            features = question_features(question[:MOST_CHARACTERS])
            task = detect_task(question)
            plan = OptimizedQuery(question, question, task.type, features=features)
            for strategy in self._strategies:
                if only is None or strategy.name in only:
                    plan, task = self._step(strategy, plan, task, ungated=only is not None)
            if (
                (only is not None and StrategyName.EXPANSION not in only)
                or StrategyName.EXPANSION not in self._enabled
                or not self._opens(StrategyName.EXPANSION, plan)
            ):
                plan = replace(plan, feedback=0.0)
            span.set_attribute(names.TASK, plan.task.value)
            span.set_attribute(names.STEPS, ", ".join(step.strategy for step in plan.steps if step.applied))
        return plan

    def _step(
        self, strategy: QueryStrategy, plan: OptimizedQuery, task: Task, *, ungated: bool
    ) -> tuple[OptimizedQuery, Task]:
        if len(plan.text) > MOST_CHARACTERS and strategy.name is not StrategyName.SIMPLIFICATION:
            return plan, task
        proposal = strategy.propose(plan.text, Context(task, self._facts, self._today()))
        if proposal is None:
            return plan, task
        applied = ungated or self._opens(strategy.name, plan)
        step = self._record(strategy.name, proposal, plan, applied=applied)
        plan = replace(plan, steps=(*plan.steps, step))
        if not applied:
            return plan, task
        if proposal.text != plan.text:  # the words of the task are told again, or are gone
            task = detect_task(proposal.text) if not proposal.task_words else Task(task.type, "", proposal.text)
            if strategy.name is StrategyName.CLARIFICATION:  # misspelt before
                plan = replace(plan, task=task.type)
            task = replace(task, type=plan.task)
        return _applied(plan, proposal, step), task

    def _opens(self, strategy: StrategyName, plan: OptimizedQuery) -> bool:
        return self._gate.opens(strategy, plan.task, plan.features)

    def _record(
        self, strategy: StrategyName, proposal: Proposal, plan: OptimizedQuery, *, applied: bool
    ) -> OptimizationStep:
        belief = self._gate.belief(strategy, plan.task, plan.features)
        reason = (
            proposal.reason if applied else f"{proposal.reason}; left alone: no gain is expected ({belief.gain:+.3f})"
        )
        confidence = round(proposal.confidence * belief.harmless, 4)
        return OptimizationStep(strategy, plan.text, proposal.text, reason, confidence, applied)

    def look_further(
        self, plan: OptimizedQuery, passages: Sequence[Passage], *, ungated: bool = False
    ) -> OptimizedQuery:
        """The plan with what follows from the first results: follow-ups, more wordings, the estimated quality."""
        with tracing.span("optimize further") as span:
            found = result_features(passages)
            plan = replace(plan, features={**plan.features, **found}, quality=quality(found))
            if plan.looks_further:
                plan = self._followed(plan, passages)
            if self._rewriter is not None and (ungated or quality(found) < WEAK):
                for strategy in self._rewriter.strategies():
                    if strategy in self._enabled and (ungated or self._opens(strategy, plan)):
                        plan = self._rewritten(plan, strategy, self._rewriter)
            span.set_attribute(names.FOLLOW_UPS, len(plan.follow_ups))
            span.set_attribute(names.QUALITY, plan.quality or 0.0)
        return plan

    def _followed(self, plan: OptimizedQuery, passages: Sequence[Passage]) -> OptimizedQuery:
        further = follow_up(plan.text, passages, self._facts)
        if further is not None:
            return replace(plan, follow_ups=(*plan.follow_ups, further))
        steps = tuple(
            replace(step, applied=False, reason="the first results name no other document")
            if step.strategy is StrategyName.DECOMPOSITION
            else step
            for step in plan.steps
        )
        return replace(plan, steps=steps)

    def _rewritten(self, plan: OptimizedQuery, strategy: StrategyName, rewriter: Rewriter) -> OptimizedQuery:
        try:
            wordings = rewriter.rewrite(plan.text, strategy)
            reason = f"{len(wordings)} other wordings" if wordings else "the model had nothing to say"
        except GenerationError as error:  # a search needs no model
            wordings, reason = (), f"the model gave no answer: {error.code}"
        belief = self._gate.belief(strategy, plan.task, plan.features)
        after = " / ".join(wording.text for wording in wordings) or plan.text
        step = OptimizationStep(strategy, plan.text, after, reason, round(belief.harmless, 4), bool(wordings))
        return replace(
            plan,
            steps=(*plan.steps, step),
            alternatives=(*plan.alternatives, *wordings),
            confidence=plan.confidence * (step.confidence if wordings else 1),
        )


def _applied(plan: OptimizedQuery, proposal: Proposal, step: OptimizationStep) -> OptimizedQuery:
    conditions = [condition for condition in (plan.filter, proposal.filter) if condition is not None]
    return replace(
        plan,
        text=proposal.text,
        task_words=proposal.task_words or plan.task_words,
        filter=None if not conditions else conditions[0] if len(conditions) == 1 else And(tuple(conditions)),
        excluded=(*plan.excluded, *proposal.excluded),
        alternatives=(*plan.alternatives, *proposal.alternatives),
        looks_further=plan.looks_further or proposal.looks_further,
        follow_ups=(*plan.follow_ups, *proposal.follow_ups),
        additions=(*plan.additions, *proposal.additions),
        examples=(*plan.examples, *proposal.examples),
        confidence=math.prod((plan.confidence, step.confidence)),
    )
