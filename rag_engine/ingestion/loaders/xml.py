"""XML 1.0 of any vocabulary: what its elements say, in order; records become lines ``name: value; name: value``.

Parsed by lxml (libxml2; BSD and MIT), which is fast and can be kept from all outside: no document type is loaded,
no address opened, and entities are replaced only by what the file itself declares, to libxml2's own limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from rag_engine.errors import EmptySourceError, ParsingError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder, read_text
from rag_engine.ingestion.loaders.encoding import canonical, declared_by_xml
from rag_engine.ingestion.loaders.hidden_text import take_marks, with_marks
from rag_engine.ingestion.loaders.html import HtmlLoader
from rag_engine.ingestion.loaders.office_text import clean
from rag_engine.ingestion.loaders.plain_text import PlainTextLoader
from rag_engine.ingestion.loaders.xml_parser import make_xml_parser
from rag_engine.types.document import BlockKind, Document, JsonValue
from rag_engine.types.ingestion import LoadLimits

Element: TypeAlias = Any  # lxml has no type hints

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
_HEADINGS = frozenset({"title", "head", "heading", "subtitle"})
_VERBATIM = frozenset({"code", "programlisting", "screen", "pre", "listing", "codeblock", "literallayout"})
_LONGEST_FIELD = 200  # characters; what is longer is prose
_LEAST_NAMES = 2
_MOST_REPEATED = 3
_SENTENCE_ENDS = (".", "!", "?", "…", "。")
_SHORTEST_SENTENCE = 3  # words
_MARKUP = re.compile(r"</(?:p|div|a|br|b|i|em|strong|span|li|ul|img|td|h[1-6])>|<(?:p|br)\s*/?>", re.IGNORECASE)
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class XmlLoader:
    """Reads XML; what is not well-formed is read as the text that it is."""

    name = "xml"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; its title is that of its first title element, ``root_element`` in its metadata its vocabulary.

        A file that is no XML becomes plain text with the metadata ``parsed_as``: ``plain_text``.
        """
        text = read_text(data, name=name, max_characters=len(data) + 1, declared=declared_by_xml(data))
        try:
            root = _parse(text, name)
        except ParsingError:
            for document in PlainTextLoader().load(data, name=name, limits=limits):
                yield replace(document, metadata={"parsed_as": "plain_text"})
            return
        writer = _Writer(TextBuilder(name=name, max_characters=limits.max_characters, separator="\n\n"), limits)
        writer.write(root)
        if not writer.builder.blocks:
            raise EmptySourceError(f"{name} holds no text")
        metadata: dict[str, JsonValue] = {"root_element": _tag(root)}
        if root.get(_LANGUAGE):
            metadata["language"] = canonical(root.get(_LANGUAGE))
        text, blocks, _, hidden = take_marks(writer.builder.text(), writer.builder.blocks, ())
        if hidden:
            metadata["hidden_text"] = hidden
        yield Document(id=name, text=text, title=_title(root), metadata=metadata, blocks=blocks)


def _parse(text: str, name: str) -> Element:
    from lxml import etree

    parser = make_xml_parser(resolve_entities="internal", encoding="utf-8")
    try:
        return etree.fromstring(_DECLARATION.sub("", text, count=1).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ParsingError(f"{name} is no XML: {error}") from error


class _Writer:
    """Writes elements as blocks: titles as headings, records as rows, what mixes text and elements as paragraphs."""

    def __init__(self, builder: TextBuilder, limits: LoadLimits) -> None:
        self.builder = builder
        self._limits = limits

    def write(self, root: Element) -> None:
        """Everything below ``root``, in order."""
        pending: list[tuple[list[Element], int]] = [([root], 1)]  # libxml2 allows 256 levels; Python's stack, fewer
        while pending:
            elements, level = pending.pop()
            (element, *others) = elements
            if others or _is_record(element):
                row = _row(elements if others else element)
                if row:
                    self.builder.add(BlockKind.ROW, row)
            elif len(element) == 0 or _is_mixed(element):
                self._write_text(element, level)
            else:
                inner = level + any(_tag(child) in _HEADINGS for child in element)
                pending.extend((run, inner) for run in reversed(list(_runs(element))))

    def _write_text(self, element: Element, level: int) -> None:
        tag = _tag(element)
        text = clean("".join(element.itertext()))
        if tag in _VERBATIM and "\n" in text.strip():
            self.builder.add(BlockKind.CODE, text.strip("\n").rstrip())
        elif tag in _HEADINGS:
            title = " ".join(text.split())
            if title:
                self.builder.add(BlockKind.HEADING, title, level=max(level - 1, 1), title=title)
        else:
            text = _without_markup(text, self._limits) if len(element) == 0 and _MARKUP.search(text) else text
            if text.strip():
                self.builder.add(BlockKind.PARAGRAPH, " ".join(text.split()))


def _is_record(element: Element) -> bool:
    """Whether all children are fields, as in data: two names or more, and none of them again and again."""
    names = {_tag(child) for child in element}
    return (
        len(names) >= _LEAST_NAMES
        and len(element) <= _MOST_REPEATED * len(names)
        and not _is_mixed(element)
        and all(map(_is_field, element))
    )


def _runs(element: Element) -> Iterator[list[Element]]:
    """Children one by one, but fields that follow each other, such as an entry's dates, together."""
    run: dict[str, Element] = {}
    for child in element:
        name = _tag(child)
        if _is_field(child) and name not in _HEADINGS and name not in run:
            if (child.text or "").strip():
                run[name] = child
            continue
        if run:
            yield list(run.values())
            run = {}
        yield [child]
    if run:
        yield list(run.values())


def _is_field(element: Element) -> bool:
    """Whether an element is a short value rather than prose."""
    value = (element.text or "").strip()
    is_prose = len(value) > _LONGEST_FIELD or (
        value.endswith(_SENTENCE_ENDS) and len(value.split()) > _SHORTEST_SENTENCE
    )
    return len(element) == 0 and not is_prose and not _MARKUP.search(value)


def _row(elements: Iterable[Element]) -> str:
    values = ((_tag(element), " ".join(clean(element.text or "").split())) for element in elements)
    return "; ".join(f"{tag}: {value}" for tag, value in values if value)


def _is_mixed(element: Element) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _without_markup(text: str, limits: LoadLimits) -> str:
    """The words of HTML that stands as text in an element, as feeds have it; hidden ones between marks."""
    try:
        (document,) = HtmlLoader().load(b"\xef\xbb\xbf" + text.encode(), name="", limits=limits)
    except EmptySourceError:
        return ""
    return with_marks(document)


def _tag(element: Element) -> str:
    """An element's name without its namespace; an entity that nothing declares has none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _title(root: Element) -> str:
    for element in root.iter():
        if _tag(element) == "title":
            title = " ".join(canonical("".join(element.itertext())).split())
            if title:
                return title
    return ""
