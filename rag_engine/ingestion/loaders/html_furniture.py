"""What of a page is not its content: landmarks of navigation, hidden elements, boards of links.

The walk goes by HTML's own elements, and by one measure, the share of an element's characters that are links; it
guesses nothing from class names. On the 17 articles beside Mozilla's Readability (``python -m benchmarks.formats``)
its token F1 is .985 and it leaves out nothing of any article; readability-lxml has .978, resiliparse .960 and
trafilatura .922, and each of them gives a text without the structure that chunks and citations need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

# Never text of the page, whatever else is read.
NEVER_SHOWN = frozenset(
    ("head", "script", "style", "noscript", "template", "svg", "math", "canvas", "iframe", "object", "audio", "video")
) | frozenset(("button", "input", "select", "option", "textarea", "datalist"))
_FURNITURE = frozenset({"nav", "footer", "aside"})
_ROLES = frozenset(  # landmarks and widgets of WAI-ARIA 1.2 that hold no content
    ("navigation", "banner", "contentinfo", "complementary", "search", "menu", "menubar", "toolbar", "dialog")
)
_SECTIONS = frozenset({"article", "main", "section"})
_CONTENT = frozenset({"article", "main"})  # whose author chose the links in it
_ARTICLE_SHARE = 1 / 3
_HIDING = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_BOARDS = frozenset({"ul", "ol", "dl", "menu", "div", "section", "table", "p", "form"})
_LEAST_LINKS = 4
_LINKED_SHARE = 0.6
_INDEX_SHARE = 0.5


def content_root(page: LexborHTMLParser) -> LexborNode | None:
    """The element that holds the content: the only ``main``, the only ``article`` where that is no teaser, the body."""
    mains = page.css("main, [role=main]")
    if len(mains) == 1 and _length(mains[0]):
        return mains[0]
    root = page.body or page.root
    articles = page.css("article")
    if root is not None and len(articles) == 1 and _length(articles[0]) > _ARTICLE_SHARE * _length(root):
        return articles[0]
    return root


def is_hidden(attributes: Mapping[str, str | None]) -> bool:
    """Whether an element says by itself that browsers are not to show it."""
    return "hidden" in attributes or bool(_HIDING.search(attributes.get("style") or ""))


def is_furniture(node: LexborNode, attributes: Mapping[str, str | None], *, in_section: bool) -> bool:
    """Whether an element is navigation, margin or header; a header within a section, or with a title, is content."""
    tag = node.tag
    if tag in _FURNITURE or is_hidden(attributes) or attributes.get("role") in _ROLES:
        return True
    return tag == "header" and not in_section and node.css_first("h1") is None


def opens_section(tag: str) -> bool:
    """Whether headers below an element of this tag belong to the content."""
    return tag in _SECTIONS


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Elements and texts directly below ``node``."""
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


@dataclass(slots=True)
class _Extent:
    """An element that has begun: its characters, those of them in links and on boards, and how many links it has."""

    node: LexborNode
    in_link: bool = False
    in_section: bool = False
    in_content: bool = False
    characters: int = 0
    linked: int = 0
    links: int = 0
    on_boards: int = 0

    def add(self, inner: _Extent) -> None:
        """Adds what lies in an element directly below."""
        self.characters += inner.characters
        self.linked += inner.linked
        self.links += inner.links
        self.on_boards += inner.on_boards

    def is_board(self) -> bool:
        """Whether it is links and little else, and no author's choice of them."""
        return (
            not self.in_content
            and self.node.tag in _BOARDS
            and self.links >= _LEAST_LINKS
            and self.linked >= _LINKED_SHARE * self.characters
        )


def link_boards(root: LexborNode) -> frozenset[int]:
    """``mem_id`` of the elements below ``root`` that are boards of links: menus, tags, other articles.

    None where they are more than half of what there is: the page is an index, and its links are its content.
    """
    if root.tag in _CONTENT or len(root.css("a[href]")) < _LEAST_LINKS:
        return frozenset()
    boards: set[int] = set()
    whole = _Extent(root, in_section=opens_section(root.tag or ""))
    begun = [whole]
    # An explicit stack: pages nest deeper than the interpreter's. None marks where an element ends.
    pending: list[LexborNode | None] = list(reversed(list(children(root))))
    while pending:
        node = pending.pop()
        above = begun[-1]
        if node is None:
            ended = begun.pop()
            if ended.is_board():
                boards.add(ended.node.mem_id)
                ended.on_boards = ended.characters
            begun[-1].add(ended)
        elif node.is_text_node:
            length = len((node.text_content or "").strip())
            above.characters += length
            above.linked += length if above.in_link else 0
        elif node.is_element_node and node.tag not in NEVER_SHOWN:
            attributes = node.attributes
            if is_furniture(node, attributes, in_section=above.in_section):
                continue
            tag = node.tag or ""
            is_link = tag == "a" and "href" in attributes
            in_section, in_content = above.in_section or tag in _SECTIONS, above.in_content or tag in _CONTENT
            begun.append(_Extent(node, above.in_link or is_link, in_section, in_content, links=int(is_link)))
            pending.append(None)
            pending.extend(reversed(list(children(node))))
    return frozenset(boards) if whole.on_boards <= _INDEX_SHARE * whole.characters else frozenset()


def _length(node: LexborNode) -> int:
    return len("".join(node.text(deep=True).split()))
