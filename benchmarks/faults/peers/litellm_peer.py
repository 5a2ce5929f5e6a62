"""LiteLLM as its README asks and streams."""

from __future__ import annotations

import os

# Prices from the package, not from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import harness
import litellm

litellm.suppress_debug_info = True


async def ask(call: harness.Call) -> harness.Told:
    """One call."""
    options = {
        "model": f"openai/{harness.MODEL}",
        "api_base": f"{call.url}/v1",
        "api_key": harness.KEY,
        "timeout": call.timeout,
        "messages": [{"role": "user", "content": harness.QUESTION}],
    }
    if not call.stream:
        answer = await litellm.acompletion(**options)
        choice = answer.choices[0]
        return harness.Told(choice.message.content, choice.finish_reason, usage_of(answer))
    text, finish, usage = "", None, None
    async for chunk in await litellm.acompletion(**options, stream=True, stream_options={"include_usage": True}):
        usage = usage_of(chunk) or usage
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
    return harness.Told(text, finish, usage)


def usage_of(answer: object) -> tuple[int, int] | None:
    """Tokens read and written."""
    usage = getattr(answer, "usage", None)
    return None if usage is None else (usage.prompt_tokens, usage.completion_tokens)


if __name__ == "__main__":
    harness.run("litellm", ask)
