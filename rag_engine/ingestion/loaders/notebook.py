"""Jupyter notebooks (nbformat 3 and 4): their cells in order, with what the code printed; images are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag_engine.errors import EmptySourceError, ParsingError
from rag_engine.ingestion.loaders.canonical_text import checked, too_large
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.html import HtmlLoader
from rag_engine.ingestion.loaders.json_values import decode_json, parse_json
from rag_engine.ingestion.loaders.markdown import heading_title, markdown_blocks
from rag_engine.types.document import Block, BlockKind, Document, JsonValue, Truncation
from rag_engine.types.ingestion import LoadLimits

_SEPARATOR = "\n\n"
_DEEPEST_HEADING = 6
_LONGEST_OUTPUT = 10_000  # characters of one output: enough for a table, too little for a training log
_UTF8_MARK = b"\xef\xbb\xbf"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # ECMA-48's, which tracebacks are coloured with


class NotebookLoader:
    """Reads notebooks: Markdown with its structure, code and its text output as code."""

    name = "notebook"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; its title is the first heading's, ``programming_language`` in its metadata the kernel's."""
        value = parse_json(decode_json(data, source=name), source=name)
        cells = _cells(value)
        if cells is None:
            raise ParsingError(f"{name} is no notebook: it has no list of cells")
        writer = _Writer(name, limits.max_characters)
        for cell in cells:
            writer.write(cell)
        if not writer.blocks:
            raise EmptySourceError(f"{name} holds no text")
        yield Document(
            id=name,
            text=checked(_SEPARATOR.join(writer.parts), name=name, max_characters=limits.max_characters),
            title=heading_title(tuple(writer.blocks)),
            metadata=_metadata(value),
            blocks=tuple(writer.blocks),
            truncations=tuple(writer.truncations),
        )


class _Writer:
    """Writes cells one below the other and notes what each of their parts is."""

    def __init__(self, name: str, max_characters: int) -> None:
        self.parts: list[str] = []
        self.blocks: list[Block] = []
        self.truncations: list[Truncation] = []
        self._name = name
        self._max_characters = max_characters
        self._length = 0
        self._cell = 0

    def write(self, cell: Any) -> None:
        """A cell of whatever type; what is none is passed over."""
        self._cell += 1
        if not isinstance(cell, dict):
            return
        kind, source = cell.get("cell_type"), _text(cell.get("source", cell.get("input")))
        if kind == "heading":  # of nbformat 3
            level = cell.get("level")
            level = level if isinstance(level, int) and 1 <= level <= _DEEPEST_HEADING else 1
            kind, source = "markdown", "#" * level + " " + source
        if kind == "code":
            self._add(source, (Block(BlockKind.CODE, 0, len(source)),))
            for output in _list(cell.get("outputs")):
                self._write_output(output)
        elif kind == "markdown":
            self._add(source, tuple(markdown_blocks(source)))
        else:
            self._add(source, (Block(BlockKind.PARAGRAPH, 0, len(source)),))

    def _write_output(self, output: Any) -> None:
        text = self._output_text(output)
        shown = text[:_LONGEST_OUTPUT]
        if len(shown) < len(text):
            line_end = shown.rfind("\n", _LONGEST_OUTPUT // 2)  # nearer the beginning it would cost too much
            shown = shown[:line_end].rstrip() if line_end >= 0 else shown
            what = f"characters of an output of cell {self._cell}"
            self.truncations.append(Truncation(what, len(shown), len(text)))
        self._add(shown, (Block(BlockKind.CODE, 0, len(shown)),))

    def _output_text(self, output: Any) -> str:
        """What an output says in plain text: printed, shown as a value, or a traceback; empty for an image."""
        if not isinstance(output, dict):
            return ""
        if output.get("output_type") in ("error", "pyerr"):
            lines = [line for line in _list(output.get("traceback")) if isinstance(line, str)]
            message = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
            return _text("\n".join(lines) or message).strip("\n")
        data = output.get("data")
        if not isinstance(data, dict):
            return _text(output.get("text")).strip("\n")
        return _text(data.get("text/plain")).strip("\n") or self._shown_html(_text(data.get("text/html")))

    def _shown_html(self, source: str) -> str:
        limits = LoadLimits(self._max_characters)
        try:
            (page,) = HtmlLoader().load(_UTF8_MARK + source.encode(), name=self._name, limits=limits)
        except EmptySourceError:
            return ""
        return page.text

    def _add(self, text: str, blocks: tuple[Block, ...]) -> None:
        if not text.strip():
            return
        start = self._length + (len(_SEPARATOR) if self.parts else 0)
        self._length = start + len(text)
        if self._length > self._max_characters:
            raise too_large(self._name, self._max_characters)
        self.parts.append(text)
        for block in blocks:
            self.blocks.append(Block(block.kind, block.start + start, block.end + start, block.level, block.title))


def _cells(value: Any) -> list[Any] | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("cells"), list):
        return list(value["cells"])
    sheets = value.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]


def _text(value: Any) -> str:
    """A multiline string, which notebooks store whole or as a list of lines."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return canonical(_ESCAPES.sub("", value)).rstrip() if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _metadata(value: dict[str, Any]) -> dict[str, JsonValue]:
    given = value.get("metadata")
    given = given if isinstance(given, dict) else {}
    metadata: dict[str, JsonValue] = {}
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        found = given.get(section)
        if isinstance(found, dict) and _text(found.get(key)):
            metadata["programming_language"] = _text(found[key]).lower()
            break
    authors = [_text(author.get("name")) for author in _list(given.get("authors")) if isinstance(author, dict)]
    if any(authors):
        metadata["author"] = ", ".join(filter(None, authors))
    return metadata
