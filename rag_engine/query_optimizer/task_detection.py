"""What somebody wants done with what is found: six kinds, told by how the question begins.

The words that say so are no part of what is searched for: a text about refunds does not contain "summarise".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag_engine.query_optimizer.patterns import Pattern
from rag_engine.types.optimization import TaskType

_LANGUAGES = (
    "english|german|french|spanish|italian|portuguese|dutch|swedish|danish|norwegian|finnish|polish|czech|russian"
    "|ukrainian|greek|turkish|arabic|hebrew|hindi|chinese|mandarin|japanese|korean|vietnamese|thai|latin"
)
_ABOUT = r"(?:of|about|on|for|from|regarding|concerning|describing)\b"
_SIZE = r"(?:(?:short|brief|quick|concise|detailed|long|small|high-level|one-page|executive|new|formal|friendly)\s+)*"
# Each pattern's groups ``words`` are what is said of the task; what is left over is searched for.
_FRAMES: tuple[tuple[TaskType, str], ...] = (
    (TaskType.SUMMARY, r"(?:summari[sz]e|sum\s+up|recap|condense|outline)\b(?:\s+for\s+(?:me|us)\b)?[\s:]*"),
    (
        TaskType.SUMMARY,
        rf"(?:(?:give|write|provide|make|create|show)\s+(?:(?:me|us)\s+)?)?(?:an?|the)\s+{_SIZE}"
        rf"(?:summary|overview|outline|abstract|recap|synopsis|digest)\s+{_ABOUT}\s*",
    ),
    (TaskType.SUMMARY, r"(?:tl\s*;?\s*dr)\b[\s:,]*"),
    (TaskType.SUMMARY, r"(?:fasse|résume[rz]?|resume|riassumi)\b\s*"),
    (TaskType.TRANSLATION, r"(?:translate|übersetze|traduis|traduire|traduce|traduci)\b[\s:]*"),
    (TaskType.TRANSLATION, rf"how\s+(?:do|would|can)\s+(?:you|i|we|one)\s+say\b\s*(?=.*\bin\s+(?:{_LANGUAGES})\b)"),
    (TaskType.CLASSIFICATION, r"(?:classify|categori[sz]e|label|tag|sort)\b[\s:]*(?=.*\b(?:as|into|by|according)\b)"),
    (TaskType.CLASSIFICATION, r"(?:classify|categori[sz]e)\b[\s:]*"),
    (
        TaskType.CLASSIFICATION,
        r"(?:what|which)\s+(?:category|class|label)\s+(?:does|do|is|are)\b\s*(?=.*\b(?:belong|fall|fit|assign))",
    ),
    (
        TaskType.GENERATION,
        r"(?:write|draft|compose|generate|create|come\s+up\s+with|brainstorm|invent|design|prepare)\s+"
        rf"(?:(?:me|us)\s+)?(?:an?|some|the|\w+)\s+{_SIZE}(?:\w+\s+){{0,2}}?{_ABOUT}\s*",
    ),
    (TaskType.GENERATION, r"(?:rewrite|rephrase|paraphrase|reword)\b[\s:]*"),
    (
        TaskType.ANALYSIS,
        r"(?:analy[sz]e|compare|contrast|evaluate|assess|examine|critici[sz]e|critique|discuss|investigate)\b[\s:]*",
    ),
    (
        TaskType.ANALYSIS,
        rf"(?:(?:give|write|provide|make)\s+(?:(?:me|us)\s+)?)?(?:an?|the)\s+{_SIZE}"
        rf"(?:analysis|comparison|evaluation|assessment|critique|review)\s+{_ABOUT}\s*",
    ),
)
# The words that these may begin with: what begins with another is a question, and costs no look at them.
_FIRST_WORDS = frozenset(
    [
        "summarize",
        "summarise",
        "sum",
        "recap",
        "condense",
        "outline",
        "give",
        "write",
        "provide",
        "make",
        "create",
        "show",
        "a",
        "an",
        "the",
        "tl",
        "fasse",
        "résume",
        "résumer",
        "résumez",
        "resume",
        "riassumi",
        "translate",
        "übersetze",
        "traduis",
        "traduire",
        "traduce",
        "traduci",
        "how",
        "classify",
        "categorize",
        "categorise",
        "label",
        "tag",
        "sort",
        "what",
        "which",
        "draft",
        "compose",
        "generate",
        "come",
        "brainstorm",
        "invent",
        "design",
        "prepare",
        "rewrite",
        "rephrase",
        "paraphrase",
        "reword",
        "analyze",
        "analyse",
        "compare",
        "contrast",
        "evaluate",
        "assess",
        "examine",
        "criticize",
        "criticise",
        "critique",
        "discuss",
        "investigate",
    ]
)
_OPENINGS = [(kind, Pattern(pattern, re.IGNORECASE)) for kind, pattern in _FRAMES]
# Questions that ask for an analysis in the words of a question: nothing of them is taken off.
_ANALYSES = Pattern(
    r"\b(?:pros\s+and\s+cons|advantages\s+and\s+disadvantages|differences?\s+between|trade-?offs?|root\s+cause"
    r"|implications\s+of|how\s+(?:do|does|did)\b.*\bcompare\b|strengths\s+and\s+weaknesses)\b",
    re.IGNORECASE,
)
_ENDINGS: dict[TaskType, Pattern] = {
    TaskType.TRANSLATION: Pattern(
        rf"\s*\b(?:(?:from\s+(?:{_LANGUAGES})\s+)?(?:in|into|to)\s+(?:{_LANGUAGES})|ins\s+\w+|en\s+\w+|auf\s+\w+)\s*[.?!]*$",
        re.IGNORECASE,
    ),
    TaskType.CLASSIFICATION: Pattern(
        r"\s*\b(?:as|into|by|according\s+to|belong\s+to|fall\s+into|fit\s+into)\b[^.?!]*[.?!]*$", re.IGNORECASE
    ),
    TaskType.SUMMARY: Pattern(
        r"\s*\b(?:in\s+(?:\w+|\d+)\s+(?:words?|sentences?|bullet\s+points?|points?|paragraphs?|lines?)|zusammen)\s*[.?!]*$",
        re.IGNORECASE,
    ),
    TaskType.GENERATION: Pattern(
        r"\s*\bin\s+(?:\w+|\d+)\s+(?:words?|sentences?|paragraphs?|lines?)\s*[.?!]*$", re.IGNORECASE
    ),
}
# Longer texts than this are the material of a task, not its description.
_LONGEST = 1_000
# A question in a conversation may come after words of politeness; they are the simplification's to take off.
_POLITE = Pattern(
    r"^\W*(?:(?:please|kindly|can|could|would|will|you|i|want|need|like|to|hi|hello|hey)\b[\s,!]*)*", re.IGNORECASE
)


_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Task:
    """The kind of task, the words that say so, and what is left of the question without them; ``words`` is empty
    where all of it is to be searched for."""

    type: TaskType
    words: str
    rest: str


def detect_task(question: str) -> Task:
    """The task of a question; QUESTION where its words say nothing else. Nothing is taken off that would leave less
    than a word of three letters."""
    start = _POLITE.match(question)
    offset = start.end() if start else 0
    word = _WORD.match(question, offset)
    if word is None or word.group().casefold() not in _FIRST_WORDS:
        return Task(_kind_of_question(question), "", question)
    for kind, pattern in _OPENINGS:
        match = pattern.match(question, offset)
        if match is None:
            continue
        rest = question[match.end() :]
        said = [match.group().strip(" :,")]
        ending = _ENDINGS[kind].search(rest) if kind in _ENDINGS and len(rest) <= _LONGEST else None
        if ending is not None:
            said.append(ending.group().strip(" .?!"))
            rest = rest[: ending.start()]
        rest = rest.strip()
        if not re.search(r"\w{3}|[^\x00-\x7f]", rest):
            return Task(kind, "", question)
        return Task(kind, " … ".join(said), rest)
    return Task(_kind_of_question(question), "", question)


def _kind_of_question(question: str) -> TaskType:
    return TaskType.ANALYSIS if _ANALYSES.search(question) else TaskType.QUESTION
