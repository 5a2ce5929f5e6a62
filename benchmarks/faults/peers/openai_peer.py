"""openai-python as its README asks and streams."""

from __future__ import annotations

import harness
from openai import AsyncOpenAI


async def ask(call: harness.Call) -> harness.Told:
    """One call of a client of its own."""
    async with AsyncOpenAI(base_url=f"{call.url}/v1", api_key=harness.KEY, timeout=call.timeout) as client:
        messages = [{"role": "user", "content": harness.QUESTION}]
        if not call.stream:
            answer = await client.chat.completions.create(model=harness.MODEL, messages=messages)
            choice = answer.choices[0]
            return harness.Told(choice.message.content, choice.finish_reason, usage_of(answer.usage))
        text, finish, usage = "", None, None
        async for chunk in await client.chat.completions.create(
            model=harness.MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
        ):
            usage = usage_of(chunk.usage) or usage
            if chunk.choices:
                text += chunk.choices[0].delta.content or ""
                finish = chunk.choices[0].finish_reason or finish
        return harness.Told(text, finish, usage)


def usage_of(usage: object) -> tuple[int, int] | None:
    """Tokens read and written."""
    return None if usage is None else (usage.prompt_tokens, usage.completion_tokens)


if __name__ == "__main__":
    harness.run("openai", ask)
