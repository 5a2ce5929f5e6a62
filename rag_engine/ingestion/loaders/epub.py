"""EPUB 2 and 3: a ZIP archive of XHTML pages, whose text is that of its chapters in reading order.

Read by the standard library's zipfile, lxml and lexbor, which are here for other formats: the libraries for e-books
(EbookLib is AGPL) give the pages, not their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rag_engine.errors import EmptySourceError, ParsingError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder
from rag_engine.ingestion.loaders.encoding import declared_by_html, decode
from rag_engine.ingestion.loaders.epub_package import EpubPackage
from rag_engine.ingestion.loaders.hidden_text import take_marks
from rag_engine.ingestion.loaders.html_content import ContentWriter
from rag_engine.ingestion.loaders.html_furniture import is_hidden
from rag_engine.ingestion.loaders.html_reading import parse_page, read_content
from rag_engine.ingestion.loaders.zip_members import ZipMembers
from rag_engine.types.document import BlockKind, Document, Truncation
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


class EpubLoader:
    """Reads an e-book; its tables of contents are left out, its notes are not."""

    name = "epub"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; chapters that the book names and does not hold are told as truncations.

        Raises:
            ParsingError: no archive, no e-book, or one without any chapter.
            EncryptedSourceError: digital rights management, or an encrypted archive without its password.
            EmptySourceError: no chapter shows text.
            SourceTooLargeError: too much text, or a bomb.
        """
        archive = ZipMembers(
            data,
            name=name,
            passwords=limits.passwords,
            max_members=limits.max_members,
            max_bytes=limits.max_unpacked_bytes,
        )
        package = EpubPackage(archive, name=name)
        builder = TextBuilder(name=name, max_characters=limits.max_characters, separator="\n\n")
        members = [member for chapter in package.chapters if (member := package.member(chapter))]
        if not members:
            raise ParsingError(f"{name} holds none of the chapters that it names")
        for member in members:
            _write_chapter(archive.read(member), f"{name}/{member}", builder)
        if not builder.blocks:
            raise EmptySourceError(f"{name} shows no text in any chapter")
        text, blocks, _, hidden = take_marks(builder.text(), builder.blocks, ())
        metadata = package.metadata
        if hidden:
            metadata["hidden_text"] = hidden
        lost = len(package.chapters) - len(members)
        yield Document(
            id=name,
            text=text,
            title=package.title or next((block.title for block in blocks if block.kind is BlockKind.HEADING), ""),
            metadata=metadata,
            blocks=blocks,
            truncations=(Truncation("chapters", len(members), len(package.chapters)),) if lost else (),
        )


def _write_chapter(data: bytes, name: str, builder: TextBuilder) -> None:
    page = parse_page(decode(data, declared=declared_by_html(data)), name=name)
    if page.body is not None:
        read_content(page.body, ContentWriter(builder), leaves_out=_is_no_text)


def _is_no_text(node: LexborNode, attributes: Mapping[str, str | None], _: bool) -> bool:
    return node.tag == "nav" or is_hidden(attributes)
