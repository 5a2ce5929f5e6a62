"""LiteLLM's Router with a fallback, as its documentation sets up retries, limits, cooldowns and fallbacks."""

from __future__ import annotations

import os

# Prices from the package, not from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import failover_harness as harness
import litellm
from litellm import Router

litellm.suppress_debug_info = True


class LiteLLMRoute:
    """Two groups of one deployment; a failing one is left alone after its first failure."""

    def __init__(self, setting: harness.Setting) -> None:
        self._router = Router(
            model_list=[
                self._deployment("primary", setting.primary, setting.primary_model),
                self._deployment("fallback", setting.fallback, setting.fallback_model),
            ],
            num_retries=harness.RETRIES,
            timeout=setting.idle,
            stream_timeout=setting.first_word,
            allowed_fails=1,
            cooldown_time=setting.cooldown,
            fallbacks=[{"primary": ["fallback"]}],
            context_window_fallbacks=[{"primary": ["fallback"]}],
        )

    @staticmethod
    def _deployment(group: str, url: str, model: str) -> dict[str, object]:
        parameters = {"model": f"openai/{model}", "api_base": f"{url}/v1", "api_key": harness.KEY}
        return {"model_name": group, "litellm_params": parameters}

    async def ask(self) -> harness.Told:
        """One call."""
        text, model, usage = "", None, None
        messages = [{"role": "user", "content": harness.QUESTION}]
        answer = await self._router.acompletion(
            model="primary", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        async for chunk in answer:
            model = getattr(chunk, "model", None) or model
            told = getattr(chunk, "usage", None)
            usage = (told.prompt_tokens, told.completion_tokens) if told is not None else usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
        return harness.Told(text, model, usage)

    async def aclose(self) -> None:
        """Nothing to end."""


async def open_route(setting: harness.Setting) -> LiteLLMRoute:
    """The Router."""
    return LiteLLMRoute(setting)


if __name__ == "__main__":
    harness.run("litellm", open_route)
