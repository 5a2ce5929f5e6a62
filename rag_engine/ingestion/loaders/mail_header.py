"""A message's header: title and metadata of its document, encoded words (RFC 2047) decoded."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rag_engine.errors import DecodingError
from rag_engine.ingestion.loaders.encoding import canonical, decode
from rag_engine.types.document import JsonValue

if TYPE_CHECKING:
    from email.header import Header
    from email.message import Message

_LONGEST = 1 << 16  # characters of a header that are decoded, which takes time that grows with their square
_FIELDS = {"From": "author", "To": "to", "Cc": "cc", "Keywords": "keywords", "Content-Language": "language"}


def mail_title(message: Message) -> str:
    """The subject on one line; empty without one."""
    return decoded(message.get("Subject"))


def mail_metadata(message: Message) -> dict[str, JsonValue]:
    """``author``, ``to``, ``cc``, ``keywords``, ``language`` and ``created`` as far as the header says them."""
    metadata: dict[str, JsonValue] = {}
    for theirs, ours in _FIELDS.items():
        value = decoded(message.get(theirs))
        if value:
            metadata[ours] = value
    created = _date(decoded(message.get("Date")))
    if created:
        metadata["created"] = created
    return metadata


def decoded(value: str | Header | None) -> str:
    """A header's words on one line, in whatever charset each of them is."""
    from email.errors import HeaderParseError
    from email.header import decode_header

    if value is None:
        return ""
    try:
        parts = decode_header(value) if len(str(value)) <= _LONGEST else [(str(value), None)]
    except (HeaderParseError, ValueError):  # encoded words that are none
        parts = [(str(value), None)]
    words = []
    for part, charset in parts:
        if isinstance(part, str):
            words.append(part)
            continue
        try:
            words.append(decode(part, declared=charset))
        except DecodingError:
            words.append(part.decode("utf-8", "replace"))  # a header is no reason to lose a message
    return " ".join(canonical("".join(words)).split())


def _date(value: str) -> str:
    """The date in the form of ISO 8601, with its offset where it has one; empty where it is none."""
    from email.utils import parsedate_to_datetime

    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return parse(value).isoformat()
        except (ValueError, TypeError, OverflowError):
            continue
    return ""
