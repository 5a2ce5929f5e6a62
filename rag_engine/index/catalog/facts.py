"""What the documents are called and described by: the names and fields that a question may mean."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rag_engine.index.catalog.filters import condition
from rag_engine.types.document import JsonValue
from rag_engine.types.optimization import FieldKind, FieldSummary
from rag_engine.types.retrieval import Filter

# Evenly spread over the documents: metadata lie behind a document's text, and all of them would take seconds to read.
SAMPLED_DOCUMENTS = 500
_EXAMPLES = 8
_MOST_VALUES = 20
_LONGEST_VALUE = 200
# Word for word as in the index that m005 made, or SQLite does not use it.
_NAME = "substr(title, 1, instr(title || ' (', ' (') - 1)"
_HAS_NAME = "length(title) between 1 and 200"
_KINDS = {
    "text": FieldKind.TEXT,
    "integer": FieldKind.NUMBER,
    "real": FieldKind.NUMBER,
    "true": FieldKind.TRUTH,
    "false": FieldKind.TRUTH,
    "array": FieldKind.LIST,
}


class Facts:
    """Read from the catalog whenever asked; the fields once for each commit."""

    def __init__(self, rows: Callable[..., list[Any]]) -> None:
        """``rows`` runs a statement with its parameters."""
        self._rows = rows
        self._fields: tuple[int, dict[str, FieldSummary]] = (-1, {})

    def fields(self) -> Mapping[str, FieldSummary]:
        """The fields of the metadata, by name, as 500 documents spread over all have them."""
        commit = int(self._rows("select ifnull(max(number), 0) from commits")[0][0])
        if self._fields[0] != commit:
            self._fields = (commit, self._sampled_fields())
        return self._fields[1]

    def _sampled_fields(self) -> dict[str, FieldSummary]:
        first, last = self._rows("select ifnull(min(number), 0), ifnull(max(number), -1) from documents")[0]
        step = max(1, (last - first + 1) // SAMPLED_DOCUMENTS)
        rows = self._rows(
            "select member.key, member.type, member.value from documents, json_each(documents.metadata) as member "
            "where documents.number in (select value from json_each(?)) and json_valid(documents.metadata)",
            (json.dumps(list(range(first, last + 1, step))),),
        )
        values: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        for key, kind, value in rows:
            values[key].append((kind, value))
        return {name: _summary(name, found) for name, found in values.items()}

    def values_like(self, field: str, text: str) -> tuple[str, ...]:
        """Texts that the field has, alone or in a list: those equal to ``text`` but for their case; where there are
        none, those that hold it as whole words. At most 20."""
        wanted = " ".join(text.split()).casefold()
        if not wanted:
            return ()
        rows = self._rows(
            "select distinct member.value from documents, json_each(documents.metadata) as member "
            "where member.key = ? and member.type = 'text' "
            "union select distinct inner.value from documents, json_each(documents.metadata) as list, "
            "json_each(list.value) as inner where list.key = ? and list.type = 'array' and inner.type = 'text'",
            (field, field),
        )
        known = [value for (value,) in rows if len(value) <= _LONGEST_VALUE]
        equal = [value for value in known if value.casefold() == wanted]
        if equal:
            return tuple(equal[:_MOST_VALUES])
        holding = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
        held = [value for value in known if holding.search(value.casefold())]
        return tuple(held) if len(held) <= _MOST_VALUES else ()

    def named(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Ids of the documents whose title is one of the names, also with something in brackets behind it."""
        rows = self._rows(
            f"select {_NAME}, id from documents where {_NAME} in (select value from json_each(?)) and {_HAS_NAME} "
            "order by number",
            (json.dumps(list(names)),),
        )
        found: dict[str, tuple[str, ...]] = {}
        for name, identifier in rows:
            found[name] = (*found.get(name, ()), identifier)
        return found

    def admits(self, expression: Filter) -> bool:
        """Whether any document satisfies the filter."""
        sql, parameters = condition(expression)
        return bool(self._rows(f"select exists (select 1 from documents where {sql})", parameters)[0][0])


def _summary(name: str, found: Sequence[tuple[str, Any]]) -> FieldSummary:
    kinds = {_KINDS.get(kind, FieldKind.OTHER) for kind, _ in found if kind != "null"}
    kind = kinds.pop() if len(kinds) == 1 else FieldKind.OTHER
    return FieldSummary(name, kind, len(found), tuple(_examples(found)))


def _examples(found: Iterable[tuple[str, Any]]) -> Iterable[JsonValue]:
    plain = (
        value for kind, value in found if kind in ("text", "integer", "real") and len(str(value)) <= _LONGEST_VALUE
    )
    return list(dict.fromkeys(plain))[:_EXAMPLES]
