from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import CitationError
from rag_engine.prompt_engineering import Verdict, resolve_citations, text_digest, unknown_markers, verify_citation
from rag_engine.types.generation import Completion, FinishReason, NumberedSource, Prompt, Quotation
from rag_engine.types.retrieval import Passage
from rag_engine.types.suspicion import Suspicion, SuspicionKind, with_suspicions

STORED = {"guide": "Preface. Ada wrote it. Bob read it. End.", "notes": "Eve printed it."}
ADA = STORED["guide"].index("Ada wrote it.")


def passage(document: str, start: int, end: int) -> Passage:
    return Passage(1, 1.0, document, document.title(), 1, start, end, STORED[document][start:end], page=3)


PROMPT = Prompt(
    "who?",
    "",
    "",
    (NumberedSource(1, passage("guide", 9, 35)), NumberedSource(2, passage("notes", 0, 15))),
    tokens=0,
)


def completion(text: str = "", *quotations: Quotation, reason: FinishReason = FinishReason.STOP) -> Completion:
    return Completion(text, "some-model", reason, quotations=quotations)


def test_a_quotation_gives_its_exact_characters_and_the_digest_of_the_whole_document() -> None:
    quoting = completion("Ada wrote it. [1]", Quotation(1, ADA, ADA + 13))
    (citation,) = resolve_citations(quoting, PROMPT, text_of=STORED.get)
    assert citation.text == "Ada wrote it." == STORED["guide"][citation.start : citation.end]
    assert (citation.marker, citation.document, citation.title, citation.page) == (1, "guide", "Guide", 3)
    assert citation.digest == hashlib.sha256(STORED["guide"].encode()).hexdigest()


def test_a_citation_shows_what_is_suspicious_in_its_characters() -> None:
    here = Suspicion(SuspicionKind.INSTRUCTIONS, "here", ADA + 4, ADA + 9)
    later = Suspicion(SuspicionKind.INSTRUCTIONS, "later", ADA + 13, ADA + 20)
    shown = replace(passage("guide", 9, 35), metadata=with_suspicions({}, [here, later]))
    prompt = replace(PROMPT, sources=(NumberedSource(1, shown),))
    quoting = completion("Ada wrote it. [1]", Quotation(1, ADA, ADA + 13))
    (citation,) = resolve_citations(quoting, prompt, text_of=STORED.get)
    assert citation.suspicious == (here,)


@pytest.mark.parametrize("text", ["It was Ada [1], then Eve [2].", "Both [1, 2].", "Both [1][2], again [1]."])
def test_markers_alone_cite_the_whole_passages_behind_them_once_each(text: str) -> None:
    citations = resolve_citations(completion(text), PROMPT, text_of=STORED.get)
    assert [(one.marker, one.start, one.end) for one in citations] == [(1, 9, 35), (2, 0, 15)]


def test_a_marker_without_a_source_is_left_out_and_named() -> None:
    dreaming = completion("Ada [1], Zoe [7].")
    assert [one.marker for one in resolve_citations(dreaming, PROMPT, text_of=STORED.get)] == [1]
    assert unknown_markers(dreaming, PROMPT) == (7,)


def test_brackets_inside_quoted_text_are_no_markers() -> None:
    quoting = completion("Ada [2] wrote it [9]. [1]", Quotation(1, ADA, ADA + 13))
    assert [one.marker for one in resolve_citations(quoting, PROMPT, text_of=STORED.get)] == [1]
    assert unknown_markers(quoting, PROMPT) == ()


def test_an_abstention_cites_nothing() -> None:
    abstention = completion("Nothing on it [1].", reason=FinishReason.ABSTAINED)
    assert resolve_citations(abstention, PROMPT, text_of=STORED.get) == ()


def test_the_page_of_the_cited_characters_is_asked_for_where_it_can_be() -> None:
    quoting = completion("", Quotation(1, ADA, ADA + 13))
    (citation,) = resolve_citations(quoting, PROMPT, text_of=STORED.get, page_of=lambda document, start: start)
    assert citation.page == ADA


@pytest.mark.parametrize(
    "quotation",
    [
        Quotation(3, 9, 12),  # no such source
        Quotation(1, 0, 12),  # before the passage
        Quotation(1, 30, 39),  # behind it
        Quotation(1, 12, 12),  # nothing
        Quotation(1, 14, 12),
        Quotation(1, -3, 12),
        Quotation(1, 12, 13),  # white space
    ],
)
def test_a_quotation_that_is_not_in_its_passage_is_never_shown(quotation: Quotation) -> None:
    with pytest.raises(CitationError):
        resolve_citations(completion("", quotation), PROMPT, text_of=STORED.get)


@pytest.mark.parametrize("stored", ["Preface. Eve wrote it. Bob read it. End.", "", None])
@pytest.mark.parametrize("given", [completion("Ada. [1]"), completion("", Quotation(1, ADA, ADA + 13))])
def test_a_document_that_changed_since_it_was_retrieved_is_never_cited(given: Completion, stored: str | None) -> None:
    with pytest.raises(CitationError):
        resolve_citations(given, PROMPT, text_of=lambda document: stored)


def verdict(stored: str | None, *, start: int = 4, text: str = "fact") -> tuple[Verdict, int | None]:
    verification = verify_citation(start=start, end=start + len(text), text=text, stored_text=stored)
    return verification.verdict, verification.start


def test_the_same_characters_at_the_same_place_are_intact() -> None:
    assert verdict("The fact. A fact.") == (Verdict.INTACT, 4)


def test_text_that_stands_elsewhere_has_moved_to_the_nearest_place() -> None:
    assert verdict("fact, or not: here a fact", start=20) == (Verdict.MOVED, 21)
    assert verdict("fact ............. fact", start=3) == (Verdict.MOVED, 0)


def test_of_two_places_as_near_the_earlier_is_given() -> None:
    assert verdict("fact ..... fact", start=5) == (Verdict.MOVED, 0) != verdict("fact .... fact", start=6)


def test_text_that_stands_nowhere_has_changed_and_without_a_document_it_is_gone() -> None:
    assert verdict("The fac t") == (Verdict.CHANGED, None)
    assert verdict("") == (Verdict.CHANGED, None)
    assert verdict(None) == (Verdict.GONE, None)


@pytest.mark.parametrize(("start", "end", "text"), [(0, 0, ""), (-4, 0, "fact"), (0, 9, "fact"), (9, 0, "fact")])
def test_fields_that_make_no_citation_are_refused(start: int, end: int, text: str) -> None:
    with pytest.raises(CitationError):
        verify_citation(start=start, end=end, text=text, stored_text="The fact.")


@given(before=st.text("ab", max_size=8), text=st.text("ab", min_size=1, max_size=4), after=st.text("ab", max_size=8))
def test_a_verdict_agrees_with_looking_at_every_place(before: str, text: str, after: str) -> None:
    old, new = before + text + after, after + before
    start = len(before)
    assert verify_citation(start=start, end=start + len(text), text=text, stored_text=old).verdict is Verdict.INTACT
    places = [place for place in range(len(new)) if new[place : place + len(text)] == text]
    verification = verify_citation(start=start, end=start + len(text), text=text, stored_text=new)
    if not places:
        assert (verification.verdict, verification.start) == (Verdict.CHANGED, None)
    else:
        assert verification.start == min(places, key=lambda place: (abs(place - start), place))
        assert (verification.verdict is Verdict.INTACT) == (start in places)


def test_any_text_has_a_digest_lone_surrogates_too() -> None:
    assert len(text_digest("a\ud800")) == 64
