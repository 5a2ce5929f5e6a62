"""LangChain's ChatOpenAI with ``with_fallbacks``, as its documentation sets it up."""

from __future__ import annotations

import failover_harness as harness
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI


class LangChainRoute:
    """Two models. There is one limit for all silence: the shorter one."""

    def __init__(self, setting: harness.Setting) -> None:
        primary = self._model(setting.primary, setting.primary_model, setting)
        self._chain = primary.with_fallbacks([self._model(setting.fallback, setting.fallback_model, setting)])

    @staticmethod
    def _model(url: str, model: str, setting: harness.Setting) -> ChatOpenAI:
        return ChatOpenAI(
            model=model,
            base_url=f"{url}/v1",
            api_key=harness.KEY,
            max_retries=harness.RETRIES,
            timeout=setting.first_word,
            stream_usage=True,
        )

    async def ask(self) -> harness.Told:
        """One call."""
        text, model, usage = "", None, None
        async for chunk in self._chain.astream([HumanMessage(content=harness.QUESTION)]):
            text += chunk.content if isinstance(chunk.content, str) else ""
            model = chunk.response_metadata.get("model_name") or model
            told = chunk.usage_metadata
            usage = (told["input_tokens"], told["output_tokens"]) if told else usage
        return harness.Told(text, model, usage)

    async def aclose(self) -> None:
        """Nothing to end."""


async def open_route(setting: harness.Setting) -> LangChainRoute:
    """The chain."""
    return LangChainRoute(setting)


if __name__ == "__main__":
    harness.run("langchain-openai", open_route)
