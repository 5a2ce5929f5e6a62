"""Recorded streams of Google and Ollama, cut at every byte and split at random: the whole answer or a typed error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import LanguageModelError
from rag_engine.llm.providers.dialect import Dialect, Framing, ReportedFault, Target
from rag_engine.llm.providers.google_generate_content import GoogleGenerateContent
from rag_engine.llm.providers.ollama_chat import OllamaChat
from rag_engine.llm.transport import EventStream, JsonLines
from rag_engine.types.generation import Completion, Prompt, ReasoningDelta, TextDelta

FOLDER = Path(__file__).parents[3] / "golden" / "streams"
DIALECTS: dict[str, Dialect] = {"google": GoogleGenerateContent(), "ollama": OllamaChat()}
NAMES = sorted(path.stem for name in DIALECTS for path in FOLDER.glob(f"{name}-*.json"))
PROMPT = Prompt.plain("How tall is it?")


def load(name: str) -> tuple[dict[str, Any], bytes]:
    facts = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    (raw,) = (path for path in FOLDER.glob(f"{name}.*") if path.suffix != ".json")
    return facts, raw.read_bytes()


def read(facts: dict[str, Any], pieces: list[bytes]) -> Completion:
    dialect = DIALECTS[facts["provider"]]
    assembler = dialect.assembler(PROMPT, Target(facts["provider"], facts["model"], facts["api_version"]))
    reader = EventStream() if dialect.framing is Framing.SERVER_SENT_EVENTS else JsonLines()
    text, reasoning = "", ""
    for piece in pieces:
        for event in reader.feed(piece):
            for delta in () if assembler.ended else assembler.feed(event):
                text += delta.text if isinstance(delta, TextDelta) else ""
                reasoning += delta.text if isinstance(delta, ReasoningDelta) else ""
    completion = assembler.completion()
    assert (completion.text, completion.reasoning) == (text, reasoning)
    return completion


def shown(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason.value,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": json.loads(call.arguments), "signature": call.signature}
            for call in completion.tool_calls
        ],
        "usage": {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "source": usage.source.value,
        },
    }


def expected(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts.get(name, "") for name in ("text", "reasoning", "finish_reason", "tool_calls", "usage")}


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_is_read_as_it_was_meant(name: str) -> None:
    facts, raw = load(name)
    if "error" in facts:
        with pytest.raises(LanguageModelError) as raised:
            read(facts, [raw])
        assert raised.value.code == facts["error"]
    else:
        assert shown(read(facts, [raw])) == expected(facts)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_at_any_byte_is_the_whole_answer_or_a_typed_error(name: str) -> None:
    facts, raw = load(name)
    errors = 0
    for end in range(len(raw)):
        try:
            completion = read(facts, [raw[:end]])
        except (LanguageModelError, ReportedFault):
            errors += 1
        else:
            assert shown(completion) == expected(facts), end
    assert errors > len(raw) // 2


@pytest.mark.parametrize("name", [name for name in NAMES if "error" not in load(name)[0]])
@given(data=st.data())
def test_pieces_of_any_size_make_the_same_answer(name: str, data: st.DataObject) -> None:
    facts, raw = load(name)
    ends = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=30)))
    pieces = [raw[start:end] for start, end in zip([0, *ends], [*ends, len(raw)], strict=True)]
    assert shown(read(facts, pieces)) == expected(facts)


@pytest.mark.parametrize("name", ["google-unicode", "ollama-unicode"])
def test_bytes_one_by_one_make_the_same_answer(name: str) -> None:
    facts, raw = load(name)
    assert shown(read(facts, [bytes([byte]) for byte in raw])) == expected(facts)
