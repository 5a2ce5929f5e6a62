import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import IngestionError, ParsingError
from rag_engine.ingestion.loaders.rtf import RtfLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits


def load(content: str, *, head: str = r"\ansi\ansicpg1252") -> Document:
    data = rf"{{\rtf1{head} {content}}}".encode("latin-1")
    (document,) = RtfLoader().load(data, name="n.rtf", limits=LoadLimits(10**6))
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_paragraphs_and_signs_are_read() -> None:
    document = load("One \\b bold\\b0  word\\par\r\nT\\'e9l\\'e9\\~\\{x\\}\\emdash\\line next\\tab end\\par ")
    assert document.text == "One bold word\n\nTélé {x}—\nnext end"


@pytest.mark.parametrize(
    ("head", "content", "text"),
    [
        (r"\ansi\ansicpg1251", r"\'cf\'f0\'e8\'e2\'e5\'f2", "Привет"),
        (r"\mac", r"\'8e", "é"),
        (r"\ansi{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset128 B;}}", r"\'e9{\f1 \'93\'fa\'96\'7b}\'e9", "é日本é"),
        (r"\ansi\ansicpg1252", r"\u233?\u-10179?\u-8704?", "é😀"),
        (r"\ansi\uc2", r"\u8364EU5", "€5"),
        (r"\ansi{\fonttbl{\f3\fcharset2 Symbol;}}", r"{\f3 \'b7}x", "•x"),
    ],
)
def test_characters_are_decoded_as_the_file_says(head: str, content: str, text: str) -> None:
    assert load(content, head=head).text == text


def test_headings_are_known_by_style_and_outline_level() -> None:
    head = r"\ansi{\stylesheet{\ql Normal;}{\s1\b heading 1;}{\s2 Own;}}"
    document = load(r"\pard\s1 First\par\pard\s2 text\par\pard\outlinelevel1 Second\par\pard end\par", head=head)
    assert [(block.kind, block.level) for block in document.blocks] == [
        (BlockKind.HEADING, 1),
        (BlockKind.PARAGRAPH, 0),
        (BlockKind.HEADING, 2),
        (BlockKind.PARAGRAPH, 0),
    ]
    assert document.title == "First"


def test_items_stand_behind_their_label() -> None:
    document = load(r"{\listtext 1.\tab}one\par{\listtext 2.\tab}\ilvl1 two\par\pard{\pntext\'b7\tab}three\par")
    assert slices(document) == [(BlockKind.LIST, "1. one\n  2. two\n- three")]


def test_tables_say_their_columns_names() -> None:
    row = r"\trowd\cellx1\cellx2\intbl %s\cell %s\cell\row "
    document = load(r"before\par " + row % ("Item", "Price") + row % (r"Apple\par red", "1") + r"\pard after\par")
    assert slices(document) == [
        (BlockKind.PARAGRAPH, "before"),
        (BlockKind.TABLE, "Item: Apple red; Price: 1"),
        (BlockKind.PARAGRAPH, "after"),
    ]


def test_what_is_no_text_of_the_document_is_left_out() -> None:
    assert load(
        r"{\header top}{\colortbl;\red0;}{\*\generator Some program;}{\pict\wmetafile8 0102ff}"
        r"{\field{\*\fldinst HYPERLINK x}{\fldrslt a link}} {\deleted gone}{\shp{\*\shpinst{\sp{\sn n}{\sv v}}"
        r"{\shptxt boxed\par}}{\shprslt boxed}}\bin4 {}}}here{\*\bkmkstart x}"
    ).text.split() == ["a", "link", "boxed", "here"]


def test_notes_follow_their_paragraph() -> None:
    assert load(r"Said{\super\chftn}{\footnote\pard{\super\chftn} By whom.} so.\par next\par").text == (
        "Said[1] so.\n\n[1] By whom.\n\nnext"
    )


def test_hidden_text_is_kept_and_its_spans_are_told() -> None:
    document = load(r"seen {\v unseen}\par")
    ((start, end),) = document.metadata["hidden_text"]  # type: ignore[misc,union-attr]
    assert document.text[start:end] == "unseen"  # type: ignore[misc]


def test_properties_are_those_of_the_information_group() -> None:
    document = load(
        r"{\info{\title The \u268?as}{\author A. Writer}{\creatim\yr2021\mo8\dy4\hr17\min1}{\revtim\yr0}}x",
    )
    assert document.title == "The Čas"
    assert document.metadata == {"author": "A. Writer", "created": "2021-08-04T17:01:00"}


def test_what_is_no_rich_text_is_refused() -> None:
    with pytest.raises(ParsingError):
        list(RtfLoader().load(b"plain", name="n", limits=LoadLimits(100)))


WORDS = [
    r"\par ",
    r"\pard",
    "{",
    "}",
    r"\'e9",
    r"\u233?",
    r"\u-10179",
    r"\cell",
    r"\row",
    r"\intbl",
    r"\trowd",
    "text ",
]
WORDS += [
    r"\v ",
    r"{\footnote ",
    r"{\*\x ",
    r"{\stylesheet{\s1 heading 1;}}",
    r"\s1 ",
    r"\bin9999999999 ",
    r"{\listtext -}",
]


@given(st.lists(st.sampled_from(WORDS), max_size=50).map("".join))
def test_whatever_comes_is_read_or_refused(content: str) -> None:
    try:
        document = load(content)
    except IngestionError:
        return
    assert document.text == "\n\n".join(text for _, text in slices(document))
