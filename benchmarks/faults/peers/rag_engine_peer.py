"""rag_engine's own client, asked as its documentation says; it runs where the benchmarks run."""

from __future__ import annotations

import harness

from rag_engine.llm import open_model
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Completion, CompletionDone, Prompt, TextDelta


async def ask(call: harness.Call) -> harness.Told:
    """One call of a model of its own. What a stream gave must be what its end says it gave."""
    limits = WireLimits(deadline=call.timeout)
    model = open_model(f"openai/{harness.MODEL}", base_url=f"{call.url}/v1", key=harness.KEY, limits=limits)
    try:
        prompt = Prompt.plain(harness.QUESTION)
        if not call.stream:
            completion = await model.complete(prompt)
            return told(completion, completion.text)
        text, done = "", None
        async for event in model.stream(prompt):
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, CompletionDone):
                done = event.completion
        if done is None or done.text != text:
            raise AssertionError("the deltas are not what the end of the stream says")
        return told(done, text)
    finally:
        await model.aclose()


def told(completion: Completion, text: str) -> harness.Told:
    """As the other programs tell it."""
    usage = (completion.usage.input_tokens, completion.usage.output_tokens)
    return harness.Told(text, str(completion.finish_reason), usage, len(completion.attempts) or None)


if __name__ == "__main__":
    harness.run("rag_engine", ask)
