"""What a question does not want: "not about birds", "except London", "excluding taxes"."""

from __future__ import annotations

import re

from rag_engine.query_optimizer.patterns import Pattern

_PHRASE = r"(?P<what>\"[^\"]{2,80}\"|“[^”]{2,80}”|(?:[^\s,.;?!]+\s+){0,4}?[^\s,.;?!]+)"
_END = (
    r"(?=\s*(?:[,.;?!]|$|\b(?:in|on|at|for|when|while|that|which|who|and|or|is|are|was|were|do|does|did|have|has)\b))"
)
# Those of the first kind are taken out of what is searched for: all of the phrase is about what is not wanted.
_TAKEN_OUT = Pattern(
    rf"[\s,]*\b(?:(?:but\s+)?not\s+(?:about|on|regarding|concerning)|(?:but\s+)?(?:excluding|leaving\s+out|ignoring))"
    rf"\s+(?:the\s+|any\s+)?{_PHRASE}{_END}",
    re.IGNORECASE,
)
_KEPT = Pattern(
    rf"[\s,]*\b(?:except(?:\s+(?:for|from))?|other\s+than|apart\s+from|aside\s+from|but\s+not)\s+"
    rf"(?:the\s+|any\s+|in\s+|by\s+)?{_PHRASE}{_END}",
    re.IGNORECASE,
)


def exclusions(question: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The question without what it says not to be about, these phrases, and those that it only excepts: of the last,
    the right text may speak as well."""
    taken_out = [match["what"].strip('"“”') for match in _TAKEN_OUT.finditer(question)]
    rest = _TAKEN_OUT.sub("", question) if taken_out else question
    excepted = [match["what"].strip('"“”') for match in _KEPT.finditer(rest)]
    return rest.strip(" ,;"), tuple(taken_out), tuple(excepted)
