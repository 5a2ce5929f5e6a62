"""Run files as TREC's tools read and write them: query Q0 document rank score tag."""

from __future__ import annotations

import math
import re
from pathlib import Path
from urllib.parse import quote, unquote

from rag_engine.errors import EvaluationError, GoldSetError
from rag_engine.evaluation.gold_files import read_lines
from rag_engine.evaluation.retrieval_measures import Ranking, Run
from rag_engine.evaluation.whole_files import write_whole

_COLUMNS = 6
_UNSAFE = re.compile("[\\s%\ud800-\udfff]")


def write_run(path: Path, run: Run, tag: str) -> None:
    """Writes rankings, best first, by query; the file appears whole or not at all.

    Ranks count from 1. Scores are written in single precision, as trec_eval holds them, and lowered by the least
    step where they would not fall strictly: tools that sort by score keep the order. White space and ``%`` in
    ids are percent-encoded; ``read_run`` undoes that.

    Raises:
        EvaluationError: a score is not finite, an id or the tag is empty, or the file cannot be written.
    """
    lines = [
        f"{_encoded(query)} Q0 {_encoded(document)} {rank} {score} {_encoded(tag)}\n"
        for query, ranking in run.items()
        for rank, ((document, _), score) in enumerate(zip(ranking, _falling(query, ranking), strict=True), start=1)
    ]
    write_whole(path, "".join(lines), what="the run file")


def read_run(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Rankings by query, best score first, equal scores in the order of their ranks.

    Raises:
        GoldSetError: the file cannot be read, is empty, or a line is not six columns with a whole rank and
            a finite score, or names a document a second time for its query.
    """
    found: dict[str, dict[str, tuple[float, int]]] = {}
    for place, line in read_lines(Path(path)):
        columns = line.split()
        if len(columns) != _COLUMNS:
            raise place.error(f"{len(columns)} columns where a run file has {_COLUMNS}")
        query, document = _decoded(columns[0]), _decoded(columns[2])
        try:
            rank, score = int(columns[3]), float(columns[4])
        except ValueError as error:
            raise place.error("the rank is no whole number or the score no number") from error
        if not math.isfinite(score):
            raise place.error(f"the score {columns[4]} is not finite")
        if document in found.setdefault(query, {}):
            raise place.error(f"ranks {document} for query {query} a second time")
        found[query][document] = (-score, rank)
    if not found:
        raise GoldSetError(f"{path} holds no result", hint="write one with: rag eval GOLD --run-file FILE")
    return {
        query: [(document, -results[document][0]) for document in sorted(results, key=results.__getitem__)]
        for query, results in found.items()
    }


def _falling(query: str, ranking: Ranking) -> list[str]:
    """The scores in single precision, strictly falling, in as few digits as tell them apart."""
    import numpy as np

    written: list[str] = []
    lowest = np.float32(-np.inf)
    ceiling = np.float32(np.inf)
    for _, score in ranking:
        with np.errstate(over="ignore"):
            ceiling = min(np.float32(score), np.nextafter(ceiling, lowest))
        if not (math.isfinite(score) and np.isfinite(ceiling)):
            raise EvaluationError(f"a score for query {query} is not finite in single precision: {score}")
        written.append(str(ceiling))
    return written


def _encoded(identifier: str) -> str:
    if not identifier:
        raise EvaluationError("a run file cannot hold an empty id or tag")
    return _UNSAFE.sub(lambda match: quote(match[0], safe="", errors="surrogatepass"), identifier)


def _decoded(identifier: str) -> str:
    try:
        return unquote(identifier, errors="surrogatepass")
    except UnicodeDecodeError:  # another tool's id, in which the percent sign means itself
        return identifier
