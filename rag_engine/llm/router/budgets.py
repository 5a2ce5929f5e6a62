"""What a route's models may cost a day, against what the ledger says was spent.

The ledger tells models apart, not deployments or routes: a deployment's budget is held against all that its model cost
today, a route's against all that its models cost, whoever asked them. Calls under way are not in it before they end or
are reserved: the hard bound is the ledger's own budget, this one is what a route turns to other models by.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from rag_engine.errors import ConfigurationError, RagEngineError
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.router.asking import Asked
from rag_engine.llm.router.member import Member
from rag_engine.protocols import CallLedger

ROUTE = "route"
_MODEL = "model:"
_PROVIDER = "provider:"
_DEPLOYMENT = "deployment:"
_UNTOLD: Mapping[str, float] = {}


class Budgets:
    """Those that hold in one route."""

    def __init__(
        self, limits: Mapping[str, float], *, deployments: Iterable[tuple[Deployment, frozenset[str]]],
        ledger: CallLedger | None,
    ) -> None:  # fmt: skip
        """``limits`` are US dollars a day by ``model:PROVIDER/NAME``, ``provider:NAME`` or ``route``; ``deployments``
        with the full names of the models behind each.

        Raises:
            ConfigurationError: a key of another kind, an amount that is none, or no ledger to tell what was spent.
        """
        self._ledger = ledger
        self._limits = dict(limits)
        self._models: dict[str, frozenset[str]] = {}
        every: set[str] = set()
        for deployment, models in deployments:
            every |= models
            if deployment.budget_per_day is not None:
                self._limits[_DEPLOYMENT + deployment.name] = deployment.budget_per_day
                self._models[_DEPLOYMENT + deployment.name] = models
        for key, limit in self._limits.items():
            self._check(key, limit)
            if key == ROUTE:
                self._models[key] = frozenset(every)
            elif key.startswith(_MODEL):
                self._models[key] = frozenset((key.removeprefix(_MODEL),))
        if self._limits and ledger is None:
            raise ConfigurationError(
                f"a budget for {_words(next(iter(self._limits)))}, and no ledger to tell what was spent",
                hint="give the route the ledger that its models record their calls in",
            )

    def of(self, deployment: Deployment) -> Sequence[tuple[str, float]]:
        """The budgets that one deployment's calls count against."""
        profile = deployment.profile
        keys = (_DEPLOYMENT + deployment.name, _MODEL + profile.full_name, _PROVIDER + profile.provider, ROUTE)
        return [(key, self._limits[key]) for key in keys if key in self._limits]

    def exceeded(self, member: Member, asked: Asked) -> str:
        """Which budget the call may exceed, in words; empty where none."""
        if asked.spent is None:
            asked.spent = self._spent()
        cost = member.most_cost(asked.input_tokens, asked.output_tokens) or 0.0
        for key, limit in member.budgets:
            spent = asked.spent.get(key)
            if spent is None:
                return f"there is a budget for {_words(key)}, and what was spent today cannot be told"
            if spent + cost > limit:
                return (
                    f"the budget of a day for {_words(key)} is ${limit:.4f}, ${spent:.4f} of it are spent, and the "
                    f"call may cost ${cost:.4f}"
                )
        return ""

    def _spent(self) -> Mapping[str, float]:
        """Today's US dollars by key; nothing of any where the ledger cannot tell."""
        try:
            by_model = {} if self._ledger is None else self._ledger.spent()
        except RagEngineError:
            return _UNTOLD
        return {
            key: sum(by_model.get(model, 0.0) for model in self._models[key])
            if key in self._models
            else sum(cost for model, cost in by_model.items() if model.startswith(key.removeprefix(_PROVIDER) + "/"))
            for key in self._limits
        }

    def _check(self, key: str, limit: float) -> None:
        if key != ROUTE and not key.startswith((_MODEL, _PROVIDER, _DEPLOYMENT)):
            raise ConfigurationError(
                f"there is no budget for {key!r}", hint=f"write {_MODEL}PROVIDER/NAME, {_PROVIDER}NAME or {ROUTE}"
            )
        if not 0 <= limit < math.inf:
            raise ConfigurationError(
                f"a budget of {limit} for {_words(key)} is none", hint="give US dollars a day, 0 or more"
            )


def _words(key: str) -> str:
    kind, _, name = key.partition(":")
    return f"the {kind} {name}" if name else f"the {kind}"
