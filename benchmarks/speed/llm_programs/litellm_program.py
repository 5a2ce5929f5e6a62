"""LiteLLM as its README asks, by the function and by its Router."""

from __future__ import annotations

import harness  # first: its clock begins here

import os  # isort: skip
from collections.abc import AsyncIterator  # isort: skip
from typing import Any  # isort: skip

# Prices from the package, not from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


class Completion:
    """``litellm.acompletion``."""

    def __init__(self, base_url: str) -> None:
        import litellm

        litellm.suppress_debug_info = True
        self._ask: Any = litellm.acompletion
        self._options = {"model": f"openai/{harness.MODEL}", "api_base": base_url, "api_key": harness.KEY}

    async def whole(self, question: str) -> str:
        answer = await self._ask(messages=harness.messages(question), **self._options)
        text: str = answer.choices[0].message.content
        return text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        asked = {"stream": True, "stream_options": {"include_usage": True}, **self._options}
        async for chunk in await self._ask(messages=harness.messages(question), **asked):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text


class Router(Completion):
    """``Router.acompletion`` with one model."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        import litellm

        router = litellm.Router(model_list=[{"model_name": "the-model", "litellm_params": self._options}])
        self._ask = router.acompletion
        self._options = {"model": "the-model"}


def raw_httpx(base_url: str) -> harness.Way:
    """In the same process, by turns."""
    from raw import RawHttpx

    return RawHttpx(base_url)


if __name__ == "__main__":
    harness.run("litellm", {"litellm": Completion, "litellm_router": Router, "httpx": raw_httpx})
