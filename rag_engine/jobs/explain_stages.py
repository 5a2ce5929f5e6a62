"""What is known of a document's way through a search and an answer, told stage by stage, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag_engine.context_retrieval import share_of_strongest
from rag_engine.jobs.explain_trial import AskingParts, Sources
from rag_engine.types.explanation import Cut, CutReason, FalseCondition, QuestionWords, StageStanding, Standing
from rag_engine.types.ingestion import TruncatedDocument
from rag_engine.types.optimization import SearchOutcome
from rag_engine.types.retrieval import Passage, Query

_LEGS = {
    "dense": "by meaning",
    "feedback": "by meaning, the question moved towards what it found",
    "lexical": "by words",
    "stretches": "by words of the text around",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found out about one document and one question."""

    document: str
    query: Query
    outcome: SearchOutcome
    filtered: bool
    chunks: int
    truncations: tuple[TruncatedDocument, ...]
    near_duplicate_of: str | None
    conditions: tuple[FalseCondition, ...]
    words: QuestionWords
    standing: Standing
    sources: Sources
    parts: AskingParts

    @property
    def was_optimized(self) -> bool:
        """Whether the optimiser made anything of the question."""
        plan = self.outcome.optimized
        return plan is not None and (plan.text != self.query.text or any(step.applied for step in plan.steps))

    @property
    def rank(self) -> int | None:
        """The document's rank among the results."""
        return _own(self.outcome.passages, self.document)[0]

    @property
    def dropped(self) -> bool:
        """Whether the ingest left it out as a near-duplicate."""
        return not self.chunks and self.near_duplicate_of is not None


def stages_of(facts: Facts) -> tuple[StageStanding, ...]:
    """Every stage in order, whether the document came through, and with which rank and score."""
    before = [*_before_the_search(facts)]
    if any(stage.passed is False for stage in before):  # where it would stand otherwise is worth knowing
        return (*before, *(_would_be(stage) for stage in _of_the_legs(facts.standing)))
    return (*before, *_of_the_legs(facts.standing), *_of_the_search(facts), *_of_the_answer(facts))


def _would_be(stage: StageStanding) -> StageStanding:
    return replace(stage, passed=None, detail=f"if the filter admitted it, {stage.detail}")


def _before_the_search(facts: Facts) -> Iterator[StageStanding]:
    detail = f"{facts.chunks:,} chunks"
    if facts.dropped:
        detail = f"left out as nearly the same as {facts.near_duplicate_of}"
    elif facts.truncations:
        detail += "; left out of it: " + ", ".join(str(cut) for cut in facts.truncations[:3])
    yield StageStanding("index", facts.chunks > 0, None, None, detail)
    if facts.chunks and facts.filtered:
        false = "; ".join(f"{one.condition} is false, it has {one.value!r}" for one in facts.conditions)
        yield StageStanding("filter", not facts.conditions, None, None, false or "every condition holds")


def _of_the_legs(stood: Standing) -> Iterator[StageStanding]:
    for leg in stood.legs:
        words = _LEGS[leg.leg]
        detail = f"{words}: within the first {leg.depth:,}" if leg.within else f"{words}: deeper than {leg.depth:,}"
        if leg.rank is None:
            detail = f"{words}: not found"
        yield StageStanding(leg.leg, leg.within, leg.rank, leg.score, detail)


def _of_the_search(facts: Facts) -> Iterator[StageStanding]:
    stood = facts.standing
    yield StageStanding("fusion", stood.fused is not None, stood.fused, stood.fused_score, _brought(stood.fused))
    if any(leg.leg == "feedback" for leg in stood.legs):
        yield StageStanding(
            "after feedback", stood.ranked is not None, stood.ranked, stood.ranked_score, _brought(stood.ranked)
        )
    if facts.parts.link_near_duplicates and stood.ranked is not None:
        instead = stood.shown_instead
        detail = "shown itself" if instead is None else f"{instead} is shown in its place"
        yield StageStanding("near-duplicates", instead is None, None, None, detail)
    reached = None if stood.ranked is None or stood.shown_instead is not None else stood.passage is not None
    detail = (
        "its best chunk is read with another one that was found" if stood.merged else "scored with the chunks beside it"
    )
    yield StageStanding("neighbours", reached, stood.passage, stood.score if stood.passage else None, detail)
    if facts.was_optimized and facts.outcome.optimized is not None:
        steps = ", ".join(step.strategy.value for step in facts.outcome.optimized.steps if step.applied)
        detail = f"the question was searched for by {steps or 'other words'}: {facts.outcome.optimized.text}"
        passed = None if stood.passage is None else facts.rank is not None or stood.passage > facts.query.k
        yield StageStanding("plan", passed, facts.rank, None, detail)
    found = None if stood.passage is None and facts.rank is None else facts.rank is not None
    rank = stood.passage if facts.rank is None else facts.rank
    yield StageStanding("results", found, rank, None, f"the first {facts.query.k:,} are shown")


