"""rag_engine's whole path: retries, provider, tracing without an exporter, and a ledger of calls on the disk."""

from __future__ import annotations

import harness  # first: its clock begins here

import tempfile  # isort: skip
from collections.abc import AsyncIterator  # isort: skip
from pathlib import Path  # isort: skip
from typing import Any  # isort: skip


class RagEngine:
    """A model opened once, asked many times."""

    def __init__(self, base_url: str) -> None:
        from rag_engine.ledger.usage import UsageLedger
        from rag_engine.llm import open_model
        from rag_engine.types.generation import Prompt, TextDelta

        self._folder = tempfile.TemporaryDirectory()
        self._ledger = UsageLedger(Path(self._folder.name) / "usage.sqlite")
        self._model = open_model(
            f"openai/{harness.MODEL}", base_url=base_url, key=harness.KEY, ledger=self._ledger, environment={}
        )
        self._prompt = Prompt.plain
        self._delta: Any = TextDelta

    async def whole(self, question: str) -> str:
        completion = await self._model.complete(self._prompt(question, instructions=harness.INSTRUCTIONS))
        return completion.text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        async for event in self._model.stream(self._prompt(question, instructions=harness.INSTRUCTIONS)):
            if isinstance(event, self._delta):
                yield event.text


def raw_httpx(base_url: str) -> harness.Way:
    """In the same process, by turns."""
    from raw import RawHttpx

    return RawHttpx(base_url)


def bare_socket(base_url: str) -> harness.Way:
    """The floor."""
    from raw import BareSocket

    return BareSocket(base_url)


if __name__ == "__main__":
    harness.run("rag_engine", {"rag_engine": RagEngine, "httpx": raw_httpx, "socket": bare_socket})
