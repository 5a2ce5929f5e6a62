import pytest

from rag_engine.errors import EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.opendocument import OpenDocumentLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import opendocument, zipped


def read(data: bytes) -> Document:
    (document,) = OpenDocumentLoader().load(data, name="n.odt", limits=LoadLimits(10**6))
    return document


def load(body: str, *, styles: str = "", meta: str = "", **more: str) -> Document:
    return read(opendocument("text", body, styles=styles, meta=meta, **more))


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_headings_paragraphs_and_white_space_are_read_as_they_are_shown() -> None:
    document = load(
        '<text:h text:outline-level="2">Main <text:span>words</text:span></text:h>'
        '<text:p>a\n b<text:s text:c="1"/>c<text:tab/>d<text:line-break/>e</text:p>'
        "<text:section><text:p>in a section</text:p></text:section>"
    )
    assert slices(document) == [
        (BlockKind.HEADING, "Main words"),
        (BlockKind.PARAGRAPH, "a b c d\ne"),
        (BlockKind.PARAGRAPH, "in a section"),
    ]
    assert (document.blocks[0].level, document.title) == (2, "Main words")


def test_the_title_style_makes_a_heading_and_the_title() -> None:
    styles = '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>'
    document = load('<text:h>First</text:h><text:p text:style-name="P1">Named</text:p>', styles=styles)
    assert document.title == "Named"
    assert slices(document)[1] == (BlockKind.HEADING, "Named")


def test_lists_count_as_their_style_says() -> None:
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" '
        'style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")" '
        'text:display-levels="2"/></text:list-style>'
    )
    items = "<text:list-item><text:p>%s</text:p>%s</text:list-item>"
    inner = f"<text:list>{items % ('b', '')}{items % ('c', '<text:p>more</text:p>')}</text:list>"
    body = f'<text:list text:style-name="L">{items % ("a", inner)}{items % ("d", "")}</text:list>'
    assert load(body, styles=styles).text == "1. a\n  1.a) b\n  1.b) c\n    more\n2. d"
    more = f'<text:list text:style-name="L" text:continue-numbering="true">{items % ("e", "")}</text:list>'
    assert load(f"{body}<text:p>x</text:p>{more}", styles=styles).text.endswith("2. d\n\nx\n\n3. e")
    assert load(body).text == "- a\n  - b\n  - c\n    more\n- d"


def table(*rows: str, header: str = "") -> str:
    marked = f"<table:table-header-rows>{header}</table:table-header-rows>" if header else ""
    return f"<table:table>{marked}{''.join(rows)}</table:table>"


def table_row(*cells: str) -> str:
    made = (c if c.startswith("<") else f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in cells)
    return f"<table:table-row>{''.join(made)}</table:table-row>"


def test_tables_say_their_columns_names() -> None:
    assert load(table(table_row("a", "b"), table_row("1", "2"))).text == "a: 1; b: 2"
    assert load(table(table_row("x", "2"), header=table_row("1", "1"))).text == "1: x; 1: 2"


def test_cells_over_several_rows_say_their_value_in_each() -> None:
    tall = '<table:table-cell table:number-rows-spanned="2"><text:p>north</text:p></table:table-cell>'
    document = load(
        table(table_row("Region", "City"), table_row(tall, "Kiel"), table_row("<table:covered-table-cell/>", "Bremen"))
    )
    assert document.text == "Region: north; City: Kiel\nRegion: north; City: Bremen"


def test_a_cell_repeated_a_million_times_does_no_harm() -> None:
    many = '<table:table-cell table:number-columns-repeated="1000000"><text:p>x</text:p></table:table-cell>'
    assert len(load(table(table_row("a", many), table_row("b", "c"))).text) < 100_000


def test_notes_and_frames_follow_their_block_and_comments_are_left_out() -> None:
    body = "<text:note-body><text:p>Why.</text:p></text:note-body>"
    note = f"<text:note><text:note-citation>9</text:note-citation>{body}</text:note>"
    box = "<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame>"
    comment = "<office:annotation><text:p>no</text:p></office:annotation>"
    assert load(f"<text:p>Said{note}{box}{comment}.</text:p><text:p>next</text:p>").text == (
        "Said[1].\n\n[1] Why.\n\nboxed\n\nnext"
    )


