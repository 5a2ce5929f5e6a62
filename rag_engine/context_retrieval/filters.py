"""Reading filters: an expression as people type it, and the JSON forms of Haystack, OpenAI and Chroma."""

from __future__ import annotations

import ast
import json
import keyword
from collections.abc import Mapping
from typing import Any

from rag_engine.errors import InvalidFilterError
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not, Or

_MOST_DEEPLY_NESTED = 50
_OPERATORS: Mapping[type[ast.cmpop], Comparator] = {
    ast.Eq: Comparator.EQUAL,
    ast.NotEq: Comparator.NOT_EQUAL,
    ast.Gt: Comparator.GREATER,
    ast.GtE: Comparator.GREATER_OR_EQUAL,
    ast.Lt: Comparator.LESS,
    ast.LtE: Comparator.LESS_OR_EQUAL,
    ast.In: Comparator.IN,
    ast.NotIn: Comparator.NOT_IN,
}
_MIRRORED: Mapping[type[ast.cmpop], Comparator] = {
    ast.Eq: Comparator.EQUAL,
    ast.NotEq: Comparator.NOT_EQUAL,
    ast.Gt: Comparator.LESS,
    ast.GtE: Comparator.LESS_OR_EQUAL,
    ast.Lt: Comparator.GREATER,
    ast.LtE: Comparator.GREATER_OR_EQUAL,
}
_NAMED = {
    "eq": Comparator.EQUAL,
    "ne": Comparator.NOT_EQUAL,
    "gt": Comparator.GREATER,
    "gte": Comparator.GREATER_OR_EQUAL,
    "lt": Comparator.LESS,
    "lte": Comparator.LESS_OR_EQUAL,
    "in": Comparator.IN,
    "nin": Comparator.NOT_IN,
    **{comparator.value: comparator for comparator in Comparator},
}


def parse_filter(expression: str | Mapping[str, Any]) -> Filter:
    """A filter from ``year >= 2020 and not language in ['en', 'de']``, or from a JSON form (text or mapping).

    Fields are metadata keys, or ``id``, ``title``, ``source``; a key that is no identifier is
    written ``meta['last-edited']``.

    Raises:
        InvalidFilterError: says what does not parse.
    """
    if isinstance(expression, str):
        if not expression.strip():
            raise InvalidFilterError("the filter is empty")
        if not expression.lstrip().startswith("{"):
            return _from_expression(expression)
        try:
            expression = json.loads(expression)
        except (ValueError, RecursionError) as error:
            raise InvalidFilterError(f"the filter is not valid JSON: {error}") from error
    return _from_mapping(expression, 0)


def shown(condition: Filter, *, whole: bool = False) -> str:
    """The filter as an expression that a person reads; a long list of values is cut unless ``whole`` is wanted, of
    which ``parse_filter`` makes the same filter again."""
    match condition:
        case And(parts):
            return " and ".join(
                f"({shown(part, whole=whole)})" if isinstance(part, Or) else shown(part, whole=whole) for part in parts
            )
        case Or(parts):
            return " or ".join(shown(part, whole=whole) for part in parts)
        case Not(inner):
            return f"not ({shown(inner, whole=whole)})"
        case Comparison(field, comparator, value):
            name = field if field.isidentifier() and not keyword.iskeyword(field) else f"meta[{field!r}]"
            values = repr(list(value) if isinstance(value, tuple) else value)
            return f"{name} {comparator} {values if whole else _cut(values)}"


