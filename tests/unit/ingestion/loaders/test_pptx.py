import pytest

from rag_engine.errors import EmptySourceError, ParsingError
from rag_engine.ingestion.loaders.pptx import PptxLoader
from rag_engine.types.document import BlockKind, Document, Page, Truncation
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import element, pptx, relations, shape


def load(*slides: str, **more: str) -> Document:
    (document,) = PptxLoader().load(pptx(*slides, **more), name="n.pptx", limits=LoadLimits(10**6))
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def table(*rows: tuple[str, ...], first_row: str = "0") -> str:
    cells = "".join(
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{c}</a:t></a:r></a:p></a:txBody></a:tc>" for c in row)
        + "</a:tr>"
        for row in rows
    )
    return frame(f'<a:tbl><a:tblPr firstRow="{first_row}"/>{cells}</a:tbl>')


def frame(content: str) -> str:
    return f"<p:graphicFrame><a:graphic><a:graphicData>{content}</a:graphicData></a:graphic></p:graphicFrame>"


def test_slides_are_pages_headed_by_their_titles() -> None:
    document = load(
        shape("body", "first", "second") + shape("ctrTitle", "Ducks") + shape("sldNum", "1"),
        shape(None, "A box", "of two lines"),
        "",
    )
    assert slices(document) == [
        (BlockKind.HEADING, "Ducks"),
        (BlockKind.LIST, "- first\n- second"),
        (BlockKind.HEADING, "Slide 2"),
        (BlockKind.PARAGRAPH, "A box\nof two lines"),
    ]
    assert document.title == "Ducks"
    assert [document.text[page.start : page.end] for page in document.pages] == [
        "Ducks\n\n- first\n- second",
        "Slide 2\n\nA box\nof two lines",
        "",
    ]
    assert document.pages[2] == Page(3, len(document.text), len(document.text))


def test_bullets_and_numbers_are_those_that_paragraphs_say() -> None:
    numbered = '<a:p><a:pPr lvl="1"><a:buAutoNum type="alphaLcParenR"/></a:pPr><a:r><a:t>%s</a:t></a:r></a:p>'
    plain = "<a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>no bullet</a:t></a:r></a:p>"
    document = load(shape("title", "T") + shape("", numbered % "one", numbered % "two", plain))
    assert slices(document)[1:] == [(BlockKind.LIST, "  a) one\n  b) two"), (BlockKind.PARAGRAPH, "no bullet")]


def test_tables_say_their_columns_names() -> None:
    rows = (("2023", "2024"), ("1", "2"))
    assert load(table(*rows, first_row="1")).text == "Slide 1\n\n2023: 1; 2024: 2"
    assert load(table(*rows)).text == "Slide 1\n\n2023; 2024\n1; 2"


def test_groups_are_read_in_their_place() -> None:
    document = load(shape(None, "a") + f"<p:grpSp><p:grpSp>{shape(None, 'b')}</p:grpSp></p:grpSp>" + shape(None, "c"))
    assert document.text == "Slide 1\n\na\n\nb\n\nc"


def test_notes_are_said_to_be_notes() -> None:
    notes = element(
        "p:notes", f"<p:cSld><p:spTree>{shape('body', 'Smile.', 'Wait.')}{shape('sldNum', '1')}</p:spTree></p:cSld>"
    )
    document = load(
        shape("title", "T"),
        **{"ppt/slides/_rels/slide1": relations({"n": ("notesSlide", "../notes.xml")}), "ppt/notes": notes},
    )
    assert document.text == "T\n\nNotes: Smile.\nWait."


def test_charts_become_the_table_that_they_draw() -> None:
    def points(name: str, *values: str) -> str:
        cached = "".join(f'<c:pt idx="{index}"><c:v>{value}</c:v></c:pt>' for index, value in enumerate(values))
        return f"<c:{name}><c:strRef><c:strCache>{cached}</c:strCache></c:strRef></c:{name}>"

    series = "<c:ser>" + points("tx", "Sales") + points("cat", "North", "South") + points("val", "5", "7") + "</c:ser>"
    document = load(
        shape("title", "T") + frame('<c:chart r:id="c"/>'),
        **{
            "ppt/slides/_rels/slide1": relations({"c": ("chart", "../charts/chart1.xml")}),
            "ppt/charts/chart1": element("c:chartSpace", series),
        },
    )
    assert document.text == "T\n\ncategory: North; Sales: 5\ncategory: South; Sales: 7"


def test_hidden_slides_are_kept_and_their_spans_are_told() -> None:
    document = load(shape("title", "Seen"), "HIDDEN " + shape("title", "Unseen") + shape(None, "secret"))
    spans = document.metadata["hidden_text"]
    assert [document.text[start:end] for start, end in spans] == ["Unseen", "secret"]  # type: ignore[misc,union-attr]
    assert document.blocks[1].title == "Unseen"


def test_a_damaged_slide_costs_only_itself() -> None:
    document = load(shape("title", "T"), "<broken>")
    assert document.text == "T"
    assert document.metadata["unreadable_pages"] == [2]
    assert document.truncations == (Truncation("slides", 1, 2),)
    with pytest.raises(ParsingError, match="no slide"):
        load("<broken>")


def test_a_presentation_of_pictures_is_empty() -> None:
    with pytest.raises(EmptySourceError):
        load("<p:pic/>" + shape("sldNum", "1"), shape("title", " "))
