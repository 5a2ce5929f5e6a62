"""A LanguageModel that asks the one it holds again, where asking again may help."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from rag_engine.error_handler import Failure, RetryPolicy, retry_with_backoff
from rag_engine.errors import LanguageModelError
from rag_engine.protocols import LanguageModel
from rag_engine.types.generation import Attempt, CallContext, Completion, CompletionDone, CompletionEvent, Prompt

_Result = TypeVar("_Result")


class RetryingModel:
    """Tries again after faults that the error table says pass by themselves, within one deadline for all attempts.

    A stream is tried again only until its first event: what was handed out cannot be taken back.
    """

    def __init__(self, model: LanguageModel, *, policy: RetryPolicy, deadline_seconds: float) -> None:
        """``deadline_seconds`` holds where the prompt has no deadline of its own."""
        self._model = model
        self._policy = policy
        self._deadline_seconds = deadline_seconds

    @property
    def name(self) -> str:
        """That of the model it holds."""
        return self._model.name

    async def complete(self, prompt: Prompt) -> Completion:
        """The whole answer; its attempts are all that were made.

        Raises:
            LanguageModelError: the last fault, with all attempts.
        """
        series = _Series(prompt, self._deadline_seconds)

        async def attempt() -> Completion:
            return await self._model.complete(series.prompt())

        return series.with_failed(await self._retried(attempt, series)())

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written.

        Raises:
            LanguageModelError: as ``complete``; also midway, and then without another try.
        """
        series = _Series(prompt, self._deadline_seconds)

        async def begun() -> tuple[CompletionEvent, AsyncIterator[CompletionEvent]]:
            events = self._model.stream(series.prompt())
            return await anext(events), events

        event, events = await self._retried(begun, series)()
        try:
            yield series.told(event)
            async for event in events:
                yield series.told(event)
        except LanguageModelError as error:
            error.attempts = (*series.failed, *error.attempts)
            raise
        finally:
            await _close(events)

    def _retried(self, attempt: Callable[[], Awaitable[_Result]], series: _Series) -> Callable[[], Awaitable[_Result]]:
        return retry_with_backoff(
            attempt, policy=self._policy, deadline=series.deadline, alone=True, on_failure=series.note
        )


class _Series:
    """The attempts for one answer."""

    def __init__(self, prompt: Prompt, deadline_seconds: float) -> None:
        call = prompt.call
        self.deadline = time.monotonic() + deadline_seconds if call.deadline is None else call.deadline
        self._call = CallContext(call.id or uuid.uuid4().hex, call.attempt, self.deadline)
        self._prompt = prompt
        self.failed: tuple[Attempt, ...] = ()

    def prompt(self) -> Prompt:
        """The prompt of the next attempt."""
        return replace(self._prompt, call=replace(self._call, attempt=self._call.attempt + len(self.failed)))

    def note(self, failure: Failure) -> None:
        """Keeps the attempts until now, which the error of the last one tells."""
        self.failed = getattr(failure.error, "attempts", self.failed)

    def with_failed(self, completion: Completion) -> Completion:
        return replace(completion, attempts=(*self.failed, *completion.attempts)) if self.failed else completion

    def told(self, event: CompletionEvent) -> CompletionEvent:
        return CompletionDone(self.with_failed(event.completion)) if isinstance(event, CompletionDone) else event


async def _close(events: AsyncIterator[CompletionEvent]) -> None:
    close = getattr(events, "aclose", None)  # generators have it, other iterators need not
    if close is not None:
        await close()
