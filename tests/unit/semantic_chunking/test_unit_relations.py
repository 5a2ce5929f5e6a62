from __future__ import annotations

from rag_engine.semantic_chunking.structure import read_structure
from rag_engine.types.document import Block, BlockKind, Document, Page


def paged(*texts: str) -> Document:
    blocks, pages, text = [], [], ""
    for number, part in enumerate(texts, 1):
        blocks.append(Block(BlockKind.PARAGRAPH, len(text), len(text) + len(part)))
        pages.append(Page(number, len(text), len(text) + len(part)))
        text += part + "\n\n"
    return Document("d", text, blocks=tuple(blocks), pages=tuple(pages))


def test_a_unit_knows_that_a_page_ends_before_it() -> None:
    document = paged("First page.", "Second page.")
    assert [unit.opens_page for unit in read_structure(document)] == [True, True]
    assert [unit.opens_page for unit in read_structure(Document("d", document.text))] == [False, False]


def test_a_sentence_that_runs_over_the_page_goes_on() -> None:
    assert [unit.goes_on for unit in read_structure(paged("A sentence that", "goes on. And", "Ends. ", "then"))] == [
        False,
        True,
        False,
        False,
    ]


def test_a_list_goes_on_from_the_line_that_introduces_it() -> None:
    document = Document("d", "We need:\n\n- milk\n- eggs\n\nWe have more.\n\n- salt")
    assert [unit.goes_on for unit in read_structure(document)] == [False, True, False, False]


def test_a_turn_of_several_paragraphs_runs_through_all_of_them_up_to_a_heading() -> None:
    talk = "Ana: hi.\n\nBo: hello.\n\nAna: first.\n\nAnd second.\n\nBo: no."
    units = read_structure(Document("d", talk))
    assert [[turn.speaker for turn in unit.turns] for unit in units] == [["Ana:"], ["Bo:"], ["Ana:"], ["Ana:"], ["Bo:"]]
    units = read_structure(Document("d", talk.replace("And second.", "# Break\n\nAnd second.")))
    assert [[turn.speaker for turn in unit.turns] for unit in units][3:5] == [[], []]
