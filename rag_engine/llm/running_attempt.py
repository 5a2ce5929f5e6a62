"""One attempt of one call while it runs: from the check before anything is sent to its row in the ledger."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from rag_engine import tracing
from rag_engine.error_handler import Phase, default_aggregator, request_id_of, verdict_for
from rag_engine.errors import ContextWindowError, LanguageModelError, RagEngineError
from rag_engine.llm.billing import cost_of, most_it_costs
from rag_engine.llm.rate_limit.allowance import allowance_after, allowance_of
from rag_engine.protocols import CallLedger
from rag_engine.token_counter import Count, counter_for, prompt_tokens, surely_fits
from rag_engine.types.calls import CallRecord
from rag_engine.types.generation import Allowance, Attempt, Completion, Prompt, Usage, UsageSource
from rag_engine.types.models import ModelProfile

CANCELLED = "cancelled"


class RunningAttempt:
    """Made before the first byte is sent; ended by exactly one of ``done`` and ``failed``."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        provider: str,
        model: str,
        profile: ModelProfile,
        stream: bool,
        base_url: str,
        ledger: CallLedger | None,
        clock: Callable[[], float],
    ) -> None:
        """Checks what can be checked before the first byte.

        Raises:
            ContextWindowError: prompt and answer do not fit the window.
            BudgetExceededError: a budget would be exceeded.
        """
        self._prompt = prompt
        self._provider = provider
        self._model = model
        self._profile = profile
        self._stream = stream
        self._ledger = ledger
        self._count: Count | None = None
        self._request_id = ""
        self._written = 0
        self._first: float | None = None
        self._allowance: Allowance | None = None
        self._component = f"{provider}/{model}"
        self._check_window()
        self._reservation = self._reserve()
        self._clock = clock
        self._when = clock()
        self._started = time.perf_counter()
        self._span = tracing.chat_span(
            provider=provider,
            model=model,
            stream=stream,
            sampling=prompt.sampling,
            attempt=prompt.call.attempt,
            base_url=base_url,
        )
        self._span.__enter__()  # left by ``done`` or ``failed``: of a stream, between two of its reader's steps
        self._span.set_prompt(prompt)

    @property
    def _counted(self) -> Count:
        """The prompt's tokens, counted once, when somebody asks: the window's check mostly needs no count."""
        # No cached_property: its lock is one for all calls of the process, and a fork may find it held.
        if self._count is None:
            self._count = prompt_tokens(self._prompt, self._profile)
        return self._count

    def _check_window(self) -> None:
        if surely_fits(self._prompt, self._profile):
            return
        counted = self._counted
        answer = self._prompt.sampling.max_output_tokens or 1
        if counted.tokens + answer > self._profile.window:
            about = "" if counted.exact else "about "
            raise ContextWindowError(
                f"the prompt has {about}{counted.tokens} tokens, the answer may have {answer}, and the window of "
                f"{self._profile.full_name} holds {self._profile.window}; nothing was sent",
                provider=self._provider,
                model=self._model,
                phase=Phase.BEFORE_SENDING,
            )

    def _reserve(self) -> int | None:
        if self._ledger is None or not self._ledger.has_budget:
            return None
        most = most_it_costs(
            input_tokens=self._counted.upper_bound,
            output_tokens=self._prompt.sampling.max_output_tokens or self._profile.max_output,
            price=self._profile.price,
        )
        return self._ledger.reserve(model=self._profile.full_name, cost=most)

    def heard(self, headers: Mapping[str, str]) -> None:
        """The head of an answer is there."""
        self._request_id = request_id_of(headers)
        self._allowance = allowance_of(headers, now=self._clock())
        self._heard = time.perf_counter()

    def wrote(self, characters: int) -> None:
        """A piece of a stream is there."""
        self._span.chunk()
        if self._first is None and characters:
            self._first = time.perf_counter()
        self._written += characters

    def wrote_whole(self, characters: int) -> None:
        """The answer is there, all at once."""
        self._span.chunk()
        self._written += characters

    def done(self, completion: Completion) -> Completion:
        """The completion with its usage and cost, and this attempt in it."""
        usage = completion.usage
        if usage.source is UsageSource.ESTIMATED:
            written = completion.text + completion.reasoning + "".join(call.arguments for call in completion.tool_calls)
            usage = self._estimated(counter_for(self._profile.tokenizer).count(written))
        usage = replace(usage, cost=cost_of(usage, self._profile.price))
        request_id = self._request_id or completion.request_id
        attempt = self._ended(completion.finish_reason.value, usage, request_id)
        completion = replace(completion, usage=usage, request_id=request_id, attempts=(attempt,))
        self._span.set_completion(completion)
        self._span.__exit__(None, None, None)
        default_aggregator().record_success(self._component)
        return completion

    def failed(self, error: BaseException) -> None:
        """Notes the fault, and on an error of the wire this attempt."""
        if isinstance(error, LanguageModelError):
            error.provider = error.provider or self._provider
            error.model = error.model or self._model
            error.request_id = error.request_id or self._request_id
            error.phase = error.phase or (Phase.STREAM if self._stream else Phase.VALIDATE)
        outcome = error.code if isinstance(error, RagEngineError) else type(error).__name__
        if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            outcome = CANCELLED
        usage = self._may_be_billed() if _billable(error) else Usage(cost=0.0)
        attempt = self._ended(outcome, usage, self._request_id)
        self._span.__exit__(type(error), error, None)
        if isinstance(error, Exception):
            default_aggregator().record(error, component=self._component, operation="chat")
        if isinstance(error, LanguageModelError):
            error.attempts = (attempt,)

    def _may_be_billed(self) -> Usage:
        """What a provider may take for an answer that did not arrive whole: the prompt, and what was written of it."""
        usage = self._estimated(-(-self._written // 4))
        return replace(usage, cost=cost_of(usage, self._profile.price))

    def _estimated(self, output_tokens: int) -> Usage:
        return Usage(
            input_tokens=self._counted.tokens,
            output_tokens=output_tokens,
            source=UsageSource.ESTIMATED,
        )

    def _ended(self, outcome: str, usage: Usage, request_id: str) -> Attempt:
        now = time.perf_counter()
        seconds = now - self._started
        if self._ledger is not None:
            self._ledger.record(
                CallRecord(
                    call=self._prompt.call.id or os.urandom(16).hex(),
                    attempt=self._prompt.call.attempt,
                    provider=self._provider,
                    model=self._model,
                    when=self._when,
                    seconds=seconds,
                    outcome=outcome,
                    usage=usage,
                    streamed=self._stream,
                    request_id=request_id,
                    reservation=self._reservation,
                )
            )
        return Attempt(
            model=self._profile.full_name,
            outcome=outcome,
            seconds=seconds,
            provider=self._provider,
            usage=usage,
            request_id=request_id,
            first_token_seconds=None if self._first is None else self._first - self._started,
            allowance=None if self._allowance is None else allowance_after(self._allowance, now - self._heard),
        )


def _billable(error: BaseException) -> bool:
    return not isinstance(error, Exception) or verdict_for(error).billable
