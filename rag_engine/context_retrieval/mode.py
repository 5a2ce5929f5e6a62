"""Reading the mode of a search."""

from __future__ import annotations

from rag_engine.errors import UsageError
from rag_engine.types.retrieval import SearchMode


def parse_mode(given: SearchMode | str) -> SearchMode:
    """The mode of this name.

    Raises:
        UsageError: there is none; says which there are.
    """
    try:
        return SearchMode(given)
    except ValueError as error:
        raise UsageError(f"there is no mode {given!r}", hint=", ".join(SearchMode)) from error
