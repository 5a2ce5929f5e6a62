"""Outlook's messages: what they say, and what is attached to them."""

from __future__ import annotations

import io
import struct
from typing import Self

import olefile
import pytest

from rag_engine.errors import EmptySourceError, EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.outlook_message import OutlookMessageLoader
from rag_engine.ingestion.loaders.selection import select_loader
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import compound_file

FILETIME = 133_616_106_000_000_000  # 2024-05-31T06:30:00Z


def text(tag: str, value: str) -> tuple[str, bytes]:
    return f"__substg1.0_{tag}001F", value.encode("utf-16-le")


def fixed(header: int = 32, code_page: int = 1251) -> bytes:
    date, page = struct.pack("<LLQ", 0x00390040, 0, FILETIME), struct.pack("<LLQ", 0x3FFD0003, 0, code_page)
    return bytes(header) + date + page


MESSAGE = {
    "__properties_version1.0": fixed(),
    **dict(
        [
            *(text("001A", "IPM.Note"), text("0037", "Отчёт: May"), text("1000", "The text.\r\nMore.")),
            *(text("0C1A", "Zoë"), text("0C1F", "zoe@example.org"), text("0E04", "Ann; Bob")),
        ]
    ),
}


class Storages:
    """What olefile gives, storages within storages included, which ``compound_file`` cannot write."""

    def __init__(self, streams: dict[str, bytes]) -> None:
        self._streams = streams

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def listdir(self) -> list[list[str]]:
        return [name.split("/") for name in self._streams]

    def openstream(self, path: list[str]) -> io.BytesIO:
        return io.BytesIO(self._streams["/".join(path)])


def load(streams: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> list[Document | SourceFailure]:
    monkeypatch.setattr(olefile, "OleFileIO", lambda _: Storages(streams))
    return list(OutlookMessageLoader().load(b"", name="m.msg", limits=LoadLimits(10_000)))


def test_a_message_is_its_text_and_its_properties_the_metadata() -> None:
    data = compound_file(MESSAGE)
    loader = select_loader("m.msg", data)
    assert loader.name == "outlook_message"
    assert list(loader.load(data, name="m.msg", limits=LoadLimits(10_000))) == [
        Document(
            "m.msg",
            "The text.\nMore.",
            "Отчёт: May",
            {"author": "Zoë <zoe@example.org>", "to": "Ann; Bob", "created": "2024-05-31T06:30:00+00:00"},
        )
    ]


def test_attachments_and_messages_within_are_documents_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "__attach_version1.0_#00000000/", "__attach_version1.0_#00000001/"
    inner = second + "__substg1.0_3701000D/"
    records = load(
        {
            **MESSAGE,
            f"{first}__substg1.0_37010102": b"a,b\n1,2\n",
            **{first + name: value for name, value in (text("3707", "ä b.csv"), text("370E", "text/csv"))},
            f"{inner}__properties_version1.0": fixed(24),
            **{inner + name: value for name, value in (text("0037", "Forwarded"), text("1000", "Inner."))},
        },
        monkeypatch,
    )
    assert [(record.id, record.text) for record in records if isinstance(record, Document)] == [
        ("m.msg", "The text.\nMore."),
        ("m.msg/ä b.csv", "a: 1; b: 2"),
        ("m.msg/Forwarded.eml", "Inner."),
    ]


def test_html_is_read_where_there_is_no_other_text(monkeypatch: pytest.MonkeyPatch) -> None:
    html = '<meta charset="cp1251"><p>Привет, мир'.encode("cp1251")
    (document,) = load({"__substg1.0_10130102": html}, monkeypatch)
    assert isinstance(document, Document)
    assert document.text == "Привет, мир"


def test_strings_of_old_messages_are_in_their_code_page(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = {"__properties_version1.0": fixed(), "__substg1.0_1000001E": "Привет, мир".encode("cp1251")}
    (document,) = load(streams, monkeypatch)
    assert isinstance(document, Document)
    assert document.text == "Привет, мир"


@pytest.mark.parametrize(
    "streams",
    [
        dict([text("001A", "IPM.Note.SMIME"), text("1000", "x")]),
        {
            "__attach_version1.0_#0/__substg1.0_37010102": b"Version: 1",
            **{f"__attach_version1.0_#0/{name}": value for name, value in [text("370E", "application/pgp-encrypted")]},
        },
    ],
)
def test_encrypted_messages_are_refused(streams: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EncryptedSourceError):
        load(streams, monkeypatch)


def test_a_message_without_anything_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EmptySourceError):
        load({"__properties_version1.0": b""}, monkeypatch)


def test_damage_is_told() -> None:
    with pytest.raises(ParsingError, match="damaged Outlook message"):
        list(OutlookMessageLoader().load(b"\xd0\xcf\x11\xe0 nothing", name="m.msg", limits=LoadLimits(100)))


def test_messages_within_each_other_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "__attach_version1.0_#0/__substg1.0_3701000D/" * 20
    with pytest.raises(ParsingError, match="too deep"):
        load({f"{path}__properties_version1.0": b""}, monkeypatch)


def test_a_date_beyond_the_calendar_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = bytes(32) + struct.pack("<LLQ", 0x00390040, 0, (1 << 64) - 1)
    (document,) = load({**MESSAGE, "__properties_version1.0": properties}, monkeypatch)
    assert isinstance(document, Document)
    assert "created" not in document.metadata
