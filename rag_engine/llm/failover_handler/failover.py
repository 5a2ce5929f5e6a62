"""The walk along a plan: who is asked, how often, what becomes of each error, and when it is enough."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from rag_engine.llm.failover_handler.hedging import HedgeShare
from rag_engine.llm.failover_handler.plan import FailoverPolicy, Plan
from rag_engine.llm.failover_handler.retry_budget import RetryBudget
from rag_engine.llm.failover_handler.walk import Walk
from rag_engine.types.generation import Completion, CompletionDone, CompletionEvent, Prompt


class FailoverHandler:
    """Asks the deployments of plans, within one deadline and one budget."""

    def __init__(self, *, policy: FailoverPolicy | None = None, budget: RetryBudget | None = None) -> None:
        self._policy = FailoverPolicy() if policy is None else policy
        self._budget = RetryBudget() if budget is None else budget
        self._hedges = HedgeShare(self._policy.hedge_share)

    async def complete(self, prompt: Prompt, plan: Plan) -> Completion:
        """The whole answer of the first deployment that gives one; its attempts are all that were made.

        Raises:
            NoModelFitsError: nobody could be asked.
            AllModelsFailedError: several were asked and all failed; says how each did.
            LanguageModelError: the only one that was asked failed, or what failed is final for all.
        """
        answered: Completion | None = None
        async for event in self._walk(prompt, plan, live=False):
            if isinstance(event, CompletionDone):
                answered = event.completion
        if answered is None:
            raise RuntimeError("a walk ended with neither an answer nor an error")
        return answered

    def stream(self, prompt: Prompt, plan: Plan) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written, with StreamRestarted where another deployment begins anew.

        Raises:
            NoModelFitsError, AllModelsFailedError, LanguageModelError: as ``complete``, also midway.
        """
        return self._walk(prompt, plan, live=True)

    def _walk(self, prompt: Prompt, plan: Plan, *, live: bool) -> AsyncGenerator[CompletionEvent, None]:
        walk = Walk(prompt, plan, policy=self._policy, budget=self._budget, hedges=self._hedges, live=live)
        return walk.events()
