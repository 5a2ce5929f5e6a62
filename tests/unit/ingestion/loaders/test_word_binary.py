import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import EmptySourceError, IngestionError, ParsingError
from rag_engine.ingestion.loaders.docx import DocxLoader
from rag_engine.ingestion.loaders.word_binary import WordBinaryLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import compound_file

FORMATS = Path(__file__).parents[5] / "shared" / "formats"
TEXT_AT = 1024  # after the header and the page with the formatting of the paragraphs


def doc(
    pieces: Sequence[tuple[str, bool]],
    *,
    body: int | None = None,
    footnotes: Mapping[int, str] | None = None,
    paragraphs: Mapping[int, bytes] | None = None,
    flags: int = 0,
) -> bytes:
    """A Word 97 document of pieces, each in UTF-16 or not; ``paragraphs`` are modifiers by the place of their end."""
    texts = [text.encode("utf-16-le") if wide else text.encode("cp1252") for text, wide in pieces]
    notes = footnotes or {}
    sizes = [len(text.encode("utf-16-le")) // 2 for text, _ in pieces]
    length = sum(sizes)
    main = bytearray(TEXT_AT) + b"".join(texts)
    struct.pack_into("<HH6xH", main, 0, 0xA5EC, 0x00C1, flags)
    struct.pack_into("<LL", main, 76, length - sum(map(len, notes.values())) if body is None else body, 0)
    table = bytearray()

    def part(number: int, data: bytes) -> None:
        struct.pack_into("<LL", main, 154 + 8 * number, len(table), len(data))
        table.extend(data)

    ends, places, here, offset = [0], b"", 0, TEXT_AT
    for (_, wide), size, data in zip(pieces, sizes, texts, strict=True):
        here += size
        ends.append(here)
        places += struct.pack("<2xL2x", offset if wide else 0x40000000 | 2 * offset)
        offset += len(data)
    plc = struct.pack(f"<{len(ends)}L", *ends) + places
    part(33, b"\x02" + struct.pack("<L", len(plc)) + plc)
    if notes:
        part(2, struct.pack(f"<{len(notes) + 1}L", *notes, length) + bytes(2 * len(notes)))
        spans = [0]
        for note in notes.values():
            spans.append(spans[-1] + len(note))
        part(3, struct.pack(f"<{len(spans) + 1}L", *spans, spans[-1] + 1))
    if paragraphs:
        # One page of formatting, 512 bytes into the file: it says where runs begin, and behind that what they are.
        starts = [TEXT_AT + place for place in paragraphs]
        page = struct.pack(f"<{len(starts) + 1}L", *starts, 1 << 20)
        at = 510
        entries, filed = b"", bytearray(512)
        for modifiers in paragraphs.values():
            data = b"\0\0" + modifiers
            data += bytes((len(data) + 1) % 2)
            at -= 2 * ((len(data) + 2) // 2)
            filed[at : at + 1 + len(data)] = bytes(((len(data) + 1) // 2,)) + data
            entries += struct.pack("<B12x", at // 2)
        filed[: len(page) + len(entries)] = page + entries
        filed[511] = len(starts)
        main[512:1024] = filed
        part(13, struct.pack("<3L", TEXT_AT, 1 << 20, 1)[:8] + struct.pack("<L", 1))
    return compound_file({"0Table": bytes(table), "WordDocument": bytes(main)})


def read(data: bytes) -> Document:
    (document,) = WordBinaryLoader().load(data, name="n.doc", limits=LoadLimits(10**6))
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_pieces_in_either_encoding_are_joined() -> None:
    assert read(doc([("Caf\xe9 and ", False), ("чай 😀\rnext", True), ("\x0bline\r", False)])).text == (
        "Café and чай 😀\n\nnext\nline"
    )


def test_fields_show_their_result() -> None:
    assert read(doc([('See \x13 HYPERLINK "x" \x14the \x13 DATE \x14page\x15\x15.\r', False)])).text == "See the page."


def test_notes_follow_the_paragraph_that_refers_to_them() -> None:
    note = "\x02 By whom.\r"
    assert read(doc([(f"Said\x02 so.\rnext\r{note}", False)], footnotes={4: note})).text == (
        "Said[1] so.\n\n[1] By whom.\n\nnext"
    )


IN_TABLE = struct.pack("<HB", 0x2416, 1)
ROW_END = IN_TABLE + struct.pack("<HB", 0x2417, 1)


def test_formatting_makes_headings_items_and_tables() -> None:
    outline = struct.pack("<HB", 0x2640, 1)
    item = struct.pack("<HB", 0x260A, 1) + struct.pack("<HH", 0x460B, 1)
    text = "Head\rone\rItem\x07Price\x07\x07Apple\x071\x07\x07end\r"
    places = [0, 5, 9, 20, 21, 29, 30]
    kinds = [outline, item, IN_TABLE, ROW_END, IN_TABLE, ROW_END, b""]
    document = read(doc([(text, False)], paragraphs=dict(zip(places, kinds, strict=True))))
    assert slices(document) == [
        (BlockKind.HEADING, "Head"),
        (BlockKind.LIST, "  - one"),
        (BlockKind.TABLE, "Item: Apple; Price: 1"),
        (BlockKind.PARAGRAPH, "end"),
    ]
    assert document.blocks[0].level == 2


def test_what_is_empty_or_damaged_is_refused() -> None:
    with pytest.raises(EmptySourceError):
        read(doc([("\r", False)]))
    with pytest.raises(ParsingError):
        read(compound_file({"WordDocument": bytes(5000), "0Table": b""}))
    with pytest.raises(ParsingError):
        read(doc([("x\r", False)], flags=0x0200))  # says that its table is in the other stream


@given(st.integers(512, 512 * 30), st.binary(min_size=1, max_size=64))
def test_damage_anywhere_is_contained(place: int, damage: bytes) -> None:
    data = bytearray(doc([("One\rtwo\x07\x13x\x14y\x15\r", False)], paragraphs={0: IN_TABLE, 4: ROW_END}))
    place = min(place, len(data) - len(damage))
    data[place : place + len(damage)] = damage
    try:
        document = read(bytes(data))
    except IngestionError:
        return
    assert document.text == "\n\n".join(text for _, text in slices(document))


@pytest.mark.needs_shared
@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs the data folder ../shared")
def test_words_own_documents_give_what_their_newer_selves_do() -> None:
    limits = LoadLimits(10**6)
    for name in ("tika__testWORD_features", "tika__testWORD_numbered_list", "unstructured__simple"):
        old, new = (FORMATS / "office_ok" / f"{name}.{suffix}" for suffix in ("doc", "docx"))
        (first,) = WordBinaryLoader().load(old.read_bytes(), name="n", limits=limits)
        (second,) = DocxLoader().load(new.read_bytes(), name="n", limits=limits)
        # Text boxes come at the end of old documents, and where they are anchored in new ones.
        assert sorted(first.text.splitlines()) == sorted(second.text.splitlines())
        assert first.metadata.get("hidden_text") == second.metadata.get("hidden_text")
