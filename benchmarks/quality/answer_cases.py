"""Questions with the passages that a search brought for them, and the part of each: what fits, or what is held out.

A case is a line as ``confidence_cases`` prints them: ``{"set", "group", "question", "answerable", "answers", "spans":
[{"document", "start", "end"}], "passages": [...]}``, a passage being ``{"document_id", "title", "heading_path",
"start", "end", "text", "score", "scores"}``; ``answers`` and ``spans`` are empty where the set has none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_engine.types.generation import NumberedSource, Prompt
from rag_engine.types.retrieval import Passage


@dataclass(frozen=True)
class Case:
    """One question, its prompt, and whether its group fits or is held out; ``fold``, 0 or 1, parts what fits."""

    set: str
    fits: bool
    fold: int
    answerable: bool
    answers: tuple[str, ...]
    spans: list[tuple[str, int, int]]
    prompt: Prompt

    def holds_answer(self, source: NumberedSource, start: int, end: int) -> bool:
        """Whether the characters hold a gold span."""
        document = source.passage.document_id
        return any(document == name and start <= first and last <= end for name, first, last in self.spans)


def read_cases(file: Path) -> Iterator[Case]:
    """Cases of a JSONL file; the part of each, one half, is drawn from its group's name, or its question's, by hash."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    groups = {name: {line["group"] for line in lines if line["set"] == name} for name in {x["set"] for x in lines}}
    for line in lines:
        drawn = hashlib.sha256((line["group"] if len(groups[line["set"]]) > 1 else line["question"]).encode()).digest()
        sources = tuple(
            NumberedSource(number, _passage(number, fields)) for number, fields in enumerate(line["passages"], start=1)
        )
        yield Case(
            set=line["set"],
            fits=drawn[0] % 2 == 0,
            fold=drawn[1] % 2,
            answerable=line["answerable"],
            answers=tuple(line["answers"]),
            spans=[(span["document"], span["start"], span["end"]) for span in line["spans"]],
            prompt=Prompt(line["question"], "", "", sources, 0),
        )


def _passage(rank: int, fields: dict[str, Any]) -> Passage:
    fields["heading_path"] = tuple(fields["heading_path"])
    return Passage(rank=rank, chunk=rank, **fields)
