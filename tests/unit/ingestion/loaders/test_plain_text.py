import pytest

from rag_engine.errors import EmptySourceError, SourceTooLargeError
from rag_engine.ingestion.loaders.plain_text import PlainTextLoader
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits


def load(data: bytes, *, max_characters: int = 100) -> list[Document]:
    return list(PlainTextLoader().load(data, name="n.txt", limits=LoadLimits(max_characters)))


def test_text_is_its_own_canonical_text() -> None:
    assert load(b"\xef\xbb\xbfone\r\n\r\n two\x07") == [Document("n.txt", "one\n\n two ")]


def test_an_xml_declaration_says_the_encoding() -> None:
    source = '<?xml version="1.0" encoding="koi8-r"?>да'
    assert load(source.encode("koi8-r"))[0].text == source


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\x00\x00", b"\xef\xbb\xbf"])
def test_no_text_is_an_empty_source(data: bytes) -> None:
    with pytest.raises(EmptySourceError):
        load(data)


@pytest.mark.parametrize("data", [b"x" * 101, b"x" * 1000])
def test_text_over_the_limit_is_refused(data: bytes) -> None:
    with pytest.raises(SourceTooLargeError):
        load(data)
    assert len(load("é".encode() * 100)[0].text) == 100
