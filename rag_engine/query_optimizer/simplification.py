"""Simplification: politeness, lead-ins and words of the task go; a long question is cut to its informative part.

Names, numbers, quoted phrases and negation stay, or the question is left as it was.
"""

from __future__ import annotations

import re

from rag_engine.query_optimizer.names import protected, words_of
from rag_engine.query_optimizer.patterns import Pattern
from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.optimization import StrategyName

# Longer questions than this are read in part only by embedding models, and by BM25 for every word in them.
LONG_WORDS = 80
MOST_WORDS = 200
_LEAD_IN = Pattern(
    r"^\W*(?:"
    r"(?:hi|hello|hey|dear\s+\w+|good\s+(?:morning|afternoon|evening))\b(?:\s+there)?[\s,!.]+"
    r"|(?:please|kindly)\b[\s,]*"
    r"|(?:(?:can|could|would|will)\s+you\s+(?:please\s+|kindly\s+|maybe\s+|possibly\s+)*"
    r"(?:tell|show|give|explain(?:\s+to)?|help|find|let|look\s+up|describe(?:\s+to)?)"
    r"(?:\s+(?:me|us)\b)?(?:\s+(?:know|find|out|understand|with|about|whether|if)\b)*)[\s,:]*"
    r"|(?:i|we)\s+(?:would|'d|’d)\s+(?:really\s+)?(?:like|love)\s+(?:you\s+)?to\s+"
    r"(?:know|ask(?:\s+you)?|find\s+out|understand|learn|see|tell\s+me)(?:\s+(?:about|whether|if)\b)?[\s,:]*"
    r"|(?:i|we)(?:\s+am|\s+are|'m|’m|'re|’re)\s+(?:just\s+|really\s+|currently\s+)?"
    r"(?:looking\s+for|wondering(?:\s+(?:about|whether|if))?|interested\s+in(?:\s+knowing)?|trying\s+to\s+"
    r"(?:find(?:\s+out)?|understand|figure\s+out))\b[\s,:]*"
    r"|(?:i|we)\s+(?:want|need|wish|have)\s+to\s+(?:know|find(?:\s+out)?|understand|ask(?:\s+you)?|learn)"
    r"(?:\s+(?:about|whether|if)\b)?[\s,:]*"
    r"|(?:do|would)\s+you\s+(?:happen\s+to\s+)?know(?:\s+(?:about|whether|if)\b)?[\s,:]*"
    r"|(?:tell|show|explain\s+to)\s+(?:me|us)\b(?:\s+about\b)?[\s,:]*"
    r"|(?:my\s+question\s+is|i\s+have\s+a\s+question(?:\s+about)?|quick\s+question|the\s+question\s+is)\b[\s,:]*"
    r")",
    re.IGNORECASE,
)
_ENDING = Pattern(
    r"[\s,.]{0,4}\b(?:please|thanks(?:\s+a\s+lot|\s+in\s+advance|\s+so\s+much)?|thank\s+you(?:\s+(?:so|very)\s+much)?"
    r"(?:\s+in\s+advance)?|if\s+you\s+(?:don['’]t\s+mind|can)|cheers)\s*([.?!]*)\s*$",
    re.IGNORECASE,
)
_SENTENCE = Pattern(r"[^.?!\n]+(?:[.?!]+(?=\s|$)|\n|$)|[^\n]+", re.MULTILINE)
_ASKS = Pattern(
    r"\?\s*$|^\W*(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|should)\b",
    re.IGNORECASE,
)


_FIRST_WORD = re.compile(r"[^\W_]+")
_FIRST_WORDS = {
    "hi", "hello", "hey", "dear", "good", "please", "kindly", "can", "could", "would", "will", "i", "we", "do", "tell",
    "show", "explain", "my", "quick", "the",
}  # fmt: skip
_THANKS = ("please", "thank", "cheers", "mind", "can")
_LAST_CHARACTERS = 60


class Simplification:
    """Takes off what says nothing about what is looked for."""

    name = StrategyName.SIMPLIFICATION

    def propose(self, question: str, context: Context) -> Proposal | None:
        """The question without these; None where it has none, or where what must stay would go."""
        task = context.task
        shorter = without_politeness(task.rest if task.words else question)
        reason = "politeness and lead-in taken off"
        if task.words:
            reason = f"the words of the task taken off ({task.type})"
        if len(shorter.split()) > LONG_WORDS:
            shorter, reason = informative_part(shorter), "a long question cut to its informative part"
        elif not _keeps(shorter, question, task_words=task.words):
            return None
        if shorter == question or not shorter:
            return None
        return Proposal(shorter, reason, confidence=0.9, task_words=task.words)


def without_politeness(question: str) -> str:
    """The question without greetings, lead-ins and thanks; whole where nothing else is left."""
    text = question
    while _may_lead_in(text) and (match := _LEAD_IN.match(text)) and match.end():
        text = text[match.end() :]
    last = text[-_LAST_CHARACTERS:].casefold()
    if any(word in last for word in _THANKS) and (ending := _ENDING.search(text)) is not None:
        bare = text[: ending.start()].strip()
        mark = next((mark for mark in text[ending.start() : ending.end()] if mark in ".?!"), "")
        text = bare if bare.endswith((".", "?", "!")) else bare + mark
    text = text.strip()
    return text if re.search(r"\w{2}|[^\x00-\x7f]", text) else question


def _may_lead_in(text: str) -> bool:
    """Whether the first word is one that lead-ins begin with: most questions are told by it at once."""
    word = _FIRST_WORD.search(text)
    return word is not None and word.group().casefold() in _FIRST_WORDS


def informative_part(question: str) -> str:
    """At most 200 words of a long question: the sentences that ask, then those with names, numbers, quotes or
    negation, then the others, in each case as they came; the sentences that ask stand first, for models read the
    beginning."""
    sentences = [match.group().strip() for match in _SENTENCE.finditer(question)]
    unique = [sentence for sentence in dict.fromkeys(sentences) if sentence]
    ranked = sorted(unique, key=lambda sentence: 0 if _ASKS.search(sentence) else 1 if any(protected(sentence)) else 2)
    taken: list[str] = []
    left = MOST_WORDS
    for sentence in ranked:
        words = list(dict.fromkeys(sentence.split())) if len(sentence.split()) > left else sentence.split()
        taken.append(" ".join(words[:left]))
        left -= len(words[:left])
        if not left:
            break
    return " ".join(taken)


def _keeps(shorter: str, question: str, *, task_words: str) -> bool:
    """Whether all words that must stay did; those of the task and of a lead-in may go."""
    said = set(words_of(f"{shorter} {task_words}"))
    return {word for part in protected(question) for word in words_of(part)} <= said
