"""Stands for a model whose key is not there, so that a route's other models answer all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rag_engine.errors import AuthenticationError
from rag_engine.types.generation import Completion, CompletionDone, CompletionEvent, Prompt
from rag_engine.types.models import ModelProfile


class KeylessModel:
    """Raises, whatever it is asked, that its key is missing or malformed. Nothing is sent."""

    def __init__(self, profile: ModelProfile, error: AuthenticationError) -> None:
        self._profile = profile
        self._error = error

    @property
    def name(self) -> str:
        """``provider/model``."""
        return self._profile.full_name

    @property
    def code(self) -> str:
        """That of the error that it raises."""
        return self._error.code

    async def complete(self, prompt: Prompt) -> Completion:  # noqa: ARG002 - none is answered
        """Raises AuthenticationError."""
        raise self._fresh()

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """Raises AuthenticationError."""
        yield CompletionDone(await self.complete(prompt))

    def _fresh(self) -> AuthenticationError:
        """An error of its own for each call: attempts and tracebacks are written to it."""
        error = self._error
        return type(error)(
            error.message, hint=error.hint, provider=error.provider, model=self._profile.name, phase=error.phase
        )
