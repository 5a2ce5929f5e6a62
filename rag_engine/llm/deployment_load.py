"""How busy a deployment is, and how fast: calls under way, time to the first token and for each further one."""

from __future__ import annotations

import time
from collections.abc import Callable


class DeploymentLoad:
    """Decaying averages of one deployment; of late calls more than of early ones. From any thread."""

    def __init__(self, *, half_life_seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.under_way = 0

    def began(self) -> None:
        """A call is under way."""
        raise NotImplementedError

    def ended(
        self, *, seconds: float, first_token_seconds: float | None = None, output_tokens: int = 0, failed: bool = False
    ) -> None:
        """It is no longer. Of calls that came whole the two averages are told apart by their lengths; a failed one
        counts as slow, a cancelled one as it was until then."""
        raise NotImplementedError

    def forgotten(self) -> None:
        """It is no longer under way, and says nothing about speed."""
        raise NotImplementedError

    def seconds(self, output_tokens: int) -> float | None:
        """Until a whole answer of so many tokens is there, as far as is known; None where nothing is."""
        raise NotImplementedError

    def quantile(self, share: float) -> float | None:
        """Seconds within which ``share`` of the late calls began to answer; None of fewer than 20."""
        raise NotImplementedError

    @property
    def first_token_seconds(self) -> float | None:
        """Average time until the first token."""
        raise NotImplementedError

    @property
    def token_seconds(self) -> float | None:
        """Average time for each further token."""
        raise NotImplementedError
