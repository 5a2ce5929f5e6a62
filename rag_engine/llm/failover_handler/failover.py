"""The walk along a plan: who is asked, how often, what becomes of each error, and when it is enough."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rag_engine.llm.failover_handler.plan import FailoverPolicy, Plan
from rag_engine.llm.failover_handler.retry_budget import RetryBudget
from rag_engine.types.generation import Completion, CompletionEvent, Prompt


class FailoverHandler:
    """Asks the deployments of plans, within one deadline and one budget."""

    def __init__(self, *, policy: FailoverPolicy | None = None, budget: RetryBudget | None = None) -> None:
        raise NotImplementedError

    async def complete(self, prompt: Prompt, plan: Plan) -> Completion:
        """The whole answer of the first deployment that gives one; its attempts are all that were made.

        Raises:
            NoModelFitsError: nobody could be asked.
            AllModelsFailedError: several were asked and all failed; says how each did.
            LanguageModelError: the only one that was asked failed, or what failed is final for all.
        """
        raise NotImplementedError

    def stream(self, prompt: Prompt, plan: Plan) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written, with StreamRestarted where another deployment begins anew.

        Raises:
            NoModelFitsError, AllModelsFailedError, LanguageModelError: as ``complete``, also midway.
        """
        raise NotImplementedError
