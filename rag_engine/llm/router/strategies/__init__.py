"""The orders in which a route asks its fit deployments: one small class each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rag_engine.errors import ConfigurationError
from rag_engine.llm.router.strategies.balancing import Latency, LeastBusy, Weighted
from rag_engine.llm.router.strategies.contract import Strategy
from rag_engine.llm.router.strategies.preference import Priority, TaskFitness
from rag_engine.llm.router.strategies.value import Cost, Learned

__all__ = [
    "STRATEGIES",
    "Cost",
    "Latency",
    "Learned",
    "LeastBusy",
    "Priority",
    "Strategy",
    "TaskFitness",
    "Weighted",
    "strategy_named",
]

STRATEGIES: Mapping[str, Callable[[], Strategy]] = {
    strategy.name: strategy for strategy in (Priority, TaskFitness, Cost, Latency, Weighted, LeastBusy, Learned)
}


def strategy_named(name: str) -> Strategy:
    """The strategy that settings call so, with what it goes by where they say no more.

    Raises:
        ConfigurationError: there is none.
    """
    if name not in STRATEGIES:
        raise ConfigurationError(f"there is no strategy {name!r}", hint=f"one of: {', '.join(STRATEGIES)}")
    return STRATEGIES[name]()
