import pytest

from rag_engine.ingestion.loaders.pdf_hyphens import MARK, whole_words


@pytest.mark.parametrize(
    ("broken", "elsewhere", "whole"),
    [
        ("the Fed|eral state", "A federal law.", "the Federal state"),
        ("a short|term loan", "Short-term loans.", "a short-term loan"),
        ("a short|term loan", "The term is short.", "a short-term loan"),
        ("the enact|ment of", "nothing of it", "the enactment of"),
        ("by Temple|Smith", "", "by Temple-Smith"),
        ("in 1974|75", "", "in 1974-75"),
        ("größ|ter", "", "größter"),
        ("| at the edge |", "", "- at the edge -"),
    ],
)
def test_a_broken_word_is_written_as_the_document_writes_it(broken: str, elsewhere: str, whole: str) -> None:
    assert whole_words([broken.replace("|", MARK), elsewhere]) == [whole, elsewhere]


def test_pages_without_broken_words_stay_as_they_are() -> None:
    assert whole_words(["well-known", ""]) == ["well-known", ""]


def test_letters_without_end_take_no_time() -> None:
    page = "中" * 500_000 + MARK + "x" * 500_000
    assert whole_words([page]) == [page.replace(MARK, "")]
