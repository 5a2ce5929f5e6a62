"""Markdown (CommonMark 0.31 with GitHub's tables); the source itself is the canonical text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from rag_engine.ingestion.loaders.canonical_text import read_text
from rag_engine.types.document import Block, BlockKind, Document, JsonValue
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_KINDS = {
    "heading_open": BlockKind.HEADING,
    "paragraph_open": BlockKind.PARAGRAPH,
    "blockquote_open": BlockKind.PARAGRAPH,
    "html_block": BlockKind.PARAGRAPH,
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "table_open": BlockKind.TABLE,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
}
_FRONT_MATTER = re.compile(r"---[ \t]*\n((?:(?>[\w.-]+[ \t]*:.*|[ \t#-].*)?\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FIELD = re.compile(r"^([\w.-]+)[ \t]*:[ \t]+(\S.*)$", re.MULTILINE)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(\.\d{1,17})?")


class MarkdownLoader:
    """Reads Markdown with YAML front matter of simple ``key: value`` lines."""

    name = "markdown"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; its blocks are the top-level blocks, its title the front matter's or the first heading's."""
        text = read_text(data, name=name, max_characters=limits.max_characters)
        front = _FRONT_MATTER.match(text)
        metadata = {key: _value(value.rstrip()) for key, value in _FIELD.findall(front[1])} if front else {}
        blocks = tuple(markdown_blocks(text, front.end() if metadata and front else 0))
        yield Document(
            id=name,
            text=text,
            title=str(metadata.get("title") or heading_title(blocks)),
            metadata=metadata,
            blocks=blocks,
        )


def markdown_blocks(text: str, begin: int = 0) -> Iterator[Block]:
    """The top-level blocks of a source from the character ``begin`` on."""
    parser, inline = _parsers()
    tokens = parser.parse(text[begin:])
    line_starts = list(accumulate((len(line) + 1 for line in text[begin:].split("\n")), initial=begin))
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        kind = _KINDS.get(token.type)
        if token.level or kind is None or token.map is None:
            continue
        start, limit = line_starts[token.map[0]], min(line_starts[token.map[1]], len(text))
        end = start + len(text[start:limit].rstrip())
        if end <= start:
            continue
        if kind is BlockKind.HEADING and following is not None:
            yield Block(kind, start, end, int(token.tag[1:]), _plain(inline, following))
        else:
            yield Block(kind, start, end)


@cache
def _parsers() -> tuple[MarkdownIt, MarkdownIt]:
    """One for blocks, one for the inline markup of headings; made once, since that takes longer than a page."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"]), MarkdownIt("commonmark")


def _plain(parser: MarkdownIt, heading: Token) -> str:
    parts = []
    for token in parser.parseInline(heading.content)[0].children or ():
        if token.type in ("text", "code_inline", "image", "text_special"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return " ".join("".join(parts).split())


def heading_title(blocks: tuple[Block, ...]) -> str:
    """The first heading of level 1, else the first of all; empty without any."""
    headings = [block for block in blocks if block.kind is BlockKind.HEADING and block.title]
    return next((block.title for block in headings if block.level == 1), headings[0].title if headings else "")


def _value(source: str) -> JsonValue:
    if len(source) > 1 and source[0] == source[-1] and source[0] in "'\"":
        return source[1:-1]
    if source in ("true", "false"):
        return source == "true"
    number = _NUMBER.fullmatch(source)
    if number:
        return float(source) if number[1] else int(source)
    return source
