"""E-mail (RFC 5322 with MIME, RFC 2045 to 2049): the message is a document, each attachment one below it.

Parsed by the standard library's ``email``: it takes whatever mails are sent, and its licence and upkeep are Python's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rag_engine.errors import EmptySourceError, EncryptedSourceError, IngestionError
from rag_engine.ingestion.loaders.canonical_text import checked
from rag_engine.ingestion.loaders.containers import Allowance, Container, Member
from rag_engine.ingestion.loaders.encoding import canonical, declared_by_html, decode, unicode_encoding
from rag_engine.ingestion.loaders.hidden_text import hidden_spans
from rag_engine.ingestion.loaders.html import HtmlLoader
from rag_engine.ingestion.loaders.mail_header import decoded, mail_metadata, mail_title
from rag_engine.types.document import Block, Document, JsonValue, SourceFailure
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from email.message import Message

_SUFFIXES = {"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "message/rfc822": ".eml"} | {
    "message/delivery-status": ".txt"
}
_ENCRYPTED = ("multipart/encrypted", "application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_SEPARATOR = "\n\n"


class MailLoader(Container):
    """Reads a message: its plain text, or else its HTML, and what is attached to it."""

    name = "mail"

    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Document | SourceFailure | Member]:
        """See ``Container``; a message without a text of its own is its subject."""
        from rag_engine.ingestion.loaders.mail_message import parse_message

        encoding, mark = unicode_encoding(data)
        if encoding:
            data = data[mark:].decode(encoding, "replace").encode()
        message = parse_message(data)
        bodies, attached = _sorted_parts(message)
        try:
            yield _document(message, bodies, name, allowance.limits)
        except IngestionError as error:
            if not attached:
                raise
            yield SourceFailure(name, error.code, error.message, error.hint)
        for number, part in enumerate(attached, 1):
            content = _content(part)
            yield Member(_file_name(part, number), len(content), partial(bytes, content))


def _sorted_parts(message: Message) -> tuple[list[Message], list[Message]]:
    """The parts that a reader sees as the message, and those that are attached to it, each in order."""
    bodies: list[Message] = []
    attached: list[Message] = []
    pending = [message]
    while pending:
        part = pending.pop()
        kind = part.get_content_type()
        if kind in _ENCRYPTED:
            raise EncryptedSourceError("the message is encrypted", hint="decrypt it with the mail program first")
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            parts = [inner for inner in part.get_payload() if not isinstance(inner, str)]
            if kind == "multipart/alternative":
                parts = _best_alternative(parts)
            elif kind == "multipart/related":
                parts = parts[:1] + [inner for inner in parts[1:] if inner.get_content_disposition() == "attachment"]
            pending.extend(reversed(parts))
        elif kind in _SIGNATURES:
            continue
        elif kind in ("text/plain", "text/html") and not _is_attached(part):
            bodies.append(part)
        else:
            attached.append(part)
    return bodies, attached


def _best_alternative(parts: list[Message]) -> list[Message]:
    """Plain text where there is some, else the last, which the sender thought the best; and what is more than text."""
    more = [part for part in parts if part.get_content_maintype() not in ("text", "multipart") or _is_attached(part)]
    texts = [part for part in parts if part not in more]
    plain = [part for part in texts if part.get_content_type() == "text/plain" and _content(part).strip()]
    return (plain[:1] or texts[-1:]) + more


def _is_attached(part: Message) -> bool:
    from rag_engine.ingestion.loaders.mail_message import given_name

    return part.get_content_disposition() == "attachment" or given_name(part) is not None


def _document(message: Message, bodies: list[Message], name: str, limits: LoadLimits) -> Document:
    title = mail_title(message)
    shown = [document for part in bodies if (document := _shown(part, name, limits)) is not None]
    if not shown:
        if not title:
            raise EmptySourceError(f"{name} holds no text")
        shown = [Document(name, title)]
    start = 0
    blocks: list[Block] = []
    hidden: list[JsonValue] = []
    for document in shown:
        blocks += [replace(block, start=block.start + start, end=block.end + start) for block in document.blocks]
        hidden += [[begin + start, end + start] for begin, end in hidden_spans(document)]
        start += len(document.text) + len(_SEPARATOR)
    text = _SEPARATOR.join(document.text for document in shown)
    text = checked(text, name=name, max_characters=limits.max_characters)
    metadata = mail_metadata(message)
    if hidden:
        metadata["hidden_text"] = hidden
    return Document(name, text, title, metadata, tuple(blocks))


def _shown(part: Message, name: str, limits: LoadLimits) -> Document | None:
    """What a part says, or None where that is nothing."""
    from rag_engine.ingestion.loaders.mail_message import given_charset

    content = _content(part)
    text = canonical(decode(content, declared=given_charset(part) or declared_by_html(content))).strip("\n")
    if not text.strip():
        return None
    if part.get_content_type() == "text/plain":
        return Document(name, text)
    try:
        # With the mark, a charset that the page declares for other bytes is not believed.
        (document,) = HtmlLoader().load(b"\xef\xbb\xbf" + text.encode(), name=name, limits=limits)
    except EmptySourceError:
        return None
    return document


def _content(part: Message) -> bytes:
    if part.get_content_maintype() == "message" and part.is_multipart():  # a message, or a report of its delivery
        return b"".join(inner.as_bytes() for inner in part.get_payload() if not isinstance(inner, str))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _file_name(part: Message, number: int) -> str:
    from rag_engine.ingestion.loaders.mail_message import given_name

    name = decoded(given_name(part))
    kind = part.get_content_type()
    if not name and kind == "message/rfc822" and part.is_multipart():
        inner = part.get_payload(0)
        name = "" if isinstance(inner, str) else mail_title(inner).replace("/", "-")
        name = f"{name}.eml" if name else ""
    return name or f"part-{number}{_SUFFIXES.get(kind, '')}"
