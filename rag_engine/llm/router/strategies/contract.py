"""What a strategy is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from rag_engine.llm.router.asking import Asked
from rag_engine.llm.router.member import Level, Member


class Strategy(Protocol):
    """Ranks deployments that may be asked. Holds no state of a call: any number of threads use one."""

    @property
    def name(self) -> str:
        """As settings write it."""
        ...

    @property
    def needs_price(self) -> bool:
        """Whether a deployment without a known price cannot be ranked."""
        ...

    @property
    def needs_task(self) -> bool:
        """Whether the kind of work has to be found out."""
        ...

    @property
    def needs_estimates(self) -> bool:
        """Whether what was learnt of the models' quality has to be asked for."""
        ...

    def ranked(self, level: Level, asked: Asked, draw: Callable[[], float]) -> Iterator[Member]:
        """All members of the level, each once, the best first; only as far as they are asked for. ``draw`` gives
        numbers in [0, 1)."""
        ...

    def why(self, member: Member, level: Level, asked: Asked) -> str:
        """Why a member stands where it does, in words; for a strategy that draws, with the probability to be first."""
        ...
