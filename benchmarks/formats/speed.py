"""Documents a second of each family of formats: through the sandbox, in process, and by the parsing library alone."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.formats.reading import PASSWORDS, make_sandbox, read_files
from rag_engine.ingestion import select_loader
from rag_engine.types.ingestion import LoadLimits

ROUNDS = 3


def families() -> dict[str, tuple[tuple[str, ...], Callable[[bytes], object]]]:
    """Each family's suffixes, and what the library that parses it needs at the least to have its text."""
    return {
        "pdf": ((".pdf",), _pdf),
        "html": ((".html", ".htm"), _html),
        "docx": ((".docx",), _office("word/document.xml")),
        "pptx": ((".pptx",), _office("ppt/slides/")),
        "spreadsheet": ((".xlsx", ".xls", ".xlsb", ".ods"), _spreadsheet),
        "epub": ((".epub",), _epub),
        "mail": ((".eml",), _mail),
        "markdown": ((".md",), _markdown),
        "json": ((".json",), _json),
        "csv": ((".csv", ".tsv"), _csv),
        "text": ((".txt",), bytes.decode),
    }


def documents_per_second(folder: Path, readable: Sequence[str]) -> dict[str, dict[str, float]]:
    """For each family of which there are files: how many, and documents a second in the three ways, best of ROUNDS.

    ``readable`` are the files that gave text.
    """
    measured: dict[str, dict[str, float]] = {}
    for family, (suffixes, parse) in families().items():
        paths = [path for path in readable if path.lower().endswith(suffixes) and _can(parse, folder / path)]
        if paths:
            contents = [(path, (folder / path).read_bytes()) for path in paths]
            seconds = {
                "sandbox": _best(partial(_sandboxed, folder, paths)),
                "in_process": _best(partial(_loaded, contents)),
                "library": _best(partial(_parsed, contents, parse)),
            }
            measured[family] = {
                "files": len(paths),
                **{way: round(len(paths) / taken, 1) for way, taken in seconds.items()},
            }
    return measured


def _best(run: Callable[[], float]) -> float:
    return min(run() for _ in range(ROUNDS))


def _sandboxed(folder: Path, paths: list[str]) -> float:
    with make_sandbox() as sandbox:
        for _ in read_files(folder, paths, sandbox):  # the child has started, and imported what it needs
            pass
        started = time.perf_counter()
        for _ in read_files(folder, paths, sandbox):
            pass
        return time.perf_counter() - started


def _loaded(contents: list[tuple[str, bytes]]) -> float:
    limits = LoadLimits(20_000_000, PASSWORDS)
    started = time.perf_counter()
    for path, data in contents:
        for _ in select_loader(path, data).load(data, name=path, limits=limits):
            pass
    return time.perf_counter() - started


def _parsed(contents: list[tuple[str, bytes]], parse: Callable[[bytes], object]) -> float:
    started = time.perf_counter()
    for _, data in contents:
        parse(data)
    return time.perf_counter() - started


def _can(parse: Callable[[bytes], object], location: Path) -> bool:
    """Whether the bare library and the loader both read the file in process: the others are compared with nothing."""
    data = location.read_bytes()
    try:
        parse(data)
        for _ in select_loader(location.name, data).load(
            data, name=location.name, limits=LoadLimits(20_000_000, PASSWORDS)
        ):
            pass
    except Exception:  # noqa: BLE001 - a library may raise anything over a hard file
        return False
    return True


def _pdf(data: bytes) -> object:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(data)
    try:
        return [page.get_textpage().get_text_range() for page in pdf]
    finally:
        pdf.close()


def _html(data: bytes) -> object:
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(data).body
    return body.text(deep=True, separator=" ") if body is not None else None


def _office(part: str) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        from lxml import etree

        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.startswith(part) and name.endswith(".xml")]
            return [list(etree.fromstring(archive.read(name)).itertext()) for name in names]

    return parse


def _spreadsheet(data: bytes) -> object:
    import python_calamine

    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names]


def _epub(data: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.endswith(("html", "xhtml", "htm"))]
        return [_html(archive.read(name)) for name in names]


def _mail(data: bytes) -> object:
    import email
    import email.policy

    message: Any = email.message_from_bytes(data, policy=email.policy.default)
    return [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]


def _markdown(data: bytes) -> object:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").parse(data.decode())


def _json(data: bytes) -> object:
    import json

    return json.loads(data)


def _csv(data: bytes) -> object:
    import csv

    return list(csv.reader(io.StringIO(data.decode(), newline="")))
