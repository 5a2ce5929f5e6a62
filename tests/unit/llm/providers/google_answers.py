"""Answers of Google's, to be put together by hand."""

from __future__ import annotations

import json
from typing import Any

from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.google_generate_content import GoogleGenerateContent
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Completion, Prompt, Usage, UsageSource

DIALECT = GoogleGenerateContent()
TARGET = Target("google", "gemini-2.5-flash", "v1")
PROMPT = Prompt.plain("How tall is the tower?")
COUNTS = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
NO_NUMBERS = Usage(source=UsageSource.ESTIMATED)


def answer(*parts: Any, finish: Any = "STOP", usage: Any = COUNTS, **more: Any) -> dict[str, Any]:
    """A whole answer, or a fragment of a stream."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0} | more
    body = {"candidates": [candidate], "usageMetadata": usage}
    return body if finish is not None else body | {"candidates": [{k: candidate[k] for k in ("content", "index")}]}


def read(body: Any) -> Completion:
    """What becomes of it as a whole."""
    return DIALECT.completion(body, PROMPT, TARGET)


def stream(*fragments: Any) -> tuple[list[Any], Completion]:
    """What becomes of these fragments."""
    assembler = DIALECT.assembler(PROMPT, TARGET)
    deltas: list[Any] = []
    for fragment in fragments:
        data = fragment if isinstance(fragment, str) else json.dumps(fragment)
        deltas.extend(assembler.feed(ServerEvent("", data)))
    return deltas, assembler.completion()


WORDS = {"text": "324 metres"}
