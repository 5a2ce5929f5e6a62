import pytest

from rag_engine.errors import EmptySourceError, ParsingError
from rag_engine.ingestion import select_loader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits


def load(body: str, *, more: str = "") -> Document:
    data = (
        '<?xml version="1.0"?><?mso-application progid="Word.Document"?>'
        '<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml" '
        'xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:wx="http://schemas.microsoft.com/office/word/2003/auxHint">'
        f"{more}<w:body><wx:sect>{body}</wx:sect></w:body></w:wordDocument>"
    ).encode()
    loader = select_loader("n.doc", data)
    assert loader.name == "word_xml"
    (document,) = loader.load(data, name="n.doc", limits=LoadLimits(10**6))
    assert isinstance(document, Document)
    return document


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_headings_tables_and_properties_are_read() -> None:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("a", "b"))
    values = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("1", "2"))
    document = load(
        paragraph("Head", '<w:pStyle w:val="h"/>')
        + f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{values}</w:tr></w:tbl>"
        + f"<w:sectPr><w:hdr>{paragraph('page header')}</w:hdr></w:sectPr>",
        more="<o:DocumentProperties><o:Author>A. Writer</o:Author><o:Created>2024-05-31T08:00:00Z</o:Created>"
        '</o:DocumentProperties><w:styles><w:style w:type="paragraph" w:styleId="h"><w:name w:val="heading 3"/>'
        "</w:style></w:styles>",
    )
    assert [(block.kind, document.text[block.start : block.end]) for block in document.blocks] == [
        (BlockKind.HEADING, "Head"),
        (BlockKind.TABLE, "a: 1; b: 2"),
    ]
    assert document.title == "Head"
    assert document.metadata == {"author": "A. Writer", "created": "2024-05-31T08:00:00Z"}


def test_what_is_empty_or_damaged_is_refused() -> None:
    with pytest.raises(EmptySourceError):
        load(paragraph(" "))
    with pytest.raises(ParsingError):
        load("<w:p>")
