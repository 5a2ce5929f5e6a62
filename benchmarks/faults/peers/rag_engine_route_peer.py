"""rag_engine's own route of two deployments, asked as its documentation says; it runs where the benchmarks run."""

from __future__ import annotations

from dataclasses import replace

import failover_harness as harness

from rag_engine.llm import open_model
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy, MidStream
from rag_engine.llm.router import RoutedModel
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Completion, CompletionDone, Prompt, StreamRestarted, TextDelta

# The primary's window is the one that its refusal names.
WINDOWS = {"primary": 8192, "fallback": 131072}


def breaker_policy(cooldown: float) -> BreakerPolicy:
    """A sixth of what the others wait before the first probe, half of it before the later ones: five seconds and
    fifteen where they wait thirty."""
    return BreakerPolicy(window_seconds=cooldown, open_seconds=cooldown / 6, longest_open_seconds=cooldown / 2)


class RagEngineRoute:
    """A primary and a fallback, in this order."""

    def __init__(self, setting: harness.Setting) -> None:
        limits = WireLimits(deadline=setting.deadline, idle=setting.idle)
        self._models = {
            name: open_model(f"openai/{model}", base_url=f"{url}/v1", key=harness.KEY, limits=limits)
            for name, model, url in (
                ("primary", setting.primary_model, setting.primary),
                ("fallback", setting.fallback_model, setting.fallback),
            )
        }
        policy = FailoverPolicy(
            deadline_seconds=setting.deadline,
            first_token_seconds=setting.first_word,
            mid_stream=MidStream.BUFFER if setting.buffered else MidStream.RESTART,
        )
        self._route = RoutedModel(
            name="two",
            deployments=[
                Deployment(
                    name=name,
                    model=model,
                    profile=replace(model.profile, window=WINDOWS[name]),
                    order=order,
                    given_breaker=CircuitBreaker(name, policy=breaker_policy(setting.cooldown)),
                )
                for order, (name, model) in enumerate(self._models.items())
            ],
            failover=FailoverHandler(policy=policy),
        )

    async def ask(self) -> harness.Told:
        """One call, read as a reader reads it: what was written is void when it begins anew. What is left of the
        deltas then must be what the end of the stream says it gave."""
        text, done = "", None
        async for event in self._route.stream(Prompt.plain(harness.QUESTION)):
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, StreamRestarted):
                text = ""
            elif isinstance(event, CompletionDone):
                done = event.completion
        if done is None or done.text != text:
            raise AssertionError("the deltas are not what the end of the stream says")
        return told(done)

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._route.aclose()


def told(completion: Completion) -> harness.Told:
    """As the other programs tell it."""
    usage = (completion.usage.input_tokens, completion.usage.output_tokens)
    return harness.Told(completion.text, completion.model, usage, len(completion.attempts))


async def open_route(setting: harness.Setting) -> RagEngineRoute:
    """The route."""
    return RagEngineRoute(setting)


if __name__ == "__main__":
    harness.run("rag_engine", open_route)
