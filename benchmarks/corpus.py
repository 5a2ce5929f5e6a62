"""The documents of a gold set's file."""

from __future__ import annotations

import json
from pathlib import Path

from rag_engine.types.document import Document


def read_documents(file: Path) -> list[Document]:
    """One document a line: ``{"_id", "title", "text"}``, the title may be absent."""
    with file.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    return [Document(row["_id"], row["text"], title=row.get("title", "")) for row in rows]
