"""Callers of a soak: each asks one question after another, and looks whether the answer is its own, and whole."""

from __future__ import annotations

import asyncio
import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.routing.soak_answers import prompt_of, text_of
from rag_engine.errors import GenerationError
from rag_engine.protocols import LanguageModel
from rag_engine.types.generation import (
    Attempt,
    Completion,
    CompletionDone,
    StreamRestarted,
    TextDelta,
)

# Attempts of a question whose caller went away are nobody's to tell.
UNTOLD = 255


@dataclass
class Seen:
    """What callers have seen. ``told`` holds for each question the attempts that its answer or error told."""

    told: array[int]
    ended: int = 0
    answered: int = 0
    streamed: int = 0
    restarted: int = 0
    cancelled: int = 0
    left: int = 0
    wrong: int = 0
    doubled: int = 0
    failed_over: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    untyped: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def bad(self, what: str) -> None:
        """Keeps the first few, to be looked at."""
        if len(self.examples) < 10:
            self.examples.append(what[:300])


class Callers:
    """``share_leaving`` of the questions are cancelled, or their streams left, at a moment that chance names."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        calls: int,
        seed: int = 0,
        share_leaving: float = 0.01,
        longest_wait: float = 0.1,
        after: Callable[[int], None] | None = None,
    ) -> None:
        """Who leaves does so within ``longest_wait`` seconds; ``after`` hears how many questions have ended."""
        self._model = model
        self._calls = calls
        self._random = random.Random(seed)
        self._share_leaving = share_leaving
        self._longest_wait = longest_wait
        self._after = after
        self.seen = Seen(told=array("B", bytes(calls)))

    async def run(self, at_a_time: int) -> Seen:
        """All questions, so many at a time."""
        numbers = iter(range(self._calls))
        await asyncio.gather(*(self._one_after_another(numbers) for _ in range(at_a_time)))
        return self.seen

    async def _one_after_another(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            if self._random.random() < self._share_leaving:
                await self._leave(number)
            else:
                await self._ask(number)
            self.seen.ended += 1
            if self._after is not None:
                self._after(self.seen.ended)

    async def _leave(self, number: int) -> None:
        """Asks, and goes away before long."""
        task = asyncio.create_task(self._ask(number))
        await asyncio.wait([task], timeout=self._random.random() ** 2 * self._longest_wait)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                self.seen.cancelled += 1
                self.seen.told[number] = UNTOLD
                return
        task.result()

    async def _ask(self, number: int) -> None:
        seen = self.seen
        try:
            completion = await (self._streamed if number % 2 else self._whole)(number)
        except GenerationError as error:
            seen.errors[error.code] += 1
            self._told(number, getattr(error, "attempts", ()))
        except Exception as error:  # noqa: BLE001 - what is no typed error is what is looked for
            seen.untyped[type(error).__name__] += 1
            seen.bad(f"question {number}: {error!r}")
        else:
            if completion is None:
                seen.left += 1
                seen.told[number] = UNTOLD
                return
            seen.answered += 1
            seen.failed_over += len(completion.attempts) > 1
            self._told(number, completion.attempts)
            if completion.text != text_of(number):
                seen.wrong += 1
                seen.bad(f"question {number} was answered {completion.text!r}")

    def _told(self, number: int, attempts: tuple[Attempt, ...]) -> None:
        self.seen.told[number] = min(len(attempts), UNTOLD - 1)
        self.seen.outcomes.update(attempt.outcome for attempt in attempts)

    async def _whole(self, number: int) -> Completion:
        return await self._model.complete(prompt_of(number))

    async def _streamed(self, number: int) -> Completion | None:
        """The completion; None where the reader has left."""
        leaves_after = self._random.randrange(20) if self._random.random() < self._share_leaving else None
        pieces: list[str] = []
        completion: Completion | None = None
        events = self._model.stream(prompt_of(number))
        try:
            async for event in events:
                if completion is not None:
                    self.seen.bad(f"question {number}: {event!r} behind the end")
                    self.seen.doubled += 1
                if isinstance(event, TextDelta):
                    pieces.append(event.text)
                elif isinstance(event, StreamRestarted):
                    self.seen.restarted += 1
                    pieces.clear()
                elif isinstance(event, CompletionDone):
                    completion = event.completion
                if leaves_after is not None and len(pieces) > leaves_after:
                    return None
        finally:
            await events.aclose()  # type: ignore[attr-defined]
        if completion is None:
            self.seen.wrong += 1
            raise RuntimeError("a stream ended without its end")
        self.seen.streamed += 1
        if "".join(pieces) != completion.text:
            self.seen.doubled += 1
            self.seen.bad(f"question {number} was streamed {''.join(pieces)!r}, and is {completion.text!r}")
        return completion
