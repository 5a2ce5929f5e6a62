"""What a deployment must pass before it is asked, in the order of ``types.routing.Check``.

Of each check there is a quick form, that choices go by, and its words; both say the same. Health and limits pass by
themselves: who fails only these is still asked where nobody else is left, since by then it may be well again, and since
whoever gets the answers knows how to wait.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from rag_engine.llm.router.asking import Asked, Room, needed_abilities
from rag_engine.llm.router.budgets import Budgets
from rag_engine.llm.router.member import Member
from rag_engine.llm.router.strategies.value import estimate_of
from rag_engine.types.models import Ability
from rag_engine.types.routing import BreakerState, Check


class Verdict(NamedTuple):
    """The first check that was not passed, why, and whether that may pass by itself within moments."""

    check: Check
    reason: str
    passing: bool = False


class Standing(Enum):
    """Whether a deployment is asked: TIGHT behind those that are fit, as its window may be too small after all."""

    FIT = "fit"
    TIGHT = "tight"
    LAST_RESORT = "last resort"
    TOO_LONG = "too long"
    UNFIT = "unfit"


class Checks:
    """Those of one route."""

    def __init__(self, *, needs_price: bool, budgets: Budgets, learns: bool) -> None:
        """``learns`` says that what is known of a model's quality changes from question to question."""
        self._needs_price = needs_price
        self._budgets = budgets
        self._learns = learns

    def beforehand(self, member: Member, asked: Asked) -> Verdict | None:
        """Key, tags, privacy, abilities, price and the profile's quality: what is the same for all prompts that require
        the same. A route within a route answers for its own, prompt by prompt."""
        if member.route is not None:
            return self._price(member)
        return self._description(member, asked) or self._price(member) or self._known_quality(member, asked)

    def standing(self, member: Member, asked: Asked) -> Standing:
        """The rest, for one who passed these."""
        passing = False
        room = Room.ENOUGH
        if member.route is not None:
            verdict = member.route.refusal(asked.prompt, asked.requires)
            if verdict is not None and not verdict.passing:
                return Standing.TOO_LONG if verdict.check is Check.WINDOW else Standing.UNFIT
            passing = verdict is not None
        elif (room := asked.room_in(member.profile)) is Room.NONE:
            return Standing.TOO_LONG
        elif self._learns and asked.floor is not None and self._quality(member, asked) is not None:
            return Standing.UNFIT
        if member.budgets and self._budgets.exceeded(member, asked):
            return Standing.UNFIT
        if passing or not member.breaker.available or not member.limiter.available:
            return Standing.LAST_RESORT
        return Standing.FIT if room is Room.ENOUGH else Standing.TIGHT

    def verdict(self, member: Member, asked: Asked) -> Verdict | None:
        """Why it is left, in words; None where it is fit and well."""
        if member.route is None:
            found = (
                self._description(member, asked)
                or self._window(member, asked)
                or self._price(member)
                or self._quality(member, asked)
            )
        else:
            found = self._price(member) or member.route.refusal(asked.prompt, asked.requires)
        if found is not None and not found.passing:
            return found
        over = self._budgets.exceeded(member, asked) if member.budgets else ""
        passing = found or _health(member) or _limits(member)
        if over:
            return Verdict(Check.BUDGET, over) if passing is None else passing._replace(passing=False)
        return passing

    def _description(self, member: Member, asked: Asked) -> Verdict | None:
        if member.deployment.unusable:
            return Verdict(Check.KEY, member.deployment.unusable)
        requires = asked.requires
        lacking = requires.tags - member.deployment.tags
        if lacking:
            return Verdict(Check.TAGS, f"it is not tagged {', '.join(sorted(lacking))}")
        if requires.local_only and not member.deployment.local:
            return Verdict(Check.PRIVACY, "prompts must not leave the machine, and to this model they would")
        needed = needed_abilities(asked.prompt) - member.profile.abilities
        # Of a model that nobody described nothing is known; its provider says whether it can.
        if needed and member.profile.known:
            return Verdict(Check.ABILITIES, f"it cannot do what the prompt needs: {_listed(needed)}")
        return None

    def _window(self, member: Member, asked: Asked) -> Verdict | None:
        if asked.room_in(member.profile) is not Room.NONE:
            return None
        return Verdict(Check.WINDOW, asked.told_of(member.profile))

    def _price(self, member: Member) -> Verdict | None:
        if member.input_price is not None or not (self._needs_price or (member.budgets and member.route is None)):
            return None
        what = "the route goes by cost" if self._needs_price else "there is a budget"
        return Verdict(Check.PRICE, f"{what}, and its price is not known; llm.models_file can say it")

    def _known_quality(self, member: Member, asked: Asked) -> Verdict | None:
        return None if self._learns else self._quality(member, asked)

    def _quality(self, member: Member, asked: Asked) -> Verdict | None:
        floor = asked.floor
        if floor is None:
            return None
        expected = estimate_of(member, member.profile.fitness.get(asked.task), asked)
        if expected is None:
            return Verdict(
                Check.QUALITY, f"nothing is known of its quality for {asked.task.value}, and the floor is {floor:g}"
            )
        if expected.mean < floor:
            return Verdict(Check.QUALITY, f"its expected quality is {expected.mean:.2f}, and the floor is {floor:g}")
        return None


def _health(member: Member) -> Verdict | None:
    if member.breaker.available:
        return None
    health = member.breaker.health()
    if health.state is BreakerState.HALF_OPEN:
        why = "somebody is trying just now whether it is well again"
    else:
        why = f"it is left alone for another {member.breaker.seconds_until_probe:.1f} s"
    failed = f"; {health.failures} of {health.calls} calls failed" if health.failures else ""
    cause = f" ({health.cause})" if health.cause else ""
    return Verdict(Check.HEALTH, f"{why}{failed}{cause}", passing=True)


def _limits(member: Member) -> Verdict | None:
    if member.limiter.available:
        return None
    return Verdict(Check.LIMITS, "as much is asked of it as its limits allow", passing=True)


def _listed(abilities: frozenset[Ability]) -> str:
    return ", ".join(sorted(ability.value for ability in abilities))
