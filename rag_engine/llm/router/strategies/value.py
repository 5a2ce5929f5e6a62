"""Strategies that weigh what an answer costs against how good it will be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from rag_engine.errors import ConfigurationError
from rag_engine.llm.router.asking import Asked
from rag_engine.llm.router.member import Level, Member
from rag_engine.types.routing import QualityEstimate

DEFAULT_EXPLORE_SHARE = 0.02
DEFAULT_PRICE_WEIGHT = 1.0


class Cost:
    """The cheapest first: of those that are good enough, where a quality floor is set."""

    name = "cost"
    needs_price = True
    needs_task = needs_estimates = False

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:  # noqa: ARG002
        """By expected cost, ties as they are listed."""
        read, written = asked.input_tokens, asked.answer_tokens
        members = level.members
        # Who has no price does not come here; if somebody does all the same, it comes last.
        costs = [
            read * member.input_price + written * member.output_price
            if member.input_price is not None and member.output_price is not None
            else math.inf
            for member in members
        ]
        first = costs.index(min(costs))
        yield members[first]
        for at in sorted(range(len(costs)), key=costs.__getitem__):
            if at != first:
                yield members[at]

    def why(self, member: Member, level: Level, asked: Asked) -> str:
        """What it costs."""
        cost = asked.cost(member)
        shown = "no known price" if cost is None else f"${cost:.6f} expected"
        floor = "" if asked.floor is None else f", and good enough for the floor of {asked.floor:g}"
        return f"{shown}, of {len(level.members)} to compare{floor}"


class Learned:
    """The best expected quality, less what the answer costs; now and then another one, so that it is learnt of too.

    ``explore_share`` of the prompts go first to one that is drawn. ``price_weight`` is quality, in [0, 1], that a US
    dollar is worth. Where nothing was learnt of a model, its profile's fitness counts.
    """

    name = "learned"
    needs_price = False
    needs_task = needs_estimates = True

    def __init__(
        self, *, explore_share: float = DEFAULT_EXPLORE_SHARE, price_weight: float = DEFAULT_PRICE_WEIGHT
    ) -> None:
        """Raises:
        ConfigurationError: a share outside of [0, 1], or a weight that is negative or no number.
        """
        if not 0 <= explore_share <= 1:
            raise ConfigurationError(f"{explore_share} of prompts cannot be explored with", hint="give 0 to 1")
        if not 0 <= price_weight < math.inf:
            raise ConfigurationError(f"a price cannot weigh {price_weight}", hint="give 0 or more")
        self._explore_share = explore_share
        self._price_weight = price_weight

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:
        """By quality less price, ties as they are listed."""
        members = level.members
        values = self._values(level, asked)
        first = values.index(max(values))
        if self._explore_share and len(members) > 1 and draw() < self._explore_share:
            first = int(draw() * len(members))
        yield members[first]
        for at in sorted(range(len(values)), key=lambda at: -values[at]):
            if at != first:
                yield members[at]

    def why(self, member: Member, level: Level, asked: Asked) -> str:
        """What is expected of it."""
        value = self._values(level, asked)[level.members.index(member)]
        learnt = (asked.estimates or {}).get(member.model)
        quality = level.qualities[level.members.index(member)]
        if learnt is not None:
            known = f"quality {learnt.mean:.2f} ({learnt.low:.2f} to {learnt.high:.2f}, {learnt.observations} answers)"
        elif quality is not None:
            known = f"quality {quality:.2f} by its profile"
        else:
            known = "no known quality"
        by_chance = self._explore_share / len(level.members)
        return f"{known}, worth {value:.3f} at its price; comes first to be learnt of with probability {by_chance:.3f}"

    def _values(self, level: Level, asked: Asked) -> Sequence[float]:
        values = level.guesses
        if asked.estimates:
            learnt = asked.estimates.get
            values = tuple(
                guess if (estimate := learnt(member.model)) is None else estimate.mean
                for member, guess in zip(level.members, values, strict=True)
            )
        if not self._price_weight:
            return values
        read, written = self._price_weight * asked.input_tokens, self._price_weight * asked.answer_tokens
        prices = [
            None
            if member.input_price is None or member.output_price is None
            else read * member.input_price + written * member.output_price
            for member in level.members
        ]
        # Who says no price is taken for the dearest, so that silence is no advantage.
        dearest = max((price for price in prices if price is not None), default=0.0) if None in prices else 0.0
        return [value - (dearest if price is None else price) for value, price in zip(values, prices, strict=True)]


def estimate_of(member: Member, quality: float | None, asked: Asked) -> QualityEstimate | None:
    """The quality that is expected of a member: what was learnt, else what its profile says, else nothing."""
    learnt = (asked.estimates or {}).get(member.model)
    if learnt is not None:
        return learnt
    return None if quality is None else QualityEstimate(mean=quality, low=quality, high=quality)
