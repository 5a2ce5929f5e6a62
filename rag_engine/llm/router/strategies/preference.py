"""Strategies that go by what was said of the models beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rag_engine.llm.router.asking import Asked
from rag_engine.llm.router.member import Level, Member


class Priority:
    """Level by level, and within one as they are listed."""

    name = "priority"
    needs_price = needs_task = needs_estimates = False

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:  # noqa: ARG002
        """In the order of the listing."""
        return iter(level.members)

    def why(self, member: Member, level: Level, asked: Asked) -> str:  # noqa: ARG002
        """Where it is listed."""
        return f"level {member.deployment.order}, listed as number {member.at + 1}"


class TaskFitness:
    """The fittest for the kind of work first.

    Models read the middle of a window that is nearly full badly: of one that the prompt fills by more than half,
    fitness counts the less the fuller it is, so that long prompts go to large windows.
    """

    name = "task"
    needs_price = needs_estimates = False
    needs_task = True

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:  # noqa: ARG002
        """By fitness, ties as they are listed."""
        if 2 * asked.input_tokens <= level.smallest_window:
            return iter(level.best_first)
        tokens = asked.input_tokens
        scores = [
            -guess * max(0.0, min(1.0, 2 - 2 * tokens / max(1, member.profile.window)))
            for member, guess in zip(level.members, level.guesses, strict=True)
        ]
        order = sorted(range(len(scores)), key=scores.__getitem__)
        return (level.members[at] for at in order)

    def why(self, member: Member, level: Level, asked: Asked) -> str:
        """How fit it is."""
        quality = level.qualities[level.members.index(member)]
        fitness = "no known fitness" if quality is None else f"fitness {quality:.2f}"
        filled = asked.input_tokens / max(1, member.profile.window)
        return f"{fitness} for {asked.task.value}" + (f"; fills {filled:.0%} of its window" if filled > 0.5 else "")
