from __future__ import annotations

import pytest

from rag_engine.semantic_chunking.numbered_headings import numbered_headings
from rag_engine.semantic_chunking.structure import read_structure
from rag_engine.types.document import Document
from tests.unit.semantic_chunking.conftest import titles


def headings(*paragraphs: str) -> list[str]:
    return [title for _, title in numbered_headings("\n\n".join(paragraphs).splitlines(keepends=True)).values()]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("3.1 Scope", "3.2 Payment terms"),
        ("1. Introduction", "2. Methods"),
        ("2.9 Terms", "3 Payment"),
        ("2 Terms", "2.1 Payment"),
        ("ARTICLE IX", "ARTICLE X - Duties"),
        ("Chapter 3", "Chapter 4: The end"),
        ("§ 7", "§ 8 Haftung"),
        ("Section 2.1 Scope", "Section 2.2 Use"),
        ("Appendix B", "Appendix C"),
        ("第九章 总则", "第十章"),
        ("Глава 1", "Глава 2"),
        ("Abschnitt 1: Allgemeines", "Abschnitt 2: Besonderes"),
    ],
)
def test_lines_whose_numbers_follow_each_other_are_headings(first: str, second: str) -> None:
    assert headings("Opening.", first, "Body.", second, "More.") == [first, second]


@pytest.mark.parametrize(
    "paragraphs",
    [
        ("3.2 Payment terms", "Body."),  # no neighbour
        ("3.2 Payment terms", "Body.", "5.7 Unrelated", "Body."),
        ("1. Buy milk", "2. Buy eggs", "3. Buy bread"),  # a list
        ("1. It rained on Monday.", "Body.", "2. It rained on Tuesday.", "Body."),  # sentences
        ("1. item in small letters", "Body.", "2. another of them", "Body."),
        ("1. First", "   goes on", "2. Second", "   goes on"),
        ("1.1 Scope ........ 3", "Body.", "1.2 Payment ........ 4", "Body."),  # a table of contents
        ("1 Scope\nwords", "Body.", "2 Use\nwords", "Body."),  # not alone
        ("Part of the plan", "Body.", "Part of the cost", "Body."),
        ("1.1 " + "Very long words of it " * 6, "Body.", "1.2 Scope", "Body."),
    ],
)
def test_prose_lists_and_contents_are_no_headings(paragraphs: tuple[str, ...]) -> None:
    assert headings(*paragraphs) == []


def test_levels_come_from_the_numbers() -> None:
    text = "\n\n".join(
        [
            "Part I",
            "a.",
            "Chapter 1",
            "a.",
            "1.1 Scope",
            "a.",
            "1.1.1 Who",
            "a.",
            "1.2 Use",
            "a.",
            "Chapter 2",
            "a.",
            "Part II",
            "a.",
        ]
    )
    paths = [titles(unit) for unit in read_structure(Document("d", text)) if unit.kind == "paragraph"]
    assert paths == [
        ("Part I",),
        ("Part I", "Chapter 1"),
        ("Part I", "Chapter 1", "1.1 Scope"),
        ("Part I", "Chapter 1", "1.1 Scope", "1.1.1 Who"),
        ("Part I", "Chapter 1", "1.2 Use"),
        ("Part I", "Chapter 2"),
        ("Part II",),
    ]


def test_an_edit_changes_no_heading_but_its_neighbours() -> None:
    parts = [part for number in range(1, 9) for part in (f"{number}.1 Scope of it", "Body.")]
    parts = [part for number in range(1, 20) for part in (f"4.{number} Scope of it", "Body.")]
    removed = [part for part in parts if part != "4.9 Scope of it"]
    assert headings(*removed) == [part for part in removed if part != "Body."]
