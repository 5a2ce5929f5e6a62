"""The record of a decision, put into words: every deployment, and why it is asked or left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag_engine.llm.router.asking import Asked
from rag_engine.llm.router.checks import Checks, Standing, Verdict
from rag_engine.llm.router.fitting import Fit
from rag_engine.llm.router.member import Member
from rag_engine.llm.router.strategies import Strategy
from rag_engine.llm.router.strategies.value import estimate_of
from rag_engine.types.routing import Candidate, Check

_LAST_RESORT = "; asked where nobody else is left"
_FOR_LONGER = "the prompt is too long for the others, and this one is for such"


class Recorder:
    """Puts decisions of one route into words."""

    def __init__(self, members: Sequence[Member], *, strategy: Strategy, checks: Checks) -> None:
        self._members = members
        self._strategy = strategy
        self._checks = checks

    def candidates(self, walk: Iterable[tuple[Member, Standing]], fit: Fit, asked: Asked) -> tuple[Candidate, ...]:
        """All of a walk's in its order, with those that are only the last resort behind, then the others."""
        levels = {id(member): level for level in fit.levels for member in level.members}
        placed: list[Candidate] = []
        resorts: list[Candidate] = []
        seen = set()
        for member, standing in walk:
            seen.add(id(member))
            level = levels.get(id(member))
            if standing is Standing.LAST_RESORT:
                # It may have become well between the two looks.
                verdict = self._checks.verdict(member, asked) or Verdict(Check.HEALTH, "it was not well a moment ago")
                resorts.append(_candidate(member, asked, verdict._replace(reason=verdict.reason + _LAST_RESORT)))
            else:
                why = _FOR_LONGER if level is None else self._strategy.why(member, level, asked)
                if standing is Standing.TIGHT:
                    why = f"{why}; behind the others, as it may be too small: {asked.told_of(member.profile)}"
                placed.append(_candidate(member, asked, why, place=len(placed) + 1))
        return (*placed, *resorts, *self.left(asked, besides=seen))

    def left(self, asked: Asked, *, besides: set[int] | frozenset[int] = frozenset()) -> list[Candidate]:
        """Those that are not asked, as they are listed: they fail more than what passes by itself."""
        found = []
        for member in self._members:
            if id(member) not in besides:
                verdict = self._checks.verdict(member, asked)
                if verdict is not None and not verdict.passing:
                    found.append(_candidate(member, asked, verdict))
        return found


def _candidate(member: Member, asked: Asked, why: str | Verdict, *, place: int | None = None) -> Candidate:
    return Candidate(
        deployment=member.deployment.name,
        model=member.deployment.model.name,
        place=place,
        reason=why if isinstance(why, str) else why.reason,
        failed=None if isinstance(why, str) else why.check,
        cost=asked.cost(member),
        seconds=member.load.seconds(asked.answer_tokens),
        quality=estimate_of(member, member.profile.fitness.get(asked.task), asked),
    )
