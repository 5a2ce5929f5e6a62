"""The limits that a deployment is given by its settings."""

from __future__ import annotations

from dataclasses import dataclass

from rag_engine.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Limits of one deployment, by the minute; ``concurrency`` is calls under way. None is no limit.

    Raises:
        ConfigurationError: a limit is no number from 0.
    """

    requests_per_minute: float | None = None
    input_tokens_per_minute: float | None = None
    output_tokens_per_minute: float | None = None
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit < float("inf"):
                raise ConfigurationError(
                    f"a limit of {limit} for {name} cannot be kept", hint="give a number from 0, or none for no limit"
                )
