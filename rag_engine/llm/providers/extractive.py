"""A LanguageModel without a model: it answers in the sources' own sentences, or says that they do not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from rag_engine import tracing
from rag_engine.errors import ConfigurationError
from rag_engine.llm.asked import Asked, read_question
from rag_engine.llm.composition import Draft, compose
from rag_engine.llm.evidence import Evidence, RankedSentence, confidence, confidence_features, gather, rank_logit
from rag_engine.protocols import Embedder, SentenceSplitter
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    Quotation,
    TextDelta,
    Usage,
)
from rag_engine.types.suspicion import suspicions_between

ABSTENTION = "The documents at hand do not answer this question."
# Sentences that are embedded for one question; the others are ruled out by their words alone.
CANDIDATES = 16
# So much less likely, in logits, a sentence counts that holds something suspicious: one of two that say the same is
# the other one, and what only it says can still be quoted. The citation shows what it is.
SUSPICIOUS_PENALTY = 2.2


class ExtractiveModel:
    """Quotes the sentence that answers best, the words of it that answer first, and others where more is asked for."""

    name = "extractive"

    def __init__(
        self,
        *,
        embedder: Embedder,
        split_sentences: SentenceSplitter,
        abstain_below: float = 0.32,
        max_sentences: int = 2,
    ) -> None:
        """``embedder`` had better remember: sentences come again with every question about them. ``max_sentences`` are
        quoted for a fact; where more than a fact is asked for, from two on, one more.

        Raises:
            ConfigurationError: ``abstain_below`` is not in [0, 1], or ``max_sentences`` is below 1.
        """
        if not 0 <= abstain_below <= 1:
            raise ConfigurationError(
                f"no confidence is below {abstain_below}", hint="set answering.abstain_below from 0 to 1"
            )
        if max_sentences < 1:
            raise ConfigurationError(f"an answer of {max_sentences} sentences is none", hint="allow one at least")
        self._embedder = embedder
        self._split_sentences = split_sentences
        self._abstain_below = abstain_below
        self._max_sentences = max_sentences

    async def complete(self, prompt: Prompt) -> Completion:
        """The answer, each sentence with its marker and its exact characters as a quotation.

        Where a few words of a sentence answer, or yes or no, they come first and are ``short``. Below the confidence
        asked for, or without sources, it abstains.
        """
        import asyncio  # 30 ms, and whoever awaits has it already

        with tracing.chat_span(provider=self.name, model=self.name) as span:
            completion = await asyncio.to_thread(self._answer, prompt)
            span.set_completion(completion)
        return completion

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The same: its text is there at once."""
        completion = await self.complete(prompt)
        yield TextDelta(completion.text)
        yield CompletionDone(completion)

    def _answer(self, prompt: Prompt) -> Completion:
        asked = read_question(prompt.question)
        ranked = self.rank(prompt, asked)
        sure = confidence(self.features(asked, ranked)) if ranked else 0.0
        if not ranked or sure < self._abstain_below:
            return self._completion(prompt, ABSTENTION, FinishReason.ABSTAINED, sure)
        draft = compose(asked, ranked, most=self._max_sentences)
        quoted = (f"{' '.join(one.evidence.text.split())} [{one.evidence.source.number}]" for one in draft.quoted)
        text = " ".join((f"{draft.short} —", *quoted) if draft.short else quoted)
        return self._completion(prompt, text, FinishReason.STOP, sure, draft)

    def rank(self, prompt: Prompt, asked: Asked) -> list[RankedSentence]:
        """The candidate sentences of the sources, best first."""
        everything = gather(asked, prompt.sources, split_sentences=self._split_sentences)
        candidates = sorted(everything, key=lambda evidence: _penalty(evidence) - rank_logit(evidence, cosine=0.0))
        candidates = candidates[:CANDIDATES]
        if not candidates:
            return []
        # The sentences go the way of questions too: they are few and short, and somebody waits for them.
        question_row, *rows = self._embedder.embed_queries([asked.text, *(one.text for one in candidates)])
        cosines = [float(row @ question_row) for row in rows]
        ranked = [
            RankedSentence(evidence, cosine, rank_logit(evidence, cosine=cosine) - _penalty(evidence), row)
            for evidence, cosine, row in zip(candidates, cosines, rows, strict=True)
        ]
        return sorted(ranked, key=lambda entry: -entry.logit)

    def features(self, asked: Asked, ranked: Sequence[RankedSentence]) -> Mapping[str, float]:
        """What the confidence in the first of ``ranked``, which holds one at least, is computed from."""
        passage = ranked[0].evidence.source.passage
        passage_cosine = passage.scores.get("dense")
        if passage_cosine is None:  # found by its words alone
            question_row, row = self._embedder.embed_queries([asked.text, passage.text])
            passage_cosine = float(row @ question_row)
        nearest = max(entry.cosine for entry in ranked)
        return confidence_features(asked, ranked[0], nearest=nearest, passage_cosine=passage_cosine)

    def _completion(
        self, prompt: Prompt, text: str, reason: FinishReason, sure: float, draft: Draft | None = None
    ) -> Completion:
        quoted = draft.quoted if draft else ()
        return Completion(
            text=text,
            model=self.name,
            finish_reason=reason,
            usage=Usage(prompt.tokens, self._embedder.tokenizer.count([text])[0], cost=0.0),
            quotations=tuple(
                Quotation(entry.evidence.source.number, entry.evidence.start, entry.evidence.end) for entry in quoted
            ),
            confidence=sure,
            short=draft.short if draft else "",
        )


def _penalty(evidence: Evidence) -> float:
    found = suspicions_between(evidence.source.passage.metadata, evidence.start, evidence.end)
    return SUSPICIOUS_PENALTY if any(suspicion.start is not None for suspicion in found) else 0.0
