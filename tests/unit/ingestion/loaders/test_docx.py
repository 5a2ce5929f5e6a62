import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.docx import DocxLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import docx, element, zipped


def load(body: str, *, max_characters: int = 10**6, core: str = "", **parts: str) -> Document:
    return read(docx(body, core=core, **parts), max_characters=max_characters)


def read(data: bytes, *, max_characters: int = 10**6) -> Document:
    (document,) = DocxLoader().load(data, name="n.docx", limits=LoadLimits(max_characters))
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{text if text.startswith('<') else run(text)}</w:p>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def style(identifier: str, name: str, properties: str = "", based_on: str = "") -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{identifier}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="{based_on}"/>{properties}</w:style>'
    )


def styled(identifier: str) -> str:
    return f'<w:pStyle w:val="{identifier}"/>'


def test_paragraphs_headings_and_tables_keep_their_order() -> None:
    document = load(
        paragraph("Prices", '<w:outlineLvl w:val="0"/>')
        + paragraph("before")
        + table(cell("Item") + cell("Price"), cell("Apple") + cell("1 €"), cell("Pear") + cell(""))
        + paragraph("after")
    )
    assert slices(document) == [
        (BlockKind.HEADING, "Prices"),
        (BlockKind.PARAGRAPH, "before"),
        (BlockKind.TABLE, "Item: Apple; Price: 1 €\nItem: Pear"),
        (BlockKind.PARAGRAPH, "after"),
    ]
    assert document.title == "Prices"


@pytest.mark.parametrize("name", ["heading 2", "Überschrift 2", "Titre 2", "标题 2", "заголовок 2"])
def test_a_style_named_as_a_heading_makes_one_in_any_language(name: str) -> None:
    styles = style("s", name) + style("mine", "My own", based_on="s")
    for identifier in ("s", "mine"):
        (block,) = load(paragraph("Words", styled(identifier)), styles=styles).blocks
        assert (block.kind, block.level, block.title) == (BlockKind.HEADING, 2, "Words")


def test_an_outline_level_of_body_text_makes_no_heading_of_a_heading_style() -> None:
    styles = style("h", "heading 1")
    document = load(paragraph("Words", styled("h") + '<w:outlineLvl w:val="9"/>'), styles=styles)
    assert slices(document) == [(BlockKind.PARAGRAPH, "Words")]


def test_styles_that_are_based_on_each_other_do_no_harm() -> None:
    styles = style("a", "one", based_on="b") + style("b", "two", based_on="a")
    assert load(paragraph("Words", styled("a")), styles=styles).text == "Words"


def test_the_title_is_the_core_propertys_else_the_title_styles() -> None:
    body = paragraph("First", '<w:outlineLvl w:val="0"/>') + paragraph("Named", styled("t"))
    styles = style("t", "Title")
    assert load(body, styles=styles).title == "Named"
    assert load(body, styles=styles, core="<dc:title> Of the\n file </dc:title>").title == "Of the file"


def test_metadata_are_the_core_properties() -> None:
    core = (
        "<dc:creator>A. Writer</dc:creator><dcterms:created>2024-05-31T08:00:00.123Z</dcterms:created>"
        "<dcterms:modified>yesterday</dcterms:modified><dc:language>de-DE</dc:language><cp:keywords>a, b</cp:keywords>"
        "<dc:subject/>"
    )
    assert load(paragraph("x"), core=core).metadata == {
        "author": "A. Writer",
        "created": "2024-05-31T08:00:00Z",
        "language": "de-DE",
        "keywords": "a, b",
    }


