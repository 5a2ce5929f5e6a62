"""HTML, parsed as browsers parse it (lexbor); the canonical text is the page's content without its furniture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag_engine.errors import EmptySourceError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder, read_text
from rag_engine.ingestion.loaders.encoding import canonical, declared_by_html
from rag_engine.ingestion.loaders.html_content import ContentWriter
from rag_engine.types.document import BlockKind, Document, JsonValue

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_NEVER_SHOWN = frozenset(
    ("head", "script", "style", "noscript", "template", "svg", "math", "canvas", "iframe", "object", "audio", "video")
) | frozenset(("button", "input", "select", "option", "textarea", "datalist"))
_FURNITURE = frozenset({"nav", "footer", "aside"})
_SECTIONS = frozenset({"article", "main", "section"})


class HtmlLoader:
    """Reads the content of a page: headings, paragraphs, lists, tables and preformatted text."""

    name = "html"
    version = 1

    def load(self, data: bytes, *, name: str, max_characters: int) -> Iterator[Document]:
        """One document; a page that is nothing but navigation and margins is read whole."""
        from selectolax.lexbor import LexborHTMLParser

        # Markup takes room that the text does not, so the limit here only keeps memory bounded.
        source = read_text(data, name=name, max_characters=len(data) + 1, declared=declared_by_html(data))
        page = LexborHTMLParser(source)
        builder = _content(page, name, max_characters, furniture=False)
        if not builder.blocks:
            builder = _content(page, name, max_characters, furniture=True)
        if not builder.blocks:
            raise EmptySourceError(f"{name} shows no text")
        yield Document(
            id=name,
            text=builder.text(),
            title=_title(page, builder),
            metadata=_metadata(page),
            blocks=tuple(builder.blocks),
        )


def _content(page: LexborHTMLParser, name: str, max_characters: int, *, furniture: bool) -> TextBuilder:
    builder = TextBuilder(name=name, max_characters=max_characters, separator="\n\n")
    root = page.body or page.root
    if not furniture:
        mains = page.css("main")
        if len(mains) == 1 and mains[0].text(deep=True).strip():
            root = mains[0]
    if root is None:
        return builder
    writer = ContentWriter(builder)
    # An explicit stack: pages nest deeper than the interpreter's.
    pending: list[tuple[LexborNode, bool, bool]] = [(root, False, False)]
    while pending:
        node, leaving, in_section = pending.pop()
        if leaving:
            writer.leave(node.tag or "")
        elif node.is_text_node:
            writer.write(node.text_content or "")
        elif node.is_element_node:
            tag = node.tag or ""
            if tag in _NEVER_SHOWN or (not furniture and _is_furniture(node, tag, in_section)):
                continue
            writer.enter(tag, node)
            pending.append((node, True, in_section))
            in_section = in_section or tag in _SECTIONS
            children = list(_children(node))
            pending.extend((child, False, in_section) for child in reversed(children))
    writer.finish()
    return builder


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _is_furniture(node: LexborNode, tag: str, in_section: bool) -> bool:
    if tag in _FURNITURE or "hidden" in node.attributes:
        return True
    return tag == "header" and not in_section and node.css_first("h1") is None


def _title(page: LexborHTMLParser, builder: TextBuilder) -> str:
    for selector in ("head > title", "h1"):
        node = page.css_first(selector)
        title = " ".join(canonical(node.text(deep=True)).split()) if node is not None else ""
        if title:
            return title
    return next((block.title for block in builder.blocks if block.kind is BlockKind.HEADING), "")


def _metadata(page: LexborHTMLParser) -> dict[str, JsonValue]:
    metadata: dict[str, JsonValue] = {}
    for meta in page.css("head > meta"):
        key = (meta.attributes.get("name") or "").lower()
        value = _collapsed(meta.attributes.get("content"))
        if key in ("description", "author") and value:
            metadata.setdefault(key, value)
    root = page.css_first("html")
    language = _collapsed(root.attributes.get("lang")) if root is not None else ""
    if language:
        metadata["language"] = language
    return metadata


def _collapsed(value: str | None) -> str:
    return re.sub(r"\s+", " ", canonical(value or "")).strip()
