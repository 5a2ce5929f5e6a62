"""Who is asked in which order, for any plan and any faults, against a slow and simple account of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine import errors
from rag_engine.error_handler import Action, Verdict
from rag_engine.types.generation import Prompt
from tests.unit.llm.failover_handler.members import complete, deployment, handler, plan

# What a call may come to.
ANSWERS, PASSES, GOES_ON, GOES_ON_AND_PASSES, TOO_LONG, REFUSED, FINAL = range(7)
_SAID = {
    PASSES: lambda: errors.ServerError("x"),
    GOES_ON: lambda: errors.BadResponseError("x"),
    GOES_ON_AND_PASSES: lambda: errors.ServerError("x", verdict=Verdict(Action.FAIL_OVER)),
    TOO_LONG: lambda: errors.ContextWindowError("x"),
    REFUSED: lambda: errors.PromptBlockedError("x"),
    FINAL: lambda: errors.InvalidRequestError("x"),
}


@dataclass(eq=False)
class Member:
    """One deployment: what its calls come to, one after the other, whether its breaker is open, and its window."""

    outcomes: Sequence[int]
    is_open: bool
    window: int
    for_longer: bool = False
    calls: list[int] = field(default_factory=list)


members = st.builds(
    Member,
    outcomes=st.lists(st.integers(ANSWERS, FINAL), min_size=4, max_size=4),
    is_open=st.booleans(),
    window=st.sampled_from([1000, 2000, 3000]),
)


def expected(ranked: list[Member], longer: list[Member], refused: list[Member], attempts: int) -> list[Member]:
    """The calls in their order."""
    calls: list[Member] = []
    least_window = -1
    line = list(ranked)
    again: list[Member] = []
    repeated: Member | None = None
    while True:
        fit = [one for one in line if not one.is_open and (one.window > least_window or one in longer)]
        fresh = [one for one in fit if one not in calls]
        later = [one for one in fit if one in again]
        if repeated is not None:
            chosen = repeated
        elif fresh:
            chosen = fresh[0]
        elif later:
            chosen = later[0]
        else:
            return calls
        repeated = None
        if chosen in again:
            again.remove(chosen)
        calls.append(chosen)
        number = sum(1 for one in calls if one is chosen)
        outcome = chosen.outcomes[number - 1]
        if outcome in (ANSWERS, FINAL) or (outcome == REFUSED and not refused):
            return calls
        if outcome == REFUSED and line is not refused:
            line = refused
        if outcome == TOO_LONG:
            line = line if line is refused else ranked + longer
            least_window = max(least_window, chosen.window)
        if outcome in (PASSES, GOES_ON_AND_PASSES) and number < attempts:
            again.append(chosen)
            again.sort(key=[*ranked, *longer, *refused].index)
            repeated = chosen if outcome == PASSES else None


@settings(max_examples=400, deadline=None)
@given(
    ranked=st.lists(members, min_size=1, max_size=5),
    longer=st.lists(members, max_size=2),
    refused=st.lists(members, max_size=2),
    attempts=st.integers(1, 3),
)
def test_the_order_is_that_of_the_rules(
    ranked: list[Member], longer: list[Member], refused: list[Member], attempts: int
) -> None:
    everybody = [*ranked, *longer, *refused]
    order: list[int] = []

    def made(number: int, member: Member):  # type: ignore[no-untyped-def]
        def said(_: Prompt):  # type: ignore[no-untyped-def]
            order.append(number)
            outcome = member.outcomes[order.count(number) - 1]
            return "answer" if outcome == ANSWERS else _SAID[outcome]()

        one = deployment(f"d{number}", said, window=member.window)
        if member.is_open:
            one.breaker.acquire().failed(cause="x", cool_down=600.0)  # type: ignore[union-attr]
        return one

    deployments = [made(number, member) for number, member in enumerate(everybody)]
    first, second = len(ranked), len(ranked) + len(longer)
    route = plan(*deployments[:first], for_longer=deployments[first:second], for_refused=deployments[second:])
    calls = [
        next(number for number, other in enumerate(everybody) if other is member)
        for member in expected(ranked, longer, refused, attempts)
    ]
    try:
        told = complete(handler(attempts=attempts), route).attempts
        assert everybody[calls[-1]].outcomes[order.count(calls[-1]) - 1] == ANSWERS
    except errors.LanguageModelError as error:
        told = error.attempts
        assert not calls or everybody[calls[-1]].outcomes[order.count(calls[-1]) - 1] != ANSWERS
    assert order == calls
    assert [attempt.deployment for attempt in told] == [f"d{number}" for number in calls]
