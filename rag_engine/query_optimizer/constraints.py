"""Constraints: dates, numbers, negation and field filters that a question states about the documents.

One becomes a filter only where the corpus has the field and the value. A date that may as well be what the question
is about ("Who won in 2014?") only speaks for the documents of that date, and only where documents have dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rag_engine.query_optimizer.dates import TimeSpan, time_spans
from rag_engine.query_optimizer.exclusions import exclusions
from rag_engine.query_optimizer.patterns import Pattern
from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.optimization import FieldKind, FieldSummary, StrategyName, WeightedQuery
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not

BOOST = 0.25  # what the documents of a date count that may not be meant as theirs
_DOCUMENT = (
    r"(?:documents?|docs?|files?|papers?|articles?|reports?|e-?mails?|mails?|messages?|notes?|pages?|posts?|records?"
    r"|entries|entry|minutes|invoices?|contracts?|letters?|memos?|studies|books?|chapters?|tickets?|issues?)"
)
# A verb, and the fields of which it speaks.
_VERBS = {
    "published": ("published", "publication_date", "date_published", "pubdate", "date", "year", "created"),
    "released": ("released", "release_date", "date", "year"),
    "written": ("written", "created", "date", "year", "published"),
    "created": ("created", "created_at", "creation_date", "date", "year"),
    "sent": ("sent", "sent_at", "date", "created"),
    "received": ("received", "received_at", "date", "created"),
    "dated": ("date", "created", "published", "year"),
    "signed": ("signed", "date", "created"),
    "updated": ("updated", "updated_at", "modified", "last_modified", "last-edited"),
    "modified": ("modified", "last_modified", "updated", "updated_at", "last-edited"),
    "changed": ("modified", "updated", "changed", "last_modified"),
    "edited": ("last-edited", "edited", "modified", "updated"),
}
_ANY_DATE = ("date", "year", "published", "created", "sent", "modified", "updated")
_SPEAKS_OF_DOCUMENTS = Pattern(
    rf"\b(?:{_DOCUMENT}\s*(?:that\s+(?:were|was|are|is)\s+|which\s+(?:were|was)\s+)?(?P<verb>{'|'.join(_VERBS)})?\s*"
    rf"|(?P<alone>{'|'.join(_VERBS)})\s+)$",
    re.IGNORECASE,
)
_VALUE = r"(?P<value>\"[^\"]{1,200}\"|'[^']{1,200}'|“[^”]{1,200}”|[^\s,;?!\"']+(?:\s+[^\s,;?!\"']+){0,3})"
_STATED = Pattern(
    rf"(?P<not>\bnot\s+)?(?<![\w/])(?P<field>[^\W\d]\w*(?:-\w+)*)\s*(?P<how>:(?!//)|>=|<=|!=|==|=|>|<)\s*{_VALUE}"
)
_BY = Pattern(
    rf"(?P<not>\bnot\s+)?\b(?:(?:{_DOCUMENT}\s+)?(?:written|authored|published|created|sent)\s+by|{_DOCUMENT}\s+by|authored\s+by)\s+"
    r"(?P<value>\"[^\"]+\"|[^\s,;?!\"]+(?:\s+[^\s,;?!\"]+){0,3})",
    re.IGNORECASE,
)
_AUTHORS = ("author", "authors", "creator", "by", "sender", "from", "writer")
_IN_KIND = Pattern(
    rf"(?P<not>\b(?:not|except)\s+)?(?:\bin\s+(?:the\s+)?|\b)(?P<value>[\w+#.]+)\s+{_DOCUMENT}\b", re.IGNORECASE
)
_IN_LANGUAGE = Pattern(rf"(?P<not>\bnot\s+)?\b{_DOCUMENT}\s+(?:written\s+)?in\s+(?P<value>\w+)\b", re.IGNORECASE)
_KINDS = (
    "format",
    "type",
    "file_type",
    "filetype",
    "extension",
    "mime",
    "kind",
    "programming_language",
    "language",
    "lang",
)
_LANGUAGES = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt",
    "dutch": "nl", "polish": "pl", "russian": "ru", "chinese": "zh", "japanese": "ja", "korean": "ko", "arabic": "ar",
}  # fmt: skip
_NUMBERED = Pattern(
    r"\b(?:with\s+|having\s+)?(?P<how>more\s+than|over|at\s+least|fewer\s+than|less\s+than|under|at\s+most|up\s+to|exactly)\s+"
    r"(?P<number>\d+(?:\.\d+)?)\s+(?P<field>[^\W\d]\w+)",
    re.IGNORECASE,
)
_HOW_MANY = {
    "more than": Comparator.GREATER,
    "over": Comparator.GREATER,
    "at least": Comparator.GREATER_OR_EQUAL,
    "fewer than": Comparator.LESS,
    "less than": Comparator.LESS,
    "under": Comparator.LESS,
    "at most": Comparator.LESS_OR_EQUAL,
    "up to": Comparator.LESS_OR_EQUAL,
    "exactly": Comparator.EQUAL,
}
_TITLED = Pattern(
    rf"\b{_DOCUMENT}\s+(?:titled|entitled|called|named)\s+(?:\"(?P<quoted>[^\"]+)\"|“(?P<curly>[^”]+)”|(?P<plain>[^,;?!]+))",
    re.IGNORECASE,
)
# A question without any of these states nothing about documents, and costs no look at the corpus.
_MAY_STATE = Pattern(
    rf"[:=<>]|\d{{4}}"
    rf"|\b(?:{_DOCUMENT}|by|last|this|past|yesterday|today|not|except\w*|excluding|other|apart|aside|than|but)\b",
    re.IGNORECASE,
)
_ISO = Pattern(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class _Found:
    """A constraint and the characters that state it."""

    filter: Filter
    start: int
    stop: int
    said: str


class Constraints:
    """Finds what a question says of the documents that it wants."""

    name = StrategyName.CONSTRAINTS

    def propose(self, question: str, context: Context) -> Proposal | None:
        """Filters, exclusions and the question without the words that state them; None where it states none."""
        if not _MAY_STATE.search(question):
            return None
        rest, taken_out, excepted = exclusions(question)
        fields = context.facts.fields()
        found = _apart([*_stated(rest, fields, context), *_titled(rest, context), *_dated(rest, fields, context.today)])
        if not found:
            boost = _boost(rest, fields, context.today)
            if not (taken_out or excepted or boost):
                return None
            reason = (
                "passages about what is excluded come last"
                if taken_out or excepted
                else "a date speaks for its documents"
            )
            text = rest if re.search(r"\w{3}", rest) else question
            boosts = () if boost is None else (WeightedQuery(text, BOOST, boost),)
            return Proposal(text, reason, 0.6, excluded=(*taken_out, *excepted), alternatives=boosts)
        conditions = tuple(one.filter for one in found)
        return Proposal(
            _without(rest, found) or question,
            "only documents with " + " and ".join(one.said for one in found),
            confidence=0.85,
            filter=conditions[0] if len(conditions) == 1 else And(conditions),
            excluded=(*taken_out, *excepted),
        )


def _stated(text: str, fields: Mapping[str, FieldSummary], context: Context) -> Iterator[_Found]:
    for match in _STATED.finditer(text):
        field = _field(match["field"], fields)
        if field is not None:
            yield from _compared(match, field, match["how"], context)
    for pattern, candidates in ((_BY, _AUTHORS), (_IN_KIND, _KINDS), (_IN_LANGUAGE, ("language", "lang"))):
        present = [fields[name] for name in candidates if name in fields]
        for match in pattern.finditer(text):
            for field in present:
                if found := next(_compared(match, field, ":", context), None):
                    yield found
                    break
    for match in _NUMBERED.finditer(text):
        field = _field(match["field"], fields)
        if field is not None and field.kind is FieldKind.NUMBER:
            comparator = _HOW_MANY[" ".join(match["how"].lower().split())]
            value = float(match["number"]) if "." in match["number"] else int(match["number"])
            yield _Found(Comparison(field.name, comparator, value), *match.span(), f"{field.name} {comparator} {value}")


def _compared(match: re.Match[str], field: FieldSummary, how: str, context: Context) -> Iterator[_Found]:
    """The constraint that ``match`` states of ``field``: by the longest beginning of its value that there is."""
    negated = bool(match["not"]) or how == "!="
    given, start = match["value"], match.start("value")
    if given[0] in "\"'“":
        beginnings = [given[1:-1]]
    else:
        ends = [piece.end() for piece in re.finditer(r"\S+", given)]
        beginnings = [given[:end] for end in reversed(ends)]
    for value in beginnings:
        condition = _condition(field, how, value.rstrip(".)"), context)
        if condition is not None:
            stop = match.end("value") if len(beginnings) == 1 and given[0] in "\"'“" else start + len(value)
            if match.re is _IN_KIND.compiled:
                stop = match.end()
            said = f"{field.name} {'other than ' if negated else ''}{value.strip()}"
            yield _Found(Not(condition) if negated else condition, match.start(), stop, said)
            return


def _condition(field: FieldSummary, how: str, value: str, context: Context) -> Filter | None:
    if field.kind is FieldKind.NUMBER:
        if not re.fullmatch(r"-?\d+(?:\.\d+)?", value):
            return None
        number = float(value) if "." in value else int(value)
        comparator = Comparator(how) if how in (">=", "<=", ">", "<") else Comparator.EQUAL
        condition = Comparison(field.name, comparator, number)
        return condition if context.facts.admits(condition) else None
    if field.kind is FieldKind.TRUTH:
        return (
            Comparison(field.name, Comparator.EQUAL, value.lower() == "true")
            if value.lower() in ("true", "false")
            else None
        )
    if how in (">=", "<=", ">", "<"):
        return Comparison(field.name, Comparator(how), value) if _ISO.match(value) else None
    values = context.facts.values_like(field.name, value)
    if not values and field.name in ("language", "lang") and value.lower() in _LANGUAGES:
        values = context.facts.values_like(field.name, _LANGUAGES[value.lower()])
    return Comparison(field.name, Comparator.IN, values) if values else None


def _titled(text: str, context: Context) -> Iterator[_Found]:
    for match in _TITLED.finditer(text):
        title = (match["quoted"] or match["curly"] or match["plain"]).strip().rstrip(".")
        condition: Filter = Comparison("title", Comparator.EQUAL, title)
        named = () if context.facts.admits(condition) else context.facts.named([title]).get(title, ())
        if named:
            condition = Comparison("id", Comparator.IN, named)
        if named or context.facts.admits(condition):
            yield _Found(condition, *match.span(), f"title {title}")


def _dated(text: str, fields: Mapping[str, FieldSummary], today: date) -> Iterator[_Found]:
    for span in time_spans(text, today=today):
        lead = _SPEAKS_OF_DOCUMENTS.search(text[max(0, span.start - 60) : span.start])
        if lead is None:
            continue
        verb = lead["verb"] or lead["alone"]
        names = _VERBS[verb.lower()] if verb else _ANY_DATE
        condition = next(_on_dates(span, names, fields), None)
        if condition is not None:
            start = span.start - len(lead.group()) if verb else span.start
            yield _Found(condition, start, span.stop, f"a date {text[span.start : span.stop].strip()}")


def _boost(text: str, fields: Mapping[str, FieldSummary], today: date) -> Filter | None:
    spans = list(time_spans(text, today=today))
    if len(spans) != 1:
        return None
    return next(_on_dates(spans[0], _ANY_DATE, fields), None)


def _on_dates(span: TimeSpan, names: tuple[str, ...], fields: Mapping[str, FieldSummary]) -> Iterator[Filter]:
    """The span as a condition, for each of the fields that there is and that holds dates."""
    for name in names:
        field = fields.get(name)
        if field is None:
            continue
        years = [value for value in field.examples if isinstance(value, int) and 1000 <= value <= 2200]
        texts = [value for value in field.examples if isinstance(value, str) and _ISO.match(value)]
        bounds: list[Filter] = []
        if field.kind is FieldKind.NUMBER and years and span.whole_years:
            bounds += [Comparison(name, Comparator.GREATER_OR_EQUAL, span.first.year)] if span.first else []
            bounds += [Comparison(name, Comparator.LESS, span.end.year)] if span.end else []
        elif field.kind is FieldKind.TEXT and texts:
            bounds += [Comparison(name, Comparator.GREATER_OR_EQUAL, span.first.isoformat())] if span.first else []
            bounds += [Comparison(name, Comparator.LESS, span.end.isoformat())] if span.end else []
        if bounds:
            yield bounds[0] if len(bounds) == 1 else And(tuple(bounds))


def _field(said: str, fields: Mapping[str, FieldSummary]) -> FieldSummary | None:
    """The field of this name, but for its case and an s for several."""
    for name in (said, said.lower(), said.lower() + "s", said.lower().removesuffix("s"), said.replace("-", "_")):
        if name in fields:
            return fields[name]
    return None


def _apart(found: list[_Found]) -> list[_Found]:
    """In order of their beginning, without those that begin within another."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.stop)):
        if not kept or one.start >= kept[-1].stop:
            kept.append(one)
    return kept


def _without(text: str, found: list[_Found]) -> str:
    """The text without what states the constraints, where at least a word of three letters is left."""
    for one in reversed(found):
        text = f"{text[: one.start]} {text[one.stop :]}"
    text = re.sub(r"\s+([.,;?!])", r"\1", " ".join(text.split())).strip(" ,;")
    return text if re.search(r"\w{3}|[^\x00-\x7f]", text) else ""
