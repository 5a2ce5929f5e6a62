"""HTML and XHTML, parsed as browsers parse it (lexbor); the canonical text is the page's content without its furniture.

lexbor through selectolax (Apache, MIT) follows the HTML standard to the letter, whatever the page, and parses a
mebibyte in some ten milliseconds. The walk over its tree is our own: text extractors give one text for a page, but no
blocks and no positions. ``html_furniture`` says what is left out and how that compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rag_engine.errors import EmptySourceError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder, read_text
from rag_engine.ingestion.loaders.encoding import declared_by_html
from rag_engine.ingestion.loaders.hidden_text import take_marks
from rag_engine.ingestion.loaders.html_content import ContentWriter
from rag_engine.ingestion.loaders.html_furniture import content_root, is_furniture, link_boards
from rag_engine.ingestion.loaders.html_metadata import collapsed, page_metadata
from rag_engine.ingestion.loaders.html_reading import parse_page, read_content
from rag_engine.types.document import Block, BlockKind, Document
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode


class HtmlLoader:
    """Reads the content of a page: headings, paragraphs, lists, tables and preformatted text."""

    name = "html"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; a page that is nothing but navigation and margins is read whole, an empty one is its title.

        Text that styles disguise is read, and its spans are in the metadata as ``hidden_text``.

        Raises:
            DecodingError: the encoding is not certain.
            EmptySourceError: the page shows no text.
            SourceTooLargeError: it shows more than a document may hold.
        """
        # Markup takes room that the text does not, so the limit here only keeps memory bounded.
        source = read_text(data, name=name, max_characters=len(data) + 1, declared=declared_by_html(data))
        page = parse_page(source, name=name)
        builder = _content(page, name, limits.max_characters)
        if not builder.blocks:
            builder = _everything(page, name, limits.max_characters)
        if not builder.blocks and (title := _title(page, ())):
            builder.add(BlockKind.PARAGRAPH, title)
        if not builder.blocks:
            raise EmptySourceError(f"{name} shows no text")
        text, blocks, _, hidden = take_marks(builder.text(), builder.blocks, ())
        metadata = page_metadata(page)
        if hidden:
            metadata["hidden_text"] = hidden
        yield Document(id=name, text=text, title=_title(page, blocks), metadata=metadata, blocks=blocks)


def _content(page: LexborHTMLParser, name: str, max_characters: int) -> TextBuilder:
    builder = TextBuilder(name=name, max_characters=max_characters, separator="\n\n")
    root = content_root(page)
    if root is not None:
        boards = link_boards(root)

        def leaves_out(node: LexborNode, attributes: Mapping[str, str | None], in_section: bool) -> bool:
            return node.mem_id in boards or is_furniture(node, attributes, in_section=in_section)

        read_content(root, ContentWriter(builder), leaves_out=leaves_out)
    return builder


def _everything(page: LexborHTMLParser, name: str, max_characters: int) -> TextBuilder:
    builder = TextBuilder(name=name, max_characters=max_characters, separator="\n\n")
    root = page.body or page.root
    if root is not None:
        read_content(root, ContentWriter(builder), leaves_out=lambda *_: False)
    return builder


def _title(page: LexborHTMLParser, blocks: tuple[Block, ...]) -> str:
    for selector in ("head > title", "h1"):
        node = page.css_first(selector)
        title = collapsed(node.text(deep=True)) if node is not None else ""
        if title:
            return title
    return next((block.title for block in blocks if block.kind is BlockKind.HEADING), "")
