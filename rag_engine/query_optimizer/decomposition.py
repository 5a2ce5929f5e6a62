"""Decomposition: questions that no single document answers become several searches.

A comparison names what it compares; the documents of these names belong to the first results. A bridge question
("Where was the author of X born?") is answered in a document that only the first one names: the names in the first
results lead to it (Qi et al., "Answering complex open-domain questions through iterative query generation", 2019,
with names of documents in place of a trained generator). Every follow-up is one search among the named documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_engine.protocols import CorpusFacts
from rag_engine.query_optimizer.names import longest, names, quoted
from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.optimization import FollowUp, StrategyName, TaskType
from rag_engine.types.retrieval import Passage

# The rows quality/strategies-* of benchmarks/README.md: two documents more, behind the first two results; where the
# question itself speaks of something that stands for another thing, behind the first.
_MOST_FOLLOWED = 3
_BEHIND, _BEHIND_RELATIVE = 2, 1
_FIRST_DOCUMENTS = 2
FIRST_PASSAGES = 20
_MOST_COMPARED = 3
_MOST_NAMES = 400
_ASKS = re.compile(
    r"^\W*(?:(?:in|on|at|for|to|by|of|from|with|under)\s+)?(?:what|which|who|whom|whose|when|where|why|how)\b"
    r"|^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|should|will|would)\b|\?\s*$",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"\b(?:or|both|same|in\s+common|differences?\s+between|compare[ds]?|versus|vs)\b", re.IGNORECASE)
_RELATIVE = re.compile(r"(?<=[\w,]\s)(?:who|whom|whose|that|which|where|when|what)\b", re.IGNORECASE)


class Decomposition:
    """Finds the further searches that a question needs."""

    name = StrategyName.DECOMPOSITION

    def propose(self, question: str, context: Context) -> Proposal | None:
        """A search among the documents that are compared, or a second look after the first results; None for what is
        no question, or names nothing and speaks of nothing by what it does."""
        if context.task.type not in (TaskType.QUESTION, TaskType.ANALYSIS):
            return None
        analysis = context.task.type is TaskType.ANALYSIS
        compares = analysis or _COMPARES.search(question) is not None
        if not (analysis or _ASKS.search(question)):
            return None
        said = names(question)
        said.update({phrase: question.find(phrase) for phrase in quoted(question)})
        if compares and len(said) > 1:
            documents = _documents(said, context.facts)
            if len(documents) > 1:
                among = tuple(identifier for one in documents for identifier in one)
                compared = FollowUp(question, among, behind=0, most=min(len(documents), _MOST_COMPARED))
                return Proposal(question, "the compared are searched for by name", 0.8, follow_ups=(compared,))
        if said or _RELATIVE.search(question):
            return Proposal(question, "the first results may name the document that answers", 0.7, looks_further=True)
        return None


def follow_up(question: str, passages: Sequence[Passage], facts: CorpusFacts) -> FollowUp | None:
    """The search among the documents that the first results name and the question does not; None where none is."""
    first = list(dict.fromkeys(passage.document_id for passage in passages))[:_FIRST_DOCUMENTS]
    read = [passage for passage in passages[:FIRST_PASSAGES] if passage.document_id in first]
    found: dict[str, int] = {}
    offset = 0
    for passage in read:
        for name, start in names(passage.text).items():
            if name not in question:
                found.setdefault(name, offset + start)
        offset += len(passage.text) + 1
    named = facts.named(list(found)[:_MOST_NAMES]) if found else {}
    linked = [identifier for name in longest({name: found[name] for name in named}) for identifier in named[name]]
    documents = tuple(identifier for identifier in dict.fromkeys(linked) if identifier not in first[:1])
    if not documents:
        return None
    behind = _BEHIND_RELATIVE if _RELATIVE.search(question) else _BEHIND
    return FollowUp(question, documents, behind=behind, most=_MOST_FOLLOWED)


def _documents(said: dict[str, int], facts: CorpusFacts) -> list[tuple[str, ...]]:
    """The documents of each of the names, in the order of the names."""
    found = facts.named(list(said))
    return [found[name] for name in longest({name: said[name] for name in found})]
