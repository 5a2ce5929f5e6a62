"""The smallest changes with which a document is found, or read for an answer: each one tried by searching with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag_engine.context_retrieval import share_of_strongest, shown, without
from rag_engine.jobs.explain_trial import Trial
from rag_engine.types.document import JsonValue
from rag_engine.types.explanation import Change, Standing
from rag_engine.types.retrieval import Filter, SearchMode

# The order in which changes of one kind are smaller than those of another; one that makes a number more than so many
# times as large comes after all others.
_ORDER = (
    "k",
    "answering.passages",
    "answering.least_share",
    "answering.context_tokens",
    "retrieval.feedback",
    "query_optimizer.enabled",
    "retrieval.dense_weight",
    "retrieval.depth",
    "ingestion.near_duplicates",
    "mode",
    "filter",
    "filter and k",
    "question",
)
_MANY_TIMES = 4
_MOST_RESULTS, _MOST_PASSAGES, _MOST_DEPTH, _MOST_TOKENS = 1_000, 100, 100_000, 1 << 20
_STEPS_OF_WEIGHT = 20
_TOKENS_APART = 16


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a search that did not bring the document: where it stood, the weight of the dense leg and
    whether there was feedback, whether the question was ``optimized``, the parts of the filter that are false of the
    document, and words and phrases of the document that may be added to the question."""

    standing: Standing
    dense_weight: float
    had_feedback: bool
    optimized: bool
    false: Sequence[Filter]
    additions: Sequence[str]


def admitting_changes(trial: Trial, situation: Situation) -> tuple[Change, ...]:
    """Single changes with which the ``trial`` succeeds, the smallest first."""
    if situation.false:
        found = [*_as_it_stands(trial, situation), *_filters(trial, situation)]
    else:
        found = [*_numbers(trial, situation), *_ways(trial, situation), *_words(trial, situation)]
    return tuple(sorted(found, key=_size))


def _size(change: Change) -> tuple[bool, int]:
    numbers = [value for value in (change.now, change.to) if isinstance(value, int) and not isinstance(value, bool)]
    return len(numbers) == 2 and numbers[1] > _MANY_TIMES * numbers[0], _ORDER.index(change.what)


def _first(what: str, now: JsonValue, tried: Iterable[tuple[JsonValue, Trial]]) -> Iterator[Change]:
    """The first of the trials that succeeds, as a change, if one does."""
    for to, trial in tried:
        if (rank := trial.rank()) is not None:
            yield Change(what, now, to, rank)
            return


def _numbers(trial: Trial, situation: Situation) -> Iterator[Change]:
    yield from _passages(trial, situation) if trial.answering else _results(trial, situation.standing.passage)
    if trial.answering:
        yield from _share(trial)
        yield from _tokens(trial)
    now = trial.parts().depth
    ranks = {leg.rank for leg in situation.standing.legs if leg.rank is not None}
    deepest = min(_MOST_DEPTH, _MANY_TIMES * max(ranks, default=0))
    depths = {depth for depth in (*ranks, *_doublings(now, deepest)) if now < depth <= _MOST_DEPTH}
    yield from _first(
        "retrieval.depth", now, ((depth, trial.under(retrieval__depth=depth)) for depth in sorted(depths))
    )


def _results(trial: Trial, known: int | None) -> Iterator[Change]:
    """More results: as many as its ``known`` rank, or as many as it takes."""
    now = trial.query.k
    for most in (*([known] if known else []), *_doublings(now, _MOST_RESULTS)):
        rank = trial.asked(replace(trial.query, k=most)).rank()
        if rank is not None:
            tried = ((k, trial.asked(replace(trial.query, k=k))) for k in (rank, most))
            yield from _first("k", now, tried)
            return


def _passages(trial: Trial, situation: Situation) -> Iterator[Change]:
    now, known = trial.parts().passages, situation.standing.passage
    if known is not None and now < known <= _MOST_PASSAGES:
        yield from _first("answering.passages", now, [(known, trial.under(answering__passages=known))])


