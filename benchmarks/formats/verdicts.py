"""Whether what came of a file is what had to."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.formats.encodings import is_as_labelled
from benchmarks.formats.manifest import Expectation, FormatFile
from benchmarks.formats.reading import MEMORY_MEGABYTES, TIMEOUT_SECONDS, Reading

# Refusals that say what the file is or lacks; the others of a loader's process say only that it was stopped.
_STOPPED = frozenset({"parser_failure", "parser_timeout", "parser_memory", "parser_crash"})
_OUTSIDE = "unreadable_source"  # our own fault, not the file's
_RUN = re.compile(rb"<\w*:?t(?:\s[^>]*)?>\s*[^<\s]")
_NOT_PARSED = frozenset({"parsing", "decoding", "empty_source", "source_too_large"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a file's reading is as expected, and why; ``has_text`` is None where it holds none to be read."""

    expected: bool
    reason: str
    has_text: bool | None


def verdict_of(file: FormatFile, reading: Reading, location: Path) -> Verdict:
    """The verdict on one file; the one at ``location`` is looked into where a refusal says that it is empty."""
    gave_text = any(document.text.strip() for document in reading.documents)
    empty = reading.code == "empty_source" and holds_no_text(location)
    has_text = True if gave_text else None if empty else False
    said = f"{reading.code}: {reading.reason}" if reading.code else "text" if gave_text else _first_failure(reading)
    problem = _containment_problem(reading)
    if problem:
        return Verdict(expected=False, reason=problem, has_text=has_text)
    match file.expectation:
        case Expectation.TEXT:
            expected = gave_text or empty
        case Expectation.PARSED:
            expected = gave_text or reading.code == "empty_source"
        case Expectation.REFUSED:
            expected = not gave_text and reading.code in _NOT_PARSED
        case Expectation.UNLOCKED:
            expected = gave_text or reading.code in ("encrypted", "unsupported_format")
        case Expectation.DECODED:
            mangled = gave_text and not is_as_labelled(reading.text, location.read_bytes(), file.label)
            said = "mangled" if mangled else said
            expected = reading.code == "decoding" or (gave_text and not mangled)
        case Expectation.EITHER:
            expected = gave_text or bool(reading.code) or bool(reading.failures)
    return Verdict(expected, said, has_text)


def holds_no_text(location: Path) -> bool:
    """Whether a file has no text: nothing but white space, a PDF none of whose pages sets any type, or a Word document
    whose parts have no run of text."""
    data = location.read_bytes()
    if not data.strip(b" \t\r\n\x00\xff\xfe\xef\xbb\xbf"):
        return True
    if location.suffix == ".docx" and zipfile.is_zipfile(location):
        return not _has_runs(location)
    return data[:1024].find(b"%PDF-") >= 0 and not _sets_type(location)


def _has_runs(location: Path) -> bool:
    with zipfile.ZipFile(location) as archive:
        parts = [name for name in archive.namelist() if name.startswith("word/") and name.endswith(".xml")]
        return any(_RUN.search(archive.read(part)) for part in parts)


def _sets_type(location: Path) -> bool:
    import pypdfium2
    from pypdfium2 import raw

    pdf = pypdfium2.PdfDocument(location)
    try:
        return any(
            text.extract().strip()
            for page in pdf
            for text in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=5, textpage=page.get_textpage())
        )
    finally:
        pdf.close()


def _first_failure(reading: Reading) -> str:
    return next((f"{failure.code}: {failure.error}" for failure in reading.failures), "nothing")


def _containment_problem(reading: Reading) -> str:
    if reading.code == _OUTSIDE:
        return f"{reading.code}: {reading.reason}"
    if reading.seconds > TIMEOUT_SECONDS * 1.5:
        return f"took {reading.seconds:.1f} s"
    if reading.peak_bytes > MEMORY_MEGABYTES << 20:
        return f"took {reading.peak_bytes >> 20} MiB"
    return ""


def was_stopped(reading: Reading) -> bool:
    """Whether a cap or a crash ended the parsing."""
    return reading.code in _STOPPED