def _from_expression(expression: str) -> Filter:
    try:
        return _from_node(ast.parse(expression.strip(), mode="eval").body, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InvalidFilterError(f"the filter {_shown(expression)} does not parse: {reason}") from error


def _from_node(node: ast.expr, depth: int) -> Filter:
    _check_depth(depth)
    match node:
        case ast.BoolOp(op, values):
            parts = tuple(_from_node(value, depth + 1) for value in values)
            return And(parts) if isinstance(op, ast.And) else Or(parts)
        case ast.UnaryOp(ast.Not(), operand):
            return Not(_from_node(operand, depth + 1))
        case ast.Compare(left, operators, rights) if all(type(operator) in _OPERATORS for operator in operators):
            links = zip([left, *rights], operators, rights, strict=False)
            parts = tuple(_link(first, operator, second) for first, operator, second in links)
            return parts[0] if len(parts) == 1 else And(parts)
    raise InvalidFilterError(f"the filter has {_shown(ast.unparse(node))} where a comparison belongs")


def _link(first: ast.expr, operator: ast.cmpop, second: ast.expr) -> Filter:
    """One link of ``2019 <= year < 2024``: the field may stand on either side."""
    if isinstance(first, ast.Constant) and type(operator) in _MIRRORED:
        return _comparison(_field(second), _MIRRORED[type(operator)], _literal(first))
    return _comparison(_field(first), _OPERATORS[type(operator)], _literal(second))


def _field(node: ast.expr) -> str:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(ast.Name("meta" | "metadata"), name):
            return name
        case ast.Subscript(ast.Name("meta" | "metadata"), ast.Constant(str(name))):
            return name
    raise InvalidFilterError(f"the filter has {_shown(ast.unparse(node))} where a field's name belongs")


def _literal(node: ast.expr) -> object:
    if isinstance(node, ast.Name) and node.id in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[node.id]
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise InvalidFilterError(
            f"the filter has {_shown(ast.unparse(node))} where a value belongs", hint="put text in quotes"
        ) from error


def _from_mapping(form: object, depth: int) -> Filter:
    _check_depth(depth)
    if not isinstance(form, Mapping) or not form:
        raise InvalidFilterError(f"the filter has {_shown(json.dumps(form))} where a condition belongs")
    if "operator" in form or "type" in form:
        return _from_operator(form, depth)
    parts = tuple(_from_chroma(str(key), value, depth) for key, value in form.items())
    return parts[0] if len(parts) == 1 else And(parts)


def _from_operator(form: Mapping[str, Any], depth: int) -> Filter:
    """Haystack's ``{operator, conditions | field, value}`` and OpenAI's ``{type, filters | key, value}``."""
    operator = str(form.get("operator", form.get("type"))).lower()
    if operator in ("and", "or", "not"):
        members = form.get("conditions", form.get("filters"))
        if not isinstance(members, list):
            raise InvalidFilterError(f"the filter's {operator} needs a list of conditions")
        parts = tuple(_from_mapping(member, depth + 1) for member in members)
        return Or(parts) if operator == "or" else And(parts) if operator == "and" else Not(And(parts))
    field = form.get("field", form.get("key"))
    if operator not in _NAMED or not isinstance(field, str) or "value" not in form:
        raise InvalidFilterError(f"the filter has {_shown(json.dumps(dict(form)))} where a comparison belongs")
    return _comparison(field.removeprefix("meta."), _NAMED[operator], form["value"])


def _from_chroma(key: str, value: object, depth: int) -> Filter:
    """Chroma's ``{field: value}``, ``{field: {$gte: value}}`` and ``{$and: [...]}``."""
    if key in ("$and", "$or"):
        if not isinstance(value, list):
            raise InvalidFilterError(f"the filter's {key} needs a list of conditions")
        parts = tuple(_from_mapping(member, depth + 1) for member in value)
        return And(parts) if key == "$and" else Or(parts)
    if not isinstance(value, Mapping):
        return _comparison(key, Comparator.EQUAL, value)
    unknown = [name for name in value if str(name).removeprefix("$") not in _NAMED or not str(name).startswith("$")]
    if unknown or not value:
        raise InvalidFilterError(f"the filter knows no operator {_shown(str(unknown[0] if unknown else value))}")
    comparisons = tuple(_comparison(key, _NAMED[str(name)[1:]], member) for name, member in value.items())
    return comparisons[0] if len(comparisons) == 1 else And(comparisons)


def _comparison(field: str, comparator: Comparator, value: object) -> Comparison:
    if comparator in (Comparator.IN, Comparator.NOT_IN):
        if not isinstance(value, (list, tuple, set)):
            raise InvalidFilterError(f"the filter's {field} {comparator.value} needs a list of values")
        members = tuple(_scalar(field, member) for member in value)
        return Comparison(field, comparator, members)
    return Comparison(field, comparator, _scalar(field, value))


def _scalar(field: str, value: object) -> str | float | int | bool | None:
    if value is None or isinstance(value, (str, bool, int, float)):
        # SQLite's integers end here; larger ones compare as floating point numbers.
        return float(value) if isinstance(value, int) and abs(value) >= 1 << 63 else value
    raise InvalidFilterError(
        f"the filter compares {field} with {_shown(str(value))}, which is no text, number or truth"
    )


def _check_depth(depth: int) -> None:
    if depth > _MOST_DEEPLY_NESTED:
        raise InvalidFilterError(f"the filter is nested more than {_MOST_DEEPLY_NESTED} deep")


def _shown(text: str) -> str:
    return repr(_cut(text))


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
