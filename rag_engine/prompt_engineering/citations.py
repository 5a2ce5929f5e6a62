"""Citations: found in a completion, proven against the stored text, and checked again later."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rag_engine.errors import CitationError
from rag_engine.types.generation import Citation, Completion, FinishReason, NumberedSource, Prompt
from rag_engine.types.suspicion import suspicions_between

# [1], [1][2] and [1, 2]
_MARKERS = re.compile(r"\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")


def resolve_citations(
    completion: Completion,
    prompt: Prompt,
    *,
    text_of: Callable[[str], str | None],
    page_of: Callable[[str, int], int | None] | None = None,
) -> tuple[Citation, ...]:
    """The evidence of a completion, each citation equal to stored characters, in the order it is given, none twice.

    Quotations give their exact characters. A model that only writes markers gives the whole passage behind each;
    a marker without a source is left out (``unknown_markers`` names it). An abstention cites nothing.
    ``text_of`` gives a document's stored text, None where there is no such document; ``page_of`` the page of
    a document's character (without it, the page of the passage stands for all of it).

    Raises:
        CitationError: a quotation lies outside its passage or names no source, or the stored text differs from
            what the model was shown. The completion must then not be shown.
    """
    if completion.finish_reason is FinishReason.ABSTAINED:
        return ()
    sources = {source.number: source for source in prompt.sources}
    claims = [(quotation.marker, quotation.start, quotation.end) for quotation in completion.quotations]
    if not claims:
        claims = [
            (number, sources[number].passage.start, sources[number].passage.end)
            for number in _markers(completion.text)
            if number in sources
        ]
    stored: dict[str, tuple[str, str]] = {}
    citations = []
    for marker, start, end in dict.fromkeys(claims):
        if marker not in sources:
            raise CitationError(f"a quotation names source {marker}, of {len(sources)}", hint="ask again")
        passage = sources[marker].passage
        if passage.document_id not in stored:
            stored[passage.document_id] = _stored(passage.document_id, text_of)
        text, digest = stored[passage.document_id]
        _prove(sources[marker], start, end, text)
        citations.append(
            Citation(
                marker=marker,
                document=passage.document_id,
                start=start,
                end=end,
                text=text[start:end],
                digest=digest,
                title=passage.title,
                page=page_of(passage.document_id, start) if page_of else passage.page,
                suspicious=suspicions_between(passage.metadata, start, end),
            )
        )
    return tuple(citations)


def unknown_markers(completion: Completion, prompt: Prompt) -> tuple[int, ...]:
    """Markers in a completion without quotations that name no source of the prompt, each once."""
    if completion.quotations:
        return ()  # the text is quoted; square brackets in it are the documents' own
    numbers = {source.number for source in prompt.sources}
    return tuple(number for number in _markers(completion.text) if number not in numbers)


def text_digest(text: str) -> str:
    """SHA-256 of a document's whole text, in hexadecimal; lone surrogates count as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Verdict(StrEnum):
    """What became of a citation."""

    INTACT = "intact"
    MOVED = "moved"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verification:
    """A verdict, and where the cited text stands now: its first character, None where it stands nowhere."""

    verdict: Verdict
    start: int | None


def verify_citation(*, start: int, end: int, text: str, stored_text: str | None) -> Verification:
    """Compares a citation, given long ago, with its document's text of today, ``None`` where the document is gone.

    Intact: the same characters at the same place. Moved: the same characters elsewhere; of several places the
    nearest is given, the earlier of two as near. Changed: the document is there, the characters are not.

    Raises:
        CitationError: the fields make no citation: no text, or a span that does not measure it.
    """
    if not text or start < 0 or end - start != len(text):
        raise CitationError(
            f"characters {start} to {end} and a text of {len(text)} characters make no citation",
            hint="pass an answer as rag ask --json printed it",
        )
    if stored_text is None:
        return Verification(Verdict.GONE, None)
    if stored_text.startswith(text, start):
        return Verification(Verdict.INTACT, start)
    before, after = stored_text.rfind(text, 0, start + len(text)), stored_text.find(text, start)
    places = [place for place in (before, after) if place >= 0]
    if not places:
        return Verification(Verdict.CHANGED, None)
    return Verification(Verdict.MOVED, min(places, key=lambda place: abs(place - start)))


def _markers(text: str) -> list[int]:
    numbers = (int(number) for group in _MARKERS.findall(text) for number in group.split(","))
    return list(dict.fromkeys(numbers))


def _stored(document_id: str, text_of: Callable[[str], str | None]) -> tuple[str, str]:
    text = text_of(document_id)
    if text is None:
        raise CitationError(f"the cited document {document_id} is no longer stored", hint="ask again")
    return text, text_digest(text)


def _prove(source: NumberedSource, start: int, end: int, stored: str) -> None:
    passage = source.passage
    if not (0 <= passage.start <= start < end <= passage.end) or not stored[start:end].strip():
        raise CitationError(
            f"the quotation of characters {start} to {end} lies outside source {source.number}, "
            f"which is {passage.start} to {passage.end}, or holds no text",
            hint="ask again",
        )
    if stored[passage.start : passage.end] != passage.text:
        raise CitationError(
            f"the stored text of {passage.document_id} differs from what was retrieved: it changed meanwhile",
            hint="ask again",
        )