def _brought(rank: int | None) -> str:
    return "no leg brings it" if rank is None else "brought by a leg"


def _of_the_answer(facts: Facts) -> Iterator[StageStanding]:
    rank, own = _own(facts.sources.found, facts.document)
    detail = f"an answer looks at the first {facts.parts.passages:,}"
    yield StageStanding("passages", own is not None, facts.standing.passage, None, detail)
    share = share_of_strongest(own, facts.sources.found) if own else None
    needed = f"an answer draws on what has {facts.parts.least_share:.0%} of the best score"
    detail = needed if share is None else f"{needed}, it has {share:.0%}"
    drawn = None if own is None else _own(facts.sources.drawn, facts.document)[1] is not None
    yield StageStanding("threshold", drawn, rank, own.score if own else None, detail)
    kept, source = _own([source.passage for source in facts.sources.prompt.sources], facts.document)
    detail = f"the sources of a prompt have {facts.parts.context_tokens:,} tokens"
    yield StageStanding("budget", source is not None if drawn else None, kept, None, detail)


def _own(passages: Sequence[Passage], document: str) -> tuple[int | None, Passage | None]:
    return next(((rank, one) for rank, one in enumerate(passages, 1) if one.document_id == document), (None, None))


def first_cut(facts: Facts, stages: Sequence[StageStanding]) -> Cut | None:
    """What ended the document's way; None where it is found and read."""
    passed = {stage.stage: stage.passed for stage in stages}
    stood, query = facts.standing, facts.query
    if passed["index"] is False:
        if facts.dropped:
            why = f"the ingest left it out as nearly the same as {facts.near_duplicate_of}"
            return Cut("index", CutReason.DUPLICATE, why)
        return Cut("index", CutReason.NO_TEXT, "it has no text that could be found")
    if passed.get("filter") is False:
        why = "; ".join(f"{one.condition} is false of it: it has {one.value!r}" for one in facts.conditions)
        return Cut("filter", CutReason.FILTER, f"the filter leaves it out: {why}")
    if facts.rank is not None:
        return _cut_of_the_answer(facts, passed)
    if stood.ranked is None:
        return _not_brought(facts)
    if passed.get("near-duplicates") is False:
        why = f"it is nearly the same as {stood.shown_instead}, which ranks better and is shown for both"
        return Cut("near-duplicates", CutReason.DUPLICATE, why)
    if passed.get("plan") is False:
        why = f"it is number {stood.passage:,} by itself, and what the optimiser looked for besides comes before it"
        return Cut("plan", CutReason.PLAN, why)
    if stood.passage is None:
        return Cut("results", CutReason.RESULTS, "it ranks below all passages that are read")
    why = f"its best passage is number {stood.passage:,}, and {query.k:,} are shown"
    return Cut("results", CutReason.RESULTS, why)


def _not_brought(facts: Facts) -> Cut:
    """Why no leg brought it."""
    lost = [cut for cut in facts.truncations if cut.stage == "loader"]
    worded = facts.words.in_document
    if lost and not worded:
        left_out = ", ".join(str(cut) for cut in lost[:3])
        return Cut("fusion", CutReason.TRUNCATED, f"no word of the question is in what was kept of it ({left_out})")
    if all(leg.rank is None for leg in facts.standing.legs):
        return Cut("fusion", CutReason.WORDS, "no word of the question that is looked for is in it")
    ranks = ", ".join(f"{leg.leg} {leg.rank:,}" for leg in facts.standing.legs if leg.rank is not None)
    depth = facts.standing.legs[0].depth
    return Cut("fusion", CutReason.DEPTH, f"it lies deeper than the {depth:,} chunks that each leg brings ({ranks})")


def _cut_of_the_answer(facts: Facts, passed: dict[str, bool | None]) -> Cut | None:
    if passed["passages"] is False:
        why = f"its best passage is number {facts.standing.passage:,}, an answer looks at {facts.parts.passages:,}"
        return Cut("passages", CutReason.PASSAGES, f"it is found, but {why}")
    if passed["threshold"] is False:
        found = facts.sources.found
        share = share_of_strongest(next(one for one in found if one.document_id == facts.document), found)
        why = f"it has {share:.0%} of the best score, and an answer draws on what has {facts.parts.least_share:.0%}"
        return Cut("threshold", CutReason.THRESHOLD, f"it is found, but {why}")
    if passed["budget"] is False:
        why = f"it does not fit into the {facts.parts.context_tokens:,} tokens of a prompt's sources"
        return Cut("budget", CutReason.BUDGET, f"it is found, but {why}")
    return None
