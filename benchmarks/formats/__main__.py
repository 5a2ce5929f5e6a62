"""Reads every file of a folder of formats through the sandbox and says of each whether what came is what had to.

    python -m benchmarks.formats ../shared/formats

Prints one JSON object. ``--no-speed`` leaves out the timings, ``--no-access`` the second reading with everything
outside refused; ``--all`` lists the files that are as expected too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.formats.access import read_with_outside_refused
from benchmarks.formats.agreement import cells_said, mean, same_words, shown_text, token_f1
from benchmarks.formats.manifest import Expectation, FormatFile, read_manifest
from benchmarks.formats.reading import (
    MEMORY_MEGABYTES,
    TIMEOUT_SECONDS,
    Reading,
    make_sandbox,
    read_files,
)
from benchmarks.formats.speed import documents_per_second
from benchmarks.formats.verdicts import Verdict, verdict_of, was_stopped

_PLAIN = ("txt", "md")  # suffixes of files whose text is their source


def main() -> None:
    """Reads, judges and prints; exit status 1 where a file is not contained."""
    arguments = _arguments()
    folder: Path = arguments.folder
    files = read_manifest(folder)
    paths = [file.path for file in files]
    with make_sandbox() as sandbox:
        readings = dict(read_files(folder, paths, sandbox))
        protections = sandbox.protections()
    verdicts = {file.path: verdict_of(file, readings[file.path], folder / file.path) for file in files}
    outcome: dict[str, Any] = {
        "files": len(files),
        "as_expected": sum(verdict.expected for verdict in verdicts.values()),
        "categories": _categories(files, verdicts),
        "text": _text_share(files, verdicts),
        "contained": _containment(files, readings, protections=protections),
        "json": _json_suite(files, verdicts),
        "encodings": _encodings(files, readings, verdicts),
        "html": _html_f1(folder, readings),
        "csv": _csv_agreement(folder, readings),
        "same_text": _same_text(files, readings),
        "not_as_expected": [
            {"file": path, "reason": verdict.reason} for path, verdict in verdicts.items() if not verdict.expected
        ],
        "refused": [
            {"file": path, "reason": verdict.reason}
            for path, verdict in verdicts.items()
            if verdict.expected and (arguments.all or not verdict.has_text)
        ],
    }
    if arguments.access:
        outcome["outside_refused"] = _outside_refused(folder, readings)
    if arguments.speed:
        readable = [path for path, verdict in verdicts.items() if verdict.has_text]
        outcome["documents_per_second"] = documents_per_second(folder, readable)
    print(json.dumps(outcome, ensure_ascii=True, indent=2))
    sys.exit(0 if outcome["contained"]["problems"] == 0 else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.formats", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with MANIFEST.csv")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="no timings")
    parser.add_argument("--no-access", dest="access", action="store_false", help="no second reading")
    parser.add_argument("--all", action="store_true", help="list all files with their verdicts")
    return parser.parse_args()


def _categories(files: list[FormatFile], verdicts: dict[str, Verdict]) -> dict[str, dict[str, int]]:
    of_category = Counter(file.category for file in files)
    expected = Counter(file.category for file in files if verdicts[file.path].expected)
    with_text = Counter(file.category for file in files if verdicts[file.path].has_text)
    return {
        category: {"files": count, "as_expected": expected[category], "text": with_text[category]}
        for category, count in sorted(of_category.items())
    }


def _text_share(files: list[FormatFile], verdicts: dict[str, Verdict]) -> dict[str, float]:
    """Files that must give text and hold some, and the share of them that gave it."""
    must = [verdicts[file.path] for file in files if file.expectation is Expectation.TEXT]
    holding = [verdict for verdict in must if verdict.has_text is not None]
    gave = sum(bool(verdict.has_text) for verdict in holding)
    return {
        "must": len(must),
        "hold_none": len(must) - len(holding),
        "gave": gave,
        "share": round(gave / len(holding), 4),
    }


def _containment(
    files: list[FormatFile], readings: dict[str, Reading], *, protections: tuple[str, ...]
) -> dict[str, Any]:
    over = [path for path, reading in readings.items() if reading.seconds > 1.5 * TIMEOUT_SECONDS]
    over += [path for path, reading in readings.items() if reading.peak_bytes > MEMORY_MEGABYTES << 20]
    return {
        "problems": len(over) + (len(files) - len(readings)),
        "stopped": {path: reading.code for path, reading in readings.items() if was_stopped(reading)},
        "longest_seconds": round(max(reading.seconds for reading in readings.values()), 2),
        "peak_megabytes": max(reading.peak_bytes for reading in readings.values()) >> 20,
        "cap_seconds": TIMEOUT_SECONDS,
        "cap_megabytes": MEMORY_MEGABYTES,
        "protections": protections,
    }


def _json_suite(files: list[FormatFile], verdicts: dict[str, Verdict]) -> dict[str, Any]:
    must_parse = [file for file in files if file.expectation is Expectation.PARSED]
    must_fail = [file for file in files if file.expectation is Expectation.REFUSED]
    return {
        "y": len(must_parse),
        "y_parsed": sum(verdicts[file.path].expected for file in must_parse),
        "n": len(must_fail),
        "n_refused": sum(verdicts[file.path].expected for file in must_fail),
    }


def _encodings(files: list[FormatFile], readings: dict[str, Reading], verdicts: dict[str, Verdict]) -> dict[str, Any]:
    labelled = [file for file in files if file.expectation is Expectation.DECODED]
    return {
        "files": len(labelled),
        "as_labelled": sum(verdicts[file.path].expected and bool(readings[file.path].text) for file in labelled),
        "refused": sum(readings[file.path].code == "decoding" for file in labelled),
        "mangled": sum(verdicts[file.path].reason == "mangled" for file in labelled),
    }


def _html_f1(folder: Path, readings: dict[str, Reading]) -> dict[str, Any]:
    by_page = {
        path.removeprefix("html_gold/").removesuffix(".source.html"): round(
            token_f1(reading.text, shown_text((folder / path.replace(".source.", ".expected.")).read_text("utf-8"))), 4
        )
        for path, reading in readings.items()
        if path.endswith(".source.html")
    }
    return {
        "pages": len(by_page),
        "token_f1": mean(by_page.values()),
        "below_99": {k: v for k, v in by_page.items() if v < 0.99},
    }


def _csv_agreement(folder: Path, readings: dict[str, Reading]) -> dict[str, float]:
    return {
        path.removeprefix("csv/"): round(cells_said(reading.text, gold), 4)
        for path, reading in readings.items()
        if path.startswith("csv/")
        and (gold := (folder / path).with_suffix(".json")).is_file()
        and path.endswith(".csv")
    }


def _same_text(files: list[FormatFile], readings: dict[str, Reading]) -> dict[str, Any]:
    """Agreement of the files of one name but for its suffix with the one that needs no parsing."""
    groups: dict[str, dict[str, str]] = {}
    for file in files:
        if file.category == "multilingual_same_text":
            stem, _, suffix = file.path.rpartition("/")[2].rpartition(".")
            groups.setdefault(stem, {})[suffix] = readings[file.path].text
    agreement = {
        stem: same_words(texts, reference)
        for stem, texts in groups.items()
        if (reference := next((suffix for suffix in _PLAIN if suffix in texts), None))
    }
    return {stem: {"token_f1": mean(found.values()), **found} for stem, found in agreement.items()}


def _outside_refused(folder: Path, readings: dict[str, Reading]) -> dict[str, Any]:
    """Files whose text or refusal is another one where everything outside is refused."""
    different = [
        {"file": path, "reason": again.reason}
        for path, again in read_with_outside_refused(folder, list(readings))
        if (again.text, again.code) != (readings[path].text, readings[path].code)
    ]
    return {"files": len(readings), "count": len(different), "different": different}


if __name__ == "__main__":
    main()