def test_deleted_text_is_dropped() -> None:
    deleted = "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
    assert load(f"{deleted}<text:p>here</text:p>").text == "here"


def test_hidden_text_is_kept_and_its_spans_are_told() -> None:
    styles = (
        '<style:style style:name="T1" style:family="text"><style:text-properties text:display="none"/></style:style>'
    )
    document = load('<text:p>seen <text:span text:style-name="T1">unseen</text:span></text:p>', styles=styles)
    ((start, end),) = document.metadata["hidden_text"]  # type: ignore[misc,union-attr]
    assert document.text[start:end] == "unseen"  # type: ignore[misc]


def test_formulas_are_as_they_were_typed() -> None:
    math = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>E</mi>'
        '<annotation encoding="StarMath 5.0">E = m</annotation></semantics></math>'
    )
    body = '<text:p>So <draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>'
    assert load(body, **{"Object 1/content.xml": math}).text == "So E = m"


def test_metadata_are_those_of_the_file() -> None:
    meta = (
        "<dc:creator>B</dc:creator><meta:initial-creator>A</meta:initial-creator><meta:keyword>x</meta:keyword>"
        "<meta:keyword>y</meta:keyword><meta:creation-date>2015-03-01T17:26:12.5</meta:creation-date>"
        "<dc:language>de-DE</dc:language><dc:title>T</dc:title>"
    )
    document = load("<text:p>x</text:p>", meta=meta)
    assert document.title == "T"
    assert document.metadata == {
        "author": "A",
        "keywords": "x, y",
        "created": "2015-03-01T17:26:12",
        "language": "de-DE",
    }


def test_slides_are_pages_with_their_titles_and_notes() -> None:
    def shape(kind: str, text: str) -> str:
        box = f"<draw:text-box><text:p>{text}</text:p></draw:text-box>"
        return f'<draw:frame presentation:class="{kind}">{box}</draw:frame>'

    notes = f"<presentation:notes>{shape('notes', 'Smile.')}</presentation:notes>"
    pages = f"<draw:page>{shape('outline', 'point')}{shape('title', 'Ducks')}{notes}</draw:page>"
    document = read(
        opendocument("presentation", pages + f"<draw:page><draw:g>{shape('', 'free')}</draw:g></draw:page>")
    )
    assert slices(document) == [
        (BlockKind.HEADING, "Ducks"),
        (BlockKind.PARAGRAPH, "point"),
        (BlockKind.PARAGRAPH, "Notes: Smile."),
        (BlockKind.HEADING, "Slide 2"),
        (BlockKind.PARAGRAPH, "free"),
    ]
    assert [page.number for page in document.pages] == [1, 2]
    assert document.title == "Ducks"


def test_encrypted_files_are_said_to_be_so() -> None:
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry>'
        "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    )
    with pytest.raises(EncryptedSourceError):
        load("<text:p>x</text:p>", **{"META-INF/manifest.xml": manifest})


def test_what_is_damaged_is_refused() -> None:
    with pytest.raises(ParsingError, match="no content"):
        read(zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}))
    with pytest.raises(ParsingError, match="document type"):
        load("<text:p>x</text:p>", **{"content.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'})
    with pytest.raises(ParsingError, match="no running text"):
        read(opendocument("database", "<text:p>x</text:p>"))


def test_comments_and_doubled_notes_stay_out_of_cells() -> None:
    note = (
        '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        "<text:note-body><text:p>A note.</text:p></text:note-body></text:note>"
    )
    comment = "<office:annotation><text:p>Psst.</text:p></office:annotation>"
    frame = "<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame>"
    document = load(table(table_row("name", "city"), table_row(f"North{note}{comment}", f"Bonn {frame}")))
    assert document.text == "name: North[1]; city: Bonn boxed\n\n[1] A note."
