"""How busy a deployment is, and how fast: calls under way, time to the first token and for each further one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import ConfigurationError
from rag_engine.llm.late_calls import DecayingQuantiles, PeakAverage, SecondsByLength

# After so many half-lives without a call, what was known is known no more: else one that was slow once, and is not
# asked for it, would stay slow for ever.
_FORGOTTEN_AFTER = 10.0
# A distribution needs more calls than an average: quantiles look back so much further.
_LONGER = 10.0
_LEAST_CALLS = 20
# A failed call counts as so many times slower than what is usual, between these bounds: one that fails at once must
# not look fast.
_FAILED_TIMES, _FAILED_LEAST, _FAILED_MOST = 2.0, 1.0, 60.0
# Weights double with each half-life; after so many of them all are made smaller.
_MOST_DOUBLINGS = 300.0


class DeploymentLoad:
    """Decaying averages of one deployment; of late calls more than of early ones. From any thread.

    A call ``half_life_seconds`` ago counts half of one now, for quantiles one ten times as long ago. What a call took
    above the average counts at once, and half after each half-life. A clock that jumps back stands still.
    """

    def __init__(self, *, half_life_seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        if not 0 < half_life_seconds < float("inf"):
            raise ConfigurationError(
                f"a half-life of {half_life_seconds} seconds is none", hint="give a number above 0, such as 30"
            )
        self._clock = clock
        self._shown = clock()
        self._half_life = half_life_seconds
        self._begin_anew()
        self._doublings = self._longer_doublings = 0.0  # half-lives since a call's weight was 1
        self._forget_quantiles()
        self._forget_averages()
        self._silent = 0.0  # half-lives since a call told anything
        across_forks(self, begin_anew=DeploymentLoad._begin_anew)

    def _begin_anew(self) -> None:
        """Nothing is under way: in the child of a fork, what was is the parent's."""
        self._lock = threading.Lock()
        self.under_way = 0

    def began(self) -> None:
        """A call is under way."""
        with self._lock:
            self.under_way += 1

    def ended(
        self, *, seconds: float, first_token_seconds: float | None = None, output_tokens: int = 0, failed: bool = False
    ) -> None:
        """It is no longer. Of calls that came whole the two averages are told apart by their lengths; a failed one
        counts as slow, a cancelled one as it was until then.

        A call that did not fail and has neither a first token nor any was cancelled, where other calls had some: it
        counts where it lasted longer than they do, and else says nothing.
        """
        with self._lock:
            if self.under_way > 0:
                self.under_way -= 1
            if not 0 <= seconds < float("inf"):
                return
            weight, longer = self._weights()
            further = max(0, output_tokens - 1)
            if first_token_seconds is not None and 0 <= first_token_seconds < float("inf"):
                self._first.add(first_token_seconds, weight)
                self._firsts.add(first_token_seconds, longer)
                if further and not failed:
                    self._token.add(max(0.0, seconds - first_token_seconds) / further, weight)
            elif not failed and (output_tokens > 0 or not self._others_had_tokens()):
                self._whole.add(further, seconds, weight)
                self._wholes.add(seconds, longer)
                self._above.at_least(self._above_line(further, seconds), weight)
            elif not failed:
                self._slow(seconds, weight)
                if seconds > (self._usual() or 0.0):
                    (self._firsts if self._firsts.count else self._wholes).add(seconds, longer)
            if failed:
                usual = self._usual() or 0.0
                self._slow(max(seconds, min(_FAILED_MOST, max(_FAILED_LEAST, _FAILED_TIMES * usual))), weight)
            self._silent = 0.0

    def forgotten(self) -> None:
        """It is no longer under way, and says nothing about speed."""
        with self._lock:
            if self.under_way > 0:
                self.under_way -= 1

    def seconds(self, output_tokens: int) -> float | None:
        """Until a whole answer of so many tokens is there, as far as is known; None where nothing is."""
        first, token = self._parts()
        if first is None:
            return None
        return first + (token or 0.0) * max(0, output_tokens - 1)

    def quantile(self, share: float) -> float | None:
        """Seconds within which ``share`` of the late calls began to answer; None of fewer than 20.

        Of calls that came whole, seconds within which they ended, where nothing else is known. To within 2 %.
        """
        with self._lock:
            self._advance()
            if self._silent > _FORGOTTEN_AFTER * _LONGER:
                return None
            known = self._firsts if self._firsts.count else self._wholes
            return known.at(share) if known.count >= _LEAST_CALLS else None

    @property
    def first_token_seconds(self) -> float | None:
        """Average time until the first token."""
        return self._parts()[0]

    @property
    def token_seconds(self) -> float | None:
        """Average time for each further token."""
        return self._parts()[1]

    def _parts(self) -> tuple[float | None, float | None]:
        """Until the first token and for each further one: as streams showed it, else as whole answers suggest."""
        with self._lock:
            self._advance()
            if self._silent > _FORGOTTEN_AFTER:
                return None, None
            weight = 2.0**self._doublings
            line = self._whole.line()
            if self._first.usual is not None:
                token = self._token.value(weight)
                return self._first.value(weight), token if token is not None or line is None else line[1]
            above = self._above.value(weight)
            if line is None:
                return above, None
            return line[0] + (above or 0.0), line[1]

    def _usual(self) -> float | None:
        usual = self._first.usual
        return self._whole.usual if usual is None else usual

    def _others_had_tokens(self) -> bool:
        return self._first.usual is not None or self._whole.have_tokens

    def _above_line(self, further: int, seconds: float) -> float:
        line = self._whole.line()
        return 0.0 if line is None else seconds - line[0] - line[1] * further

    def _slow(self, seconds: float, weight: float) -> None:
        """A call that showed no more than that it took so long."""
        if self._first.usual is not None:
            self._first.at_least(seconds, weight)
        else:
            self._above.at_least(seconds - (self._whole.usual or 0.0), weight)

    def _advance(self) -> None:
        """Lets the time pass that has passed."""
        shown = self._clock()
        if shown > self._shown:
            half_lives = (shown - self._shown) / self._half_life
            self._doublings += half_lives
            self._longer_doublings += half_lives / _LONGER
            self._silent += half_lives
        self._shown = shown

    def _weights(self) -> tuple[float, float]:
        """Of a call now, for averages and for quantiles; what is too old is forgotten first."""
        self._advance()
        if self._silent > _FORGOTTEN_AFTER:
            self._forget_averages()
        if self._silent > _FORGOTTEN_AFTER * _LONGER:
            self._forget_quantiles()
        if self._doublings > _MOST_DOUBLINGS:
            for average in (self._first, self._token, self._above, self._whole):
                average.scale(2.0**-self._doublings)
            self._doublings = 0.0
        if self._longer_doublings > _MOST_DOUBLINGS:
            for quantiles in (self._firsts, self._wholes):
                quantiles.scale(2.0**-self._longer_doublings)
            self._longer_doublings = 0.0
        return 2.0**self._doublings, 2.0**self._longer_doublings

    def _forget_averages(self) -> None:
        self._doublings = 0.0
        self._first: PeakAverage = PeakAverage()
        self._token: PeakAverage = PeakAverage()
        self._above: PeakAverage = PeakAverage()  # what whole answers took above their line
        self._whole: SecondsByLength = SecondsByLength()

    def _forget_quantiles(self) -> None:
        self._longer_doublings = 0.0
        self._firsts: DecayingQuantiles = DecayingQuantiles()
        self._wholes: DecayingQuantiles = DecayingQuantiles()
