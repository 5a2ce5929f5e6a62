"""An edit changes the chunks around it: not all of them are embedded again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.document import Document
from rag_engine.types.static_vectors import StaticVectors

NOUNS = ("sensor", "rotor", "valve", "bearing", "invoice", "contract", "journal", "catalogue", "boiler", "garden")


def paragraph(number: int, sentences: int) -> str:
    return " ".join(
        f"The {NOUNS[(number + each) % 10]} of part {number} is kept at {7 * number + each} degrees and is read by "
        f"whoever comes first on day {number * each}."
        for each in range(sentences)
    )


DOCUMENTS = {
    "long paragraphs": [paragraph(number, 3 + number % 5) for number in range(60)],
    "short paragraphs": [paragraph(number, 1 + number % 2) for number in range(120)],
    "sections": [f"## Section {number}\n\n{paragraph(number, 6)}" for number in range(30)],
    "a short document": [paragraph(number, 2) for number in range(6)],
    "a list": ["\n".join(f"- {paragraph(number + n, 1)}" for n in range(8)) for number in range(0, 96, 8)],
    "one paragraph": [paragraph(1, 120)],
}
EDITS: dict[str, Callable[[str], str]] = {
    "a word is replaced": lambda text: text.replace("degrees", "kelvin", 1),
    "a sentence is added": lambda text: text + " Nobody had thought of that before, and it was soon forgotten again.",
    "words are taken out": lambda text: text.replace(" and is read by whoever comes first", "", 1),
    "words come in front": lambda text: text.replace("The ", "As was said at the last meeting, the ", 1),
    "it is written anew": lambda text: text[: text.find("The ")] + "Here stood something that was not right.",
}


@pytest.fixture(params=[True, False], ids=["by similarity too", "by structure"])
def embedded_anew(
    request: pytest.FixtureRequest, tokenizer: ModelTokenizer, static_vectors: StaticVectors
) -> Callable[[list[str], list[str]], int]:
    """How many chunks of the second document the first one does not have."""
    similarity = static_vectors if request.param else None
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=256, target_tokens=256, static_vectors=similarity)

    def texts(paragraphs: list[str]) -> set[str]:
        return {chunk.embedded_text for chunk in chunker.chunk(Document("a", "\n\n".join(paragraphs)))}

    return lambda before, after: len(texts(after) - texts(before))


def test_an_edited_paragraph_changes_at_most_three_chunks_but_where_it_takes_a_division_away(
    embedded_anew: Callable[[list[str], list[str]], int],
) -> None:
    changed = [
        embedded_anew(parts, [*parts[:place], edit(parts[place]), *parts[place + 1 :]])
        for parts in DOCUMENTS.values()
        for place in range(0, len(parts), max(1, len(parts) // 12))
        for edit in EDITS.values()
    ]
    # A division that the edit itself takes away makes one stretch of two: these are cut anew.
    assert max(changed) <= 10
    assert sum(count > 3 for count in changed) <= 0.04 * len(changed), changed


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_new_paragraph_changes_no_chunks_far_from_it(
    embedded_anew: Callable[[list[str], list[str]], int], kind: str
) -> None:
    parts = DOCUMENTS[kind]
    middle = len(parts) // 2
    assert embedded_anew(parts, [*parts[:middle], paragraph(777, 4), *parts[middle:]]) <= 6
