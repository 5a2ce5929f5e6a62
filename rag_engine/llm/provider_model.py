"""A provider's model as a LanguageModel: one dialect over the wire, every fault typed, every call accounted for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag_engine.error_handler import FaultSignal, Phase, error_for
from rag_engine.errors import BadResponseError, LanguageModelError
from rag_engine.llm.providers.dialect import Dialect, Framing, ReportedFault, StreamAssembler, Target
from rag_engine.llm.providers.unframed_json import UnframedJson
from rag_engine.llm.redaction import Redaction
from rag_engine.llm.running_attempt import RunningAttempt
from rag_engine.llm.transport import (
    EventReader,
    EventStream,
    JsonLines,
    ServerEvent,
    Transport,
    WireReply,
    WireRequest,
)
from rag_engine.protocols import CallLedger
from rag_engine.token_counter import prompt_tokens, surely_fits
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    TextDelta,
)
from rag_engine.types.models import ModelProfile
from rag_engine.types.secret import Secret

_READERS: Mapping[Framing, Callable[[], EventReader]] = {
    # Google tells faults midway as bare JSON between the events; nobody else sends such lines.
    Framing.SERVER_SENT_EVENTS: lambda: UnframedJson(EventStream()),
    Framing.JSON_LINES: JsonLines,
}
# What reading an answer of another form than the dialect's may raise: the answer's fault, not the reader's.
_OF_ANOTHER_FORM = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
# So long the mark that ends a stream may come behind its last event. Without it the next call dials again, which costs
# one and a half round trips, or three and the handshake's work; longer than this nobody is kept from a whole answer.
_SECONDS_TO_FINISH = 0.05
# A window that holds less than this beside the prompt is too small for it.
_LEAST_ANSWER_TOKENS = 128
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Made once: ``json.dumps`` makes one for every call that is not written as it is by default.
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider's interface is and how it is entered. ``base_url`` has no slash at its end."""

    base_url: str
    key: Secret | None = None
    key_header: str = "authorization"


