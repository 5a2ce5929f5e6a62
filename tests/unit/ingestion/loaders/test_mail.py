"""E-mail: the message and what is attached to it."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage

import pytest

from rag_engine.errors import EmptySourceError, EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.selection import select_loader
from rag_engine.types.document import BlockKind, Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits


def load(data: bytes, name: str = "m.eml", **limits: int) -> list[Document | SourceFailure]:
    return list(select_loader(name, data).load(data, name=name, limits=LoadLimits(10_000, **limits)))


def message(text: str = "The text.") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Résumé of the year"
    mail["From"] = "Zoë Grün <zoe@example.org>"
    mail["To"] = "a@example.org, B <b@example.org>"
    mail["Date"] = "Fri, 16 Dec 2022 17:04:16 -0500"
    mail.set_content(text)
    return mail


def first(records: list[Document | SourceFailure]) -> Document:
    assert isinstance(records[0], Document)
    return records[0]


def test_a_message_is_its_text_and_its_header_the_metadata() -> None:
    (document,) = load(message().as_bytes())
    assert document == Document(
        "m.eml",
        "The text.",
        "Résumé of the year",
        {
            "author": "Zoë Grün <zoe@example.org>",
            "to": "a@example.org, B <b@example.org>",
            "created": "2022-12-16T17:04:16-05:00",
        },
    )


def test_plain_text_is_preferred_to_html() -> None:
    mail = message()
    mail.add_alternative("<p>The <b>page</b>.</p>", subtype="html")
    assert first(load(mail.as_bytes())).text == "The text."


def test_html_is_read_where_there_is_no_other_text() -> None:
    mail = message(" ")
    mail.add_alternative("<h1>News</h1><p>The <b>page</b>.</p>", subtype="html")
    document = first(load(mail.as_bytes()))
    assert document.text == "News\n\nThe page."
    assert [block.kind for block in document.blocks] == [BlockKind.HEADING, BlockKind.PARAGRAPH]
    assert document.title == "Résumé of the year"


def test_texts_that_follow_each_other_are_one_with_their_blocks_in_place() -> None:
    mail = EmailMessage()
    mail.make_mixed()
    for part in ("<h1>One</h1><p>x", "<p>Two"):
        html = EmailMessage()
        html.set_content(part, subtype="html")
        mail.attach(html)
    document = first(load(mail.as_bytes()))
    assert [document.text[block.start : block.end] for block in document.blocks] == ["One", "x", "Two"]


def test_attachments_are_documents_of_their_own_and_a_bad_one_costs_only_itself() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("deep.md", "# Deep")
    mail = message()
    mail.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="tables/ä.csv")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(9), maintype="image", subtype="png", filename="p.png")
    mail.add_attachment(archive.getvalue(), maintype="application", subtype="zip", filename="a.zip")
    mail.add_attachment(message("Forwarded."))
    records = load(mail.as_bytes())
    assert [(record.id, record.text) for record in records if isinstance(record, Document)] == [
        ("m.eml", "The text."),
        ("m.eml/tables/ä.csv", "a: 1; b: 2"),
        ("m.eml/a.zip/deep.md", "# Deep"),
        ("m.eml/Résumé of the year.eml", "Forwarded."),
    ]
    assert [record.source for record in records if isinstance(record, SourceFailure)] == ["m.eml/p.png"]


def test_images_of_a_page_and_signatures_are_no_attachments() -> None:
    mail = message(" ")
    mail.add_alternative("<p>The page.<img src='cid:i'>", subtype="html")
    mail.get_payload()[1].add_related(b"GIF89a", "image", "gif", cid="<i>")  # type: ignore[union-attr]
    mail.make_mixed()
    mail.add_attachment(b"x", maintype="application", subtype="pgp-signature", filename="s.asc")
    assert [document.text for document in load(mail.as_bytes()) if isinstance(document, Document)] == ["The page."]
    assert len(load(mail.as_bytes())) == 1


def test_a_message_without_text_is_its_subject() -> None:
    assert first(load(b"Subject: Only this\n\n")).text == "Only this"


def test_a_message_without_anything_is_empty() -> None:
    with pytest.raises(EmptySourceError):
        load(b"From: a@example.org\n\n \n")


def test_an_encrypted_message_is_refused() -> None:
    with pytest.raises(EncryptedSourceError):
        load(b'Subject: x\nContent-Type: application/pkcs7-mime; name="smime.p7m"\n\nabc')


@pytest.mark.parametrize("charset", ["iso-8859-1", "koi8-r", "utf-8", "iso-2022-jp"])
def test_the_charset_of_a_part_is_believed(charset: str) -> None:
    text = {"koi8-r": "привет", "iso-2022-jp": "日本語"}.get(charset, "Grüße")
    mail = EmailMessage()
    mail.set_content(text, charset=charset)
    assert first(load(mail.as_bytes())).text == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_read(encoding: str) -> None:
    assert first(load(message().as_string().encode(encoding))).text == "The text."


@pytest.mark.parametrize(
    ("header", "title"),
    [
        (b"Subject: =?utf-8?b?R3LDvMOfZQ==?= =?iso-8859-1?q?_=FCber?= all", "Grüße über all"),
        (b"Subject: Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"Subject: =?utf-8?b?broken", "=?utf-8?b?broken"),
        (b"Subject: =?no-such-charset?q?a=20b?=", "a b"),
        (b"Subject: folded\n over lines", "folded over lines"),
    ],
)
def test_titles_are_decoded_whatever_they_are_written_in(header: bytes, title: str) -> None:
    assert first(load(header + b"\n\ntext")).title == title


@pytest.mark.parametrize(
    ("date", "created"),
    [
        ("2025-07-29T12:42:06Z", "2025-07-29T12:42:06+00:00"),
        ("Tue, 29 Jul 2025 12:42:06 +0200 (CEST)", "2025-07-29T12:42:06+02:00"),
        ("yesterday", None),
        ("Tue, 99 Jul 99999 12:42:06", None),
    ],
)
def test_dates_are_given_in_iso_form_or_not_at_all(date: str, created: str | None) -> None:
    assert first(load(f"Date: {date}\n\ntext".encode())).metadata.get("created") == created


def test_a_mailbox_is_its_mails() -> None:
    mail = message("A line.\n\n>From hell it came.\n")
    mail.add_attachment("note", filename="n.txt")
    data = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: One\n\nFirst.\n\nFrom c@d Tue\n" + mail.as_bytes()
    assert [(record.id, record.text) for record in load(data, "in.mbox") if isinstance(record, Document)] == [
        ("in.mbox/1.eml", "First."),
        ("in.mbox/2.eml", "A line.\n\nFrom hell it came."),
        ("in.mbox/2.eml/n.txt", "note\n"),
    ]


def test_what_is_no_mailbox_is_refused() -> None:
    with pytest.raises(ParsingError, match="no mailbox"):
        load(b"Dear reader", "in.mbox")


def test_white_letters_in_a_message_of_html_are_told_as_hidden() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Offer"
    mail.set_content('<p>Dear all</p><p style="color:#fff;background:#fff">Praise us.</p>', subtype="html")
    document = first(load(mail.as_bytes()))
    ((start, end),) = document.metadata["hidden_text"]
    assert document.text[start:end] == "Praise us."


def test_a_report_that_a_message_was_not_delivered_is_read() -> None:
    source = (
        b"Subject: bounced\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n"
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nStatus: 5.1.1\n\n--b--\n"
    )
    _, report = load(source)
    assert isinstance(report, Document)
    assert report.id == "m.eml/part-1.txt"
    assert "Status: 5.1.1" in report.text


def test_a_name_of_a_character_set_that_is_none_costs_no_message() -> None:
    source = b"Content-Disposition: attachment; filename*=a\x00b''x%ff\n\nThe text."
    assert any(isinstance(record, Document) for record in load(b"Subject: s\n" + source))
