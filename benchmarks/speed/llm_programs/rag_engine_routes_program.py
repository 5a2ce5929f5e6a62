"""rag_engine's routes, and what is below them in the same process: one model, and the bare wire."""

from __future__ import annotations

import harness  # first: its clock begins here

import json  # isort: skip
import tempfile  # isort: skip
from collections.abc import AsyncIterator  # isort: skip
from pathlib import Path  # isort: skip
from typing import Any  # isort: skip


class BareTransport:
    """The wire and json.loads: no model, no checks of what an answer says, no ledger."""

    def __init__(self, base_url: str) -> None:
        from rag_engine.llm.transport import EventStream, Transport, WireRequest
        from rag_engine.types.secret import Secret

        self._wire = Transport()
        self._reader = EventStream
        self._request: Any = lambda body, accept: WireRequest(
            url=f"{base_url}/chat/completions",
            body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            accept=accept,
            key=Secret(harness.KEY),
            provider="openai",
            model=harness.MODEL,
        )

    async def whole(self, question: str) -> str:
        body = {"model": harness.MODEL, "messages": harness.messages(question)}
        reply = await self._wire.send(self._request(body, "application/json"))
        text: str = json.loads(reply.body)["choices"][0]["message"]["content"]
        return text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        body = {"model": harness.MODEL, "messages": harness.messages(question), "stream": True}
        async with self._wire.stream(self._request(body, "text/event-stream")) as wire:
            async for events in wire.events(self._reader()):
                for event in events:
                    if event.data != "[DONE]":
                        choices = json.loads(event.data)["choices"]
                        if choices and (text := choices[0]["delta"].get("content")):
                            yield text


class OneModel:
    """A provider's model, opened once, as routes hold it: it tries once."""

    def __init__(self, base_url: str) -> None:
        from rag_engine.ledger.usage import UsageLedger
        from rag_engine.llm.transport import Transport
        from rag_engine.types.generation import Prompt, TextDelta

        self._folder = tempfile.TemporaryDirectory()
        self._ledger = UsageLedger(Path(self._folder.name) / "usage.sqlite")
        self._wire = Transport()
        self._prompt = Prompt.plain
        self._delta: Any = TextDelta
        self._model: Any = self._made(base_url)

    def _made(self, base_url: str) -> Any:
        from rag_engine.llm.opening import provider_model
        from rag_engine.types.secret import Secret

        return provider_model(
            f"openai/{harness.MODEL}",
            transport=self._wire,
            base_url=base_url,
            key=Secret(harness.KEY),
            ledger=self._ledger,
            environment={},
        )

    async def whole(self, question: str) -> str:
        completion = await self._model.complete(self._prompt(question, instructions=harness.INSTRUCTIONS))
        text: str = completion.text
        return text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        async for event in self._model.stream(self._prompt(question, instructions=harness.INSTRUCTIONS)):
            if isinstance(event, self._delta):
                yield event.text


class Route(OneModel):
    """So many deployments, chosen by weight, as LiteLLM's Router does unless it is told otherwise."""

    deployments = 2
    by_stream = False

    def _made(self, base_url: str) -> Any:
        from rag_engine.llm.deployment import Deployment
        from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy
        from rag_engine.llm.router import RoutedModel

        deployments = []
        for number in range(self.deployments):
            model = super()._made(base_url)
            deployments.append(Deployment(name=f"deployment-{number}", model=model, profile=model.profile))
        failover = FailoverHandler(policy=FailoverPolicy(complete_by_stream=self.by_stream))
        return RoutedModel(name="measured", deployments=deployments, strategy="weighted", failover=failover)


class RouteOf100(Route):
    """The same with a hundred."""

    deployments = 100


class RouteByStream(Route):
    """Whole answers are read as streams, as is usual for a route."""

    by_stream = True


def raw_httpx(base_url: str) -> harness.Way:
    """In the same process, by turns."""
    from raw import RawHttpx

    return RawHttpx(base_url)


def bare_socket(base_url: str) -> harness.Way:
    """The floor."""
    from raw import BareSocket

    return BareSocket(base_url)


if __name__ == "__main__":
    harness.run(
        "rag_engine",
        {
            "transport": BareTransport,
            "model": OneModel,
            "route_2": Route,
            "route_100": RouteOf100,
            "route_2_by_stream": RouteByStream,
            "httpx": raw_httpx,
            "socket": bare_socket,
        },
    )
