"""Prompts that cannot be sent as they are: the errors that say so, before anything is."""

from __future__ import annotations

from rag_engine.errors import InvalidRequestError, UnsupportedParameterError
from rag_engine.llm.providers.dialect import Target


def unsupported(target: Target, what: str, hint: str) -> UnsupportedParameterError:
    """The prompt asks for what the model has not. ``what`` goes on behind the model's name."""
    return UnsupportedParameterError(
        f"{target.provider}/{target.model} {what}", hint=hint, provider=target.provider, model=target.model
    )


def asks_nothing(target: Target) -> InvalidRequestError:
    """The prompt has neither content nor turns."""
    return invalid(target, "the prompt asks nothing", "give it content or a conversation")


def invalid(target: Target, what: str, hint: str) -> InvalidRequestError:
    """The prompt is none that any model could answer."""
    return InvalidRequestError(what, hint=hint, provider=target.provider, model=target.model)
