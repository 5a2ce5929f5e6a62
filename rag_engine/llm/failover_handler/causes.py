"""The error of a route that has no answer: it says of each deployment why."""

from __future__ import annotations

from rag_engine.error_handler import Action, Verdict, verdict_for
from rag_engine.errors import AllModelsFailedError, LanguageModelError, NoModelFitsError, RagEngineError
from rag_engine.llm.failover_handler.plan import Plan
from rag_engine.llm.failover_handler.standing import Standings
from rag_engine.types.generation import Attempt

_NAMED = 8
_CHARACTERS = 120


def total_failure(
    plan: Plan, standings: Standings, *, attempts: tuple[Attempt, ...], now: float, why: str = ""
) -> Exception:
    """What is raised where nobody is left to be asked. ``why`` says why those who were not asked were not, where their
    own standing does not.

    The only one's own error where there is only one; AllModelsFailedError where others were asked or left, and
    NoModelFitsError where nobody was asked.
    """
    known = list(standings)
    left = plan.left()
    asked = [one.error for one in known if one.error is not None]
    if len(known) == 1 and asked and not left:
        return with_attempts(asked[0], attempts)
    causes: list[tuple[str, Exception | str]] = [
        (one.deployment.name, one.error or one.refusal or why or "nobody got as far as asking it") for one in known
    ]
    names = {name for name, _ in causes}
    causes += [(one.deployment, one.reason) for one in left if one.deployment not in names]
    retry_after = standings.soonest(now)
    if not asked:
        said = f"none of the models of {plan.route} can be asked: " if causes else f"{plan.route} has no models"
        return NoModelFitsError(said + _in_brief(causes), causes=causes, retry_after=retry_after, attempts=attempts)
    verdicts = [verdict_for(error) for error in asked]
    return AllModelsFailedError(
        f"none of the models of {plan.route} answered: {_in_brief(causes)}",
        causes=causes,
        retry_after=retry_after,
        attempts=attempts,
        verdict=Verdict(
            Action.FAIL_OVER,
            billable=any(verdict.billable for verdict in verdicts),
            user_visible=any(verdict.user_visible for verdict in verdicts),
        ),
    )


def with_attempts(error: Exception, attempts: tuple[Attempt, ...]) -> Exception:
    """The error, telling of all attempts."""
    if isinstance(error, LanguageModelError):
        error.attempts = attempts
    return error


def _in_brief(causes: list[tuple[str, Exception | str]]) -> str:
    said = "; ".join(f"{name}: {_brief(cause)}" for name, cause in causes[:_NAMED])
    return f"{said}; and {len(causes) - _NAMED} more" if len(causes) > _NAMED else said


def _brief(cause: Exception | str) -> str:
    if isinstance(cause, RagEngineError):
        cause = f"{cause.code} ({cause.message})"
    elif isinstance(cause, Exception):
        cause = type(cause).__name__
    line = " ".join(cause.split())
    return line if len(line) <= _CHARACTERS else f"{line[: _CHARACTERS - 1]}…"