def level(number: int, number_format: str, text: str, start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="{start}"/><w:numFmt w:val="{number_format}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def listed(number: str, depth: int = 0) -> str:
    return f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>'


NUMBERING = (
    '<w:abstractNum w:abstractNumId="7">'
    + level(0, "decimal", "%1.", start=3)
    + level(1, "lowerLetter", "%1.%2)")
    + '</w:abstractNum><w:abstractNum w:abstractNumId="8">'
    + level(0, "bullet", "")
    + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    + '<w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
)


def test_items_stand_behind_the_numbers_that_word_shows() -> None:
    body = "".join(
        paragraph(text, listed(number, depth))
        for text, number, depth in [("a", "1", 0), ("b", "1", 1), ("c", "1", 1), ("d", "1", 0), ("e", "1", 1)]
    )
    document = load(body + paragraph("between") + paragraph("f", listed("1")), numbering=NUMBERING)
    assert slices(document) == [
        (BlockKind.LIST, "3. a\n  3.a) b\n  3.b) c\n4. d\n  4.a) e"),
        (BlockKind.PARAGRAPH, "between"),
        (BlockKind.LIST, "5. f"),
    ]


def test_bullets_become_dashes_and_numbered_headings_keep_their_number() -> None:
    body = paragraph("point", listed("2")) + paragraph("Scope", listed("1") + '<w:outlineLvl w:val="0"/>')
    assert slices(load(body, numbering=NUMBERING)) == [(BlockKind.LIST, "- point"), (BlockKind.HEADING, "3. Scope")]


def test_a_list_that_refers_to_a_style_is_numbered_as_that_says() -> None:
    numbering = (
        f'<w:abstractNum w:abstractNumId="1"><w:styleLink w:val="S"/>{level(0, "upperRoman", "%1:")}</w:abstractNum>'
        '<w:abstractNum w:abstractNumId="2"><w:numStyleLink w:val="S"/></w:abstractNum>'
        '<w:num w:numId="9"><w:abstractNumId w:val="2"/></w:num>'
    )
    assert load(paragraph("a", listed("9")) + paragraph("b", listed("9")), numbering=numbering).text == "I: a\nII: b"


def test_inserted_text_is_kept_and_deleted_text_dropped() -> None:
    body = paragraph(
        run("It is ")
        + f"<w:ins>{run('new')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        + f"<w:moveTo>{run(' here')}</w:moveTo><w:moveFrom>{run(' gone')}</w:moveFrom>"
    )
    assert load(body).text == "It is new here"


def test_hidden_text_is_kept_and_its_spans_are_told() -> None:
    body = paragraph(run("Seen ") + run("un", "<w:vanish/>") + run("seen", "<w:vanish/>") + run(" again"))
    document = load(body + paragraph(run("shown", '<w:vanish w:val="0"/>')))
    (span,) = document.metadata["hidden_text"]  # type: ignore[misc,union-attr]
    assert document.text[slice(*span)] == "unseen"  # type: ignore[misc]
    assert slices(document) == [(BlockKind.PARAGRAPH, "Seen unseen again"), (BlockKind.PARAGRAPH, "shown")]


def test_text_cannot_pretend_to_be_hidden() -> None:
    document = load(paragraph("a \ufdd0 b \ufdd1 c"))
    assert "hidden_text" not in document.metadata
    assert document.text == "a \ufffd b \ufffd c"


def test_notes_follow_the_block_that_refers_to_them() -> None:
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    document = load(
        paragraph(run("Said") + reference) + paragraph("next"),
        footnotes='<w:footnote w:id="0" w:type="separator"><w:p/></w:footnote><w:footnote w:id="2">'
        + paragraph("By whom.")
        + "</w:footnote>",
    )
    assert document.text == "Said[1]\n\n[1] By whom.\n\nnext"


def test_a_note_that_refers_to_itself_is_read_once() -> None:
    reference = '<w:p><w:r><w:t>again</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    document = load(reference, footnotes=f'<w:footnote w:id="2">{reference}</w:footnote>')
    assert document.text == "again[1]\n\n[1] again"


def test_text_boxes_are_read_once_though_they_are_written_twice() -> None:
    box = f"<v:textbox><w:txbxContent>{paragraph('boxed')}</w:txbxContent></v:textbox>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    assert load(paragraph(run("around") + f"<w:r>{both}</w:r>")).text == "around\n\nboxed"


def test_fields_and_links_show_their_result() -> None:
    field = '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGEREF x</w:instrText></w:r>' + run("7")
    link = f'<w:hyperlink r:id="x">{run("the page")}</w:hyperlink>'
    assert load(paragraph(run("See ") + link + run(", page ") + field)).text == "See the page, page 7"


def test_cells_merged_downwards_say_their_value_in_each_row() -> None:
    document = load(
        table(
            cell("Region") + cell("City"),
            cell("North", '<w:vMerge w:val="restart"/>') + cell("Kiel"),
            cell("", "<w:vMerge/>") + cell("Bremen"),
        )
    )
    assert document.text == "Region: North; City: Kiel\nRegion: North; City: Bremen"


def test_rows_declared_as_headers_name_the_columns_together() -> None:
    declared = "<w:trPr><w:tblHeader/></w:trPr>"
    document = load(
        table(
            declared + cell("2024", '<w:gridSpan w:val="2"/>') + cell("Note"),
            declared + cell("Jan") + cell("Feb") + cell(""),
            cell("1") + cell("2") + cell("x"),
        )
    )
    assert document.text == "2024 Jan: 1; 2024 Feb: 2; Note: x"


def test_a_table_that_only_places_text_is_no_table() -> None:
    inner = table(cell("a") + cell("b"))
    document = load(table(f"<w:tc>{paragraph('left')}</w:tc><w:tc>{inner}</w:tc>") + table(cell("alone")))
    assert slices(document) == [
        (BlockKind.PARAGRAPH, "left"),
        (BlockKind.TABLE, "a; b"),
        (BlockKind.PARAGRAPH, "alone"),
    ]


def test_formulas_are_written_on_one_line() -> None:
    def math(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    fraction = f"<m:f><m:num>{math('a+b')}</m:num><m:den>{math('c')}</m:den></m:f>"
    power = f"<m:sSup><m:e>{math('x')}</m:e><m:sup>{math('2')}</m:sup></m:sSup>"
    assert load(paragraph(f"<m:oMath>{fraction}{math('=')}{power}</m:oMath>")).text == "(a+b)/c=x^2"


def test_strict_documents_are_read_as_well() -> None:
    body = (
        '<document xmlns="http://purl.oclc.org/ooxml/wordprocessingml/main"><body><p><r><t>words</t></r></p></body>'
        "</document>"
    )
    assert read(zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": body})).text == "words"


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_what_declares_entities_is_refused(declaration: str) -> None:
    document = declaration + element(
        "w:document", f"<w:body>{paragraph('&a;' if 'ENTITY' in declaration else 'x')}</w:body>"
    )
    with pytest.raises(ParsingError, match="declares a document type"):
        read(zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document}))


def test_what_is_no_document_is_refused_by_what_is_wrong() -> None:
    with pytest.raises(ParsingError, match="the part that holds its text is missing"):
        read(zipped({"[Content_Types].xml": "<Types/>", "word/x.xml": "<x/>"}))
    with pytest.raises(ParsingError, match="no well-formed XML"):
        read(zipped({"word/document.xml": "<w:document>"}))
    with pytest.raises(EmptySourceError):
        load(paragraph(" "))


def test_a_bomb_and_a_document_that_is_too_long_are_refused() -> None:
    with pytest.raises(SourceTooLargeError, match="bomb"):
        read(zipped({"word/document.xml": " " * (20 << 20)}))
    with pytest.raises(SourceTooLargeError):
        load(paragraph("x" * 101), max_characters=100)


def test_parts_that_lie_elsewhere_are_never_followed() -> None:
    outside = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r" Type="x/styles" Target="http://127.0.0.1:9/s.xml" TargetMode="External"/>'
        '<Relationship Id="s" Type="x/numbering" Target="../../../../etc/passwd"/></Relationships>'
    )
    data = zipped(
        {
            "word/document.xml": element("w:document", f"<w:body>{paragraph('x')}</w:body>"),
            "word/_rels/document.xml.rels": outside,
        }
    )
    assert read(data).text == "x"


