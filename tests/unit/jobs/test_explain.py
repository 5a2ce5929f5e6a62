"""Each reason for which a document is not found is produced for real, told, and mended by what is told to mend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import chunker_for
from rag_engine.context_retrieval import HybridRetriever, OptimizedRetriever, parse_filter
from rag_engine.errors import UnknownDocumentError
from rag_engine.index import Index
from rag_engine.ingestion import loader_versions
from rag_engine.jobs.explain import ExplainJob
from rag_engine.jobs.explain_trial import AskingParts
from rag_engine.jobs.ingest import IngestJob
from rag_engine.prompt_engineering import PromptBuilder
from rag_engine.types.document import Document, JsonValue, Truncation
from rag_engine.types.explanation import Change, CutReason, Explanation
from rag_engine.types.optimization import OptimizationStep, OptimizedQuery, StrategyName, TaskType
from rag_engine.types.retrieval import Passage, Query, SearchMode
from tests.conftest import Ingest
from tests.in_process_sandbox import InProcessSandbox

LETTER = " ".join(f"Clause {number} of the contract is about the matter {number * 17}." for number in range(30))
COLOURS = ("red", "green", "blue", "amber", "violet", "white", "black", "brown", "grey", "pink", "teal", "olive")
LEXICAL = SearchMode.LEXICAL
Explain = Callable[..., Explanation]


class NotAbout:
    """Plans that what is about something red comes last."""

    def plan(self, question: str, *, only: frozenset[StrategyName] | None = None) -> OptimizedQuery:
        step = OptimizationStep(StrategyName.CONSTRAINTS, question, question, "not red", 1.0, applied=True)
        return OptimizedQuery(question, question, TaskType.QUESTION, (step,), excluded=("red",))

    def look_further(
        self, plan: OptimizedQuery, passages: Sequence[Passage], *, ungated: bool = False
    ) -> OptimizedQuery:
        return plan


@pytest.fixture
def make(index: Index, hashing_embedder: HashingEmbedder) -> Callable[..., Callable[..., AskingParts]]:
    """Makes what makes parts under settings, as the assembly does, with these settings for the present ones."""

    def with_settings(**present: JsonValue) -> Callable[[Mapping[str, JsonValue]], AskingParts]:
        def make(changes: Mapping[str, JsonValue]) -> AskingParts:
            given = present | {name.split(".")[1]: value for name, value in changes.items()}
            depth, feedback = int(given.get("depth", 200)), float(given.get("feedback", 0.0))  # type: ignore[arg-type]
            links = given.get("near_duplicates", "keep") == "link"
            hybrid = HybridRetriever(
                index=index,
                embedder=hashing_embedder,
                depth=depth,
                feedback=feedback,
                dense_weight=given.get("dense_weight"),  # type: ignore[arg-type]
                stretch_share=0.5,
                neighbour_weight=0.15,
                passage_tokens=64,
                link_near_duplicates=links,
            )
            tokens = int(given.get("context_tokens", 4096))  # type: ignore[arg-type]
            return AskingParts(
                retriever=OptimizedRetriever(
                    retriever=hybrid,
                    optimizer=NotAbout() if given.get("enabled") else None,
                    admits=index.catalog.facts.admits,
                ),
                hybrid=hybrid,
                builder=PromptBuilder(tokenizer=hashing_embedder.tokenizer, context_tokens=tokens),
                depth=depth,
                feedback=feedback,
                link_near_duplicates=links,
                passages=int(given.get("passages", 8)),  # type: ignore[arg-type]
                least_share=float(given.get("least_share", 0.0)),  # type: ignore[arg-type]
                context_tokens=tokens,
            )

        return make

    return with_settings


@pytest.fixture
def explain(index: Index, make: Callable[..., Callable[..., AskingParts]]) -> Explain:
    """Explains a document under settings, and sees to it that every change does what it says."""

    def explain(
        question: str,
        expect: str,
        *,
        k: int = 10,
        mode: SearchMode = LEXICAL,
        condition: str | None = None,
        **settings: JsonValue,
    ) -> Explanation:
        query = Query(question, k=k, mode=mode, filter=None if condition is None else parse_filter(condition))
        job = ExplainJob(index=index, make=make(**settings))
        explanation = job.explain(query, expect=expect)
        for change in explanation.changes:
            changed = dict(question=question, k=k, mode=mode, condition=condition, **settings) | changed_to(change)
            again = ExplainJob(
                index=index,
                make=make(**{name: value for name, value in changed.items() if name not in QUERY}),
            ).explain(
                Query(
                    changed["question"],  # type: ignore[arg-type]
                    k=changed["k"],  # type: ignore[arg-type]
                    mode=SearchMode(changed["mode"]),
                    filter=None if changed["condition"] is None else parse_filter(changed["condition"]),  # type: ignore[arg-type]
                ),
                expect=expect,
            )
            assert again.found or (explanation.found and again.read), change
            assert not explanation.found or again.read, change
        return explanation

    return explain


QUERY = ("question", "k", "mode", "condition")


def changed_to(change: Change) -> dict[str, JsonValue]:
    if change.what == "filter and k":
        assert isinstance(change.to, dict)
        return {"condition": change.to["filter"], "k": change.to["k"]}
    return {{"filter": "condition"}.get(change.what, change.what.rpartition(".")[2]): change.to}


def whats(explanation: Explanation) -> list[str]:
    return [change.what for change in explanation.changes]


def stage(explanation: Explanation, name: str) -> tuple[bool | None, int | None]:
    return next((one.passed, one.rank) for one in explanation.stages if one.stage == name)


@pytest.fixture
def lamps(ingest: Ingest) -> None:
    """Twelve documents about lamps; the more often they say the word, the better they fit."""
    ingest(
        *(
            Document(
                id=f"lamp-{number:02}",
                title=f"The {colour} one",
                text=f"A {colour} thing. " + "lamp " * (14 - number) + "shines upon the table of the house. " * 2,
                metadata={"year": 2000 + number},
            )
            for number, colour in enumerate(COLOURS)
        )
    )


@pytest.mark.usefixtures("lamps")
def test_a_document_that_is_found_and_read_is_cut_by_nothing(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-00")
    assert (explanation.found, explanation.read, explanation.cut, explanation.changes) == (True, True, None, ())
    assert explanation.beaten_by is None
    assert stage(explanation, "results") == (True, 1)


@pytest.mark.usefixtures("lamps")
def test_too_few_results_are_mended_by_just_as_many_as_it_takes(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-07", k=3)
    assert explanation.cut is not None
    assert (explanation.found, explanation.cut.reason) == (False, CutReason.RESULTS)
    assert explanation.changes[0] == Change("k", 3, 8, 8)
    rival = explanation.beaten_by
    assert rival is not None
    assert (rival.rank, rival.document, rival.won_by) == (3, "lamp-02", "stretches")
    assert rival.score == pytest.approx(sum(rival.parts.values()))
    assert rival.ahead_by["stretches"] == max(rival.ahead_by.values()) > rival.ahead_by["lexical"] > 0


@pytest.mark.usefixtures("lamps")
def test_a_filter_is_told_by_its_false_parts_and_what_the_document_has_there(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-00", condition="year >= 2005 and title != 'x' and not year == 2000")
    assert explanation.cut is not None
    assert explanation.cut.reason is CutReason.FILTER
    assert [(one.condition, one.value) for one in explanation.conditions] == [
        ("year >= 2005", 2000),
        ("not (year == 2000)", 2000),
    ]
    assert [(change.what, change.to) for change in explanation.changes] == [("filter", None)]
    assert stage(explanation, "lexical") == (None, 1)


@pytest.mark.usefixtures("lamps")
def test_what_the_optimiser_put_before_it_is_mended_by_searching_for_the_question_as_it_stands(
    explain: Explain,
) -> None:
    explanation = explain("lamp", "lamp-00", k=3, enabled=True)
    assert explanation.cut is not None
    assert (explanation.cut.reason, stage(explanation, "plan")) == (CutReason.PLAN, (False, None))
    assert Change("query_optimizer.enabled", True, False, 1) in explanation.changes
    assert explanation.changes[0] == Change("k", 3, 12, 12)


@pytest.mark.usefixtures("lamps")
def test_only_the_false_part_of_a_filter_is_taken_out_where_that_is_enough(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-03", condition="year >= 2005 and title != 'x'")
    assert [change.to for change in explanation.changes] == ["title != 'x'"]


@pytest.mark.usefixtures("lamps")
def test_where_the_filter_is_not_all_the_number_of_results_is_told_too(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-04", k=2, condition="year > 2004")
    assert [(change.what, change.to) for change in explanation.changes] == [("filter and k", {"filter": None, "k": 5})]


@pytest.mark.usefixtures("lamps")
def test_words_that_the_document_has_not_are_told_with_those_that_would_find_it(explain: Explain) -> None:
    explanation = explain("the red zeppelin", "lamp-01")
    assert explanation.cut is not None
    assert explanation.cut.reason is CutReason.WORDS
    assert [leg.rank for leg in explanation.legs] == [None, None]
    words = explanation.words
    assert (words.in_document, words.elsewhere, words.nowhere, words.ignored) == ((), ("red",), ("zeppelin",), ("the",))
    added = next(change for change in explanation.changes if change.what == "question")
    assert added.to == "the red zeppelin green"


def test_what_was_left_out_of_a_document_is_named_where_none_of_the_words_was_kept(
    ingest: Ingest, explain: Explain
) -> None:
    cut = Truncation("rows of Sales", 10, 25)
    ingest(Document(id="cut", text="Nothing about it.", truncations=(cut,)), Document(id="whole", text="A zeppelin."))
    explanation = explain("zeppelin", "cut")
    assert explanation.cut is not None
    assert explanation.cut.reason is CutReason.TRUNCATED
    assert "10 of 25 rows of Sales" in explanation.cut.why
    assert [entry.what for entry in explanation.truncations] == ["rows of Sales"]


@pytest.mark.usefixtures("lamps")
def test_a_document_deeper_than_the_legs_look_has_its_true_rank(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-08", k=1, depth=4)
    assert explanation.cut is not None
    assert explanation.cut.reason is CutReason.DEPTH
    assert [(leg.rank, leg.within) for leg in explanation.legs if leg.leg == "lexical"] == [(9, False)]
    assert "lexical 9" in explanation.cut.why
    assert "k" in whats(explanation)


@pytest.mark.usefixtures("lamps")
@pytest.mark.parametrize("mode", [SearchMode.HYBRID, SearchMode.DENSE])
@pytest.mark.parametrize("depth", [1, 3, 200])
def test_true_ranks_are_those_of_a_search_that_looks_at_everything(
    explain: Explain, index: Index, hashing_embedder: HashingEmbedder, mode: SearchMode, depth: int
) -> None:
    explanation = explain("a lamp upon the table", "lamp-09", k=1, mode=mode, depth=depth, feedback=0.4)
    with index.view(dense=True, lexical=True) as view:
        vector = hashing_embedder.embed_queries(["a lamp upon the table"])[0]
        hits = {
            "dense": view.dense.search(vector, 100),
            "lexical": view.lexical.search("a lamp upon the table", 100),
        }
        for leg in explanation.legs:
            if leg.leg in hits:
                chunks = [hit.chunk for hit in hits[leg.leg]]
                assert leg.chunk in chunks
                own = {chunk for chunk, one in view.passages(chunks).items() if one.document_id == "lamp-09"}
                assert leg.rank == next(rank for rank, chunk in enumerate(chunks, 1) if chunk in own)
                assert leg.within == (leg.rank <= depth)
    assert {leg.leg for leg in explanation.legs} >= ({"dense"} if mode is SearchMode.DENSE else set(hits))


LETTERS = tuple(Document(id=name, text=f"{LETTER} Signed by {name}.") for name in ("first", "second"))


@pytest.fixture
def letters(ingest: Ingest) -> None:
    """Two letters that are nearly the same."""
    ingest(*LETTERS)


@pytest.mark.usefixtures("letters")
def test_the_near_duplicate_that_is_shown_for_it_is_named(explain: Explain) -> None:
    explanation = explain("signed by first", "second", near_duplicates="link")
    assert explanation.cut is not None
    assert (explanation.cut.reason, explanation.near_duplicate_of) == (CutReason.DUPLICATE, "first")
    assert "first" in explanation.cut.why
    assert explanation.beaten_by is not None
    assert explanation.beaten_by.document == "first"
    assert "ingestion.near_duplicates" in whats(explanation)


def test_a_near_duplicate_that_the_ingest_left_out_is_told_with_what_it_is_the_same_as(
    index: Index, hashing_embedder: HashingEmbedder, explain: Explain
) -> None:
    IngestJob(
        index=index,
        chunker=chunker_for(hashing_embedder),
        embedder=hashing_embedder,
        make_sandbox=InProcessSandbox,  # type: ignore[arg-type]
        loader_versions=loader_versions(),
        near_duplicates="drop",
    ).ingest_documents(LETTERS)
    explanation = explain("signed by second", "second")
    assert explanation.cut is not None
    assert (explanation.cut.reason, explanation.cut.stage) == (CutReason.DUPLICATE, "index")
    assert (explanation.near_duplicate_of, explanation.chunks) == ("first", 0)


@pytest.mark.usefixtures("lamps")
def test_an_answer_that_looks_at_fewer_passages_is_mended_by_more(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-05", passages=2)
    assert explanation.cut is not None
    assert (explanation.found, explanation.read, explanation.cut.reason) == (True, False, CutReason.PASSAGES)
    assert explanation.changes[0] == Change("answering.passages", 2, 6, 6)


@pytest.mark.usefixtures("lamps")
def test_a_score_too_far_below_the_best_is_mended_by_the_share_that_it_has(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-05", least_share=0.95)
    assert explanation.cut is not None
    assert (explanation.found, explanation.cut.reason) == (True, CutReason.THRESHOLD)
    share = next(change for change in explanation.changes if change.what == "answering.least_share")
    assert isinstance(share.to, float)
    assert 0 < share.to < 0.95


@pytest.mark.usefixtures("lamps")
def test_a_prompt_without_room_is_mended_by_just_enough_tokens(explain: Explain) -> None:
    explanation = explain("lamp", "lamp-05", context_tokens=100)
    assert explanation.cut is not None
    assert (explanation.found, explanation.cut.reason) == (True, CutReason.BUDGET)
    tokens = next(change for change in explanation.changes if change.what == "answering.context_tokens")
    assert isinstance(tokens.to, int)
    closer = explain("lamp", "lamp-05", context_tokens=tokens.to - 17)
    assert not closer.read


def test_a_document_without_text_is_told_to_have_none(ingest: Ingest, index: Index, explain: Explain) -> None:
    ingest(Document(id="gone", text="A lamp."), Document(id="other", text="Another lamp."))
    with index.catalog.change() as change:
        change.remove_all_chunks()
    explanation = explain("lamp", "gone")
    assert explanation.cut is not None
    assert (explanation.cut.reason, explanation.chunks, explanation.changes) == (CutReason.NO_TEXT, 0, ())


@pytest.mark.usefixtures("lamps")
def test_an_unknown_document_is_an_error_that_names_the_nearest(explain: Explain) -> None:
    with pytest.raises(UnknownDocumentError) as caught:
        explain("lamp", "lamp-5")
    assert "lamp-05" in caught.value.hint
