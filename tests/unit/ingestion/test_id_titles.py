from __future__ import annotations

import pytest

from rag_engine.ingestion import title_from_id


@pytest.mark.parametrize(
    ("identifier", "title"),
    [
        ("contracts/CopAcc_NDA-and-ToP-Mentors_2.0_2017.txt", "CopAcc NDA and ToP Mentors 2 0 2017"),
        ("reports/2024_Annual-Report.pdf", "2024 Annual Report"),
        ("12032018_NDA_The%20Munt_EN.txt", "12032018 NDA The Munt EN"),
        ("Super_Bowl_50", "Super Bowl 50"),
        ("Über_die_Brücke", "Über die Brücke"),
    ],
)
def test_an_id_that_is_a_name_gives_its_words(identifier: str, title: str) -> None:
    assert title_from_id(identifier) == title


@pytest.mark.parametrize(
    "identifier",
    ["", "4983", "MED-118", "ec8d9019af02", "doc_1_chunk_0", "page-12", "Normans", "a/b/c", "x" * 1000],
)
def test_an_id_that_counts_or_is_drawn_names_nothing(identifier: str) -> None:
    assert title_from_id(identifier) == ""
