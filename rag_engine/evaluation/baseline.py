"""Earlier results of a gold set, to compare with: a run file of any tool, or a stored evaluation of ours."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rag_engine.errors import GoldSetError
from rag_engine.evaluation.comparison import RETRIEVAL_FAMILY
from rag_engine.evaluation.curves import gold_ranks
from rag_engine.evaluation.fingerprint import fingerprint
from rag_engine.evaluation.gold_set import GoldSet
from rag_engine.evaluation.retrieval_measures import check_run, score_run
from rag_engine.evaluation.trec import read_run

_MAKE_ANEW = "make the baseline anew with: rag eval GOLD --json > FILE"
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Baseline:
    """``per_query`` maps question to measure to value, ``ranks`` question to relevant document to rank from 1."""

    name: str
    per_query: Mapping[str, Mapping[str, float]]
    ranks: Mapping[str, Mapping[str, int]]


def read_baseline(path: Path, gold: GoldSet, *, known_documents: Container[str], depth: int) -> Baseline:
    """Reads what ``rag eval --json`` printed (a file that begins with a brace), or else a TREC run file.

    Of a run file, the first ``depth`` documents of each question are scored with the gold set's judgements.

    Raises:
        GoldSetError: the file cannot be read, holds no values by question, or is about another gold set.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            is_json = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    except OSError as error:
        raise GoldSetError(f"the baseline {path} cannot be read: {error.strerror}") from error
    if is_json:
        return _stored_evaluation(path, gold)
    return _run_file(path, gold, known_documents, depth)


def _run_file(path: Path, gold: GoldSet, known_documents: Container[str], depth: int) -> Baseline:
    run = read_run(path)
    check_run(run, {question.id for question in gold.questions})
    if not any(document in known_documents for ranking in run.values() for document, _ in ranking):
        raise GoldSetError(
            f"no document that the baseline {path.name} ranks is among those of {gold.name}",
            hint="give a run of the same gold set",
        )
    if not gold.qrels:
        raise GoldSetError(f"{gold.name} judges no document, so a run file says nothing about it", hint=_MAKE_ANEW)
    run = {query: ranking[:depth] for query, ranking in run.items()}
    scores = score_run(gold.qrels, run, RETRIEVAL_FAMILY)
    return Baseline(path.name, scores.per_query, gold_ranks(gold.qrels, run, depth=depth))


def _stored_evaluation(path: Path, gold: GoldSet) -> Baseline:
    try:
        fields = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise GoldSetError(f"the baseline {path} is no JSON: {error}", hint=_MAKE_ANEW) from error
    if not {"gold", "fingerprint", "per_query", "ranks"} <= fields.keys():
        raise GoldSetError(f"the baseline {path} is no evaluation with values by question", hint=_MAKE_ANEW)
    own = fingerprint(gold)
    if fields["fingerprint"] != own:
        was = (
            f"is of the gold set {fields['gold']}, not of {gold.name}"
            if fields["gold"] != gold.name
            else f"was made before {gold.name} changed: its questions, judgements or answers are others now"
        )
        raise GoldSetError(
            f"the baseline {path} {was}", hint=f"give an evaluation of the same gold set, or {_MAKE_ANEW}"
        )
    return Baseline(
        path.name,
        _by_question(fields["per_query"], _number, f"{path}: per_query"),
        _by_question(fields["ranks"], _rank, f"{path}: ranks"),
    )


def _by_question(value: Any, read: Callable[[Any], _Value | None], place: str) -> dict[str, dict[str, _Value]]:
    """A mapping of mappings, every value of which ``read`` takes."""
    found: dict[str, dict[str, _Value]] = {}
    if not isinstance(value, dict):
        raise GoldSetError(f"{place} is no object", hint=_MAKE_ANEW)
    for question, members in value.items():
        if not isinstance(members, dict):
            raise GoldSetError(f"{place}: question {question} has no object", hint=_MAKE_ANEW)
        found[question] = {}
        for name, member in members.items():
            taken = read(member)
            if taken is None:
                raise GoldSetError(f"{place}: {name} of question {question} is {member!r}", hint=_MAKE_ANEW)
            found[question][name] = taken
    return found


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


def _rank(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None