PIECES = [
    *("<w:p>", "</w:p>", "<w:tbl>", "</w:tbl>", "<w:tr>", "</w:tr>", "<w:tc>", "</w:tc>", "<w:r>", "</w:r>"),
    *("<w:t>word </w:t>", "<w:br/>", "<w:tab/>", "<w:txbxContent>", "</w:txbxContent>", "<w:sdt>", "</w:sdt>"),
    *("<w:del>", "</w:del>", "<w:rPr><w:vanish/></w:rPr>", '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>'),
]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_blocks_lie_in_order_and_make_up_the_text(pieces: list[str]) -> None:
    opened: list[str] = []
    body = ""
    for piece in pieces:
        name = piece.strip("</>").split(" ")[0].split("/")[0].split(">")[0]
        if piece.startswith("</"):
            if not opened or opened[-1] != name:
                continue
            opened.pop()
        elif piece == f"<{name}>":
            opened.append(name)
        body += piece
    body += "".join(f"</{name}>" for name in reversed(opened))
    document = load(body + paragraph("end"))
    assert document.text == "\n\n".join(text for _, text in slices(document))
    assert all(text == text.strip() for _, text in slices(document))
    for start, end in document.metadata.get("hidden_text", ()):  # type: ignore[misc,union-attr]
        assert "word" in document.text[start:end]  # type: ignore[misc]


def test_a_cell_that_spans_many_rows_is_not_copied_beyond_the_limit() -> None:
    merged = "<w:tr><w:tc/><w:tc><w:tcPr><w:vMerge/></w:tcPr></w:tc></w:tr>" * 5_000
    cells = "".join(f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in ("a", "b" * 50_000))
    data = docx(f"<w:tbl><w:tr>{cells}</w:tr>{merged}</w:tbl>")
    tracemalloc.start()
    with pytest.raises(SourceTooLargeError):
        list(DocxLoader().load(data, name="n.docx", limits=LoadLimits(1_000_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000
