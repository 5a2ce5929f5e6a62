from hypothesis import given
from hypothesis import strategies as st

from rag_engine.ingestion.loaders.hidden_text import mark_hidden, take_marks, without_hidden, without_marks
from rag_engine.types.document import Block, BlockKind, Page


@given(st.lists(st.tuples(st.sampled_from(["a", "bc", " ", "\n"]), st.booleans()), max_size=20))
def test_marks_leave_the_text_as_it_is_and_tell_where_they_were(parts: list[tuple[str, bool]]) -> None:
    marked = "".join(mark_hidden(text) if hidden else text for text, hidden in parts)
    text, _, _, spans = take_marks(marked, (), ())
    assert text == "".join(text for text, _ in parts)
    covered = "".join(text[start:end] for start, end in spans)  # type: ignore[misc,union-attr]
    assert covered == "".join(text for text, hidden in parts if hidden and text.strip())
    assert without_hidden(marked) == "".join(text for text, hidden in parts if not (hidden and text.strip()))


def test_blocks_and_pages_move_with_the_text() -> None:
    marked = f"{mark_hidden('one')} two\n\nthree {mark_hidden('four')}"
    cut = marked.index("\n")
    blocks = [Block(BlockKind.HEADING, 0, cut, 1, marked[:cut]), Block(BlockKind.PARAGRAPH, cut + 2, len(marked))]
    text, moved, pages, spans = take_marks(marked, blocks, [Page(1, 0, len(marked))])
    assert [text[block.start : block.end] for block in moved] == ["one two", "three four"]
    assert moved[0].title == "one two"
    assert pages == (Page(1, 0, len(text)),)
    assert [text[start:end] for start, end in spans] == ["one", "four"]  # type: ignore[misc,union-attr]


def test_a_files_own_marks_are_replaced() -> None:
    assert without_marks("a\ufdd0b\ufdd1") == "a\ufffdb\ufffd"