class ProviderModel:
    """One model of one provider. Tries once: who tries again holds it."""

    def __init__(
        self,
        *,
        target: Target,
        endpoint: Endpoint,
        dialect: Dialect,
        transport: Transport,
        profile: ModelProfile,
        ledger: CallLedger | None = None,
        max_output_tokens: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``transport`` is shared, and closed by whoever made it. ``max_output_tokens`` bounds answers to prompts that
        say no bound of their own."""
        self._target = target
        self._endpoint = endpoint
        self._redaction = Redaction(endpoint.key)
        self._dialect = dialect
        self._transport = transport
        self._profile = profile
        self._ledger = ledger
        self._max_output_tokens = max_output_tokens
        self._clock = clock

    @property
    def name(self) -> str:
        """``provider/model``."""
        return f"{self._target.provider}/{self._target.model}"

    @property
    def profile(self) -> ModelProfile:
        """What is known of the model."""
        return self._profile

    async def complete(self, prompt: Prompt) -> Completion:
        """The whole answer, by one call.

        Raises:
            LanguageModelError: of the family that fits, with the attempt that it ended.
            BudgetExceededError, ContextWindowError: nothing was sent.
        """
        prompt = self._bounded(prompt)
        request = self._request(prompt, stream=False)
        call = self._call(prompt, stream=False)
        try:
            reply = await self._transport.send(request, deadline=_on_the_loops_clock(prompt.call.deadline))
            headers = self._redaction.of_headers(reply.headers)
            if headers is not reply.headers:
                reply = replace(reply, headers=headers)
            call.heard(headers)
            completion = self._read(reply, prompt)
        except BaseException as error:
            call.failed(self._redaction.of_error(error))
            raise
        return call.done(completion)

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written, by one call.

        Raises:
            LanguageModelError, BudgetExceededError, ContextWindowError: as ``complete``, also midway.
        """
        prompt = self._bounded(prompt)
        request = self._request(prompt, stream=True)
        call = self._call(prompt, stream=True)
        framing = self._dialect.framing
        try:
            async with self._transport.stream(request, deadline=_on_the_loops_clock(prompt.call.deadline)) as wire:
                headers = self._redaction.of_headers(wire.headers)
                call.heard(headers)
                if wire.status != 200 or wire.media_type != framing.value:
                    # A fault, or a server that does not stream: an answer all the same where it is whole.
                    completion = self._read(WireReply(wire.status, headers, await wire.read()), prompt)
                    call.wrote_whole(len(completion.text))
                    if completion.text:
                        yield TextDelta(completion.text)
                else:
                    assembler = self._dialect.assembler(prompt, self._target)
                    async for events in wire.events(_READERS[framing]()):
                        for delta in self._fed(assembler, events):
                            call.wrote(len(delta.text))
                            yield delta
                        if assembler.ended:
                            break
                    completion = self._ended(assembler, prompt)
                    if assembler.ended:
                        await wire.finish(_SECONDS_TO_FINISH)
        except BaseException as error:
            call.failed(self._redaction.of_error(error))
            raise
        yield CompletionDone(call.done(completion))

    def _bounded(self, prompt: Prompt) -> Prompt:
        """The prompt with the settings' bound on its answer where it has none of its own: less where the window holds
        less, as nobody asked for that much."""
        if self._max_output_tokens is None or prompt.sampling.max_output_tokens is not None:
            return prompt
        bounded = _with_bound(prompt, self._max_output_tokens)
        if surely_fits(bounded, self._profile):
            return bounded
        counted = prompt_tokens(prompt, self._profile)
        left = self._profile.window - counted.tokens
        # Of an estimate the prompt may have more tokens; half of what is left is then enough for both.
        room = left if counted.exact else left // 2
        return _with_bound(prompt, min(self._max_output_tokens, max(room, _LEAST_ANSWER_TOKENS)))

    def _call(self, prompt: Prompt, *, stream: bool) -> RunningAttempt:
        return RunningAttempt(
            prompt,
            provider=self._target.provider,
            model=self._target.model,
            profile=self._profile,
            stream=stream,
            base_url=self._endpoint.base_url,
            ledger=self._ledger,
            clock=self._clock,
        )

    def _request(self, prompt: Prompt, *, stream: bool) -> WireRequest:
        body = self._dialect.body(prompt, self._target, stream=stream)
        return WireRequest(
            url=self._endpoint.base_url + self._dialect.path(self._target, stream=stream),
            # Surrogates without their halves, as damaged documents have them, are no characters to any provider.
            body=_written(body).encode("utf-8", "replace"),
            accept=self._dialect.framing.value if stream else "application/json",
            headers=self._dialect.headers(prompt, self._target),
            key=self._endpoint.key,
            key_header=self._endpoint.key_header,
            provider=self._target.provider,
            model=self._target.model,
        )

    def _read(self, reply: WireReply, prompt: Prompt) -> Completion:
        if reply.status >= 400:
            raise self._error(self._reported(reply), reply.status, Phase.HEADERS, reply.headers)
        body = self._json_of(reply)
        try:
            completion = self._dialect.completion(body, prompt, self._target)
        except ReportedFault as fault:
            raise self._error(fault, fault.status, Phase.BODY, reply.headers) from None
        except _OF_ANOTHER_FORM as error:
            raise self._of_another_form(type(error).__name__, Phase.PARSE) from None
        return self._checked(completion, prompt)

    def _json_of(self, reply: WireReply) -> dict[str, Any]:
        """The JSON object that the body is.

        Raises:
            BadResponseError: it is none.
        """
        media_type = reply.media_type
        try:
            body = _read_json(reply.body)
        except (ValueError, RecursionError):
            what = f"with {media_type}" if media_type and "json" not in media_type else "with what is no JSON"
            raise self._of_another_form(f"it answered {what}, status {reply.status}", Phase.PARSE) from None
        if isinstance(body, list) and len(body) == 1:  # an error in a list of its own
            body = body[0]
        if not isinstance(body, dict):
            raise self._of_another_form("its answer is no JSON object", Phase.PARSE)
        return body

    def _reported(self, reply: WireReply) -> ReportedFault:
        try:
            return self._dialect.fault(_read_json(reply.body))
        except (*_OF_ANOTHER_FORM,):
            return ReportedFault()  # a page of something in between: its status says what there is to say

    def _fed(self, assembler: StreamAssembler, events: Sequence[ServerEvent]) -> Sequence[Any]:
        """The deltas of some events."""
        deltas: list[Any] = []
        try:
            if len(events) == 1:  # as nearly every piece has it
                return assembler.feed(events[0])
            for event in events:
                deltas += assembler.feed(event)
                if assembler.ended:
                    break
        except ReportedFault as fault:
            raise self._error(fault, fault.status, Phase.STREAM, {}) from None
        except _OF_ANOTHER_FORM as error:
            raise self._of_another_form(type(error).__name__, Phase.STREAM) from None
        return deltas

    def _ended(self, assembler: StreamAssembler, prompt: Prompt) -> Completion:
        try:
            completion = assembler.completion()
        except ReportedFault as fault:
            raise self._error(fault, fault.status, Phase.STREAM, {}) from None
        except _OF_ANOTHER_FORM as error:
            raise self._of_another_form(type(error).__name__, Phase.STREAM) from None
        return self._checked(completion, prompt)

    def _checked(self, completion: Completion, prompt: Prompt) -> Completion:
        if prompt.schema is not None and completion.finish_reason is FinishReason.STOP:
            try:
                json.loads(completion.text)
            except (ValueError, RecursionError):
                raise self._of_another_form("JSON was asked for, and the answer is none", Phase.VALIDATE) from None
        return self._redaction.of_completion(completion)

    def _error(
        self, fault: ReportedFault, status: int | None, phase: Phase, headers: Mapping[str, str]
    ) -> LanguageModelError:
        shown = self._redaction.of_text
        return error_for(
            FaultSignal(
                provider=self._target.provider,
                phase=phase,
                status=status,
                type=shown(fault.type),
                code=shown(fault.code),
                reason=shown(fault.reason),
                message=shown(fault.message),
                headers=headers,
                retry_delay=fault.retry_delay,
            ),
            model=self._target.model,
        )

    def _of_another_form(self, why: str, phase: Phase) -> BadResponseError:
        return BadResponseError(
            f"{self.name} answered with what its interface does not say: {why}",
            provider=self._target.provider,
            model=self._target.model,
            phase=phase,
        )


def _with_bound(prompt: Prompt, tokens: int) -> Prompt:
    return replace(prompt, sampling=replace(prompt.sampling, max_output_tokens=tokens))


def _read_json(body: bytes) -> Any:
    return json.loads(body.removeprefix(_BYTE_ORDER_MARK).decode())


def _on_the_loops_clock(deadline: float | None) -> float | None:
    """A time of ``time.monotonic()`` as the running loop's clock shows it: most loops have the same, none need."""
    return None if deadline is None else asyncio.get_running_loop().time() + deadline - time.monotonic()
