"""Strategies that spread calls over deployments."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator

from rag_engine.llm.router.asking import Asked
from rag_engine.llm.router.member import Level, Member

# Draws of a deployment that was drawn before, after which the order of the others is drawn in one go.
_DRAWS = 4
# Each is compared with each for the probability to be first, which is told of no more.
_MOST_COMPARED = 100


class Latency:
    """Power of two choices (Mitzenmacher 2001): of two that are drawn, the one that will be done sooner.

    That is its average time for such an answer, times the calls under way and this one. One that was never asked is
    asked. Always to take the very fastest would send every caller to it at once; two draws do not.
    """

    name = "latency"
    needs_price = needs_task = needs_estimates = False

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:
        """The better of two, then the better of the other and one more that are drawn, and so on."""
        rest = list(level.members)
        tokens = asked.answer_tokens
        while len(rest) > 1:
            count = len(rest)
            one = int(draw() * count)
            other = int(draw() * (count - 1))
            if other >= one:
                other += 1
            taken = one if _sooner(rest[one], rest[other], tokens) else other
            member = rest[taken]
            rest[taken] = rest[-1]
            rest.pop()
            yield member
        yield rest[0]

    def why(self, member: Member, level: Level, asked: Asked) -> str:
        """How long it takes, and how likely it comes first."""
        tokens = asked.answer_tokens
        seconds = member.load.seconds(tokens)
        speed = "never asked yet" if seconds is None else f"{seconds:.2f} s an answer"
        count = len(level.members)
        if count == 1:
            return f"{speed}, {member.load.under_way} under way"
        if count > _MOST_COMPARED:
            return f"{speed}, {member.load.under_way} under way; the better of two drawn"
        won = 0.0
        for other in level.members:
            if other is not member:
                won += (_sooner(member, other, tokens) + (not _sooner(other, member, tokens))) / 2
        probability = won / (count * (count - 1) / 2)
        return f"{speed}, {member.load.under_way} under way; the better of two drawn with probability {probability:.2f}"


def _sooner(one: Member, other: Member, tokens: int) -> bool:
    """Whether ``one`` will be done no later. Where nothing is known of one, the calls under way decide, so that one
    that never answers does not get them all."""
    first, second = one.load, other.load
    seconds = first.seconds(tokens)
    others = second.seconds(tokens)
    if seconds is None or others is None:
        if first.under_way != second.under_way:
            return first.under_way < second.under_way
        return seconds is None
    return seconds * (first.under_way + 1) <= others * (second.under_way + 1)


class Weighted:
    """At random, by weight: the second, third and further ones as well, so that what one that is not well leaves falls
    to the others by their weights."""

    name = "weighted"
    needs_price = needs_task = needs_estimates = False

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:  # noqa: ARG002
        """Drawn without replacement."""
        members, cumulative = level.members, level.cumulative
        last, total = len(members) - 1, level.weight
        seen: set[int] = set()
        again = 0
        while again < _DRAWS and len(seen) <= last:
            at = bisect(cumulative, draw() * total, 0, last)
            if at in seen:
                again += 1
                continue
            seen.add(at)
            yield members[at]
        # The rest in one go: the one of the largest u ** (1 / weight) comes first (Efraimidis and Spirakis 2006).
        keys = [(-(draw() ** member.share), member.at, member) for at, member in enumerate(members) if at not in seen]
        keys.sort()
        for _, _, member in keys:
            yield member

    def why(self, member: Member, level: Level, asked: Asked) -> str:  # noqa: ARG002
        """Its share."""
        return f"weight {member.weight:g}: comes first with probability {member.weight / level.weight:.2f}"


class LeastBusy:
    """The one with the fewest calls under way for its weight; among equals one that is drawn and those behind it."""

    name = "least_busy"
    needs_price = needs_task = needs_estimates = False

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:  # noqa: ARG002
        """By calls under way for the weight."""
        members = level.members
        start = int(draw() * len(members))
        members = members[start:] + members[:start]
        if level.equal_weights:
            busy: list[float] = [member.load.under_way for member in members]
        else:
            busy = [member.load.under_way * member.share for member in members]
        first = busy.index(min(busy))
        yield members[first]
        for at in sorted(range(len(busy)), key=busy.__getitem__):
            if at != first:
                yield members[at]

    def why(self, member: Member, level: Level, asked: Asked) -> str:  # noqa: ARG002
        """How busy it is, and how likely it comes first."""
        under_way = member.load.under_way
        busy = [other.load.under_way * other.share for other in level.members]
        here, least = under_way * member.share, min(busy)
        equals = busy.count(least)
        words = f"{under_way} under way for a weight of {member.weight:g}"
        if here > least or equals == 1:
            return words
        # Of equals, one comes first for every place that is drawn from the one before it on.
        places = [at for at, value in enumerate(busy) if value == least]
        mine = level.members.index(member)
        before = max((at for at in places if at < mine), default=places[-1] - len(busy))
        return f"{words}, as {equals - 1} others; comes first with probability {(mine - before) / len(busy):.2f}"
