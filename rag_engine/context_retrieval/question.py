"""Questions as they come from people and programs, made fit for every leg and model."""

from __future__ import annotations

from rag_engine.errors import InvalidQueryError

MOST_CHARACTERS = 20_000
MOST_RESULTS = 10_000
_CONTROL_CHARACTERS = dict.fromkeys([*range(32), *range(127, 160)], " ")


def clean_question(text: str) -> str:
    """The question without control characters, lone surrogates and surrounding white space.

    Raises:
        InvalidQueryError: nothing is left, or it is longer than any question.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidQueryError(f"the question has {len(text):,} characters; {MOST_CHARACTERS:,} are the most")
    # A lone surrogate is no character: it cannot be encoded, and so neither tokenised nor printed.
    cleaned = text.translate(_CONTROL_CHARACTERS).encode("utf-8", "replace").decode().strip()
    if not cleaned:
        raise InvalidQueryError("the question is empty")
    return cleaned


def check_results(k: int) -> None:
    """Refuses a number of results that no search brings.

    Raises:
        InvalidQueryError: it is below 1 or above 10,000.
    """
    if not 1 <= k <= MOST_RESULTS:
        raise InvalidQueryError(f"k is {k}; it must be from 1 to {MOST_RESULTS:,}")
