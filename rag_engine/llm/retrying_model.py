"""A LanguageModel that asks the one it holds again, where asking again may help."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from rag_engine.error_handler import RetryPolicy, retry_with_backoff
from rag_engine.errors import LanguageModelError
from rag_engine.protocols import LanguageModel
from rag_engine.types.generation import Attempt, CallContext, Completion, CompletionDone, CompletionEvent, Prompt


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
            with series.noting():
                return await self._model.complete(series.prompt())

        completion = await retry_with_backoff(attempt, policy=self._policy, deadline=series.deadline)
        return series.with_failed(completion)

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written.

        Raises:
            LanguageModelError: as ``complete``; also midway, and then without another try.
        """
        series = _Series(prompt, self._deadline_seconds)

        async def begun() -> tuple[CompletionEvent, AsyncIterator[CompletionEvent]]:
            events = self._model.stream(series.prompt())
            with series.noting():
                return await anext(events), events

        event, events = await retry_with_backoff(begun, policy=self._policy, deadline=series.deadline)
        try:
            yield series.told(event)
            with series.noting():
                async for event in events:
                    yield series.told(event)
        finally:
            await _close(events)


class _Series:
    """The attempts for one answer."""

    def __init__(self, prompt: Prompt, deadline_seconds: float) -> None:
        call = prompt.call
        self.deadline = time.monotonic() + deadline_seconds if call.deadline is None else call.deadline
        self._call = CallContext(call.id or uuid.uuid4().hex, call.attempt, self.deadline)
        self._prompt = prompt
        self._failed: list[Attempt] = []

    def prompt(self) -> Prompt:
        """The prompt of the next attempt."""
        return replace(self._prompt, call=replace(self._call, attempt=self._call.attempt + len(self._failed)))

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        """Has an error carry the attempts before it, too."""
        try:
            yield
        except LanguageModelError as error:
            self._failed += error.attempts
            error.attempts = tuple(self._failed)
            raise

    def with_failed(self, completion: Completion) -> Completion:
        return replace(completion, attempts=(*self._failed, *completion.attempts)) if self._failed else completion

    def told(self, event: CompletionEvent) -> CompletionEvent:
        return CompletionDone(self.with_failed(event.completion)) if isinstance(event, CompletionDone) else event


async def _close(events: AsyncIterator[CompletionEvent]) -> None:
    close = getattr(events, "aclose", None)  # generators have it, other iterators need not
    if close is not None:
        await close()
