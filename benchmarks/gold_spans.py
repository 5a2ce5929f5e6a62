"""Moves the spans of a gold set to where their texts stand now, after its documents were edited.

python -m benchmarks.gold_spans benchmarks/gold/handbook docs
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any


def located(text: str, stored: str) -> tuple[int, int]:
    """Characters at which ``text`` stands in ``stored``, wherever its lines are broken there.

    Raises:
        ValueError: it stands nowhere, or at several places.
    """
    places = list(re.finditer(r"\s+".join(map(re.escape, text.split())), stored))
    if len(places) != 1:
        raise ValueError(f"{text!r} stands at {len(places)} places")
    return places[0].span()


def relocate(questions: Path, documents: Path) -> list[str]:
    """Rewrites the questions' file, span by span; where a span cannot be placed, says so and writes nothing.

    A document is the file of its id: the folder ``documents`` and the path within.
    """
    complaints: list[str] = []
    rows: list[dict[str, Any]] = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        for span in row["spans"]:
            try:
                stored = (documents.parent / span["doc"]).read_text(encoding="utf-8")
                start, end = located(span["text"], stored)
            except (OSError, ValueError) as error:
                complaints.append(f"{row['id']}, {span['doc']}: {error}")
                continue
            span.update(start=start, end=end, text=stored[start:end])
    if not complaints:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        questions.write_text("".join(lines), encoding="utf-8")
    return complaints


def main() -> None:
    """Relocates the spans of the gold set in the first folder within the documents of the second."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m benchmarks.gold_spans GOLD DOCUMENTS")
    gold, documents = map(Path, sys.argv[1:])
    complaints = relocate(gold / "questions.jsonl", documents)
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
