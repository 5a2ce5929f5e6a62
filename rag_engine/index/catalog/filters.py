"""A filter as an SQL condition over documents' metadata, with the meaning that ``Comparison`` gives it."""

from __future__ import annotations

from typing import assert_never

from rag_engine.types.document import JsonValue
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not, Or

# Fields that are columns, not metadata.
COLUMNS = {"id": "documents.id", "document": "documents.id", "title": "documents.title", "source": "documents.source"}
_NEGATED = {Comparator.NOT_EQUAL: Comparator.EQUAL, Comparator.NOT_IN: Comparator.IN}


def condition(expression: Filter) -> tuple[str, list[str | int | float]]:
    """The condition and its parameters; the columns are those of ``documents``."""
    match expression:
        case And(conditions) | Or(conditions):
            joiner = " and " if isinstance(expression, And) else " or "
            parts = [condition(part) for part in conditions]
            if not parts:
                return ("1" if isinstance(expression, And) else "0"), []
            return f"({joiner.join(sql for sql, _ in parts)})", [value for _, values in parts for value in values]
        case Not(inner):
            sql, values = condition(inner)
            return f"(not {sql})", values
        case Comparison():
            return _comparison(expression)
        case _:
            assert_never(expression)


def _comparison(comparison: Comparison) -> tuple[str, list[str | int | float]]:
    if comparison.comparator in _NEGATED:
        sql, values = _comparison(Comparison(comparison.field, _NEGATED[comparison.comparator], comparison.value))
        return f"(not {sql})", values
    if comparison.comparator is Comparator.IN:
        members = comparison.value if isinstance(comparison.value, (list, tuple)) else (comparison.value,)
        parts = [_comparison(Comparison(comparison.field, Comparator.EQUAL, member)) for member in members]
        if not parts:
            return "0", []
        return f"({' or '.join(sql for sql, _ in parts)})", [value for _, values in parts for value in values]
    return _one(comparison.field, comparison.comparator, comparison.value)


def _one(
    field: str, comparator: Comparator, value: JsonValue | tuple[JsonValue, ...]
) -> tuple[str, list[str | int | float]]:
    column = COLUMNS.get(field)
    if column is not None:
        # "is" for equality, so that a column without a value is unequal rather than unknown.
        operator = "is" if comparator is Comparator.EQUAL else comparator.value
        return (f"ifnull({column} {operator} ?, 0)", [value]) if isinstance(value, str) else ("0", [])
    if value is None or isinstance(value, (list, dict, tuple)):
        if comparator is not Comparator.EQUAL or value is not None:
            return "0", []
        return _over_members(field, "member.type = 'null'", [])
    if isinstance(value, bool):
        if comparator is not Comparator.EQUAL:
            return "0", []
        return _over_members(field, f"member.type = '{str(value).lower()}'", [])
    kinds = "('text')" if isinstance(value, str) else "('integer', 'real')"
    test = f"member.type in {kinds} and member.value {comparator.value.replace('==', '=')} ?"
    return _over_members(field, test, [value], members=comparator is Comparator.EQUAL)


def _over_members(
    field: str, test: str, values: list[str | int | float], *, members: bool = True
) -> tuple[str, list[str | int | float]]:
    """True when the field itself passes ``test``, or, for equality, when a member of its list does."""
    top = "select 1 from json_each(documents.metadata) as member where member.key = ? and " + test
    sql = f"exists ({top})"
    parameters: list[str | int | float] = [field, *values]
    if members:
        sql = (
            f"({sql} or exists (select 1 from json_each(documents.metadata) as list, json_each(list.value) as member "
            f"where list.key = ? and list.type = 'array' and {test}))"
        )
        parameters += [field, *values]
    return sql, parameters
