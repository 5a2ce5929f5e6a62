"""OpenAI's own SDK."""

from __future__ import annotations

import harness  # first: its clock begins here

from collections.abc import AsyncIterator  # isort: skip


class OpenAI:
    """``AsyncOpenAI``."""

    def __init__(self, base_url: str) -> None:
        import openai

        self._completions = openai.AsyncOpenAI(base_url=base_url, api_key=harness.KEY).chat.completions

    async def whole(self, question: str) -> str:
        answer = await self._completions.create(model=harness.MODEL, messages=harness.messages(question))
        text: str = answer.choices[0].message.content
        return text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        async for chunk in await self._completions.create(
            model=harness.MODEL,
            messages=harness.messages(question),
            stream=True,
            stream_options={"include_usage": True},
        ):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text


def raw_httpx(base_url: str) -> harness.Way:
    """In the same process, by turns."""
    from raw import RawHttpx

    return RawHttpx(base_url)


if __name__ == "__main__":
    harness.run("openai", {"openai": OpenAI, "httpx": raw_httpx})
