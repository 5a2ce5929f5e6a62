"""Token F1 of the main text of pages, and milliseconds a page: ours beside the extractors that are installed.

pip install trafilatura resiliparse readability-lxml    # in an environment of their own
python -m benchmarks.formats.extractors ../shared/formats
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.formats.agreement import mean, shown_text, token_f1
from rag_engine.ingestion import select_loader
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.formats.extractors", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with MANIFEST.csv")
    pages = sorted((parser.parse_args().folder / "html_gold").glob("*.source.html"))
    figures = {}
    for name, extract in _extractors().items():
        scores, seconds = [], 0.0
        for page in pages:
            source = page.read_text(encoding="utf-8")
            started = time.perf_counter()
            text = extract(source)
            seconds += time.perf_counter() - started
            gold = page.with_name(page.name.replace(".source.", ".expected.")).read_text(encoding="utf-8")
            scores.append(token_f1(text, shown_text(gold)))
        figures[name] = {"token_f1": mean(scores), "milliseconds": round(1000 * seconds / len(pages), 2)}
    print(json.dumps({"pages": len(pages), "extractors": figures}, indent=2))


def _extractors() -> dict[str, Callable[[str], str]]:
    found: dict[str, Callable[[str], str]] = {"rag_engine": _ours}
    with contextlib.suppress(ImportError):
        found["trafilatura"] = _trafilatura()
    with contextlib.suppress(ImportError):
        found["resiliparse"] = _resiliparse()
    with contextlib.suppress(ImportError):
        found["readability-lxml"] = _readability()
    return found


def _ours(source: str) -> str:
    data = source.encode()
    records = select_loader("page.html", data).load(data, name="page.html", limits=LoadLimits(10_000_000))
    return "\n".join(record.text for record in records if isinstance(record, Document))


def _trafilatura() -> Callable[[str], str]:
    trafilatura: Any = import_module("trafilatura")
    return lambda source: trafilatura.extract(source, include_comments=False, include_tables=True) or ""


def _resiliparse() -> Callable[[str], str]:
    resiliparse: Any = import_module("resiliparse.extract.html2text")
    return lambda source: str(resiliparse.extract_plain_text(source, main_content=True, alt_texts=False))


def _readability() -> Callable[[str], str]:
    readability: Any = import_module("readability")
    html: Any = import_module("lxml.html")

    def extract(source: str) -> str:
        summary = readability.Document(source).summary()
        return str(html.fromstring(summary).text_content()) if summary.strip() else ""

    return extract


if __name__ == "__main__":
    main()
