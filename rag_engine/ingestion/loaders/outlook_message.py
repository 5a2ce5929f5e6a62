"""Outlook's messages ([MS-OXMSG]): rewritten as the mail that they were, and read as such.

Their compound file is opened by olefile (BSD), which reads from bytes and copes with damage.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag_engine.errors import EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.containers import Allowance, Container, Member
from rag_engine.ingestion.loaders.encoding import decode
from rag_engine.ingestion.loaders.mail import MailLoader
from rag_engine.types.document import Document, SourceFailure

if TYPE_CHECKING:
    from email.message import Message
    from email.mime.base import MIMEBase

    from olefile import OleFileIO

# Properties by their tags ([MS-OXPROPS]).
_CLASS, _SUBJECT, _BODY, _HTML = "001A", "0037", "1000", "1013"
_SENDER, _ADDRESS, _SMTP_ADDRESS, _TO, _CC = "0C1A", "0C1F", "5D01", "0E04", "0E03"
_DATA, _LONG_NAME, _SHORT_NAME, _TYPE = "3701", "3707", "3704", "370E"
_SENT, _DELIVERED, _CODE_PAGE = 0x00390040, 0x0E060040, 0x3FFD0003
_UNICODE, _STRING, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_ENTRY = struct.Struct("<LL8s")
_HEADERS = (32, 24)  # bytes before a message's fixed properties: its own, and those of one within another
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DEEPEST = 8
_DAMAGED = (OSError, ValueError, KeyError, IndexError, TypeError, struct.error, OverflowError)


class OutlookMessageLoader(Container):
    """Reads a message and what is attached to it, messages included."""

    name = "outlook_message"

    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Document | SourceFailure | Member]:
        """See ``Container``."""
        import olefile

        try:
            with olefile.OleFileIO(io.BytesIO(data)) as file:
                mail = _Message(file, ()).mail()
        except _DAMAGED as error:
            raise ParsingError(f"{name} is a damaged Outlook message") from error
        yield from MailLoader().members(mail.as_bytes(), name=name, allowance=allowance)


class _Message:
    """A message's properties, within the storage at ``path``."""

    def __init__(self, file: OleFileIO, path: tuple[str, ...]) -> None:
        self._file = file
        self._path = path
        self._streams = {tuple(entry) for entry in file.listdir()}
        self._storages = {entry[:length] for entry in self._streams for length in range(1, len(entry))}
        self._fixed = self._fixed_properties()

    def mail(self) -> Message:
        """The message in the form of the internet.

        Raises:
            EncryptedSourceError: its content is sealed (S/MIME).
        """
        from email.header import Header
        from email.mime.base import MIMEBase
        from email.mime.multipart import MIMEMultipart
        from email.mime.text import MIMEText

        kind = self._text(_CLASS).upper()
        if "SMIME" in kind and "MULTIPARTSIGNED" not in kind:
            raise EncryptedSourceError("the message is encrypted", hint="decrypt it with the mail program first")
        mail = MIMEMultipart()
        for header, value in self._headers():
            mail[header] = Header(" ".join(value.split()), "utf-8").encode()
        body, html = self._text(_BODY), self._bytes(_HTML, _BINARY)
        if body.strip():
            mail.attach(MIMEText(body, "plain", "utf-8"))
        elif html:
            mail.attach(_filled(MIMEBase("text", "html"), html))
        folders = {entry[len(self._path)] for entry in self._streams if self._holds(entry, "__attach_version1.0_")}
        for folder in sorted(folders):
            mail.attach(self._attachment(folder))
        return mail

    def _headers(self) -> Iterator[tuple[str, str]]:
        yield "Subject", self._text(_SUBJECT)
        name, address = self._text(_SENDER), self._text(_SMTP_ADDRESS) or self._text(_ADDRESS)
        yield "From", f"{name} <{address}>" if "@" in address and address != name else name
        yield "To", self._text(_TO)
        yield "Cc", self._text(_CC)
        yield "Date", self._date()

    def _attachment(self, folder: str) -> Message:
        """What is attached as it was, or the message that it is."""
        from email.mime.base import MIMEBase
        from email.mime.message import MIMEMessage

        embedded = f"__substg1.0_{_DATA}{_OBJECT}"
        inner = (*self._path, folder)
        if (*inner, embedded) in self._storages:
            if len(inner) > _DEEPEST:
                raise ParsingError("messages lie too deep in each other", hint="save them one by one")
            return MIMEMessage(_Message(self._file, (*inner, embedded)).mail())
        main, _, sub = (self._text(_TYPE, folder) or "application/octet-stream").partition("/")
        part = _filled(MIMEBase(main, sub or "octet-stream"), self._bytes(_DATA, _BINARY, folder))
        name = self._text(_LONG_NAME, folder) or self._text(_SHORT_NAME, folder)
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", " ".join(name.split())))
        return part

    def _holds(self, entry: tuple[str, ...], prefix: str) -> bool:
        depth = len(self._path)
        return entry[:depth] == self._path and len(entry) > depth and entry[depth].startswith(prefix)

    def _text(self, tag: str, *folder: str) -> str:
        written = self._bytes(tag, _UNICODE, *folder)
        if written:
            return written.decode("utf-16-le", "replace").rstrip("\0")
        written = self._bytes(tag, _STRING, *folder)
        page = int.from_bytes(self._fixed.get(_CODE_PAGE, b"")[:4], "little")
        return decode(written, declared=f"cp{page}").rstrip("\0") if written else ""

    def _bytes(self, tag: str, kind: str, *folder: str) -> bytes:
        path = (*self._path, *folder, f"__substg1.0_{tag}{kind}")
        return bytes(self._file.openstream(list(path)).read()) if path in self._streams else b""

    def _fixed_properties(self) -> dict[int, bytes]:
        path = (*self._path, "__properties_version1.0")
        if path not in self._streams:
            return {}
        data = self._file.openstream(list(path)).read()[_HEADERS[bool(self._path)] :]
        whole = len(data) // _ENTRY.size * _ENTRY.size
        return {tag: value for tag, _, value in _ENTRY.iter_unpack(data[:whole])}

    def _date(self) -> str:
        """When it was sent, else delivered, in the form of ISO 8601; empty where neither is known."""
        ticks = int.from_bytes(self._fixed.get(_SENT, b"") or self._fixed.get(_DELIVERED, b""), "little")
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat(timespec="seconds") if ticks else ""
        except OverflowError:  # a date beyond the calendar costs the date
            return ""


def _filled(part: MIMEBase, content: bytes) -> MIMEBase:
    from email.encoders import encode_base64

    part.set_payload(content)
    encode_base64(part)
    return part
