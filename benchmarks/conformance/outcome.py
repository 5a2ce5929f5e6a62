"""What came of one call."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import RagEngineError
from rag_engine.llm import open_model
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Completion, CompletionDone, TextDelta

if TYPE_CHECKING:
    from benchmarks.conformance.features import Exchange, Surface

LIMITS = WireLimits(deadline=60.0, first_byte=45.0, idle=20.0)


@dataclass(frozen=True)
class Outcome:
    """A completion or an error; ``unexpected`` is an exception that no caller of ours should ever see. ``pieces`` are
    the texts of a stream's deltas, in order."""

    completion: Completion | None = None
    error: RagEngineError | None = None
    unexpected: BaseException | None = None
    pieces: tuple[str, ...] = ()
    streamed: bool = False
    seconds: float = 0.0

    @property
    def shown(self) -> str:
        """In one line, for the JSON."""
        if self.completion is not None:
            usage = self.completion.usage
            return (
                f"{self.completion.finish_reason.value}: {self.completion.text[:60]!r}, "
                f"{usage.input_tokens}+{usage.output_tokens} tokens {usage.source.value}"
            )
        fault = self.error or self.unexpected
        return f"{type(fault).__name__}: {str(fault)[:160]}"


def ask(surface: Surface, exchange: Exchange) -> Outcome:
    """Makes the call over a connection of its own."""
    started = time.perf_counter()
    pieces: list[str] = []

    def ended(
        completion: Completion | None = None,
        error: RagEngineError | None = None,
        unexpected: BaseException | None = None,
    ) -> Outcome:
        return Outcome(completion, error, unexpected, tuple(pieces), exchange.streamed, time.perf_counter() - started)

    try:
        return ended(asyncio.run(_asked(surface, exchange, pieces)))
    except RagEngineError as error:
        return ended(error=error)
    except Exception as error:  # noqa: BLE001 - what must not come is what is looked for
        return ended(unexpected=error)


async def _asked(surface: Surface, exchange: Exchange, pieces: list[str]) -> Completion | None:
    model = open_model(
        f"{surface.provider}/{exchange.model or surface.model}",
        base_url=surface.base_url,
        api_version=surface.api_version,
        key=exchange.key or surface.key,
        limits=LIMITS,
        policy=RetryPolicy(attempts=exchange.attempts, first_wait=0.05, longest_wait=0.1),
        environment={},
    )
    async with model:
        if not exchange.streamed:
            return await model.complete(exchange.prompt)
        completion = None
        async for event in model.stream(exchange.prompt):
            if isinstance(event, TextDelta):
                pieces.append(event.text)
            elif isinstance(event, CompletionDone):
                completion = event.completion
        return completion
