"""What the commands print with --json: one JSON object, or for an answer's events one a line."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_engine.types.generation import Answer, AnswerEvent, Citation
    from rag_engine.types.optimization import OptimizedQuery, SearchOutcome


def print_json(fields: Any) -> None:
    """A mapping or a dataclass as one JSON object on standard output."""
    sys.stdout.write(json.dumps(_plain(fields)) + "\n")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def search_fields(query: str, outcome: SearchOutcome, seconds: float) -> dict[str, Any]:
    """The JSON of ``rag search``."""
    results = [
        {
            "rank": passage.rank,
            "score": passage.score,
            "document": passage.document_id,
            "title": passage.title,
            "chunk": passage.chunk,
            "start": passage.start,
            "end": passage.end,
            "text": passage.text,
            "heading_path": passage.heading_path,
            "page": passage.page,
            "metadata": dict(passage.metadata),
            "suspicious": _plain(passage.suspicious),
            "scores": dict(passage.scores),
            # Of few; a person who reads the others need not see empty lists.
            **({"sources": passage.sources} if passage.sources else {}),
            **({"near_duplicates": passage.near_duplicates} if passage.near_duplicates else {}),
            **({"duplicates": passage.duplicates} if passage.duplicates else {}),
            **({"conflicts": _plain(passage.conflicts)} if passage.conflicts else {}),
        }
        for passage in outcome.passages
    ]
    return {
        "query": query,
        "results": results,
        "optimized": None if outcome.optimized is None else _optimized_fields(outcome.optimized),
        "notes": list(outcome.notes),
        "seconds": seconds,
    }


def _optimized_fields(plan: OptimizedQuery) -> dict[str, Any]:
    return {
        "text": plan.text,
        "task": plan.task.value,
        "task_words": plan.task_words,
        "steps": _plain(plan.steps),
        "quality": plan.quality,
        "confidence": plan.confidence,
    }


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The JSON of ``rag ask``; each citation carries Anthropic's char_location fields beside ours."""
    fields = dict(_plain(answer))
    fields["answer"] = fields.pop("text")
    fields["citations"] = [_citation_fields(citation) for citation in answer.citations]
    return fields


def _citation_fields(citation: Citation) -> dict[str, Any]:
    return {
        **_plain(citation),
        "type": "char_location",
        "cited_text": citation.text,
        "document_index": citation.marker - 1,
        "document_title": citation.title,
        "file_id": citation.document,
        "start_char_index": citation.start,
        "end_char_index": citation.end,
    }


def print_event(event: AnswerEvent) -> None:
    """One event of an answer, at once."""
    from rag_engine.types.generation import CitationProven, StageDone

    if isinstance(event, CitationProven):
        fields = {"event": "citation"} | _citation_fields(event.citation)
    else:
        fields = {"event": "stage" if isinstance(event, StageDone) else "text"} | dict(_plain(event))
    print_json(fields)
    sys.stdout.flush()
