"""What a document without a title is called: the words of its id, where that is a name.

Who asks about one of many contracts, reports or articles names it; without its name in what is embedded, its chunks are
like all others of their kind (rows chunking/legalbenchrag_contractnli of benchmarks/README.md). Only ids that a record
gives itself count: a file's name changes when the file is renamed, and its chunks are to stay what they are.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_ENDING = re.compile(r"\.[A-Za-z]{1,5}[0-9]?$")
_BETWEEN_WORDS = re.compile(r"[\s_\-+.,;:()\[\]#]+")
_WORD = re.compile(r"[^\W\d_]{3,}")
# What ids are made of that count pieces and name nothing.
_COUNTED = frozenset(
    ("doc", "docs", "document", "chunk", "page", "part", "file", "item", "record", "row", "text", "txt", "pdf", "html")
)
_LONGEST = 200


def title_from_id(identifier: str) -> str:
    """The words of an id such as ``reports/2024_Annual-Report.pdf``, at least two of three letters; else nothing."""
    if len(identifier) > _LONGEST:
        return ""
    name = _ENDING.sub("", unquote(identifier).rstrip("/").rpartition("/")[2])
    words = [word for word in _BETWEEN_WORDS.split(name) if word]
    named = [word for word in words if _WORD.search(word) and word.lower() not in _COUNTED]
    return " ".join(words) if len(named) > 1 else ""