def _share(trial: Trial) -> Iterator[Change]:
    parts = trial.parts()
    found = trial.sources().found
    own = next((passage for passage in found if passage.document_id == trial.document), None)
    if own is None:
        return
    share = max(0.0, math.floor(100 * share_of_strongest(own, found)) / 100)
    if share < parts.least_share:
        tried = [(share, trial.under(answering__least_share=share))]
        yield from _first("answering.least_share", parts.least_share, tried)


def _tokens(trial: Trial) -> Iterator[Change]:
    now = trial.parts().context_tokens
    if not any(passage.document_id == trial.document for passage in trial.sources().prompt.dropped):
        return  # what is not drawn on does not come in however much room there is
    least = now
    for most in _doublings(now, _MOST_TOKENS):
        if trial.under(answering__context_tokens=most).rank() is not None:
            break
        least = most
    else:
        return
    while most - least > _TOKENS_APART:
        middle = (least + most) // 2
        if trial.under(answering__context_tokens=middle).rank() is None:
            least = middle
        else:
            most = middle
    yield from _first("answering.context_tokens", now, [(most, trial.under(answering__context_tokens=most))])


def _as_it_stands(trial: Trial, situation: Situation) -> Iterator[Change]:
    """Without what the optimiser made of the question."""
    if situation.optimized:
        yield from _first("query_optimizer.enabled", True, [(False, trial.under(query_optimizer__enabled=False))])


def _ways(trial: Trial, situation: Situation) -> Iterator[Change]:
    yield from _as_it_stands(trial, situation)
    if situation.had_feedback:
        now = trial.parts().feedback
        yield from _first("retrieval.feedback", now, [(0.0, trial.under(retrieval__feedback=0.0))])
    if trial.query.mode is SearchMode.HYBRID:
        weight = round(situation.dense_weight, 2)
        steps = sorted(
            (step / _STEPS_OF_WEIGHT for step in range(_STEPS_OF_WEIGHT + 1)), key=lambda to: abs(to - weight)
        )
        tried = ((to, trial.under(retrieval__dense_weight=to)) for to in steps)
        yield from _first("retrieval.dense_weight", weight, tried)
    if situation.standing.shown_instead is not None:
        tried_link = [("keep", trial.under(ingestion__near_duplicates="keep"))]
        yield from _first("ingestion.near_duplicates", "link", tried_link)
    for mode in SearchMode:
        if mode is not trial.query.mode:
            tried_mode = [(mode.value, trial.asked(replace(trial.query, mode=mode)))]
            yield from _first("mode", trial.query.mode.value, tried_mode)


def _filters(trial: Trial, situation: Situation) -> Iterator[Change]:
    """Without one part that is false, where there are others, or without any filter."""
    condition = trial.query.filter
    if condition is None:
        return
    now = shown(condition, whole=True)
    wider = [without(condition, part) for part in situation.false]
    tried = {shown(left, whole=True): left for left in wider if left is not None and left != condition}
    trials: list[tuple[JsonValue, Trial]] = [
        (text, trial.asked(replace(trial.query, filter=left))) for text, left in tried.items()
    ]
    open_trial = trial.asked(replace(trial.query, filter=None))
    alone = list(_first("filter", now, [*trials, (None, open_trial)]))
    yield from alone
    if not alone:  # the filter was not all that stood in its way
        for change in _results(open_trial, None):
            yield Change(
                "filter and k",
                {"filter": now, "k": change.now},
                {"filter": None, "k": change.to},
                change.rank,
            )


def _words(trial: Trial, situation: Situation) -> Iterator[Change]:
    text = trial.query.text
    longer = (f"{text} {addition}" for addition in situation.additions)
    yield from _first("question", text, ((to, trial.asked(replace(trial.query, text=to))) for to in longer))


def _doublings(now: int, most: int) -> Iterator[int]:
    """Twice as much, and so on, up to ``most`` and with it."""
    value = now
    while value < most:
        value = min(2 * value, most)
        yield value
