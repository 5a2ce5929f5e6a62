"""pydantic-ai as its documentation asks and streams: an agent that answers with text."""

from __future__ import annotations

import harness
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


async def ask(call: harness.Call) -> harness.Told:
    """One run of an agent of its own."""
    provider = OpenAIProvider(base_url=f"{call.url}/v1", api_key=harness.KEY)
    agent = Agent(OpenAIChatModel(harness.MODEL, provider=provider), model_settings={"timeout": call.timeout})
    if not call.stream:
        result = await agent.run(harness.QUESTION)
        return harness.Told(result.output, finish_of(result.response), usage_of(result))
    async with agent.run_stream(harness.QUESTION) as result:
        text = "".join([piece async for piece in result.stream_text(delta=True)])
        return harness.Told(text, finish_of(result.response), usage_of(result))


def finish_of(response: object) -> str | None:
    """Why the model stopped."""
    return getattr(response, "finish_reason", None)


def usage_of(result: object) -> tuple[int, int]:
    """Tokens read and written."""
    usage = result.usage() if callable(result.usage) else result.usage
    return usage.input_tokens, usage.output_tokens


if __name__ == "__main__":
    harness.run("pydantic-ai-slim", ask)
