"""A filter as an SQL condition over documents' metadata, with the meaning that ``Comparison`` gives it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias, assert_never

from rag_engine.errors import InvalidFilterError
from rag_engine.types.document import JsonValue
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not, Or

# Fields that are columns, not metadata.
COLUMNS = {"id": "documents.id", "document": "documents.id", "title": "documents.title", "source": "documents.source"}
_NEVER_NULL = {"documents.id", "documents.title"}
MOST_PARAMETERS = 30_000  # SQLite takes 32,766
_NEGATED = {Comparator.NOT_EQUAL: Comparator.EQUAL, Comparator.NOT_IN: Comparator.IN}
_NUMBER = "member.type in ('integer', 'real')"
_TEXT = "member.type = 'text'"
_IN_LIST = "in (select value from json_each(?))"

_Condition: TypeAlias = "tuple[str, list[str | int | float]]"
_NEVER: _Condition = ("0", [])


def condition(expression: Filter) -> _Condition:
    """The condition and its parameters; the columns are those of ``documents``.

    Raises:
        InvalidFilterError: it has more comparisons than SQLite takes parameters.
    """
    sql, parameters = _condition(expression)
    if len(parameters) > MOST_PARAMETERS:
        raise InvalidFilterError(
            f"the filter makes {len(parameters):,} comparisons, more than the catalog takes",
            hint="put the values that one field may have into a list: field in [...]",
        )
    return sql, parameters


def _condition(expression: Filter) -> _Condition:
    match expression:
        case And(conditions):
            return _joined([_condition(part) for part in conditions], "and") if conditions else ("1", [])
        case Or(conditions):
            return _joined([_condition(part) for part in conditions], "or") if conditions else _NEVER
        case Not(inner):
            sql, parameters = _condition(inner)
            return f"(not {sql})", parameters
        case Comparison():
            return _comparison(expression)
        case _:
            assert_never(expression)


def _joined(parts: Sequence[_Condition], operator: str) -> _Condition:
    """The parts as a balanced tree: SQLite refuses expressions that are more than 1,000 deep."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = _joined(parts[:middle], operator), _joined(parts[middle:], operator)
    return f"({left[0]} {operator} {right[0]})", left[1] + right[1]


def _comparison(comparison: Comparison) -> _Condition:
    field, comparator, value = comparison.field, comparison.comparator, comparison.value
    if comparator in _NEGATED:
        sql, parameters = _comparison(Comparison(field, _NEGATED[comparator], value))
        return f"(not {sql})", parameters
    if comparator is Comparator.EQUAL:
        return _among(field, [value])
    if comparator is Comparator.IN:
        return _among(field, value if isinstance(value, (list, tuple)) else [value])
    return _ordered(field, comparator, value)


def _among(field: str, members: Iterable[JsonValue | tuple[JsonValue, ...]]) -> _Condition:
    """True when the field, or a member of its list, is one of ``members``.

    They go in as JSON, so that SQLite reads their numbers just as it reads those of the metadata.
    """
    texts: list[str] = []
    numbers: list[int | float] = []
    kinds: set[str] = set()
    for member in members:
        if member is None or isinstance(member, bool):
            kinds.add(json.dumps(member))
        elif isinstance(member, str):
            texts.append(member)
        elif isinstance(member, int) or (isinstance(member, float) and math.isfinite(member)):
            numbers.append(member)
    column = COLUMNS.get(field)
    if column is not None:
        # Bare where it can be: SQLite finds ids by their index then.
        test = f"{column} {_IN_LIST}" if column in _NEVER_NULL else f"ifnull({column} {_IN_LIST}, 0)"
        return (test, [json.dumps(texts)]) if texts else _NEVER
    tests = [f"member.type = '{kind}'" for kind in sorted(kinds)]
    parameters: list[str | int | float] = []
    for test, values in ((_TEXT, texts), (_NUMBER, numbers)):
        if values:
            tests.append(f"{test} and member.value {_IN_LIST}")
            parameters.append(json.dumps(values))
    if not tests:
        return _NEVER
    test = f"({' or '.join(tests)})"
    return (
        f"(exists (select 1 from json_each(documents.metadata) as member where member.key = ? and {test}) "
        "or exists (select 1 from json_each(documents.metadata) as list, json_each(list.value) as member "
        f"where list.key = ? and list.type = 'array' and {test}))",
        [field, *parameters, field, *parameters],
    )


def _ordered(field: str, comparator: Comparator, value: JsonValue | tuple[JsonValue, ...]) -> _Condition:
    """True when the field is of the value's kind and stands to it as ``comparator`` says."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return _NEVER
    if isinstance(value, int) and abs(value) >= 1 << 63:
        value = float(str(value))  # SQLite's integers end here; text, because float() itself refuses huge ones
    column = COLUMNS.get(field)
    if column is not None:
        return (f"ifnull({column} {comparator.value} ?, 0)", [value]) if isinstance(value, str) else _NEVER
    kind = _TEXT if isinstance(value, str) else _NUMBER
    return (
        "exists (select 1 from json_each(documents.metadata) as member "
        f"where member.key = ? and {kind} and member.value {comparator.value} ?)",
        [field, value],
    )
