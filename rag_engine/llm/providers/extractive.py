"""A LanguageModel without a model: it answers in the sources' own sentences, or says that they do not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_engine.errors import ConfigurationError
from rag_engine.llm.evidence import Evidence, confidence, confidence_features, gather, rank_logit
from rag_engine.protocols import Embedder, SentenceSplitter
from rag_engine.types.generation import Completion, FinishReason, Prompt, Quotation, Usage
from rag_engine.types.suspicion import suspicions_between

ABSTENTION = "The documents at hand do not answer this question."
# Sentences that are embedded for one question; the others are ruled out by their words alone.
CANDIDATES = 16
# A second sentence is quoted when it is at most this much less likely than the first, in logits: a third.
CLOSE = 1.1
# So much less likely, in logits, a sentence counts that holds something suspicious: one of two that say the same is
# the other one, and what only it says can still be quoted. The citation shows what it is.
SUSPICIOUS_PENALTY = 2.2


@dataclass(frozen=True, slots=True)
class RankedSentence:
    """A sentence, its cosine with the question, and its logit among the candidates."""

    evidence: Evidence
    cosine: float
    logit: float


class ExtractiveModel:
    """Quotes the sentence that answers best, and a second one where the two are close."""

    name = "extractive"

    def __init__(
        self,
        *,
        embedder: Embedder,
        split_sentences: SentenceSplitter,
        abstain_below: float = 0.32,
        max_sentences: int = 2,
    ) -> None:
        """``embedder`` had better remember: sentences come again with every question about them.

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

        Below the confidence asked for, or without sources, it abstains.
        """
        import asyncio  # 30 ms, and whoever awaits has it already

        return await asyncio.to_thread(self._answer, prompt)

    def _answer(self, prompt: Prompt) -> Completion:
        ranked = self.rank(prompt)
        sure = confidence(self.features(prompt.question, ranked[0])) if ranked else 0.0
        if not ranked or sure < self._abstain_below:
            return self._completion(prompt, ABSTENTION, FinishReason.ABSTAINED, sure)
        chosen = [entry for entry in ranked[: self._max_sentences] if entry.logit >= ranked[0].logit - CLOSE]
        text = " ".join(f"{' '.join(entry.evidence.text.split())} [{entry.evidence.source.number}]" for entry in chosen)
        return self._completion(prompt, text, FinishReason.STOP, sure, chosen)

    def rank(self, prompt: Prompt) -> list[RankedSentence]:
        """The candidate sentences of the sources, best first."""
        everything = gather(prompt.question, prompt.sources, split_sentences=self._split_sentences)
        candidates = sorted(everything, key=lambda evidence: _penalty(evidence) - rank_logit(evidence, cosine=0.0))
        candidates = candidates[:CANDIDATES]
        cosines = self._cosines(prompt.question, [evidence.text for evidence in candidates])
        ranked = [
            RankedSentence(evidence, cosine, rank_logit(evidence, cosine=cosine) - _penalty(evidence))
            for evidence, cosine in zip(candidates, cosines, strict=True)
        ]
        return sorted(ranked, key=lambda entry: -entry.logit)

    def _cosines(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        # The sentences go the way of questions too: they are few and short, and somebody waits for them.
        question_row, *rows = self._embedder.embed_queries([question, *texts])
        return [float(row @ question_row) for row in rows]

    def features(self, question: str, best: RankedSentence) -> Mapping[str, float]:
        """What the confidence in ``best``, the first sentence, is computed from."""
        passage = best.evidence.source.passage
        passage_cosine = passage.scores.get("dense")
        if passage_cosine is None:  # found by its words alone
            passage_cosine = self._cosines(question, [passage.text])[0]
        return confidence_features(best.evidence, cosine=best.cosine, passage_cosine=passage_cosine)

    def _completion(
        self, prompt: Prompt, text: str, reason: FinishReason, sure: float, chosen: Sequence[RankedSentence] = ()
    ) -> Completion:
        return Completion(
            text=text,
            model=self.name,
            finish_reason=reason,
            usage=Usage(prompt.tokens, self._embedder.tokenizer.count([text])[0], cost=0.0),
            quotations=tuple(
                Quotation(entry.evidence.source.number, entry.evidence.start, entry.evidence.end) for entry in chosen
            ),
            confidence=sure,
        )


def _penalty(evidence: Evidence) -> float:
    found = suspicions_between(evidence.source.passage.metadata, evidence.start, evidence.end)
    return SUSPICIOUS_PENALTY if any(suspicion.start is not None for suspicion in found) else 0.0
