import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import IngestionError, SourceTooLargeError
from rag_engine.ingestion.loaders.delimited import DelimitedLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits


def load(text: str, *, max_characters: int = 10**6) -> Document:
    (document,) = DelimitedLoader().load(text.encode(), name="n.csv", limits=LoadLimits(max_characters))
    return document


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_each_record_becomes_a_line_with_its_columns_names(delimiter: str) -> None:
    rows = [["Name", "Price, net", "Note"], ["Apple", "1", ""], ["Pear", "2", "ripe"]]
    table = io.StringIO()
    csv.writer(table, delimiter=delimiter).writerows(rows)
    document = load(table.getvalue())
    assert document.text == "Name: Apple; Price, net: 1\nName: Pear; Price, net: 2; Note: ripe"
    assert {block.kind for block in document.blocks} == {BlockKind.ROW}


def test_numbers_or_repeated_words_in_the_first_row_are_no_header() -> None:
    assert load("1,2\n3,4").text == "1; 2\n3; 4"
    assert load("a,a\nb,c").text == "a; a\nb; c"


def test_a_table_of_one_row_is_that_row() -> None:
    assert load("only,this").text == "only; this"


def test_lines_of_a_single_value_above_the_header_are_captions() -> None:
    document = load("Cups,,\nof ice hockey,,\n\nTeam,City,Won\nBlues,STL,1\n")
    assert document.text == "Cups\nof ice hockey\nTeam: Blues; City: STL; Won: 1"
    assert [block.kind for block in document.blocks] == [BlockKind.PARAGRAPH, BlockKind.PARAGRAPH, BlockKind.ROW]
    assert document.title == "Cups"


def test_a_table_of_one_column_has_no_captions() -> None:
    assert load("name\nAnn\nBob\n").text == "name: Ann\nname: Bob"


def test_surplus_cells_are_kept_under_their_columns_number() -> None:
    assert load("a,b\n1,2,3\n4\n5,6").text == "a: 1; b: 2; column 3: 3\na: 4\na: 5; b: 6"


def test_quoted_line_breaks_and_delimiters_stay_in_their_cell() -> None:
    assert load('a,b\n"x\ny, z","say ""hi"""\n').text == 'a: x y, z; b: say "hi"'


def test_commas_within_prose_do_not_beat_the_even_delimiter() -> None:
    assert load("id;text\n1;one, two, three\n2;four\n3;five, six").text.startswith("id: 1; text: one, two, three\n")


def test_repeating_long_headers_cannot_outgrow_the_limit() -> None:
    with pytest.raises(SourceTooLargeError):
        load("h" * 1000 + ",k\n" + "1,2\n" * 100, max_characters=10_000)
    with pytest.raises(SourceTooLargeError):
        load('a,b\n"' + "x" * 200, max_characters=100)


@given(st.text(st.sampled_from('ab1,;\t|"\n\r\x00 é'), max_size=60))
def test_rows_lie_in_order_and_make_up_the_text(source: str) -> None:
    try:
        document = load(source)
    except IngestionError:
        return
    assert document.text == "\n".join(document.text[block.start : block.end] for block in document.blocks)
    assert all(block.end > block.start for block in document.blocks)
