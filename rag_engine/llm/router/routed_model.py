"""A LanguageModel that chooses among others for each prompt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, Plan
from rag_engine.llm.router.strategies import Strategy
from rag_engine.protocols import CallLedger, ModelSelector
from rag_engine.types.generation import Completion, CompletionEvent, Prompt, Requirements
from rag_engine.types.routing import RouteDecision


class RoutedModel:
    """A route. Thread-safe, and usable from any loop; may itself be a deployment's model."""

    def __init__(
        self,
        *,
        name: str,
        deployments: Sequence[Deployment],
        strategy: Strategy | str = "priority",
        failover: FailoverHandler | None = None,
        requires: Requirements | None = None,
        for_longer: Sequence[Deployment] = (),
        for_refused: Sequence[Deployment] = (),
        selector: ModelSelector | None = None,
        ledger: CallLedger | None = None,
    ) -> None:
        """``requires`` holds for every prompt, beside what that requires itself. ``ledger`` says what was spent.

        Raises:
            ConfigurationError: no deployments, two of one name, a route within itself, or a strategy that is none.
        """
        raise NotImplementedError

    @property
    def name(self) -> str:
        """``route/NAME``."""
        raise NotImplementedError

    def plan(self, prompt: Prompt) -> Plan:
        """Whom to ask; looks no further than it must."""
        raise NotImplementedError

    def decide(self, prompt: Prompt) -> RouteDecision:
        """Whom it would ask and why, of every deployment; nothing is sent, nothing is changed."""
        raise NotImplementedError

    async def complete(self, prompt: Prompt) -> Completion:
        """The whole answer. Raises as ``FailoverHandler.complete``."""
        raise NotImplementedError

    def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written. Raises as ``FailoverHandler.stream``."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Closes the deployments' models that can be closed."""
        raise NotImplementedError
